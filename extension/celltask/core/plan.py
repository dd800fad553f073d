"""Plan: what a run would do with each node, and why, decided without running anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from celltask.core.cache import call_of, known_result
from celltask.core.calling import checked_inputs
from celltask.core.graph import FromNode, sources_of
from celltask.core.program import Step, program_of
from celltask.core.stores.choice import current_store
from celltask.core.task import Task
from celltask.core.types.base import Mismatch

if TYPE_CHECKING:
    from celltask.core.workflow import Workflow

__all__ = ["Plan", "PlannedNode", "plan_workflow"]


class PlannedNode(NamedTuple):
    """One node, what will be done about it, and why."""

    id: str
    label: str
    action: Literal["run", "reuse"]
    because: str


@dataclass(frozen=True)
class Plan:
    """What a run would do, node by node, in the order in which they can run.

    Attributes:
        name: Name of the workflow.
        nodes: What will be done about each node, and why.
    """

    name: str
    nodes: tuple[PlannedNode, ...]

    def __repr__(self) -> str:
        lines = [f"  {node.id:<6} {node.label:<24} {node.action:<6} {node.because}" for node in self.nodes]
        return "\n".join([f"<plan of {self.name}>", *lines])


def plan_workflow(workflow: Workflow[..., object], values: tuple[object, ...]) -> Plan:
    """What a run of `workflow` with one value per input would do with each node."""
    inputs = checked_inputs(workflow, values)
    program = program_of(workflow.trace)
    found: list[object] = [*([None] * len(program.steps)), *inputs]
    planned: list[PlannedNode] = []
    running: set[str] = set()
    for place, step in enumerate(program.steps):
        node, found[place] = _decide(step, found, running)
        if node.action == "run":
            running.add(node.id)
        planned.append(node)
    return Plan(workflow.name, tuple(planned))


def _decide(step: Step, values: list[object], running: set[str]) -> tuple[PlannedNode, object]:
    """What to do about one node, and its result where that is known.

    Args:
        step: The node.
        values: Results of all nodes before it that are reused, at their places, and the inputs after them.
        running: Ids of the nodes before it whose results are not known.
    """

    def told(action: Literal["run", "reuse"], because: str, known: object = None) -> tuple[PlannedNode, object]:
        return PlannedNode(step.node.id, step.node.label, action, because), known

    member = step.member
    if not isinstance(member, Task):
        return told("run", "a workflow of its own")
    if not member.options.cache:
        return told("run", "not cached")
    sources = (source for binding in step.node.bindings for source in sources_of(binding))
    if any(isinstance(source, FromNode) and source.node in running for source in sources):
        return told("run", "a node before it runs")
    try:
        arguments = [get(values) for get in step.getters]
        checked = [port.handler.validate(value) for port, value in zip(member.interface.inputs, arguments, strict=True)]
    except (Mismatch, TypeError, AttributeError, LookupError) as error:
        return told("run", f"its inputs do not fit: {error}")
    known = known_result(member, call_of(member, tuple(checked)), current_store())
    return told("run", "no earlier result") if known is None else told("reuse", "same code, same inputs", known[1])
