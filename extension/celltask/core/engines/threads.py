"""Threads of this process: for work that waits or leaves the interpreter lock (I/O, numpy, databases)."""

from __future__ import annotations

import os
import threading
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
        self._process = 0
        self._making = threading.Lock()

    def submit(self, job: Callable[[], object]) -> object:
        """Start `job` on a thread of the pool."""
        return self._pool_here().submit(job)

    def _pool_here(self) -> ThreadPoolExecutor:
        """The pool of this process: after a fork the threads of the parent's do not exist here."""
        with self._making:
            if self._pool is None or self._process != os.getpid():
                from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 25 ms, and only parallel graphs need it

                self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="celltask")
                self._process = os.getpid()
            return self._pool
