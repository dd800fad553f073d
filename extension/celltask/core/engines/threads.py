"""Threads of this process: for work that waits or leaves the interpreter lock (I/O, numpy, databases)."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    from celltask.core.engines.base import Guests, Hands
    from celltask.core.execution import Execution

__all__ = ["ThreadsEngine"]

MOST_THREADS = 32
"""Enough for bodies that wait, whatever the CPUs: one that computes in Python itself holds up all others anyway."""


class ThreadsEngine:
    """A pool of threads, made when a second node is first ready while one runs."""

    guests: Guests | None = None
    crew: Callable[[Execution], Hands] | None = None

    def __init__(self) -> None:
        self.workers = MOST_THREADS
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
