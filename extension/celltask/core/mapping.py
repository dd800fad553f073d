"""Map: one task called for each item of a list, or for each row of several lists."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, cast, overload

from celltask.core.budget import budget, demand_of
from celltask.core.calling import annotate, call_error, mismatch
from celltask.core.calls import calls_of
from celltask.core.composite import Composite
from celltask.core.context import ACTIVE, Tracing
from celltask.core.graph import Entity
from celltask.core.identity import digest_of
from celltask.core.interface import Input, Interface, Output, handler_preview
from celltask.core.items import Items
from celltask.core.late import late
from celltask.core.ledger import told
from celltask.core.settings import Settings
from celltask.core.sharing import Sharing
from celltask.core.task import Task
from celltask.core.types.base import Mismatch
from celltask.core.types.lookup import handler_for
from celltask.core.workflow_task import WorkflowTask
from celltask.errors import CallError, InterfaceError, RunError, ValueMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celltask.core.context import NodeContext
    from celltask.core.events import Event
    from celltask.core.execution import Execution
    from celltask.core.items import Columns
    from celltask.core.run import Run
    from celltask.core.workflow import Workflow

__all__ = ["MapTask", "map_task"]

R = TypeVar("R", covariant=True)  # noqa: PLC0105 - R, as in the typing specification
_MOST_TOLD = 5


class MapOptions(NamedTuple):
    """How the items of a map are run; see `map_task`."""

    concurrency: int | None = None
    min_successes: int | None = None
    min_success_ratio: float | None = None

    @property
    def is_lenient(self) -> bool:
        """Whether an item may fail."""
        return self.min_successes is not None or self.min_success_ratio is not None

    def needed(self, count: int) -> int:
        """How many of `count` items must succeed."""
        if self.min_successes is not None:
            return min(self.min_successes, count)
        return count if self.min_success_ratio is None else math.ceil(self.min_success_ratio * count - 1e-9)


class MapTask(Generic[R]):
    """A task to be called for each item of some lists; made by `map_task`.

    Attributes:
        task: The task.
        fixed: Values and references that each call gets, by name.
        options: How the items are run.
    """

    def __init__(self, task: Task[..., object], fixed: Mapping[str, object], options: MapOptions) -> None:
        self.task, self.fixed, self.options = task, dict(fixed), options
        self._made: dict[frozenset[str], Mapped] = {}

    kind = "map"

    @property
    def interface(self) -> Interface:
        """Lists for all inputs that are not fixed, and the list of what the calls give."""
        free = frozenset(port.name for port in self.task.interface.inputs if port.name not in self.fixed)
        return Mapped(self.task, free, frozenset(), self.options).interface

    @property
    def function(self) -> object:
        """The function of the task."""
        return self.task.function

    def __call__(self, /, *lists: object, **named: object) -> list[R]:
        """The value of the task for each item, in order; inside a workflow, a reference to that list.

        Args:
            *lists: Lists for the inputs that are not fixed, in their order.
            **named: Lists by the name of the input; all have one length. An input left out has its default.

        Raises:
            CallError: If they do not fit the task's names.
            ValueMismatchError: If the lists have different lengths, or hold what does not fit.
        """
        __tracebackhide__ = True
        mapped, values = self._bound(lists, named)
        active = ACTIVE.get()
        if isinstance(active, Tracing):
            return cast("list[R]", active.add(mapped, values))
        return cast("list[R]", late("run").run_alone(mapped, values).result())

    def run(
        self,
        inputs: Mapping[str, object] | None = None,
        /,
        *,
        engine: str = "threads",
        on_event: Callable[[Event], object] | None = None,
        **named: object,
    ) -> Run:
        """A run of this map by itself, ended; see `Workflow.run`."""
        __tracebackhide__ = True
        mapped, values = self._bound((), {**(inputs or {}), **named})
        return cast("Run", late("run").run_alone(mapped, values, Settings(engine, on_event)))

    def _bound(self, lists: Sequence[object], named: Mapping[str, object]) -> tuple[Mapped, tuple[object, ...]]:
        """The map for the inputs that are given, and one value for each of its inputs."""
        interface, name = self.task.interface, self.task.name
        free = [port.name for port in interface.inputs if port.name not in self.fixed]
        given = dict(zip(free, lists, strict=False))
        taken = [key for key in named if key in self.fixed or key not in free or key in given]
        missing = [
            port.name
            for port in interface.inputs
            if port.required and port.name in free and port.name not in given and port.name not in named
        ]
        if len(lists) > len(free) or taken or missing:
            if taken and taken[0] in self.fixed:
                raise CallError(
                    f"input {taken[0]!r} of the map over {name!r} is fixed already",
                    self.task.place,
                    "leave it out of the call or of functools.partial",
                )
            raise call_error(name, interface, lists, {**self.fixed, **named} if not lists else named, self.task.place)
        given |= named
        if not given:
            raise CallError(
                f"the map over {name!r} is given no list",
                self.task.place,
                f"give one: map_task({name})({free[0] if free else 'x'}=[…])",
            )
        key = frozenset(given)
        if key not in self._made:
            self._made[key] = Mapped(self.task, key, frozenset(self.fixed), self.options)
        mapped = self._made[key]
        return mapped, tuple(
            given[port.name] if port.name in given else self.fixed[port.name] for port in mapped.interface.inputs
        )

    def __repr__(self) -> str:
        return f"<map over {self.task.name}{self.task.interface}>"


class Mapped(Composite):
    """A map as a node: which inputs are lists is settled."""

    kind = "map"

    def __init__(
        self, task: Task[..., object], lists: frozenset[str], fixed: frozenset[str], options: MapOptions
    ) -> None:
        self.task, self.lists, self.options = task, lists, options
        self.name = f"map {task.name}"
        inputs = [
            _listed(port) if port.name in lists else Input(port.name, port.annotation, port.handler)
            for port in task.interface.inputs
            if port.name in lists or port.name in fixed
        ]
        outputs = _outputs(task.interface, lenient=options.is_lenient)
        self.interface = Interface(tuple(inputs), outputs, "single" if outputs else "none")

    @property
    def place(self) -> str:
        """Where the task is defined."""
        return self.task.place

    @property
    def digest(self) -> str:
        """Identity of the code: the task's, and how the items are run."""
        return digest_of(["map", self.task.digest, *sorted(self.lists), repr(self.options[1:])])

    def is_current(self) -> bool:
        """Whether the task was not defined again."""
        return self.task.is_current()

    def entity(self) -> Entity:
        """The map as plain data."""
        inputs, outputs = self.interface.ports()
        names = ", ".join(port.name for port in self.interface.inputs if port.name in self.lists)
        return Entity(self.name, "map", inputs, outputs, f"over {names}", self.place)

    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """The values for all items.

        Raises:
            Exception: That of the first item that failed, if it may not.
            RunError: If too few items succeeded.
        """
        __tracebackhide__ = True
        items = self._items(arguments)
        needed = self.options.needed(items.size)
        keeps_on = not self.options.is_lenient and execution.policy == "finish"
        allowed = items.size if keeps_on else items.size - needed
        sharing = Sharing(items._replace(stops=not allowed), execution, allowed)
        if (demand := demand_of(self.task)) is not None:
            budget.check(self.task, demand)
        execution.ledger.items[place] = sharing.states
        sharing.work()
        if len(sharing.errors) > items.size - needed:
            raise self._failure(sharing, arguments)
        return sharing.values if self.interface.outputs else None

    def _items(self, arguments: Sequence[object]) -> Items:
        columns, fixed, size = self.columns(arguments)
        context = cast("NodeContext", ACTIVE.get())
        return Items(
            self.task, columns, fixed, 0, size, stops=True, run_id=context.run_id, node=context.node,
            on_event=context.on_event, concurrency=self.options.concurrency, guests=context.guests,
            control=context.control, calls=calls_of(context),
        )  # fmt: skip

    def columns(self, arguments: Sequence[object]) -> Columns:
        """The lists and the fixed values by the inputs of the task, and the number of items.

        Raises:
            ValueMismatchError: If the lists have different lengths.
        """
        given = dict(zip((port.name for port in self.interface.inputs), arguments, strict=True))
        lists = {
            port.name: _rows(self, port, given[port.name]) for port in self.interface.inputs if port.name in self.lists
        }
        lengths = {name: len(rows) for name, rows in lists.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} has {count}" for name, count in lengths.items())
            raise ValueMismatchError(
                f"the lists of the map over {self.task.name!r} have different lengths: {told}",
                self.place, "give lists of one length; what is the same for all items goes into functools.partial",
            )  # fmt: skip
        ports = self.task.interface.inputs
        fixed = tuple(given.get(port.name, port.default) if port.name not in lists else None for port in ports)
        return tuple(lists.get(port.name) for port in ports), fixed, next(iter(lengths.values()))

    def _failure(self, sharing: Sharing, arguments: Sequence[object]) -> BaseException:
        """The error of the map, with what failed."""
        count, errors = sharing.items.size, sharing.errors
        error = errors[first := min(errors)]
        taken = {port.name: port.handler for port in self.task.interface.inputs}
        given = [
            f"{port.name}={handler_preview(taken[port.name].masked(cast('Sequence[object]', value)[first]))}"
            for port, value in zip(self.interface.inputs, arguments, strict=True)
            if port.name in self.lists
        ]
        annotate(
            error,
            f"in item {first} of {count} (counted from 0) of the map over {self.task.name!r}: " + ", ".join(given),
        )
        if len(errors) > 1:
            others = sorted({told(errors[place]): place for place in sorted(errors, reverse=True)}.values())[1:]
            few = "; ".join(f"item {place}, {told(errors[place])}" for place in others[:_MOST_TOLD])
            more = len(errors) - 1 - len(others[:_MOST_TOLD])
            also = f"; also {few}" + (f"; and {more} more" * (more > 0)) if few else ", all with this error"
            annotate(error, f"{len(errors)} of {count} items failed{also}")
        if not self.options.is_lenient:
            return error
        made = RunError(
            f"{len(errors)} of {count} items of the map over {self.task.name!r} failed, and "
            f"{self.options.needed(count)} must succeed",
            self.place, "mend what failed, or ask for fewer: min_successes, min_success_ratio",
        )  # fmt: skip
        made.__cause__ = error
        for note in getattr(error, "__notes__", ()):
            annotate(made, note)
        return made


def _listed(port: Input) -> Input:
    annotation = list[port.annotation]  # type: ignore[name-defined]  # a type made while running
    return Input(port.name, annotation, handler_for(annotation))


def _outputs(interface: Interface, *, lenient: bool) -> tuple[Output, ...]:
    """The list of what a call gives; none for a task without outputs."""
    if interface.result == "none":
        return ()
    kinds = tuple(port.annotation for port in interface.outputs)
    one: object = kinds[0] if interface.result == "single" else interface.result_type or tuple[kinds]  # type: ignore[valid-type]  # as above
    annotation = list[one | None] if lenient else list[one]  # type: ignore[valid-type]  # as above
    return (Output("o0", annotation, handler_for(annotation)),)


def _rows(mapped: Mapped, port: Input, value: object) -> Sequence[object]:
    """The items of one list; each is looked at when its turn comes."""
    if type(value) in (list, tuple):
        return cast("Sequence[object]", value)
    try:
        return cast("Sequence[object]", port.handler.validate(value))
    except Mismatch as error:
        made = mismatch(port, mapped, error)
        hint = f"give a list, or fix it for all items: functools.partial({mapped.task.name}, {port.name}=…)"
        raise ValueMismatchError(made.what, made.where, hint) from None


@overload
def map_task(task: Callable[..., R], /, *, concurrency: int | None = None) -> MapTask[R]: ...
@overload
def map_task(
    task: Callable[..., R],
    /,
    *,
    concurrency: int | None = None,
    min_success_ratio: float | None = None,
    min_successes: int | None = None,
) -> MapTask[R | None]: ...
def map_task(
    task: Callable[..., R],
    /,
    *,
    concurrency: int | None = None,
    min_success_ratio: float | None = None,
    min_successes: int | None = None,
) -> MapTask[R] | MapTask[R | None]:
    """A task to be called once for each item of a list, in a workflow or outside of one.

    Args:
        task: The task or workflow, or a ``functools.partial`` of it that fixes some inputs (in a workflow also to
            references).
        concurrency: So many items run at once at most; as many as the engine has workers by default.
        min_success_ratio: The part of the items (0 to 1) that must succeed; one that failed gives ``None``.
        min_successes: The same as a number.

    Raises:
        InterfaceError: If it is no task, or an option makes no sense.

    >>> from functools import partial
    >>> from celltask import task
    >>> @task
    ... def scaled(x: int, factor: int = 10) -> int:
    ...     return x * factor
    >>> map_task(scaled)(x=[1, 2, 3])
    [10, 20, 30]
    >>> map_task(partial(scaled, factor=2))(x=[1, 2, 3])
    [2, 4, 6]
    """
    fixed: dict[str, object] = {}
    found: object = task
    if isinstance(task, partial):
        found = task.func
    if isinstance(found, Composite) and hasattr(found, "trace"):
        found = WorkflowTask(cast("Workflow[..., object]", found))
    if not isinstance(found, Task):
        raise InterfaceError(f"map_task is given {found!r}, which is no task", mend="put @task above the function")
    if isinstance(task, partial):
        names = [port.name for port in found.interface.inputs]
        if len(task.args) > len(names) or task.keywords.keys() - set(names):
            raise call_error(found.name, found.interface, task.args, task.keywords, found.place)
        fixed = {**dict(zip(names, task.args, strict=False)), **task.keywords}
    options = MapOptions(concurrency, min_successes, min_success_ratio)
    _check(options, found)
    return MapTask(found, fixed, options)


def _check(options: MapOptions, task: Task[..., object]) -> None:
    concurrency, successes, ratio = options
    told = mend = ""
    if concurrency is not None and (type(concurrency) is not int or concurrency < 1):
        told, mend = f"concurrency {concurrency!r} is not a number of items", "give a whole number, 1 or more"
    elif successes is not None and (type(successes) is not int or successes < 0):
        told, mend = f"min_successes {successes!r} is not a number of items", "give a whole number, 0 or more"
    elif ratio is not None and not 0 <= ratio <= 1:
        told, mend = f"min_success_ratio {ratio!r} is not a part of the items", "give a number from 0 to 1"
    elif ratio is not None and successes is not None:
        told, mend = "min_successes and min_success_ratio are both given", "give one of them"
    if told:
        raise InterfaceError(f"map over {task.name!r}: {told}", task.place, mend)
