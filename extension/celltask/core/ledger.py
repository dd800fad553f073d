"""Ledger: what became of each node of a run. It holds state while the run lasts.

Columns of plain numbers and shared strings rather than a record for each node: nothing in them is tracked by the
garbage collector, which otherwise takes half the time of a run of 100,000 small nodes. Records are made when read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from celltask.core.calls import MOST_OF_A_RUN, Told, is_call
from celltask.errors import RunCancelledError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from celltask.core.composite import Composite
    from celltask.core.context import NodeContext
    from celltask.core.program import Program
    from celltask.core.task import Task
    from celltask.core.trace import Trace
    from celltask.core.workflow import Workflow

__all__ = ["Ledger", "NodeRecord", "state_after", "told"]

_NONE: Final[Mapping[str, int]] = {}


def state_after(error: BaseException) -> str:
    """What a node or run is that ended with `error`."""
    return "cancelled" if isinstance(error, RunCancelledError) or not isinstance(error, Exception) else "failed"


def told(error: BaseException) -> str:
    """Class and text of `error`; the class alone where the text cannot be made."""
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:  # noqa: BLE001 - border: an error's own text is code of users
        return name


class NodeRecord(NamedTuple):
    """What became of one node, or of one call of a task that the body of a node made.

    `state` is ``"done"``, ``"reused"``, ``"failed"``, ``"skipped"`` or ``"cancelled"``; `started` is in seconds since
    the epoch (0 if it never did), `duration_s` in seconds; a node of a workflow within the workflow has the id
    ``"n1/n0"``, a call that its body made ``"n1/n0/c0"``. Calls have no `error` and no `log`; one that had not ended
    when its node did is ``"queued"``.
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
    """What the body printed, of both streams, with what it called."""
    more_calls: Mapping[str, int] = _NONE
    """How many more calls of each task the body made than are told one by one: 100 of a node, 10,000 of a run."""

    @property
    def is_call(self) -> bool:
        """Whether it is a call that the body of a node made, not a node of a graph."""
        return is_call(self.id)


_NO_CALLS: Final = Told((), _NONE)


class Ledger:
    """One row for each step of a program, by its place there.

    Attributes:
        states: ``"queued"`` until the node has ended.
        started: Seconds since the epoch.
        durations_s: Seconds.
        attempts: How often the body was begun.
        errors: The error of each node that failed.
        printed: What the bodies printed, in pieces, each with the name of its stream.
        calls: What the bodies called of other tasks.
        missed: Of cached tasks that failed, what a store would have told of their results.
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
        self.calls: dict[int, Told] = {}
        self.missed: dict[int, Mapping[str, object]] = {}
        self.nested: dict[int, Ledger] = {}
        self.aside: dict[str, Ledger] = {}
        self.items: dict[int, bytearray] = {}
        self.made: dict[int, tuple[Workflow[..., object], Trace]] = {}

    def is_reused(self) -> bool:
        """Whether some nodes were reused, and there was nothing to run in any other."""
        return "reused" in self.states and all(
            state in ("reused", "skipped") or (state == "done" and self.is_empty(place))
            for place, state in enumerate(self.states)
        )

    def is_empty(self, place: int) -> bool:
        """Whether the node at `place` is a workflow or branch in which nothing ran, or a map without items."""
        if place in self.items:
            return not self.items[place]
        inner = self.nested.get(place)
        return inner is not None and all(
            state == "skipped" or (state == "done" and inner.is_empty(at)) for at, state in enumerate(inner.states)
        )

    def keep(self, place: int, context: NodeContext) -> None:
        """Keep what the body at `place` has printed and called: as counts only where the run has very many."""
        if context.printed:
            self.printed[place] = context.printed
        if context.calls is not None and context.control is not None:
            with context.control.counting:
                self.calls[place] = kept = context.calls.told(MOST_OF_A_RUN - context.control.called)
                context.control.called += len(kept.rows)

    def all(self, prefix: str = "") -> Iterator[tuple[str, Ledger]]:
        """This one, and behind it those of inner workflows and of what ran beside, with the beginning of their ids."""
        yield prefix, self
        for place, inner in sorted(self.nested.items()):
            yield from inner.all(f"{prefix}{self.program.steps[place].node.id}/")
        for name, beside in self.aside.items():
            yield from beside.all(f"{prefix}{name}/")

    def member_of(self, node: str) -> Task[..., object] | Composite | None:
        """What the node with this id runs; none if it is no node of a graph, but a call."""
        for prefix, one in self.all():
            for step in one.program.steps:
                if prefix + step.node.id == node:
                    return step.member
        return None

    def all_missed(self) -> dict[str, Mapping[str, object]]:
        """What was missed, here and in inner workflows, by the ids of the nodes."""
        return {
            prefix + one.program.steps[place].node.id: facts
            for prefix, one in self.all()
            for place, facts in one.missed.items()
        }

    def records(self, prefix: str = "") -> list[NodeRecord]:
        """One record for each node in the order of definition, nodes of inner workflows behind their own."""
        steps = self.program.steps
        found = []
        for place in sorted(range(len(steps)), key=lambda place: int(steps[place].node.id[1:])):
            node, calls = steps[place].node, self.calls.get(place, _NO_CALLS)
            found.append(
                NodeRecord(
                    prefix + node.id, node.label, steps[place].member.name, self.states[place], self.started[place],
                    self.durations_s[place], self.attempts[place], self.errors.get(place),
                    "".join(text for _, text in self.printed.get(place, ())), calls.more,
                )
            )  # fmt: skip
            found += [
                NodeRecord(row.id, row.task, row.task, row.state, row.started, row.duration_s, row.attempts, None)
                for row in calls.rows
            ]
            if place in self.nested:
                found += self.nested[place].records(f"{prefix}{node.id}/")
        for name, beside in self.aside.items():
            found += beside.records(f"{prefix}{name}/")
        return found
