"""Planner: what a run would do with each node, as far as that can be known before it.

It goes through the graph as a run does, and through what stands within it, with those values that are known: inputs,
and results that are kept. No body runs; the operators of a condition do, where both its sides are known.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

from celltask.core.branches import Conditional
from celltask.core.cache import SAME, call_of, known_result
from celltask.core.calling import checked_inputs, mismatch
from celltask.core.conditions import holds, names_in
from celltask.core.endings import outputs_value
from celltask.core.entries import digests_in
from celltask.core.graph import FromNode, sources_of
from celltask.core.known import KnownDigests
from celltask.core.ledger import told
from celltask.core.mapping import Mapped
from celltask.core.program import Step, program_of
from celltask.core.reasons import why_not_reused
from celltask.core.stores.choice import current_store
from celltask.core.task import Task
from celltask.core.types.base import Mismatch
from celltask.core.workflow import Workflow
from celltask.core.workflow_task import WorkflowTask
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from celltask.core.branches import Branch
    from celltask.core.composite import Composite
    from celltask.core.graph import Binding
    from celltask.core.program import Program

__all__ = ["Action", "PlannedNode", "Planner"]


Action = Literal["run", "reuse", "skip"]
_Decision = tuple[Action, str]

_BEFORE: Final[_Decision] = ("run", "a node before it runs")
_LATER: Final[_Decision] = ("run", "decided while running")
_NO_FIT: Final = (CelltaskError, TypeError, AttributeError, LookupError)
_MOST_ITEMS, _MOST_RUNS = 10_000, 100
"""Items of a map over a task, and of one over a workflow, that are looked at; larger maps are decided while running."""
_MOST_EXPLAINED = 20
"""Items of a map of which it is told why they run."""


class PlannedNode(NamedTuple):
    """One node, what will be done about it, and why; ``"skip"`` is for a branch that is not taken."""

    id: str
    label: str
    action: Action
    because: str


class Planner:
    """Goes through one program. It holds state: the values that are known, and the nodes whose are not.

    Args:
        program: What would be run.
        inputs: A value for each input.
        prefix: What the ids of its nodes begin with.
        unknown: Names of the inputs whose values are not known.
    """

    def __init__(
        self, program: Program, inputs: Sequence[object], prefix: str = "", unknown: Iterable[str] = ()
    ) -> None:
        self._program, self._store, self._prefix = program, current_store(), prefix
        self._inner: dict[int, tuple[PlannedNode, ...]] = {}
        self._values: list[object] = [*([None] * len(program.steps)), *inputs]
        self._known = KnownDigests(program)
        self._unknown = set(unknown)
        self._running: set[str] = set()

    def nodes(self) -> tuple[PlannedNode, ...]:
        """What to do about each node."""
        planned: list[PlannedNode] = []
        for place, step in enumerate(self._program.steps):
            decision = self._decided(place, step)
            if decision[0] == "run":
                self._running.add(step.node.id)
            planned += self._planned(place, step, decision)
        return tuple(planned)

    def _planned(self, place: int, step: Step, decision: _Decision) -> tuple[PlannedNode, ...]:
        """A node about which this is decided, and behind it those within it."""
        own = PlannedNode(self._prefix + step.node.id, step.node.label, *decision)
        return own, *self._inner.get(place, ())

    def _knows(self, binding: Binding | None) -> bool:
        """Whether what is bound is known before the run."""
        return not any(
            source.node in self._running if isinstance(source, FromNode) else source.name in self._unknown
            for source in sources_of(binding)
        )

    def _decided(self, place: int, step: Step) -> _Decision:
        member = step.member
        why = _never_known(member)
        if why:
            return "run", why
        try:
            values, unknown = self._given(step)
            rows = member.columns(values) if isinstance(member, Mapped) and not unknown else None
        except _NO_FIT as error:
            return "run", f"its inputs do not fit: {_fault(error)}"
        if isinstance(member, Task):
            return _BEFORE if unknown else self._task(place, step, member, values)
        if isinstance(member, Mapped):
            return _BEFORE if rows is None else self._map(place, member, *rows)
        if isinstance(member, Conditional):
            return self._choice(place, step, member, values, unknown)
        return self._within(place, step, member, values, unknown)

    def _given(self, step: Step) -> tuple[list[object], set[str]]:
        """A checked value for each input, ``None`` where it is not known, and the names of those."""
        values: list[object] = []
        unknown = set()
        for port, binding, get in zip(step.member.interface.inputs, step.node.bindings, step.getters, strict=True):
            is_known = self._knows(binding)
            if not is_known:
                unknown.add(port.name)
            try:
                values.append(port.handler.validate(get(self._values)) if is_known else None)
            except Mismatch as error:
                raise mismatch(port, step.member, error) from None
        return values, unknown

    def _task(self, place: int, step: Step, task: Task[..., object], values: Sequence[object]) -> _Decision:
        call = call_of(task, tuple(values), self._known.of(step))
        found = known_result(task, call, self._store)
        self._known.note(step, call.by_place(task), digests_in(found[0].facts) if found else ())
        if found is None:
            return "run", why_not_reused(task, call, self._store)
        self._values[place] = found[1]
        return "reuse", SAME

    def _within(
        self, place: int, step: Step, member: Composite, values: Sequence[object], unknown: Iterable[str]
    ) -> _Decision:
        """What to do about a workflow in the workflow, or a branch: that of its nodes."""
        program = program_of(cast("Workflow[..., object] | Branch", member).trace)
        inner = Planner(program, values, f"{self._prefix}{step.node.id}/", unknown)
        self._inner[place] = inner.nodes()
        decision, self._values[place] = inner.ended(member)
        return decision

    def ended(self, member: Composite) -> tuple[_Decision, object]:
        """What to do about the node that these nodes are the inside of, and its value, if it is known."""
        program = self._program
        if self._running:
            return ("run", "nodes of it run"), None
        if self._unknown and not all(self._knows(binding) for binding in _outputs(member)):
            return _BEFORE, None
        try:
            value = outputs_value(member, program.outputs, self._values)
        except _NO_FIT as error:
            return ("run", f"its outputs do not fit: {_fault(error)}"), None
        return ("reuse", "all nodes of it are reused" if program.steps else "it has no nodes"), value

    def _choice(
        self, place: int, step: Step, choice: Conditional, values: Sequence[object], unknown: set[str]
    ) -> _Decision:
        """What to do about a conditional: that of the branch that is taken, if that can be told."""
        places = {f"<{port.name}>": number for number, port in enumerate(choice.interface.inputs)}
        taken = None
        for number, branch in enumerate(choice.branches):
            if branch.test is not None and names_in(branch.test) & unknown:
                return _LATER
            try:
                if branch.test is None or holds(branch.test, values, places):
                    taken = number
                    break
            except Exception as error:  # noqa: BLE001 - border: the operators of users' values
                return "run", f"its condition {branch.name} fails: {told(error)}"
        chosen = choice.branches[cast("int", taken)]
        inside = Planner(program_of(choice.trace), values, f"{self._prefix}{step.node.id}/", unknown)
        self._inner[place], (action, _), self._values[place] = inside.branches(cast("int", taken))
        return action, f"takes the branch {chosen.name}"

    def branches(self, taken: int) -> tuple[tuple[PlannedNode, ...], _Decision, object]:
        """What to do about each branch of a conditional, about the one that is taken, and its value if it is known."""
        planned: list[PlannedNode] = []
        decision: _Decision = _LATER
        for place, step in enumerate(self._program.steps):
            if place != taken:
                planned += self._planned(place, step, ("skip", "another branch is taken"))
                continue
            branch = cast("Branch", step.member)
            inputs = self._values[len(self._program.steps) :]
            decision = "run", f"it fails: {branch.message}"
            if branch.message is None:
                decision = self._within(place, step, branch, inputs, self._unknown)
            planned += self._planned(place, step, decision)
        return tuple(planned), decision, self._values[taken]

    def _map(
        self,
        place: int,
        mapped: Mapped,
        columns: Sequence[Sequence[object] | None],
        fixed: Sequence[object],
        size: int,
    ) -> _Decision:
        """What to do about a map: how many of its items have kept results."""
        task = mapped.task
        if size > (_MOST_RUNS if isinstance(task, WorkflowTask) else _MOST_ITEMS):
            return "run", f"{size:,} items, decided while running"
        values: list[object] = []
        why: list[str] = []
        for at in range(size):
            row = [given if column is None else column[at] for column, given in zip(columns, fixed, strict=True)]
            found, value = self._item(task, row, explain=len(why) < _MOST_EXPLAINED)
            values.append(value)
            if found != SAME:
                why.append(found)
        if why:
            return "run", _told(why, size)
        self._values[place] = values if mapped.interface.outputs else None
        return "reuse", f"{size:,} of {size:,} items: {SAME}" if size else "it has no items"

    def _item(self, task: Task[..., object], row: Sequence[object], *, explain: bool) -> tuple[str, object]:
        """Why an item runs, or that it is the same as before, and its value then."""
        try:
            checked = checked_inputs(task, tuple(row))
        except _NO_FIT as error:
            return f"its inputs do not fit: {_fault(error)}", None
        if isinstance(task, WorkflowTask):
            inner = Planner(program_of(task.workflow.trace), checked)
            inner.nodes()
            (action, because), value = inner.ended(task.workflow)
            return (SAME if action == "reuse" else because), value
        call = call_of(task, checked)
        found = known_result(task, call, self._store)
        if found is None:
            return why_not_reused(task, call, self._store) if explain else "", None
        return SAME, found[1]


def _never_known(member: Task[..., object] | Composite) -> str:
    """Why a node runs whatever its inputs are; ``""`` if it may be reused, or have nodes that are."""
    inner = member.task if isinstance(member, Mapped) else member
    inner = inner.workflow if isinstance(inner, WorkflowTask) else inner
    if isinstance(inner, Task):
        if inner.source.stand_in is not None:
            return "a stand-in is in the place of its body"
        return "" if inner.options.cache else "not cached"
    if isinstance(inner, Conditional) or _is_flat(inner):
        return ""
    words = {"dynamic": "its graph is made while running", "gate": "it waits for an answer"}
    return words.get(inner.kind, _LATER[1])


def _is_flat(member: Composite) -> bool:
    """Whether it is a workflow whose graph is known."""
    return isinstance(member, Workflow) and type(member).carry_out is Workflow.carry_out


def _outputs(member: Composite) -> tuple[Binding, ...]:
    return cast("Workflow[..., object] | Branch", member).trace.outputs


def _fault(error: Exception) -> str:
    """What is wrong with a value, in one line."""
    return error.what if isinstance(error, CelltaskError) else told(error)


def _told(why: Sequence[str], size: int) -> str:
    """How many of the items of a map run, and why."""
    counts: Mapping[str, int] = Counter(filter(None, why))
    if len(why) > sum(counts.values()):  # of the others it is not known
        first = next(iter(counts))
        return f"{len(why):,} of {size:,} items: {first}" + (", and other reasons" if len(counts) > 1 else "")
    return "; ".join(f"{count:,} of {size:,} items: {reason}" for reason, count in counts.items())
