"""Scope: one execution while a cluster works on it, and how far each of its nodes is. It holds state.

A workflow within the workflow is a scope within a scope: all its nodes are handed over with those around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.engines.dask.shipment import Space
from celltask.core.graph import FromInput, FromNode, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.core.context import NodeContext
    from celltask.core.execution import Execution
    from celltask.core.graph import Binding
    from celltask.core.program import Step

__all__ = ["LEAVING", "Key", "Scope"]

Key = tuple[str, int]
"""Name of something that Dask computes."""

LEAVING = -1
"""Stands among the places of a scope for the end of the workflow, which checks its outputs."""


class Scope:
    """One execution and its nodes.

    Args:
        execution: The execution.
        number: Number of the scope in the run.
        outer: The scope that it is a node of, and the place of that node.
        outputs: What the outputs are bound to, for a workflow within a workflow.

    Attributes:
        keys: Where the value of a place is on the cluster: a key, and the item of its value or ``None`` for the whole.
        todo: Places that are not handed over yet, in an order in which they can be.
        left: Places that have not ended, and may still.
        ended: Places that have ended well.
        settled: Places of which a kept result was found in this process.
        contexts: Nodes that have begun, each with its context and the clock at its beginning.
        here: Places whose node is to run in this process.
        inner: Workflows within the workflow, by place.
        entry: The key of what checks the inputs, for a workflow within a workflow.
        has_begun: Whether the inputs are known and checked, so that nodes may run.
        before: How often a node was begun on workers that were lost.
        fetched: Places whose value was brought to this process.
        is_stopping: Whether the workers were told to begin no more of its nodes.
    """

    def __init__(
        self,
        execution: Execution,
        number: int,
        outer: tuple[Scope, int] | None = None,
        outputs: tuple[Binding, ...] = (),
    ) -> None:
        self.execution, self.number, self.outer, self.outputs = execution, number, outer, outputs
        steps = execution.program.steps
        self.places = {step.node.id: place for place, step in enumerate(steps)}
        for place, port in enumerate(execution.member.interface.inputs, len(steps)):
            self.places[f"<{port.name}>"] = place
        self.several = frozenset(
            place for place, step in enumerate(steps) if step.member.interface.result in ("tuple", "named")
        )
        self.keys: dict[int, tuple[Key, int | None]] = {}
        self.orders: dict[Key, Key] = {}
        self.todo = [place for place in range(len(steps)) if not execution.is_over(place)]
        self.left = set(self.todo)
        if outer is not None:
            self.todo.append(LEAVING)
            self.left.add(LEAVING)
        self.contexts: dict[int, tuple[NodeContext, float]] = {}
        self.here: set[int] = set()
        self.inner: dict[int, Scope] = {}
        self.ended: set[int] = set()
        self.settled: set[int] = set()
        self.entry: Key | None = None
        self.has_begun = outer is None
        self.is_stopping = False
        self.before: dict[int, int] = {}
        self.fetched: set[int] = set()

    def sources(self, bindings: Iterable[Binding | None]) -> list[int]:
        """The places that values for these bindings come from, each once."""
        found: dict[int, None] = {}
        for binding in bindings:
            for source in sources_of(binding):
                if isinstance(source, FromNode):
                    found[self.places[source.node]] = None
                elif isinstance(source, FromInput):
                    found[self.places[f"<{source.name}>"]] = None
        return list(found)

    def step(self, place: int) -> Step:
        """The step at `place`."""
        return self.execution.program.steps[place]

    def space(self, known: dict[int, object]) -> Space:
        """What the workers are told of it."""
        return Space(self.places, self.several, known)
