"""What is drawn: boxes and the lines between them, made of a graph, before anything has a place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from celltask.core.graph import FromInput, FromNode, sources_of
from celltask.render.lettering import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from celltask.core.graph import Edge, Entity, Graph, Node

TIMES = "\N{MULTIPLICATION SIGN}"

__all__ = ["TIMES", "Box", "Shape", "Sketch", "Stroke", "merged", "sketch_of", "steps_in"]

Shape = OneOf["task", "workflow", "group", "input", "output"]


@dataclass(frozen=True, slots=True)
class Box:
    """One box: a node, a port of the workflow, or several of them folded into one."""

    label: str
    shape: Shape
    note: str = ""
    """Second, smaller line."""
    family: str = ""
    """What the box runs; boxes of one family may be told as one name with their number."""
    members: tuple[str, ...] = ()
    """Ids of the nodes it stands for; for a port its name."""
    names: tuple[str, ...] = ()
    """Label of each member, before anything was shortened or folded."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One line: all that goes from one box to another."""

    source: int
    target: int
    carries: tuple[Edge, ...] = ()

    @property
    def order_only(self) -> bool:
        """Whether no value goes along it."""
        return all(not edge.output for edge in self.carries)


@dataclass(frozen=True, slots=True)
class Sketch:
    """Boxes, numbered from 0 by their place in the tuple, and the lines between them."""

    boxes: tuple[Box, ...]
    strokes: tuple[Stroke, ...]


def steps_in(entity: Entity) -> int:
    """Number of steps of a workflow within a workflow; 0 for a task."""
    return len(entity.graph.nodes) if entity.graph is not None else 0


def _node_box(node: Node, entity: Entity) -> Box:
    label, name = clean(node.label), clean(entity.name)
    told = [] if label == name else [name]
    if entity.graph is not None or entity.kind == "workflow":
        many = steps_in(entity)
        told.append(f"workflow · {many} step{'s' * (many != 1)}" if many else "workflow")
        shape: Shape = "workflow"
    else:
        told += [] if entity.kind in ("python", "") else [clean(entity.kind)]
        shape = "task"
    return Box(label, shape, " · ".join(told), node.entity, (node.id,), (label,))


def sketch_of(graph: Graph) -> Sketch:
    """One box for each node, input and output of `graph`, and one line for each pair of boxes that are joined.

    Inputs that nothing uses are drawn too: a reader wants to see them.
    """
    boxes: list[Box] = []
    number_of: dict[tuple[str, str], int] = {}

    def add(key: tuple[str, str], box: Box) -> None:
        number_of[key] = len(boxes)
        boxes.append(box)

    for port in graph.inputs:
        name = clean(port.name)
        add(("input", port.name), Box(name, "input", family="<input>", members=(port.name,), names=(name,)))
    for node in graph.nodes:
        add(("node", node.id), _node_box(node, graph.entities[node.entity]))
    for output in graph.outputs:
        name = clean(output.name)
        add(("output", output.name), Box(name, "output", family="<output>", members=(output.name,), names=(name,)))
    carried: dict[tuple[int, int], list[Edge]] = {}
    for source, edge in _with_sources(graph):
        target = ("output", edge.input) if edge.target == "<outputs>" else ("node", edge.target)
        carried.setdefault((number_of[source], number_of[target]), []).append(edge)
    return Sketch(tuple(boxes), tuple(Stroke(*ends, tuple(edges)) for ends, edges in carried.items()))


def _with_sources(graph: Graph) -> Iterable[tuple[tuple[str, str], Edge]]:
    """Each edge with the box it leaves: an edge names the part of an input that is used, a box the whole."""
    sources = [
        source
        for node in graph.nodes
        for sources in (*map(sources_of, node.bindings), map(FromNode, node.after))
        for source in sources
    ]
    sources += [source for output in graph.outputs for source in sources_of(output.binding)]
    for source, edge in zip(sources, graph.edges(), strict=True):
        yield ("input", source.name) if isinstance(source, FromInput) else ("node", source.node), edge


def merged(sketch: Sketch, group_of: Mapping[int, int], boxes: Mapping[int, Box]) -> Sketch:
    """`sketch` with some boxes folded into one.

    Args:
        sketch: What was drawn so far.
        group_of: For each box that goes into a group, the first box of that group.
        boxes: The box that stands for each group, by the group's first box.
    """
    number_of: dict[int, int] = {}
    kept: list[Box] = []
    for number, box in enumerate(sketch.boxes):
        first = group_of.get(number, number)
        if first not in number_of:
            number_of[first] = len(kept)
            kept.append(boxes.get(first, box))
    carried: dict[tuple[int, int], list[Edge]] = {}
    for stroke in sketch.strokes:
        source = number_of[group_of.get(stroke.source, stroke.source)]
        target = number_of[group_of.get(stroke.target, stroke.target)]
        if source != target or stroke.source == stroke.target:
            carried.setdefault((source, target), []).extend(stroke.carries)
    strokes = tuple(Stroke(*ends, tuple(edges)) for ends, edges in carried.items())
    return replace(sketch, boxes=tuple(kept), strokes=strokes)
