"""Skipping: nodes that do not run because of what happened before them, told as soon as that is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.events import NodeSkipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.core.execution import Execution
    from celltask.core.program import Program

__all__ = ["behind", "never_begun", "skip"]


def behind(program: Program, place: int, skipped: list[bool]) -> list[int]:
    """Places of the nodes that wait for the one at `place`, near or far; `skipped` has those known, and gets these."""
    found, later = [], list(program.steps[place].unlocks)
    while later:
        near = later.pop()
        if not skipped[near]:
            skipped[near] = True
            found.append(near)
            later.extend(program.steps[near].unlocks)
    return sorted(found)


def never_begun(execution: Execution) -> Iterable[int]:
    """Places of nodes that surely begin no more, now that `execution` begins nothing; some may be left out."""
    if execution.crew is not None:
        return execution.crew.untaken()
    return [place for place, started in enumerate(execution.ledger.started) if not started]


def skip(execution: Execution, places: Iterable[int], reason: str, state: str = "skipped") -> None:
    """Note those of `places` that nothing has become of yet as skipped, and tell it."""
    states = execution.ledger.states
    with execution.failing:  # two may have failed at once
        left = [place for place in places if states[place] == "queued"]
        for place in left:
            states[place] = state
    if execution.on_event is not None:
        for place in left:
            node = execution.prefix + execution.steps[place].node.id
            execution.on_event(NodeSkipped(execution.run, node, state, reason))
