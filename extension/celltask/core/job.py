"""What the options of a task mean: cache look-up, environment, timeout and retries around one call of its body.

This is the only place that knows; a direct call, a worker thread and a remote worker all go through it.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, cast

from celltask.core.calling import call_body
from celltask.core.context import ACTIVE, NodeContext, TaskContext
from celltask.core.events import NodeRetried
from celltask.errors import CelltaskError, RunCancelledError, RunError, TaskTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from celltask.core.engines.base import Guests
    from celltask.core.task import Task

__all__ = ["drive", "in_thread", "performer"]

LONGEST_DELAY_S = 30.0
_JITTER = 0.25


def performer(task: Task[..., object]) -> Callable[..., object]:
    """A stand-in for the body of `task` that also does what its options ask for."""
    if task.is_async:

        async def performed(*args: object, **named: object) -> object:
            __tracebackhide__ = True
            return await _perform(task, (*args, *named.values()))
    else:

        def performed(*args: object, **named: object) -> object:  # type: ignore[misc]  # the sync twin
            __tracebackhide__ = True
            return drive(_perform(task, (*args, *named.values())))

    return performed


def drive(coroutine: Coroutine[object, None, object]) -> object:
    """The result of a coroutine that never waits, so that one text serves sync and async bodies."""
    __tracebackhide__ = True
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    except RuntimeError as error:
        if isinstance(error.__cause__, StopIteration) and str(error) == "coroutine raised StopIteration":
            raise error.__cause__ from None  # a body's own, which Python lets no coroutine raise
        raise
    coroutine.close()
    raise RunError("a step that must not wait waited")


async def _perform(task: Task[..., object], args: tuple[object, ...]) -> object:
    __tracebackhide__ = True
    options = task.options
    if task.source.stand_in is not None:
        return await _once(task, args)
    if options.cache:
        from celltask.core.cache import cached  # noqa: PLC0415 - only cached tasks need it

        return await cached(task, args, _attempts)
    return await _attempts(task, args)


async def _attempts(task: Task[..., object], args: tuple[object, ...]) -> object:
    __tracebackhide__ = True
    retries = task.options.retries
    attempt = 1
    while True:
        inputs = args
        if attempt <= retries:  # a failed attempt may have changed what it got
            inputs = _own(task, args)
        _number(task, attempt)
        try:
            return await _once(task, inputs)
        except Exception as error:  # border: users' code; it goes on up when no retry is left
            if attempt > retries or not _is_retried(task, error):
                raise
            delay_s = _delay_s(task, attempt)
            context = ACTIVE.get()
            if isinstance(context, NodeContext):
                context.tell(NodeRetried(context.run_id, context.node, attempt, error, delay_s))
            await _sleep(task, delay_s)
            attempt += 1


def _is_retried(task: Task[..., object], error: Exception) -> bool:
    """Whether `error` may be gone at the next attempt, as far as the task says."""
    if isinstance(error, CelltaskError) and (not isinstance(error, RunError) or isinstance(error, RunCancelledError)):
        return False
    wanted = task.options.retry_on
    if not wanted:
        return True
    return any(
        name in wanted
        for kind in type(error).__mro__
        for name in (kind.__name__, f"{kind.__module__}.{kind.__qualname__}")
    )


def _delay_s(task: Task[..., object], attempt: int) -> float:
    """Twice as long each time, and a quarter more or less, so that many that failed together do not come together."""
    from random import SystemRandom  # noqa: PLC0415 - only retries need it; not the one that bodies may have seeded

    delay_s = min(task.options.retry_delay * 2.0 ** (attempt - 1), LONGEST_DELAY_S)
    return delay_s * SystemRandom().uniform(1 - _JITTER, 1 + _JITTER)


def _own(task: Task[..., object], args: tuple[object, ...]) -> tuple[object, ...]:
    """What one attempt may change as it likes; a shared input stays the caller's."""
    pairs = zip(task.interface.inputs, args, strict=True)
    return tuple(value if port.name in task.options.share else port.handler.isolate(value) for port, value in pairs)


def _number(task: Task[..., object], attempt: int) -> None:
    context = ACTIVE.get()
    if not isinstance(context, TaskContext):
        context = TaskContext(task)
        ACTIVE.set(context)  # the generated call resets to what was before it
    context.attempt = attempt


async def _sleep(task: Task[..., object], delay_s: float) -> None:
    if not task.is_async:
        context = ACTIVE.get()
        control = context.control if isinstance(context, NodeContext) else None
        if control is None:
            time.sleep(delay_s)  # noqa: ASYNC251 - driven without a loop
        elif control.cancelled.wait(delay_s):
            raise RunCancelledError(
                f"task {task.name!r} was not tried again, because the run was cancelled", task.place
            )
        return
    import asyncio  # noqa: PLC0415 - a loop runs, so it is loaded

    await asyncio.sleep(delay_s)


async def _once(task: Task[..., object], args: tuple[object, ...]) -> object:
    __tracebackhide__ = True
    guests = _guests(task)
    if guests is not None:
        context = cast("NodeContext", ACTIVE.get())
        if not task.is_async:
            return guests.call(task, args, context)
        import asyncio  # noqa: PLC0415 - a loop runs, so it is loaded

        return await asyncio.to_thread(guests.call, task, args, context)
    if not task.options.environment or task.source.stand_in is not None:
        return await _called(task, args)
    from celltask.core.environment import variables_set  # noqa: PLC0415 - only tasks that set some need it

    async with variables_set(task.options.environment, is_async=task.is_async):
        return await _called(task, args)


def _guests(task: Task[..., object]) -> Guests | None:
    """The processes that the body is to run in; stand-ins and bodies that start a process themselves run here."""
    context = ACTIVE.get()
    if task.kind != "python" or task.source.stand_in is not None or not isinstance(context, NodeContext):
        return None
    return context.guests


async def _called(task: Task[..., object], args: tuple[object, ...]) -> object:
    __tracebackhide__ = True
    body, timeout_s = task.source.stand_in or task.body, task.options.timeout
    if task.is_async:
        return await _awaited(task, call_body(body, task.interface, args), timeout_s)  # type: ignore[arg-type]  # a coroutine
    if timeout_s is None:
        return call_body(body, task.interface, args)
    try:
        return in_thread(partial(call_body, body, task.interface, args), timeout_s)
    except _StillRunningError:
        raise _timed_out(task, "its thread cannot be stopped and goes on until it ends by itself") from None


async def _awaited(
    task: Task[..., object], coroutine: Coroutine[object, None, object], timeout_s: float | None
) -> object:
    __tracebackhide__ = True
    if timeout_s is None:
        return await coroutine
    import asyncio  # noqa: PLC0415 - a loop runs, so it is loaded

    started = time.monotonic()
    try:
        return await asyncio.wait_for(coroutine, timeout_s)
    except TimeoutError:
        if time.monotonic() - started < timeout_s:  # the body's own
            raise
        raise _timed_out(task, "it was cancelled") from None


def _timed_out(task: Task[..., object], then: str) -> TaskTimeoutError:
    return TaskTimeoutError(
        f"task {task.name!r} ran longer than its timeout of {task.options.timeout:g} s; {then}",
        task.place,
        "give it more time (timeout=…), or less to do",
    )


class _StillRunningError(Exception):
    """A thread did not end in time."""


def in_thread(work: Callable[[], object], timeout_s: float | None) -> object:
    """The result of `work`, done in a thread of its own with this thread's context variables."""
    __tracebackhide__ = True
    import threading  # noqa: PLC0415 - only timeouts and nested loops need a thread
    from contextvars import copy_context  # noqa: PLC0415 - only with a thread

    outcome: list[tuple[object, BaseException | None]] = []

    def run() -> None:
        __tracebackhide__ = True
        try:
            outcome.append((copied.run(work), None))
        except BaseException as error:  # noqa: BLE001 - border: users' code; raised again in the caller
            outcome.append((None, error))

    copied = copy_context()
    thread = threading.Thread(target=run, daemon=True, name="celltask body")
    thread.start()
    thread.join(timeout_s)
    if not outcome:
        raise _StillRunningError
    value, error = outcome[0]
    if error is not None:
        raise error
    return value
