"""Ledger: what became of each node of a run. It holds state while the run lasts.

Columns of plain numbers and shared strings rather than a record for each node: nothing in them is tracked by the
garbage collector, which otherwise takes half the time of a run of 100,000 small nodes. Records are made when read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from celltask.core.program import Program
    from celltask.core.trace import Trace
    from celltask.core.workflow import Workflow

__all__ = ["Ledger", "NodeRecord"]


class NodeRecord(NamedTuple):
    """What became of one node.

    `state` is ``"done"``, ``"reused"``, ``"failed"``, ``"skipped"`` or ``"cancelled"``; `started` is in seconds since
    the epoch (0 if it never did), `duration_s` in seconds; a node of a workflow within the workflow has the id
    ``"n1/n0"``.
    """

    id: str
    label: str
    task: str
    state: str
    started: float
    duration_s: float
    attempts: int
    error: BaseException | None
    log: str = ""
    """What the body printed, of both streams."""


class Ledger:
    """One row for each step of a program, by its place there.

    Attributes:
        states: ``"queued"`` until the node has ended.
        started: Seconds since the epoch.
        durations_s: Seconds.
        attempts: How often the body was begun.
        errors: The error of each node that failed.
        printed: What the bodies printed, in pieces, each with the name of its stream.
        nested: The ledger of each node that is a workflow.
        aside: The ledger of what ran beside the nodes, by the beginning of its ids.
        made: What made a graph while running, with the trace of that graph.
        items: The state of each item of a node that is a map: 0 queued, 1 done, 2 failed, 3 reused.
    """

    def __init__(self, program: Program) -> None:
        count = len(program.steps)
        self.program = program
        self.states = ["queued"] * count
        self.started = [0.0] * count
        self.durations_s = [0.0] * count
        self.attempts = [0] * count
        self.errors: dict[int, BaseException] = {}
        self.printed: dict[int, list[tuple[str, str]]] = {}
        self.nested: dict[int, Ledger] = {}
        self.aside: dict[str, Ledger] = {}
        self.items: dict[int, bytearray] = {}
        self.made: dict[int, tuple[Workflow[..., object], Trace]] = {}

    def records(self, prefix: str = "") -> list[NodeRecord]:
        """One record for each node in the order of definition, nodes of inner workflows behind their own."""
        steps = self.program.steps
        found = []
        for place in sorted(range(len(steps)), key=lambda place: int(steps[place].node.id[1:])):
            node = steps[place].node
            found.append(
                NodeRecord(
                    prefix + node.id, node.label, steps[place].member.name, self.states[place], self.started[place],
                    self.durations_s[place], self.attempts[place], self.errors.get(place),
                    "".join(text for _, text in self.printed.get(place, ())),
                )
            )  # fmt: skip
            if place in self.nested:
                found += self.nested[place].records(f"{prefix}{node.id}/")
        for name, beside in self.aside.items():
            found += beside.records(f"{prefix}{name}/")
        return found
