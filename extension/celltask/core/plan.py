"""Plan: what a run would do with each node, and why, decided without running anything."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from celltask.core.cache import SAME, call_of, known_result
from celltask.core.calling import call_error, checked_inputs
from celltask.core.context import FRESH_SINCE
from celltask.core.entries import digests_in
from celltask.core.graph import FromNode, sources_of
from celltask.core.known import KnownDigests
from celltask.core.program import Step, program_of
from celltask.core.reasons import why_not_reused
from celltask.core.stores.choice import current_store
from celltask.core.task import Task
from celltask.core.tracing import bound_arguments, trace_of
from celltask.core.types.base import Mismatch
from celltask.core.workflow import Workflow
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.program import Program

__all__ = ["Plan", "PlannedNode", "plan", "plan_workflow"]


Action = Literal["run", "reuse", "skip"]


class PlannedNode(NamedTuple):
    """One node, what will be done about it, and why."""

    id: str
    label: str
    action: Action
    because: str


@dataclass(frozen=True)
class Plan:
    """What a run would do, node by node, in the order in which they can run.

    Attributes:
        name: Name of the workflow or task.
        nodes: What will be done about each node, and why.
    """

    name: str
    nodes: tuple[PlannedNode, ...]

    def node(self, name: str) -> PlannedNode:
        """What is planned for the node with this id or label.

        Raises:
            KeyError: If there is none.
        """
        for node in self.nodes:
            if name in (node.id, node.label):
                return node
        raise KeyError(name)

    def __repr__(self) -> str:
        ids = max((len(node.id) for node in self.nodes), default=0)
        labels = max((len(node.label) for node in self.nodes), default=0)
        lines = [f"  {node.id:<{ids}}  {node.label:<{labels}}  {node.action:<5}  {node.because}" for node in self.nodes]
        return "\n".join([f"<plan of {self.name}>", *lines])


def plan(
    member: Workflow[..., object] | Task[..., object],
    inputs: Mapping[str, object] | None = None,
    /,
    *,
    refresh: bool = False,
    **named: object,
) -> Plan:
    """What a run with these inputs would do with each node, and why; nothing runs.

    Args:
        member: A workflow or task.
        inputs: Inputs by name, for names that are also parameters here.
        refresh: Whether it is a run with `refresh` that is meant.
        **named: Inputs by name.

    Raises:
        CallError: If the inputs do not fit the names.
        ValueMismatchError: If a value does not fit its type.
        RunError: If the content of an input of a cached task cannot be told.

    >>> from celltask import plan, task
    >>> @task
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> plan(double, x=1).nodes[0].because
    'not cached'
    """
    given = {**(inputs or {}), **named}
    values = bound_arguments(member.interface, (), given)
    if values is None:
        raise call_error(member.name, member.interface, (), given, member.place)
    return plan_workflow(member, values, refresh=refresh)


def plan_workflow(
    member: Workflow[..., object] | Task[..., object], values: tuple[object, ...], *, refresh: bool = False
) -> Plan:
    """What a run of `member` with one value per input would do with each node."""
    inputs = checked_inputs(member, values)
    token = FRESH_SINCE.set(time.time()) if refresh else None
    try:
        program = program_of(member.trace if isinstance(member, Workflow) else trace_of(member))
        return Plan(member.name, _Planner(program, inputs).nodes())
    finally:
        if token is not None:
            FRESH_SINCE.reset(token)


class _Planner:
    """Goes through a program; holds the results that are reused, and the nodes whose results are not known."""

    def __init__(self, program: Program, inputs: tuple[object, ...], prefix: str = "") -> None:
        self._program, self._store, self._prefix = program, current_store(), prefix
        self._inner: dict[int, tuple[PlannedNode, ...]] = {}
        self.values: list[object] = [*([None] * len(program.steps)), *inputs]
        self._known = KnownDigests(program)
        self._running: set[str] = set()

    @property
    def runs(self) -> bool:
        """Whether anything runs."""
        return bool(self._running)

    def nodes(self) -> tuple[PlannedNode, ...]:
        """What to do about each node."""
        planned = []
        for place, step in enumerate(self._program.steps):
            action, because = self._decide(place, step)
            if action == "run":
                self._running.add(step.node.id)
            planned.append(PlannedNode(self._prefix + step.node.id, step.node.label, action, because))
            planned.extend(self._inner.get(place, ()))
        return tuple(planned)

    def _waits(self, step: Step) -> bool:
        """Whether an input of the node is not known before the run."""
        sources = (source for binding in step.node.bindings for source in sources_of(binding))
        return any(isinstance(source, FromNode) and source.node in self._running for source in sources)

    def _inside(self, place: int, step: Step) -> tuple[Action, str]:
        """What to do about a workflow in the workflow: that of its nodes."""
        member = step.member
        if not isinstance(member, Workflow) or type(member).carry_out is not Workflow.carry_out:
            return "run", "decided while running"
        if self._waits(step):
            return "run", "a node before it runs"
        try:
            arguments = checked_inputs(member, tuple(get(self.values) for get in step.getters))
        except (CelltaskError, TypeError, AttributeError, LookupError) as error:
            return "run", f"its inputs do not fit: {error}"
        program = program_of(member.trace)
        inner = _Planner(program, arguments, f"{self._prefix}{step.node.id}/")
        self._inner[place] = inner.nodes()
        if inner.runs:
            return "run", "nodes of it run"
        values = tuple(get(inner.values) for get in program.outputs)
        single = member.interface.result == "single"
        self.values[place] = values[0] if single else member.interface.returned(values) if values else None
        return "reuse", "all nodes of it are reused"

    def _decide(self, place: int, step: Step) -> tuple[Action, str]:
        member = step.member
        if not isinstance(member, Task):
            return self._inside(place, step)
        if not member.options.cache:
            return "run", "not cached"
        if self._waits(step):
            return "run", "a node before it runs"
        try:
            arguments = [get(self.values) for get in step.getters]
            pairs = zip(member.interface.inputs, arguments, strict=True)
            checked = tuple(port.handler.validate(value) for port, value in pairs)
        except (Mismatch, TypeError, AttributeError, LookupError) as error:
            return "run", f"its inputs do not fit: {error}"
        call = call_of(member, checked, self._known.of(step))
        found = known_result(member, call, self._store)
        self._known.note(step, call.by_place(member), digests_in(found[0].facts) if found else ())
        if found is None:
            return "run", why_not_reused(member, call, self._store)
        self.values[place] = found[1]
        return "reuse", SAME
