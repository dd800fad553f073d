"""Flights: two that need one value at the same moment compute it once. It holds state.

Within a process the second waits for the first, and so do processes that share a store, by its claims. Nobody waits
where that would never end: for what the waiting one computes itself, or for one that waits for it.
"""

from __future__ import annotations

import os
import threading
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager

    from celltask.core.stores.base import Store

__all__ = ["alone", "alone_async"]

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.001, 0.05

_held: ContextVar[tuple[str, ...]] = ContextVar("celltask_held", default=())
"""The keys that are being computed around here, outermost first."""


class _Flights:
    """What is being computed in this process, and who waits for what."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.flying: set[str] = set()
        self.waits: list[tuple[str, str]] = []

    def take(self, key: str, held: tuple[str, ...], *, wait: bool) -> bool | None:
        """Whether the key is ours to compute; None where that is not to be known without waiting.

        It is not ours, either, where waiting for it would never end.
        """
        with self.changed:
            while key in self.flying:
                if self._would_wait_for_itself(key, held):
                    return False
                if not wait:
                    return None
                pairs = [(mine, key) for mine in held]
                self.waits += pairs
                try:
                    self.changed.wait()
                finally:
                    for pair in pairs:
                        self.waits.remove(pair)
            self.flying.add(key)
            return True

    def _would_wait_for_itself(self, key: str, held: tuple[str, ...]) -> bool:
        todo, seen = [key], set()
        while todo:
            one = todo.pop()
            if one in held:
                return True
            if one not in seen:
                seen.add(one)
                todo.extend(key for waiting, key in self.waits if waiting == one)
        return False

    def end(self, key: str) -> None:
        """The key is computed, or failed."""
        with self.changed:
            self.flying.discard(key)
            self.changed.notify_all()


_flights = _Flights()


def _forget() -> None:
    global _flights  # noqa: PLW0603 - a forked child has none of the threads that compute
    _flights = _Flights()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)


@contextmanager
def alone(key: str, store: Store) -> Iterator[None]:
    """While it lasts, nobody else who asks for `key` computes it; waits until that is so."""
    held = _held.get()
    flights = _flights
    if not flights.take(key, held, wait=True):
        yield
        return
    token = _held.set((*held, key))
    try:
        claim = store.claim(key, wait=True)
        if claim is None:
            yield
            return
        with claim:
            yield
    finally:
        _held.reset(token)
        flights.end(key)


@asynccontextmanager
async def alone_async(key: str, store: Store) -> AsyncIterator[None]:
    """As `alone`, for a coroutine: the others of its loop go on while it waits."""
    held = _held.get()
    flights = _flights
    is_ours = await _until(lambda: flights.take(key, held, wait=False))
    if not is_ours:
        yield
        return
    token = _held.set((*held, key))
    try:
        async with _as_async(await _until(lambda: store.claim(key, wait=False))):
            yield
    finally:
        _held.reset(token)
        flights.end(key)


async def _until(ask: Callable[[], T | None]) -> T:
    """What `ask` gives, as soon as it gives something."""
    import asyncio  # noqa: PLC0415 - a loop runs, so it is loaded

    pause_s = _FIRST_PAUSE_S
    while (found := ask()) is None:
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return found


@asynccontextmanager
async def _as_async(claim: AbstractContextManager[object]) -> AsyncIterator[None]:
    with claim:
        yield
