"""Threads of this process: for work that waits or leaves the interpreter lock (I/O, numpy, databases)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["ThreadsEngine"]


class ThreadsEngine:
    """A pool of threads, made when a second node is first ready while one runs."""

    def __init__(self) -> None:
        # The size that concurrent.futures gives a pool by default: enough for waiting, not for flooding.
        self.workers = min(32, (os.cpu_count() or 1) + 4)
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, job: Callable[[], object]) -> object:
        """Start `job` on a thread of the pool."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 25 ms, and only parallel graphs need it

            self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="celltask")
        return self._pool.submit(job)
