"""Everything on the calling thread: for debuggers, and for libraries bound to one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["InlineEngine"]


class InlineEngine:
    """Runs no job beside the calling thread."""

    workers = 0
    guests = None
    crew = None

    def submit(self, job: Callable[[], object]) -> object:
        """Run `job` here, before returning."""
        return job()
