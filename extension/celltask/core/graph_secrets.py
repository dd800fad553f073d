"""Graphs without the secrets that are written in them, to be given to other people and programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from celltask.core.graph import Collected, Constant
from celltask.core.types.marks import HIDDEN

if TYPE_CHECKING:
    from celltask.core.graph import Binding, Entity, Graph, Node

__all__ = ["without_secrets"]


def without_secrets(graph: Graph) -> Graph:
    """`graph` with dots for each constant that is bound to what can hold secrets, also in the graphs within.

    >>> from celltask.core.graph import Graph, GraphOutput
    >>> made = Graph("key", outputs=(GraphOutput("o0", "str", Constant("abc"), is_secret=True),))
    >>> without_secrets(made).outputs[0].binding
    Constant(value='••••••••')
    """
    return replace(
        graph,
        entities={key: _entity(entity) for key, entity in graph.entities.items()},
        nodes=tuple(_node(node, graph.entities[node.entity]) for node in graph.nodes),
        outputs=tuple(out._replace(binding=_hidden(out.binding)) if out.is_secret else out for out in graph.outputs),
    )


def _entity(entity: Entity) -> Entity:
    return entity if entity.graph is None else replace(entity, graph=without_secrets(entity.graph))


def _node(node: Node, entity: Entity) -> Node:
    pairs = zip(node.bindings, entity.inputs, strict=True)
    return node._replace(
        bindings=tuple(_hidden(one) if port.is_secret and one is not None else one for one, port in pairs)
    )


def _hidden(binding: Binding) -> Binding:
    match binding:
        case Constant():
            return Constant(HIDDEN)
        case Collected(kind, items, keys):
            return Collected(kind, tuple(map(_hidden, items)), (HIDDEN,) * len(keys))
        case _:
            return binding
