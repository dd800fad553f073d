"""Sharing: the items of one map, shared out in chunks among the calling thread and those of the engine.

A chunk grows as long as it takes next to no time, so that a million small items cost as little as a loop, and shrinks
to one item where each takes long. It holds state.
"""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, cast

from celltask.core.cache import SAME
from celltask.core.context import ACTIVE
from celltask.core.events import NodeProgress
from celltask.core.items import Account, Items, Outcome, run_items
from celltask.errors import RunCancelledError

if TYPE_CHECKING:
    from celltask.core.context import NodeContext
    from celltask.core.execution import Execution

__all__ = ["Sharing"]

QUEUED, DONE, FAILED, REUSED = 0, 1, 2, 3
_SHORT_S, _LONG_S = 0.01, 0.1
_MOST = 1 << 14
_QUICK_S, _LEARNING_S = 5e-5, 0.002
"""Items quicker than the one do not wait for anything, and threads would only get in each other's way; that is known
after the other."""
_TELLING_S = 0.1
"""Progress is told no more often than this."""


class Sharing:
    """What is left to do of the items of one node, and what became of the others.

    Args:
        items: All of them.
        execution: The run that the node belongs to.
        allowed: So many may fail before no further one is begun.

    Attributes:
        values: ``None`` for each item that failed or was not begun.
        states: One byte for each item: 0 queued, 1 done, 2 failed, 3 reused.
        errors: By place of the item.
    """

    def __init__(self, items: Items, execution: Execution, allowed: int) -> None:
        self.items, self.execution, self.allowed = items, execution, allowed
        self.values: list[object] = [None] * items.size
        self.states = bytearray(items.size)
        self.errors: dict[int, BaseException] = {}
        most = execution.engine.workers if items.concurrency is None else items.concurrency - 1
        crew = execution.crew
        self._run = run_items if crew is None or crew.run_items is None else crew.run_items
        self._most_helpers = 0 if items.task.is_async else min(most, execution.engine.workers, items.size - 1)
        self._next, self._size = 0, items.size if items.task.is_async else 1
        self._busy = self._helpers = self._done = 0
        self._under_way: dict[int, Account] = {}
        self._counted = 0
        self._told = time.monotonic()
        self._turn = threading.Condition()
        self._is_quick = False
        self._fatal: BaseException | None = None

    def work(self) -> None:
        """Call the task for each item; afterwards `values`, `states` and `errors` tell what came out.

        The node that runs counts as reused if all items were.
        """
        __tracebackhide__ = True
        maps = self.execution.control.maps
        maps.add(self)
        try:
            while (chunk := self._take(wait=True)) is not None:
                self._do(chunk)
        except BaseException as error:  # an interrupt here is the end for those who help, too
            self._fatal = self._fatal or error
            raise
        finally:
            maps.discard(self)
        if self._fatal is not None:
            raise self._fatal
        if self.items.size:
            self._tell(time.monotonic())
            if self.states.count(REUSED) == self.items.size:
                cast("NodeContext", ACTIVE.get()).reuse(f"{self.items.size:,} of {self.items.size:,} items: {SAME}")

    def _help(self) -> None:
        try:
            with self._turn:  # the calling thread learns first whether there is anything to help with
                self._turn.wait_for(lambda: self._is_quick or self._next >= self.items.size, _LEARNING_S)
            while (chunk := self._take(wait=False)) is not None:
                self._do(chunk)
        finally:
            with self._turn:
                self._helpers -= 1

    def _take(self, *, wait: bool) -> Items | None:
        """The next chunk; None when there is no more to do (or, for helpers, nothing now)."""
        with self._turn:
            while True:
                left = 0 if self._is_over() else self.items.size - self._next
                if left:
                    if not wait and self._is_quick:
                        return None
                    if left > 1 and self._helpers < self._most_helpers and not self._is_quick:
                        self._helpers += 1
                        self.execution.engine.submit(partial(copy_context().run, self._help))
                    first, count = self._next, min(self._size, max(1, left // (1 + self._helpers)))
                    self._next += count
                    self._busy += 1
                    return self._slice(first, count)
                if not wait or not self._busy:
                    return None
                self._turn.wait()

    def _is_over(self) -> bool:
        if self._fatal is None and self.execution.control.cancelled.is_set():
            self._fatal = RunCancelledError(f"the map {self.items.node} was stopped, because the run was cancelled")
        return self._fatal is not None or len(self.errors) > self.allowed

    def _slice(self, first: int, count: int) -> Items:
        columns = tuple(None if column is None else column[first : first + count] for column in self.items.columns)
        account = self._under_way[first] = Account([], {})
        return self.items._replace(columns=columns, first=first, size=count, account=account, tick=self._tick)

    def _do(self, chunk: Items) -> None:
        __tracebackhide__ = True
        try:
            outcome = self._run(chunk)
            with self._turn:
                self._note(chunk.first, chunk.size, outcome)
        except BaseException as error:  # an interrupt, or a listener; whoever waits for the map raises it
            self._fatal = self._fatal or error
            raise
        finally:
            with self._turn:
                self._busy -= 1
                self._turn.notify_all()

    def _note(self, first: int, count: int, outcome: Outcome) -> None:
        del self._under_way[first]
        ended = len(outcome.values)
        self.values[first : first + ended] = outcome.values
        self.states[first : first + ended] = bytes((DONE,)) * ended
        for place in outcome.reused:
            self.states[first + place] = REUSED
        for place, error in outcome.errors.items():
            self.states[first + place] = FAILED
            self.errors[first + place] = error
        self._done += ended - len(outcome.errors)
        if outcome.duration_s < _SHORT_S:
            self._size = max(self._size, min(4 * count, _MOST))
        elif outcome.duration_s > _LONG_S:
            self._size = max(1, min(self._size, count // 2))
        self._is_quick = self.items.guests is None and count > 1 and outcome.duration_s < _QUICK_S * count
        self._tick()

    def _tick(self) -> None:
        """Tell how many items have ended, if that was last told a while ago."""
        now = time.monotonic()
        if now - self._told >= _TELLING_S:
            self._tell(now)

    def _tell(self, now: float) -> None:
        with self._turn:  # so that no count is told after a higher one
            self._told = now
            if self.items.on_event is not None:
                self.items.on_event(self.progress())

    def progress(self) -> NodeProgress:
        """How many items have ended by now, also of chunks that have not."""
        with self._turn:
            items, accounts = self.items, list(self._under_way.values())
            done = self._done + sum(len(account.ended) - len(account.failed) for account in accounts)
            self._counted = max(self._counted, done)  # an item that fails now is in `failed` before it has ended
            failed = len(self.errors) + sum(len(account.failed) for account in accounts)
            return NodeProgress(items.run_id, items.node, self._counted, failed, items.size)
