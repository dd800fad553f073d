"""Trace: what tracing a graph gave, before anything is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.graph import Graph, GraphOutput, order_of, waits_of
from celltask.core.types.masking import holds_secrets
from celltask.errors import CycleError

if TYPE_CHECKING:
    from typing import TypeAlias

    from celltask.core.composite import Composite
    from celltask.core.graph import Binding, Node
    from celltask.core.interface import Interface
    from celltask.core.program import Program
    from celltask.core.task import Task

    Member: TypeAlias = Task[..., object] | Composite

__all__ = ["Trace", "graph_of", "outputs_of", "waiting_order"]


class Trace:
    """What tracing a workflow gave: its nodes, what they run, and where its outputs come from.

    Attributes:
        nodes: In the order of definition.
        members: The task or workflow that each node runs, same order as `nodes`.
        keys: Name of each distinct member in the graph, unique there.
        outputs: One binding per output of the workflow.
        ordered: Whether the order of definition is an order in which the nodes can run.
        program: The same made ready for running, once it was.
        graph: The same as plain data, once it was asked for.
    """

    __slots__ = ("graph", "interface", "keys", "members", "nodes", "ordered", "outputs", "program")

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self.nodes: list[Node] = []
        self.members: list[Member] = []
        self.keys: dict[str, Member] = {}
        self.outputs: tuple[Binding, ...] = ()
        self.ordered = True
        self.program: Program | None = None
        self.graph: Graph | None = None


def waiting_order(trace: Trace, where: str) -> list[int]:
    """Places of the nodes so that each comes after all it waits for.

    Raises:
        CycleError: If some wait for each other.
    """
    try:
        return order_of(trace.nodes, waits_of(trace.nodes))
    except CycleError as error:
        raise CycleError(error.what, where, error.mend) from None


def graph_of(name: str, trace: Trace, doc: str = "", place: str = "") -> Graph:
    """The graph of `trace` as plain data."""
    inputs, _ = trace.interface.ports()
    entities = {key: member.entity() for key, member in trace.keys.items()}
    return Graph(name, inputs, outputs_of(trace), tuple(trace.nodes), entities, doc, place)


def outputs_of(trace: Trace) -> tuple[GraphOutput, ...]:
    """The outputs of a traced workflow as plain data."""
    ports = zip(trace.interface.outputs, trace.outputs, strict=True)
    return tuple(
        GraphOutput(
            port.name,
            port.handler.name,
            binding,
            trace.interface.description_of(port.name),
            holds_secrets(port.handler),
        )
        for port, binding in ports
    )
