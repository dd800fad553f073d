"""What a live picture knows of nodes before anything has happened to them, as plain data for the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.render.composition import compose
from celltask.render.picture import draw
from celltask.render.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.core.graph import Entity, Graph, Node

__all__ = ["MOST_DRAWN", "inner_pictures", "nodes_told"]

_DEEPEST = 4
_MOST_NODES = 20_000
MOST_DRAWN = 300
_MOST_PICTURES = 12


def nodes_told(graph: Graph) -> dict[str, list[object]]:
    """Nodes, those inside of others behind them, and what they run.

    ``"nodes"`` has for each its id, its label, the place of its entity in ``"entities"`` and where its inputs come
    from; ``"entities"`` has name, kind, description, place in the document, and names and types of inputs and outputs.

    >>> from celltask.core.graph import Graph
    >>> nodes_told(Graph("empty"))
    {'nodes': [], 'entities': []}
    """
    entities: list[object] = []
    places: dict[int, int] = {}
    nodes: list[object] = []
    for prefix, words, node, entity in _walk(graph, "", 0):
        if len(nodes) == _MOST_NODES:
            break
        if id(entity) not in places:
            places[id(entity)] = len(entities)
            entities.append(_entity_told(entity))
        sources = [words.source(one, port) for one, port in zip(node.bindings, entity.inputs, strict=True)]
        nodes.append([prefix + node.id, node.label, places[id(entity)], sources])
    return {"nodes": nodes, "entities": entities}


def _walk(graph: Graph, prefix: str, depth: int) -> Iterator[tuple[str, Wording, Node, Entity]]:
    words = Wording(graph)
    for node in graph.nodes:
        yield prefix, words, node, graph.entities[node.entity]
    for node in graph.nodes if depth < _DEEPEST else ():
        inner = graph.entities[node.entity].graph
        if inner is not None:
            yield from _walk(inner, f"{prefix}{node.id}/", depth + 1)


def _entity_told(entity: Entity) -> dict[str, object]:
    return {
        "name": entity.name,
        "kind": entity.kind,
        "doc": entity.doc,
        "place": entity.place,
        "in": [(port.name, port.type) for port in entity.inputs],
        "out": [(port.name, port.type) for port in entity.outputs],
    }


def inner_pictures(graph: Graph) -> dict[str, str]:
    """Pictures of the workflows inside of `graph`, by the ids of the nodes that run them; of the first few."""
    drawn: dict[int, str] = {}
    found = {}
    for prefix, _, node, entity in _walk(graph, "", 0):
        inner = entity.graph
        if inner is None or entity.kind in ("conditional", "branch") or not 0 < len(inner.nodes) <= MOST_DRAWN:
            continue
        if id(inner) not in drawn:
            if len(drawn) == _MOST_PICTURES:
                continue
            drawn[id(inner)] = draw(compose(inner), inner, {}, sheet="")
        found[prefix + node.id] = drawn[id(inner)]
    return found
