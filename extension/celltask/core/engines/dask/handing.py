"""Handing over: from nodes to the graph that Dask gets, as much of it at once as does not wait for this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from dask.sizeof import sizeof
from dask.task_spec import Task as DaskTask
from dask.task_spec import TaskRef

from celltask.core.context import FRESH_SINCE
from celltask.core.engines.dask.prefix import settled
from celltask.core.engines.dask.scopes import LEAVING, Scope
from celltask.core.engines.dask.shipment import Border, Part, Shipment
from celltask.core.engines.dask.worker import carry_out
from celltask.core.stores.choice import where
from celltask.core.task import Task
from celltask.core.travel import luggage_of
from celltask.core.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from celltask.core.composite import Composite
    from celltask.core.engines.dask.scopes import Key
    from celltask.core.graph import Binding

__all__ = ["Handout", "Load", "outputs_of"]

SMALL = 1 << 16
"""Bytes of a value of this process that still go along with the code."""


class Load(NamedTuple):
    """What is handed over: a graph for Dask, what the workers need beside it, and what of it is to be kept.

    `held` is what runs even if nothing needs it any more, by the numbers of the parts: Dask drops what is needed
    only by what has failed. `demands` are amounts of the resources that workers have declared, by key; `owners` tells
    for each part whose place it is.
    """

    graph: dict[Key, DaskTask]
    shipment: Shipment
    tasks: dict[str, bytes]
    keep: list[Key]
    held: dict[int, Key]
    demands: dict[Key, dict[str, float]]
    owners: list[tuple[Scope, int, str]]


class Handout:
    """Makes one load. It holds state while it does.

    Args:
        name: Name of the shipment, unique for ever.
        run: Id of the run.
        topic: Where the workers tell how it goes.
        scopes: All scopes of the run so far; workflows within it add theirs.
        resources: What a demand is called by the workers, for the resources that they have declared.
        put: Puts a large value of this process on the cluster, and gives its key.
        is_shared: Tells whether all workers see the store of this process, and so find there what was settled here.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a load is made of
        self,
        name: str,
        run: str,
        topic: str,
        scopes: list[Scope],
        resources: dict[str, str],
        put: Callable[[object], Key],
        *,
        is_shared: Callable[[], bool],
    ) -> None:
        self.name, self.run, self.topic, self.scopes = name, run, topic, scopes
        self._resources, self._put, self._is_shared = resources, put, is_shared
        self._graph: dict[Key, DaskTask] = {}
        self._known: dict[int, dict[int, object]] = {}
        self._borders: list[Border] = []
        self._parts: list[Part] = []
        self._tasks: dict[str, bytes] = {}
        self._demands: dict[Key, dict[str, float]] = {}
        self._owners: list[tuple[Scope, int, str]] = []
        self._used: set[Key] = set()

    def load(self) -> Load:
        """Everything that can be handed over now; empty if nothing can."""
        filled = True
        while filled:  # inner workflows join while this goes on
            filled = False
            for scope in list(self.scopes):
                filled = self._fill(scope) or filled
        spaces = tuple(scope.space(self._known.get(scope.number, {})) for scope in self.scopes)
        shipment = Shipment(
            self.run, self.topic, where(), FRESH_SINCE.get(), spaces, tuple(self._borders), tuple(self._parts)
        )
        awaited = self._awaited()
        keep = [key for key in self._graph if key not in self._used or key in awaited]
        return Load(self._graph, shipment, self._tasks, keep, self._held(set(keep)), self._demands, self._owners)

    def _held(self, kept: set[Key]) -> dict[int, Key]:
        """What others need only, of workflows whose nodes all run that can when one has failed."""
        held: dict[int, Key] = {}
        for key in self._graph:
            scope, _, kind = self._owners[key[1]]
            owner = scope if kind == "node" or scope.outer is None else scope.outer[0]
            if key not in kept and owner.execution.policy == "finish" and kind in {"node", "leave"}:
                held[key[1]] = key
        return held

    def _awaited(self) -> set[Key]:
        """What nodes that are not handed over yet, this process, and the outputs of the run wait for."""
        found: set[Key] = set()
        for scope in self.scopes:
            places = set(outputs_of(scope)) if scope.outer is None else set()
            for place in [*scope.todo, *scope.here]:
                places.update(self._all_waits(scope, place))
            found.update(scope.keys[place][0] for place in places if place in scope.keys)
        return found

    def _all_waits(self, scope: Scope, place: int) -> list[int]:
        if place == LEAVING:
            return [*range(len(scope.execution.program.steps)), *scope.sources(scope.outputs)]
        step = scope.step(place)
        return [*step.waits, *scope.sources(step.node.bindings)]

    def _fill(self, scope: Scope) -> bool:
        """Hand over what can be of one scope; whether there was any."""
        todo, scope.todo = scope.todo, []
        filled = False
        for place in todo:
            if place not in scope.left:
                continue
            if self._must_wait(scope, place):
                scope.todo.append(place)
                continue
            filled = True
            if place == LEAVING:
                self._leave(scope)
                continue
            member = scope.step(place).member
            if isinstance(member, Task):
                if not settled(scope, place, member):
                    self._node(scope, place, member)
            elif _is_flat(member):
                self._enter(scope, place, cast("Workflow[..., object]", member))
            else:
                scope.here.add(place)
        return filled

    def _must_wait(self, scope: Scope, place: int) -> bool:
        """Whether something before the node is not handed over, so that its key is not known."""
        waits = range(len(scope.execution.program.steps)) if place == LEAVING else scope.step(place).waits
        return any(wait not in scope.keys and wait not in scope.ended for wait in waits)

    def _node(self, scope: Scope, place: int, task: Task[..., object], kind: str = "node") -> None:
        step, luggage = scope.step(place), luggage_of(task)
        self._tasks[luggage.digest] = luggage.blob
        demand = scope.execution.program.demands.get(place)
        permits = tuple(demand.places.items()) if demand is not None else ()
        digests = scope.execution.known.from_nodes(step, scope.places) if place in scope.execution.known.places else ()
        key = self._add(scope, place, "node", luggage.digest, step.node.bindings, step.waits, permits, digests)
        self._owners[key[1]] = (scope, place, kind)
        scope.keys[place] = (key, None)
        if demand is not None:
            named = {
                self._resources[name]: amount for name, amount in demand.amounts.items() if name in self._resources
            }
            if named:
                self._demands[key] = named

    def _enter(self, scope: Scope, place: int, member: Workflow[..., object]) -> None:
        """Hand over what checks the inputs of a workflow; its nodes follow as those of a scope of its own."""
        step, trace = scope.step(place), member.trace
        execution = scope.execution.inside(member, trace, place, (None,) * len(member.interface.inputs))
        del scope.execution.ledger.nested[place]  # until its inputs are checked, there is nothing within it
        inner = Scope(execution, len(self.scopes), (scope, place), trace.outputs)
        scope.inner[place] = inner
        border = len(self._borders)
        self._borders.append(Border(member.name, member.place, member.interface))
        inner.entry = self._add(scope, place, "enter", border, step.node.bindings, step.waits)
        steps = len(execution.program.steps)
        for number in range(len(member.interface.inputs)):
            inner.keys[steps + number] = (inner.entry, number)
        self.scopes.append(inner)
        self._owners[-1] = (inner, LEAVING, "enter")

    def _leave(self, scope: Scope) -> None:
        """Hand over what checks the outputs of a workflow, after all its nodes."""
        outer, place = cast("tuple[Scope, int]", scope.outer)
        member = scope.execution.member
        border = len(self._borders)
        self._borders.append(Border(member.name, member.place, member.interface))
        ends = [place for place, step in enumerate(scope.execution.program.steps) if not step.unlocks]
        outer.keys[place] = (self._add(scope, LEAVING, "leave", border, scope.outputs, ends), None)

    def _add(  # noqa: PLR0913, PLR0917 - what a part is made of
        self,
        scope: Scope,
        place: int,
        kind: str,
        member: str | int,
        bindings: tuple[Binding | None, ...],
        waits: Iterable[int],
        permits: tuple[tuple[str, int], ...] = (),
        digests: tuple[tuple[int, int, int], ...] = (),
    ) -> Key:
        """Add a part for a worker, with the values and the order that it needs."""
        sources = scope.sources(bindings)
        refs, values = [], []
        for source in sources:
            key = self._key_of(scope, source)
            if key is not None:
                refs.append(key)
                values.append((source, scope.keys[source][1]))
        for key in self._orders(scope, [wait for wait in waits if wait not in sources], none=not refs):
            refs.append(key)
            values.append((LEAVING, None))
        step = scope.step(place) if place != LEAVING else None
        node = step.node if step is not None else None
        prefix = scope.execution.prefix
        part = Part(
            kind, scope.number, place, prefix + node.id if node else prefix.rstrip("/"), member, bindings,
            tuple(values), permits, digests,
        )  # fmt: skip
        return self._put_part(part, node.label if node else scope.execution.member.name, scope, place, refs)

    def _put_part(self, part: Part, label: str, scope: Scope, place: int, refs: list[Key]) -> Key:
        number = len(self._parts)
        key = (f"{label}-{self.name}", number)
        self._parts.append(part)
        self._owners.append((scope, place, part.kind))
        self._used.update(refs)
        self._graph[key] = DaskTask(key, carry_out, self.name, number, *(TaskRef(ref) for ref in refs))
        return key

    def _orders(self, scope: Scope, waits: list[int], *, none: bool) -> list[Key]:
        """Keys that say that these nodes have ended, without their values; `none`: the part waits for nothing else."""
        found = [scope.keys[wait][0] for wait in waits if wait in scope.keys]
        if scope.entry is not None and none and not found:
            found = [scope.entry]
        for key in found:
            if key not in scope.orders:
                part = Part("order", scope.number, LEAVING, "", "", (), ())
                scope.orders[key] = self._put_part(part, "after", scope, LEAVING, [key])
        return [scope.orders[key] for key in found]

    def _key_of(self, scope: Scope, place: int) -> Key | None:
        """The key of the value of `place`; none if it goes along with the code."""
        if place in scope.keys:
            return scope.keys[place][0]
        value = scope.execution.values[place]
        if sizeof(value) <= SMALL:
            self._known.setdefault(scope.number, {})[place] = value
            return None
        if place in scope.settled and self._is_shared():
            self._node(scope, place, cast("Task[..., object]", scope.step(place).member), "again")
        else:
            scope.keys[place] = (self._put(value), None)
        return scope.keys[place][0]


def _is_flat(member: Composite) -> bool:
    """Whether its nodes can be handed over with those around it: they are known, and nothing is done here for it."""
    return isinstance(member, Workflow) and type(member).carry_out is Workflow.carry_out and member.on_failure is None


def outputs_of(scope: Scope) -> list[int]:
    """The places that outputs of the whole run come from."""
    program = scope.execution.program
    if scope.execution.taken is not None:
        return [scope.execution.taken]
    return [place for place, step in enumerate(program.steps) if program.wanted[place] > len(step.unlocks)]
