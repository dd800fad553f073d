"""The contract of an engine: it runs jobs beside the calling thread.

To add one: write a class without constructor arguments that has `workers` and `submit` as below, and register it
as an entry point in the group ``celltask.engines``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Engine"]


class Engine(Protocol):
    """Runs jobs somewhere; knows nothing of graphs, caches or notebooks."""

    @property
    def workers(self) -> int:
        """How many jobs it can run at once, beside the calling thread; 0 if it runs none."""
        ...

    def submit(self, job: Callable[[], object]) -> object:
        """Start `job` and return at once."""
        ...
