"""Graph: what runs before what, and which value goes where. Plain data, with JSON in and out.

Nodes are `NamedTuple`s rather than dataclasses: a workflow of 100,000 nodes makes as many of them, and a tuple
is four times cheaper to make than a frozen dataclass with slots.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from typing import Literal as OneOf

from celltask.errors import CycleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "Binding",
    "Collected",
    "Constant",
    "Edge",
    "Entity",
    "FromInput",
    "FromNode",
    "Graph",
    "GraphOutput",
    "Node",
    "Port",
]

Accessor = tuple[OneOf["field", "item"], object]
"""One step into a value: ``("field", "accuracy")`` for ``ref.accuracy``, ``("item", 0)`` for ``ref[0]``."""


class Constant(NamedTuple):
    """A value written in the workflow itself."""

    value: object


class FromInput(NamedTuple):
    """An input of the workflow, or a part of it."""

    name: str
    path: tuple[Accessor, ...] = ()


class FromNode(NamedTuple):
    """An output of another node, or a part of it; `output` is its place in the entity's outputs, from 0."""

    node: str
    output: int = 0
    path: tuple[Accessor, ...] = ()


class Collected(NamedTuple):
    """A list, tuple or dict with bindings in it; `keys` is empty but for a dict."""

    kind: OneOf["list", "tuple", "dict"]
    items: tuple[Binding, ...]
    keys: tuple[object, ...] = ()


Binding = Constant | FromInput | FromNode | Collected


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output as people read it."""

    name: str
    type: str
    description: str = ""
    required: bool = True
    default: str = ""
    """Short repr of the default; empty if there is none."""

    is_secret: bool = False
    """Whether values are, or can hold, secrets: no picture shows what is bound to it."""


@dataclass(frozen=True, slots=True)
class Entity:
    """What a node runs: a task, or a workflow within the workflow."""

    name: str
    kind: str
    """``"python"``, ``"shell"``, … for tasks, ``"workflow"`` for a workflow."""
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    doc: str = ""
    place: str = ""
    """Where it is defined: ``"tutorial.md, cell 4, line 101"``."""
    graph: Graph | None = None
    """The inner graph of a workflow."""


class Node(NamedTuple):
    """One step of a workflow."""

    id: str
    """``"n0"``, ``"n1"``, … in the order of definition, unique in its graph."""
    label: str
    """Name shown: the entity's, or the one given by ``with_overrides(name=…)``."""
    entity: str
    """Key into `Graph.entities`."""
    bindings: tuple[Binding | None, ...]
    """One per input of the entity, in its order; None where the entity's own default is used."""
    after: tuple[str, ...] = ()
    """Ids of nodes that must end first though no value comes from them (``a >> b``)."""
    overrides: Mapping[str, object] | None = None


class GraphOutput(NamedTuple):
    """One output of the workflow."""

    name: str
    type: str
    binding: Binding
    description: str = ""
    is_secret: bool = False
    """As that of a `Port`."""


class Edge(NamedTuple):
    """A value (or, with `output` and `input` empty, only the order) that goes from one node to another.

    `source` is ``"<inputs>"`` where an input of the workflow is meant, `target` ``"<outputs>"`` for an output of it.
    """

    source: str
    output: str
    target: str
    input: str
    type: str


def sources_of(binding: Binding | None) -> Iterator[FromNode | FromInput]:
    """Every reference in `binding`, however deep."""
    if isinstance(binding, FromNode | FromInput):
        yield binding
    elif isinstance(binding, Collected):
        for item in binding.items:
            yield from sources_of(item)


def path_text(path: tuple[Accessor, ...]) -> str:
    """A way into a value as it is written: ``.field["key"][0]``."""
    return "".join(f".{step}" if how == "field" else f"[{step!r}]" for how, step in path)


@dataclass(frozen=True)
class Graph:
    """The nodes of one workflow and the values between them.

    >>> from celltask import task, workflow
    >>> @task
    ... def half(x: int) -> float:
    ...     return x / 2
    >>> @workflow
    ... def halves(x: int, y: int) -> tuple[float, float]:
    ...     return half(x=x), half(x=y)
    >>> [node.id for node in halves.graph.nodes]
    ['n0', 'n1']
    """

    name: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[GraphOutput, ...] = ()
    nodes: tuple[Node, ...] = ()
    entities: Mapping[str, Entity] = field(default_factory=dict)
    doc: str = ""
    place: str = ""
    on_failure: str = ""
    """Name of what runs after a node has failed; empty if nothing does."""

    def node(self, node_id: str) -> Node:
        """The node called `node_id`.

        Raises:
            KeyError: If there is none.
        """
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def waits_for(self) -> dict[str, tuple[str, ...]]:
        """For each node the ids of the nodes that must end before it, in the order they are named."""
        return waits_of(self.nodes)

    def edges(self) -> Iterator[Edge]:
        """Every edge, by target in the order of definition; workflow inputs and outputs included."""
        by_id = {node.id: node for node in self.nodes}
        types = {port.name: port.type for port in self.inputs}

        def told(source: FromNode | FromInput, target: str, name: str) -> Edge:
            if isinstance(source, FromInput):
                return Edge("<inputs>", source.name + path_text(source.path), target, name, types[source.name])
            port = self.entities[by_id[source.node].entity].outputs[source.output]
            return Edge(source.node, port.name + path_text(source.path), target, name, port.type)

        for node in self.nodes:
            for port, binding in zip(self.entities[node.entity].inputs, node.bindings, strict=True):
                for source in sources_of(binding):
                    yield told(source, node.id, port.name)
            for before in node.after:
                yield Edge(before, "", node.id, "", "")
        for output in self.outputs:
            for source in sources_of(output.binding):
                yield told(source, "<outputs>", output.name)

    def order(self) -> list[Node]:
        """The nodes so that each comes after all it waits for; ties in the order of definition.

        Raises:
            CycleError: If some nodes wait for each other.
        """
        try:
            return [self.nodes[place] for place in order_of(self.nodes, self.waits_for())]
        except CycleError as error:
            raise CycleError(error.what, self.place, error.mend) from None

    def upstream(self, node_id: str) -> set[str]:
        """Ids of every node that `node_id` waits for, near or far."""
        return _reachable(node_id, self.waits_for())

    def downstream(self, node_id: str) -> set[str]:
        """Ids of every node that waits for `node_id`, near or far."""
        later: dict[str, list[str]] = {}
        for node, near in self.waits_for().items():
            for before in near:
                later.setdefault(before, []).append(node)
        return _reachable(node_id, later)

    def to_json(self) -> dict[str, object]:
        """The graph as plain JSON data; a constant without a JSON form goes as its repr."""
        from celltask.core.graph_json import to_json  # noqa: PLC0415 - only where graphs leave the process

        return to_json(self)

    @staticmethod
    def from_json(data: object) -> Graph:
        """The graph that `to_json` made `data` from.

        Raises:
            GraphError: If `data` is not that.
        """
        from celltask.core.graph_json import from_json  # noqa: PLC0415 - only where graphs come from outside

        return from_json(data)


def waits_of(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    """For each node the ids of the nodes that must end before it, in the order they are named."""
    found = {}
    for node in nodes:
        near = list(node.after)
        for binding in node.bindings:
            if isinstance(binding, FromNode):
                near.append(binding.node)
            elif isinstance(binding, Collected):
                near.extend(source.node for source in sources_of(binding) if isinstance(source, FromNode))
        found[node.id] = tuple(dict.fromkeys(near)) if len(near) > 1 else tuple(near)
    return found


def order_of(nodes: Sequence[Node], waits: Mapping[str, tuple[str, ...]]) -> list[int]:
    """Places of `nodes` so that each comes after all it waits for; ties in the order of definition.

    Raises:
        CycleError: If some nodes wait for each other.
    """
    place = {node.id: number for number, node in enumerate(nodes)}
    left = {node_id: len(near) for node_id, near in waits.items()}
    unlocks: dict[str, list[str]] = {}
    for node_id, near in waits.items():
        for before in near:
            unlocks.setdefault(before, []).append(node_id)
    ready = [place[node_id] for node_id, count in left.items() if not count]
    ordered = []
    while ready:
        number = heapq.heappop(ready)
        ordered.append(number)
        for later in unlocks.get(nodes[number].id, ()):
            left[later] -= 1
            if not left[later]:
                heapq.heappush(ready, place[later])
    if len(ordered) < len(nodes):
        done = set(ordered)
        stuck = ", ".join(f"{node.label} ({node.id})" for place, node in enumerate(nodes) if place not in done)
        raise CycleError(f"these nodes wait for each other: {stuck}", mend="remove one of the `>>` between them")
    return ordered


def _reachable(start: str, steps: Mapping[str, tuple[str, ...] | list[str]]) -> set[str]:
    found: set[str] = set()
    todo = list(steps.get(start, ()))
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(steps.get(node, ()))
    return found
