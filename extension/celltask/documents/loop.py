"""The event loop for the statements of a document that await at the top level."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Loop"]

R = TypeVar("R")


class Loop:
    """One loop for all of a document; in a thread of its own where a loop runs already, as in Jupyter. It holds state.

    >>> loop = Loop()
    >>> loop.run(asyncio.sleep(0, result=3))
    3
    >>> loop.close()
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)  # the thread's own loop stays as it is
        self._thread: ThreadPoolExecutor | None = None
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self._thread = ThreadPoolExecutor(1)

    def run(self, work: Coroutine[object, object, R]) -> R:
        """What `work` returns; the caller waits for it."""
        __tracebackhide__ = True
        return self._in_place(lambda: self._runner.run(work))

    def close(self) -> None:
        """End what still runs in the loop, and the loop."""
        self._in_place(self._runner.close)
        if self._thread is not None:
            self._thread.shutdown()

    def _in_place(self, work: Callable[[], R]) -> R:
        __tracebackhide__ = True
        return work() if self._thread is None else self._thread.submit(work).result()
