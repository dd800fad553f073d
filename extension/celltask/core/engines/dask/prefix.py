"""Prefix: the cached nodes at the beginning of a graph, which are settled in this process before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.cache import SAME, call_of, known_result
from celltask.core.calling import checked_inputs
from celltask.core.entries import digests_in
from celltask.core.stores.choice import current_store
from celltask.core.types.large import each_once
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from celltask.core.engines.dask.scopes import Scope
    from celltask.core.task import Task

__all__ = ["settled"]


def settled(scope: Scope, place: int, task: Task[..., object]) -> bool:
    """Whether the node at `place` has a kept result, found without a cluster; it has ended then.

    All that it needs must be in this process: inputs of the run, and results of nodes that were settled before.
    """
    step, execution = scope.step(place), scope.execution
    if not task.options.cache or task.source.stand_in is not None or not scope.ended.issuperset(step.waits):
        return False
    if any(source in scope.keys for source in scope.sources(step.node.bindings)):
        return False
    try:
        arguments = checked_inputs(task, tuple(get(execution.values) for get in step.getters))
        with each_once():
            call = call_of(task, arguments, execution.known.of(step))
    except (CelltaskError, LookupError, AttributeError, TypeError):
        return False  # it fails in the same way where it runs, and is told then
    found = known_result(task, call, current_store())
    if found is None:
        return False
    entry, execution.values[place] = found
    context, clock = execution.begin(place)
    context.input_digests, context.output_digests = call.by_place(task), digests_in(entry.facts)
    context.reuse(SAME)
    execution.finished(place, context, clock)
    execution.ledger.attempts[place] = 1
    execution.let_go(place)
    scope.contexts[place] = context, clock
    scope.settled.add(place)
    scope.ended.add(place)
    scope.left.discard(place)
    return True
