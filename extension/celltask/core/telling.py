"""Telling: the way of a run's events to whoever listens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.context import ACTIVE
from celltask.core.events import Event, NodePrinted

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Telling", "both"]


def both(one: Callable[[Event], object], other: Callable[[Event], object] | None) -> Callable[[Event], object]:
    """What tells an event to one listener and then to another, if there is another."""
    if other is None:
        return one

    def tell(event: Event) -> None:
        one(event)
        other(event)

    return tell


class Telling:
    """The way of events to the listener, until the run is over or the listener has failed. It holds state.

    A body that an interrupt left behind in its thread may end after the run has.
    """

    __slots__ = ("is_over", "listener", "pending")

    def __init__(self, listener: Callable[[Event], object]) -> None:
        self.listener, self.is_over = listener, False
        self.pending: Exception | None = None
        """What the listener raised when it was told of a print: the body that prints must not get it."""

    def tell(self, event: Event) -> None:
        """Pass `event` on."""
        if self.is_over:
            return
        if self.pending is not None:
            if isinstance(event, NodePrinted):  # of another body: it is the next event of a node that gets the error
                return
            self.is_over = True
            raise self.pending
        token = ACTIVE.set(None) if ACTIVE.get() is not None else None  # what it prints is not a body's
        try:
            self.listener(event)
        except BaseException as error:
            if isinstance(event, NodePrinted) and isinstance(error, Exception):
                self.pending = error
                return
            self.is_over = True
            raise
        finally:
            if token is not None:
                ACTIVE.reset(token)
