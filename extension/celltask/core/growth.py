"""Growth: the graph of a run as it became, with what dynamic functions made of themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celltask.core.graph import Graph
    from celltask.core.ledger import Ledger

__all__ = ["grown"]


def grown(graph: Graph, ledger: Ledger) -> Graph:
    """`graph` with the graphs that were made while it ran, each as the inside of its node.

    Args:
        graph: As it was before.
        ledger: What became of its nodes.
    """
    nodes = {node.id: node for node in graph.nodes}
    entities = dict(graph.entities)
    for place, nested in ledger.nested.items():
        node = nodes[ledger.program.steps[place].node.id]
        entity = graph.entities[node.entity]
        inner = entity.graph
        if place in ledger.made:
            maker, trace = ledger.made[place]
            inner = maker.graph_of(trace)
        became = inner if inner is None else grown(inner, nested)
        if became is not entity.graph:
            key = f"{node.entity} in {node.id}"
            entities[key] = replace(entity, graph=became)
            nodes[node.id] = node._replace(entity=key)
    if len(entities) == len(graph.entities):
        return graph
    return replace(graph, nodes=tuple(nodes.values()), entities=entities)
