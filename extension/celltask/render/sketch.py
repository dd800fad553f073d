"""What is drawn: boxes and the lines between them, made of a graph, before anything has a place."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from celltask.core.graph import Constant, Edge, FromInput, FromNode, path_text, sources_of
from celltask.core.types.marks import HIDDEN
from celltask.render.lettering import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from celltask.core.graph import Entity, Graph, Node

TIMES = "\N{MULTIPLICATION SIGN}"
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 30

__all__ = ["TIMES", "Box", "Shape", "Sketch", "Stroke", "branch_told", "merged", "sketch_of", "state_in", "steps_in"]

Shape = OneOf["task", "workflow", "dynamic", "map", "gate", "conditional", "branch", "group", "input", "output"]
_SHAPES: dict[str, Shape] = {kind: kind for kind in ("dynamic", "map", "gate", "conditional", "branch")}


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
    several: bool = False
    """Whether it is a node with more than one output."""


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


def state_in(states: Mapping[str, str], member: str) -> str:
    """The state of a node; what is within a branch that was not taken was skipped with it.

    >>> state_in({"n1/n0": "skipped"}, "n1/n0/n3")
    'skipped'
    """
    found = states.get(member, "")
    while not found and "/" in member:
        member = member.rpartition("/")[0]
        found = states.get(member, "") if states.get(member) in ("skipped", "cancelled") else ""
    return found


def steps_in(entity: Entity) -> int:
    """Number of steps of a workflow within a workflow; 0 for a task."""
    return len(entity.graph.nodes) if entity.graph is not None else 0


def _node_box(node: Node, entity: Entity, prefix: str) -> Box:
    label, name = clean(node.label), clean(entity.name)
    told = [] if label == name else [name]
    shape: Shape = _SHAPES.get(entity.kind, "task")
    many = steps_in(entity)
    counted = f"{many} step{'s' * (many != 1)}" if many else ""
    if shape == "task" and (entity.graph is not None or entity.kind == "workflow"):
        shape = "workflow"
        kind = "workflow" if not told or not counted else ""  # the border says it, too, and there is little room
        told += [part for part in (kind, counted) if part]
    elif shape == "dynamic":
        told.append(f"dynamic · {counted}" if counted else "dynamic")
    elif shape in ("map", "gate"):
        told = [clean(entity.doc)]
    elif shape == "branch":
        told = [branch_told(entity)]
    elif entity.kind not in ("python", "", "conditional"):
        told.append(clean(entity.kind))
    return Box(label, shape, " · ".join(told), node.entity, (prefix + node.id,), (label,), len(entity.outputs) > 1)


def branch_told(branch: Entity) -> str:
    """What a branch gives that no node of it makes, or that it fails; empty where its nodes tell all."""
    graph = branch.graph
    if branch.doc or graph is None or graph.nodes or not graph.outputs:
        return clean(branch.doc)
    told = []
    for out in graph.outputs:
        match out.binding:
            case Constant() if out.is_secret:
                told.append(HIDDEN)
            case Constant(value):
                told.append(_SHORT.repr(value))
            case FromInput(name, path):
                told.append(name + path_text(path))
            case _:
                told.append("…")
    return clean(f"gives {', '.join(told)}")


def sketch_of(graph: Graph) -> Sketch:
    """One box for each node, input and output of `graph`, and one line for each pair of boxes that are joined.

    Inputs that nothing uses are drawn too: a reader wants to see them. The branches of a conditional are drawn out.
    """
    return _Drawing(graph).sketch()


class _Drawing:
    """Boxes and lines while they are gathered. It holds state."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.boxes: list[Box] = []
        self.carried: dict[tuple[int, int], list[Edge]] = {}
        self.leaves: dict[tuple[str, str], list[int]] = {}
        """The boxes that a line leaves from which begins at an input or node: of a conditional, its branches' last."""

    def sketch(self) -> Sketch:
        """All of the graph."""
        for port in self.graph.inputs:
            name = clean(port.name)
            box = Box(name, "input", family="<input>", members=(port.name,), names=(name,))
            self.leaves["input", port.name] = [self._add(box)]
        entries = self._nodes(self.graph, "")
        for output in self.graph.outputs:
            name = clean(output.name)
            box = Box(name, "output", family="<output>", members=(output.name,), names=(name,))
            entries["<outputs>", output.name] = self._add(box)
        for source, edge in _with_sources(self.graph):
            target = ("<outputs>", edge.input) if edge.target == "<outputs>" else ("node", edge.target)
            for leaf in self.leaves[source]:
                self._join(leaf, entries[target], edge)
        strokes = tuple(Stroke(*ends, tuple(edges)) for ends, edges in self.carried.items())
        return Sketch(tuple(self.boxes), strokes)

    def _add(self, box: Box) -> int:
        self.boxes.append(box)
        return len(self.boxes) - 1

    def _join(self, source: int, target: int, edge: Edge) -> None:
        self.carried.setdefault((source, target), []).append(edge)

    def _nodes(self, graph: Graph, prefix: str) -> dict[tuple[str, str], int]:
        """Boxes for the nodes of `graph`; where lines to each of them arrive."""
        entries = {}
        for node in graph.nodes:
            entity, key = graph.entities[node.entity], ("node", prefix + node.id)
            entries["node", node.id] = number = self._add(_node_box(node, entity, prefix))
            self.leaves[key] = [number]
            if entity.kind == "conditional" and entity.graph is not None:
                self.leaves[key] = self._branches(number, entity.graph, f"{prefix}{node.id}/") or [number]
        return entries

    def _branches(self, diamond: int, graph: Graph, prefix: str) -> list[int]:
        """Boxes for the branches of a conditional, and what they run; the boxes that give its value."""
        last: list[int] = []
        for node in graph.nodes:
            branch, key = graph.entities[node.entity], prefix + node.id
            pill = self._add(_node_box(node, branch, prefix))
            self._join(diamond, pill, Edge(prefix[:-1], node.label, key, "", ""))
            if branch.graph is None or not branch.graph.nodes:
                last += [] if branch.doc else [pill]
                continue
            entries = self._nodes(branch.graph, f"{key}/")
            begun = set()
            for source, edge in _with_sources(branch.graph):
                if source[0] == "node" and edge.target != "<outputs>":
                    begun.add(edge.target)
                    for leaf in self.leaves["node", f"{key}/{source[1]}"]:
                        self._join(leaf, entries["node", edge.target], edge)
            for inner in branch.graph.nodes:
                if inner.id not in begun:
                    self._join(pill, entries["node", inner.id], Edge(key, node.label, f"{key}/{inner.id}", "", ""))
            last += self._givers(branch.graph, f"{key}/") or [pill]
        return last

    def _givers(self, graph: Graph, prefix: str) -> list[int]:
        """The boxes that the outputs of a branch come from; of one without outputs, those that nothing waits for."""
        sources = [
            source.node
            for output in graph.outputs
            for source in sources_of(output.binding)
            if isinstance(source, FromNode)
        ]
        if not graph.outputs:
            waited = {near for waits in graph.waits_for().values() for near in waits}
            sources = [node.id for node in graph.nodes if node.id not in waited]
        return [leaf for source in dict.fromkeys(sources) for leaf in self.leaves["node", prefix + source]]


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
