"""Plan: what a run would do with each node, and why, decided without running anything."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celltask.core.calling import bound_arguments, checked_inputs
from celltask.core.context import FRESH_SINCE
from celltask.core.planner import PlannedNode, Planner
from celltask.core.program import program_of
from celltask.core.tracing import trace_of
from celltask.core.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.task import Task

__all__ = ["Plan", "PlannedNode", "plan", "plan_workflow"]


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
    return plan_workflow(member, bound_arguments(member, (), given), refresh=refresh)


def plan_workflow(
    member: Workflow[..., object] | Task[..., object], values: tuple[object, ...], *, refresh: bool = False
) -> Plan:
    """What a run of `member` with one value per input would do with each node."""
    inputs = checked_inputs(member, values)
    token = FRESH_SINCE.set(time.time()) if refresh else None
    try:
        program = program_of(member.trace if isinstance(member, Workflow) else trace_of(member))
        return Plan(member.name, Planner(program, inputs).nodes())
    finally:
        if token is not None:
            FRESH_SINCE.reset(token)
