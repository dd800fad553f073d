"""Crew: those who work on one execution: the calling thread, threads that help it, and the loop of async tasks.

It holds state: which nodes are ready, and who is busy. Whoever ends a node looks which nodes that made ready.
"""

from __future__ import annotations

import threading
from collections import deque
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

from celltask.core.budget import budget

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.execution import Execution

__all__ = ["Crew"]


class Crew:
    """The threads that work on one execution; the calling one is always among them."""

    run_items = None

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        steps = execution.program.steps
        self._waits = [len(step.waits) for step in steps]
        self._ready = deque(place for place, step in enumerate(steps) if not step.waits)
        self._held: list[int] = []
        self._demands = execution.program.demands
        self._context = copy_context()
        self._turn = threading.Condition()
        self._busy = self._helpers = 0
        self._afloat: dict[int, Callable[[], object]] = {}

    def work(self) -> None:
        """Run nodes until none can become ready any more."""
        untell = budget.tell(self._wake) if self._demands else None
        try:
            while (place := self._take(wait=True)) is not None:
                self._do(place)
        except BaseException as error:
            with self._turn:
                self._ready.clear()
                self._held.clear()
                self._cancel_afloat()
                if isinstance(error, Exception):  # after an interrupt, nobody waits for bodies that cannot be stopped
                    self._turn.wait_for(lambda: not self._busy)
            raise
        finally:
            if untell is not None:
                untell()

    def _cancel_afloat(self) -> None:
        """Cancel the async nodes that run."""
        for cancel in list(self._afloat.values()):
            cancel()

    def stop(self) -> None:
        """Wake who waits, after the execution was told to stop."""
        with self._turn:
            self._cancel_afloat()
            self._turn.notify_all()

    def untaken(self) -> list[int]:
        """Places of nodes that nobody has begun, nor will, after the execution was told to begin no more."""
        with self._turn:
            return sorted({*self._ready, *self._held, *(place for place, left in enumerate(self._waits) if left)})

    def _help(self) -> None:
        try:
            while (place := self._take(wait=False)) is not None:
                self._do(place)
        except BaseException as error:
            self.execution.abort(error)
            raise
        finally:
            with self._turn:
                self._helpers -= 1

    def _wake(self) -> None:
        with self._turn:
            self._ready.extendleft(reversed(self._held))
            self._held.clear()
            if self._ready and self._helpers < self.execution.engine.workers:
                self._call_for_help()
            self._turn.notify_all()

    def _call_for_help(self) -> None:
        self.execution.engine.submit(partial(self._context.copy().run, self._help))
        self._helpers += 1

    def _take(self, *, wait: bool) -> int | None:
        """The next node that is ready; None when there is no more to do (or, for helpers, nothing now)."""
        with self._turn:
            while True:
                place = self._next()
                if place is not None:
                    if self._ready and self._helpers < self.execution.engine.workers:
                        self._call_for_help()
                    self._busy += 1
                    return place
                if self.execution.is_stopped:
                    self._held.clear()
                if not wait or not (self._busy or self._held):
                    return None
                self._turn.wait()

    def _next(self) -> int | None:
        """The first ready node for which there is room now; those without wait until something is given back."""
        ready, execution, demands = self._ready, self.execution, self._demands
        while ready:
            place = ready.popleft()
            if execution.is_over(place):
                continue
            if place not in demands or budget.take(demands[place]):
                return place
            self._held.append(place)
        return None

    def _do(self, place: int) -> None:
        if self.execution.floats(place):
            self._set_afloat(place)
            return
        try:
            self.execution.do(place)
        except BaseException as error:
            self.execution.abort(error)
            raise
        finally:
            self._ended(place)

    def _set_afloat(self, place: int) -> None:
        """Start an async node on the loop; this thread goes on."""
        from celltask.core.loop import begin  # noqa: PLC0415 - asyncio, only for async tasks

        with self._turn:
            self._afloat[place] = cancel = begin(self._floating(place), partial(self._landed, place))
        if self.execution.is_stopped:  # before `stop` could see it
            cancel()

    async def _floating(self, place: int) -> None:
        try:
            await self.execution.do_afloat(place)
        except BaseException as error:  # noqa: BLE001 - border: an exit asked for by a body; the run carries it on
            self.execution.abort(error)

    def _landed(self, place: int) -> None:
        with self._turn:
            self._afloat.pop(place, None)
        self._ended(place)
        with self._turn:
            if self._ready and self._helpers < self.execution.engine.workers:
                self._call_for_help()

    def _ended(self, place: int) -> None:
        if place in self._demands:
            budget.give_back(self._demands[place])
        with self._turn:
            self._busy -= 1
            self.execution.let_go(place)
            for later in self.execution.program.steps[place].unlocks:
                self._waits[later] -= 1
                if not self._waits[later] and not self.execution.is_over(later):
                    self._ready.append(later)
            self._turn.notify_all()
