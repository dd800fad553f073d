"""Environment: variables that are set for the length of a body. It holds state: whose turn it is.

A process has one set of variables, so bodies that set some take turns. A body that calls another such task waits for
nobody: the tasks within it take turns among themselves, on whatever threads they run.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

__all__ = ["put_back", "variables_set"]

_TRIED_EVERY_S = 0.005

_turn: ContextVar[Lock] = ContextVar("celltask_environment_turn", default=Lock())  # noqa: B039 - one for all, as meant
"""The lock that the next body must hold; within a body with variables it is one of that body's own."""


@asynccontextmanager
async def variables_set(variables: tuple[tuple[str, str], ...], *, is_async: bool) -> AsyncIterator[None]:
    """Set `variables` while the block runs, when it is its turn; what was there before comes back after.

    Args:
        variables: Names and values.
        is_async: Whether an event loop runs the block, which must go on while this waits for its turn.
    """
    __tracebackhide__ = True
    turn = _turn.get()
    if is_async:
        await _acquired(turn)
    else:
        turn.acquire()
    token = _turn.set(Lock())
    before = {name: os.environ.get(name) for name, _ in variables}
    try:
        os.environ.update(variables)
        yield
    finally:
        put_back(before)
        _turn.reset(token)
        turn.release()


async def _acquired(turn: Lock) -> None:
    """Wait without stopping the loop, and so that a cancelled wait leaves the lock alone."""
    import asyncio  # noqa: PLC0415 - a loop runs, so it is loaded

    while not turn.acquire(blocking=False):  # noqa: ASYNC110 - whoever holds it may be another thread
        await asyncio.sleep(_TRIED_EVERY_S)


def put_back(before: Mapping[str, str | None]) -> None:
    """Give the variables the values that they had; those that had none go."""
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
