"""Items: one task called for each of many arguments, in columns.

`run_items` is all that a worker elsewhere needs: an engine that has processes or machines of its own gives it a slice
of the columns, and gets values and errors back.
"""

from __future__ import annotations

import sys
import time
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple, cast

from celltask.core.budget import budget, demand_of
from celltask.core.context import ACTIVE, NodeContext
from celltask.errors import RunError, WorkerDiedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence

    from celltask.core.calls import Calls, Told
    from celltask.core.context import RunControl
    from celltask.core.engines.base import Guests
    from celltask.core.events import Event
    from celltask.core.task import Task

__all__ = ["Items", "Outcome", "run_items"]

_AT_ONCE = 100
"""So many calls of an async task wait at once where nothing else is said."""


def _told_to_nobody() -> None:
    """Do nothing."""


Columns = tuple[tuple["Sequence[object] | None", ...], tuple[object, ...], int]
"""As in `Items`: lists, fixed values, number of items."""


class Account(NamedTuple):
    """What has become of some items so far. An item is in `failed` first, so that none counts as done before."""

    ended: list[object]
    """Something for each item that has ended; of items one after another, what they gave."""
    failed: dict[int, BaseException]
    """By place among these items."""


class Items(NamedTuple):
    """Some items of a map, one after another.

    `columns` has a list for each input of the task, or ``None`` where `fixed` has the value for all items.
    """

    task: Task[..., object]
    columns: tuple[Sequence[object] | None, ...]
    fixed: tuple[object, ...]
    first: int
    """Place of the first item in the whole map."""
    size: int
    stops: bool
    """Whether an error ends the rest of them."""
    run_id: str
    node: str
    on_event: Callable[[Event], object] | None
    concurrency: int | None = None
    guests: Guests | None = None
    """Where the bodies run, if not here."""
    control: RunControl | None = None
    is_away: bool = False
    """Whether the run is elsewhere, as in `NodeContext`."""
    calls: Calls | None = None
    """What notes the calls that the bodies make."""
    account: Account | None = None
    """What has become of them so far, where somebody counts that meanwhile."""
    tick: Callable[[], object] = _told_to_nobody
    """Called after each item that costs more than a call of its function, to tell how far they have come."""

    def context(self, place: int | None = None) -> NodeContext:
        """The context of the item at `place` among these, or of all of them."""
        node = self.node if place is None else f"{self.node}[{self.first + place}]"
        made = NodeContext(self.task, self.run_id, node, self.on_event)
        made.guests, made.control, made.is_away, made.calls = self.guests, self.control, self.is_away, self.calls
        return made

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to do for each of them but to call the body."""
        task = self.task
        as_defined = task.source is task and task.stand_in is None
        return task.options.plain and as_defined and demand_of(task) is None

    @property
    def call(self) -> Callable[..., object]:
        """What runs one of them."""
        return self.task.as_node if self.guests is None else self.task.as_guest

    def arguments(self) -> list[Iterable[object]]:
        """What to zip for the arguments of each call."""
        pairs = zip(self.columns, self.fixed, strict=True)
        return [repeat(value, self.size) if column is None else column for column, value in pairs]


class Outcome(NamedTuple):
    """What became of some items."""

    values: list[object]
    """``None`` for an item that failed; shorter than the items where an error ended them."""
    errors: dict[int, BaseException]
    """By place among these items."""
    reused: tuple[int, ...] = ()
    """Places of those whose value was known."""
    duration_s: float = 0.0
    calls: Told | None = None
    """What the bodies called, where they ran elsewhere."""


def run_items(items: Items) -> Outcome:
    """Call the task for each item, here.

    Raises:
        BaseException: What is no `Exception`: an interrupt.
    """
    __tracebackhide__ = True
    task, clock = items.task, time.perf_counter()
    if task.is_async:
        found = _run_async(items)
    elif items.is_plain:
        found = _run_plain(items) if items.guests is None or task.kind != "python" else _run_as_guests(items)
    else:
        found = _run_one_by_one(items)
    return found._replace(duration_s=time.perf_counter() - clock)


def _run_plain(items: Items) -> Outcome:
    """As fast as the generated call of the task: nothing is done between two items."""
    __tracebackhide__ = True
    calls = map(items.task.as_node, *items.arguments())
    values, errors = items.account or Account([], {})
    token = ACTIVE.set(items.context())
    try:
        while len(values) < items.size:
            error = _extended(values, calls)
            if len(values) < items.size:
                errors[len(values)] = error or _stopped(items.task)
                values.append(None)
                if items.stops:
                    break
    finally:
        ACTIVE.reset(token)
    return Outcome(values, errors)


def _run_as_guests(items: Items) -> Outcome:
    """In one process, with one message each way; where that process dies, one by one, to find who did it."""
    __tracebackhide__ = True
    guests, context = cast("Guests", items.guests), items.context()
    try:
        return guests.call_many(items, context)
    except WorkerDiedError:
        if items.size == 1:
            return Outcome([None], {0: cast("Exception", sys.exception())})
        return _run_one_by_one(items)


def _extended(values: list[object], calls: Iterator[object]) -> Exception | None:
    """Add what `calls` give to `values` until one fails; its error."""
    __tracebackhide__ = True
    try:
        values.extend(calls)
    except Exception as error:  # noqa: BLE001 - border: users' code; the outcome carries the error on
        return error
    return None


def _stopped(task: Task[..., object]) -> Exception:
    """The error for a body that raised `StopIteration`, which no iterator tells from its end."""
    return RunError(f"the body of task {task.name!r} raised StopIteration", task.place, "raise another exception")


def _run_one_by_one(items: Items) -> Outcome:
    """Each item with a context of its own, for retries and the cache."""
    __tracebackhide__ = True
    values, errors = items.account or Account([], {})
    reused: list[int] = []
    call, demand = items.call, demand_of(items.task)
    for place, arguments in enumerate(zip(*items.arguments(), strict=True)):
        context = items.context(place)
        token = ACTIVE.set(context)
        try:
            with budget.lent(demand):
                values.append(call(*arguments))
        except Exception as error:  # noqa: BLE001 - border: users' code; the outcome carries the error on
            errors[place] = error
            values.append(None)
            if items.stops:
                break
        finally:
            ACTIVE.reset(token)
        if context.reused:
            reused.append(place)
        items.tick()
    return Outcome(values, errors, tuple(reused))


def _run_async(items: Items) -> Outcome:
    """All items on one loop, so many of them waiting at once."""
    __tracebackhide__ = True
    import asyncio  # noqa: PLC0415 - 60 ms, and only async tasks need it

    values: list[object] = [None] * items.size
    ended, errors = items.account or Account([], {})
    reused: list[int] = []
    call, demand = items.call, demand_of(items.task)
    todo = enumerate(zip(*items.arguments(), strict=True))

    async def work() -> None:
        for place, arguments in todo:
            context = items.context(place)
            ACTIVE.set(context)  # of this worker: each is an asyncio task with a context of its own
            try:
                if demand is not None:
                    await asyncio.to_thread(budget.wait_for, demand)
                try:
                    values[place] = await _contained(cast("Awaitable[object]", call(*arguments)))
                finally:
                    if demand is not None:
                        budget.give_back(demand)
            except _LeftError:
                raise
            except Exception as error:  # noqa: BLE001 - border: users' code; the outcome carries the error on
                errors[place] = error
            ended.append(place)
            if context.reused:
                reused.append(place)
            try:
                items.tick()
            except BaseException as error:  # noqa: BLE001 - border: a listener; it ends the run, not this item or the loop
                raise _LeftError(error) from None
            if errors and items.stops:
                return

    from celltask.core.loop import run_coroutine  # noqa: PLC0415 - asyncio, only for async tasks

    run_coroutine(_together([work() for _ in range(min(items.concurrency or _AT_ONCE, items.size))]))
    return Outcome(values, errors, tuple(reused))


async def _contained(awaitable: Awaitable[object]) -> object:
    """What `awaitable` gives; an exit that it asks for comes as an error of ours."""
    __tracebackhide__ = True
    import asyncio  # noqa: PLC0415 - a loop runs, so it is loaded

    try:
        return await awaitable
    except Exception:
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        raise _LeftError(error) from None


async def _together(workers: list[Coroutine[object, None, None]]) -> None:
    """Run `workers` until all have ended, or one has asked for an exit, which is raised here."""
    __tracebackhide__ = True
    import asyncio  # noqa: PLC0415 - as above

    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker)
    except BaseExceptionGroup as left:
        raise cast("_LeftError", left.exceptions[0]).error from None


class _LeftError(Exception):
    """Carries what ends the run out of a worker: asyncio ends the loop of all runs with an exit that comes as it is."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
