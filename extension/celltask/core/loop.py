"""The event loop on which the async tasks of this process run together. It holds state: the loop, once needed."""

from __future__ import annotations

import os
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING

from celltask.core.context import ACTIVE, NodeContext
from celltask.core.endings import cancelled
from celltask.core.job import in_thread

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

__all__ = ["begin", "run_coroutine"]

_making = threading.Lock()
_made: tuple[int, asyncio.AbstractEventLoop] | None = None


def _loop() -> asyncio.AbstractEventLoop:
    """The loop of this process, running on a thread of its own; after a fork there is none yet."""
    global _made  # noqa: PLW0603 - the one loop
    import asyncio  # noqa: PLC0415 - 60 ms, and only async tasks need it

    with _making:
        if _made is None or _made[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, daemon=True, name="celltask loop").start()
            _made = (os.getpid(), loop)
        return _made[1]


def run_coroutine(coroutine: Coroutine[object, None, object], *, here: bool = False) -> object:
    """The result of `coroutine`, run to its end while this thread waits.

    Args:
        coroutine: What to run.
        here: Run it on this thread rather than on the common loop, unless a loop runs here already.
    """
    __tracebackhide__ = True
    import asyncio  # noqa: PLC0415 - as above

    try:
        now = asyncio.get_running_loop()
    except RuntimeError:
        now = None
    if now is None and here:
        return asyncio.run(coroutine)
    if now is not None and (here or now is _loop()):  # a loop cannot wait for itself
        return in_thread(lambda: asyncio.run(coroutine), None)
    return _run_on_loop(coroutine)


def _run_on_loop(coroutine: Coroutine[object, None, object]) -> object:
    __tracebackhide__ = True
    outcome: list[tuple[object, BaseException | None]] = []
    over = threading.Event()

    async def work() -> None:
        __tracebackhide__ = True
        try:
            outcome.append((await coroutine, None))
        except BaseException as error:  # noqa: BLE001 - border: users' code; raised again in the caller
            outcome.append((None, error))

    context = ACTIVE.get()
    control = context.control if isinstance(context, NodeContext) else None
    cancel = begin(work(), over.set)
    if control is not None:
        control.enders.append(cancel)
        if control.cancelled.is_set():
            cancel()
    try:
        over.wait()
    except BaseException:
        cancel()
        raise
    finally:
        if control is not None:
            control.enders.remove(cancel)
    if not outcome:  # cancelled before it began
        coroutine.close()
        raise cancelled()
    value, error = outcome[0]
    if error is None:
        return value
    if control is not None and control.cancelled.is_set() and not isinstance(error, Exception):
        raise cancelled() from None
    raise error


def begin(coroutine: Coroutine[object, None, object], ended: Callable[[], None]) -> Callable[[], object]:
    """Start `coroutine` on the loop with this thread's context variables; what is returned cancels it.

    Args:
        coroutine: What to run; it must not raise.
        ended: Called on the loop's thread after it has ended.
    """
    loop, context = _loop(), copy_context()
    tasks: list[asyncio.Task[object]] = []

    def start() -> None:
        task = loop.create_task(coroutine, context=context)
        task.add_done_callback(lambda _: ended())
        tasks.append(task)

    loop.call_soon_threadsafe(start)
    return lambda: loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
