"""Program: a traced workflow made ready for running; made once for each trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from celltask.core.bindings import Getter, getter_of
from celltask.core.budget import demand_of
from celltask.core.graph import Constant, FromNode, Node, order_of, sources_of, waits_of
from celltask.core.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.budget import Demand
    from celltask.core.composite import Composite
    from celltask.core.graph import Binding
    from celltask.core.tracing import Trace

__all__ = ["Program", "Step", "program_of"]


class Step(NamedTuple):
    """One node, ready to run; `waits` and `unlocks` are places in `Program.steps`."""

    node: Node
    member: Task[..., object] | Composite
    getters: tuple[Getter, ...]
    waits: tuple[int, ...]
    unlocks: tuple[int, ...]


class Program(NamedTuple):
    """The steps in an order in which they can run, and how to get the outputs.

    `wanted` tells how many steps and outputs wait for each step; `demands` what the steps that ask for something of
    the machine ask for, by their places.
    """

    steps: tuple[Step, ...]
    wanted: tuple[int, ...]
    outputs: tuple[Getter, ...]
    demands: Mapping[int, Demand]


def program_of(trace: Trace) -> Program:
    """The program for `trace`."""
    if trace.program is None:
        trace.program = _compiled(trace)
    return trace.program


def _compiled(trace: Trace) -> Program:
    waits = waits_of(trace.nodes)
    order = range(len(trace.nodes)) if trace.ordered else order_of(trace.nodes, waits)
    places = {trace.nodes[number].id: place for place, number in enumerate(order)}
    for place, port in enumerate(trace.interface.inputs, len(places)):
        places[f"<{port.name}>"] = place
    members = [trace.members[number] for number in order]

    def several(place: int) -> bool:
        return members[place].interface.result in ("tuple", "named")

    unlocks: list[list[int] | tuple[int, ...]] = [()] * len(order)
    for place, number in enumerate(order):
        for before in waits[trace.nodes[number].id]:
            later = unlocks[places[before]]
            if isinstance(later, list):
                later.append(place)
            else:  # most nodes have one, and a tuple of one number is nothing to the garbage collector
                unlocks[places[before]] = [*later, place] if later else (place,)
    steps = []
    for place, number in enumerate(order):
        node, member = trace.nodes[number], members[place]
        getters = tuple(
            [
                getter_of(Constant(port.default) if binding is None else binding, places, several)
                for port, binding in zip(member.interface.inputs, node.bindings, strict=True)
            ]
        )
        steps.append(
            Step(
                node, _overridden(member, node) if node.overrides else member, getters,
                tuple([places[before] for before in waits[node.id]]), tuple(unlocks[place]),
            )
        )  # fmt: skip
    outputs = tuple(getter_of(binding, places, several) for binding in trace.outputs)
    return Program(tuple(steps), _wanted(steps, trace.outputs, places), outputs, _demands(steps))


def _demands(steps: list[Step]) -> dict[int, Demand]:
    found = {}
    for place, step in enumerate(steps):
        if isinstance(step.member, Task) and step.member.options.is_asking:
            demand = demand_of(step.member)
            if demand is not None:
                found[place] = demand
    return found


def _wanted(steps: list[Step], outputs: tuple[Binding, ...], places: Mapping[str, int]) -> tuple[int, ...]:
    counts = [len(step.unlocks) for step in steps]
    for binding in outputs:
        for source in sources_of(binding):
            if isinstance(source, FromNode):
                counts[places[source.node]] += 1
    return tuple(counts)


def _overridden(member: Task[..., object] | Composite, node: Node) -> Task[..., object] | Composite:
    changes: Mapping[str, object] = {key: value for key, value in (node.overrides or {}).items() if key != "name"}
    if not changes or not isinstance(member, Task):
        return member
    return member.with_options(changes)
