"""Graphs of tasks that do next to nothing: chains and fans of so many nodes."""

from __future__ import annotations

from celltask import ImperativeWorkflow, task

__all__ = ["chain", "fan", "inc"]


@task
def inc(x: int) -> int:
    """One more."""
    return x + 1


def chain(nodes: int) -> ImperativeWorkflow:
    """Each node needs the one before."""
    made = ImperativeWorkflow(f"chain of {nodes}")
    x: object = made.add_input("x", int)
    for _ in range(nodes):
        x = made.add_task(inc, x=x)
    made.add_output("y", x, int)
    return made


def fan(nodes: int, member: object = inc, kind: type = int) -> ImperativeWorkflow:
    """All nodes need the input alone."""
    made = ImperativeWorkflow(f"fan of {nodes}")
    x = made.add_input("x", kind)
    name = next(iter(member.interface.inputs)).name  # type: ignore[attr-defined]  # a task
    values = [made.add_task(member, **{name: x}) for _ in range(nodes)]  # type: ignore[arg-type]  # as above
    made.add_output("y", values, list[kind])  # type: ignore[valid-type]  # int or float
    return made
