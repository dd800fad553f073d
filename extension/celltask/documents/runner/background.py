"""An event loop in a thread of its own, with kernels: for calls from anywhere, also from where a loop runs already."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from typing import TYPE_CHECKING, TypeVar

from celltask.documents.kernels.pool import Kernels

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from celltask.documents.session import Session

__all__ = ["Background", "background"]

R = TypeVar("R")

_shared: list[Background] = []
_lock = threading.Lock()


def background() -> Background:
    """The one of this process, which is made when it is first asked for and ends with the process."""
    with _lock:
        if not _shared or _shared[0].pid != os.getpid():  # a fork has no thread
            _shared[:] = [Background()]
            atexit.register(_shared[0].close)
        return _shared[0]


class Background:
    """Runs work in its loop while the caller waits. Holds the loop, its thread, the kernels and who uses them."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.kernels = Kernels()
        self.sessions: set[Session] = set()
        """Those that are not closed yet."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="celltask-kernels", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[object, object, R]) -> R:
        """What `work` returns; an interruption of the caller ends it."""
        __tracebackhide__ = True
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End the sessions, the kernels and the loop."""
        if self.pid == os.getpid():
            for session in self.sessions:
                self.run(session.close())
            self.run(self.kernels.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
