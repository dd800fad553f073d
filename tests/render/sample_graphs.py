"""Graphs to draw, and what can be measured on a drawing: for the tests of `render` and for benchmarks/layout.py."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.graph import Entity, FromInput, FromNode, Graph, GraphOutput, Node, Port
from celltask.render.routes import Point, sampled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from celltask.render.layout import Layout

Names = list[str]
Pairs = list[tuple[str, str]]

_VERBS = ["load", "clean", "join", "map", "fit", "score", "plot", "merge", "align", "count"]
_NOUNS = ["orders", "reads", "sales", "users", "genes", "sensor", "weather", "text"]

REPORT: Pairs = [
    ("load_orders", "clean"),
    ("load_customers", "join"),
    ("clean", "join"),
    ("join", "report"),
    ("load_orders", "report"),
]

TRAINING = """config>download config>split config>train_gbm config>train_rf config>train_nn
download>validate_schema validate_schema>dedupe dedupe>impute_missing impute_missing>features_numeric
impute_missing>features_categorical impute_missing>features_text features_numeric>assemble
features_categorical>assemble features_text>embed_text embed_text>assemble assemble>split
split>train_gbm split>train_rf split>train_nn train_gbm>predict_gbm train_rf>predict_rf train_nn>predict_nn
split>predict_gbm split>predict_rf split>predict_nn predict_gbm>score_gbm predict_rf>score_rf
predict_nn>score_nn score_gbm>select_best score_rf>select_best score_nn>select_best select_best>calibrate
calibrate>explain_shap calibrate>fairness_report calibrate>model_card explain_shap>model_card
fairness_report>model_card model_card>publish dedupe>data_profile data_profile>model_card publish>notify
config>notify calibrate>register_model register_model>publish"""


def report() -> tuple[Names, Pairs]:
    """Five steps."""
    return ["load_orders", "load_customers", "clean", "join", "report"], REPORT


def training() -> tuple[Names, Pairs]:
    """Twenty-nine steps that train three models."""
    pairs = [(source, target) for source, target in (word.split(">") for word in TRAINING.split())]
    return list(dict.fromkeys(name for pair in pairs for name in pair)), pairs


def layered(count: int, layers: int, seed: int) -> tuple[Names, Pairs]:
    """`count` steps in layers, joined at random mostly to the layer before; one line in eight is long.

    Harsher than workflows of people are: nothing in it repeats.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    names = [f"{chance.choice(_VERBS)}_{chance.choice(_NOUNS)}_{number}" for number in range(count)]
    cuts = [0, *sorted(chance.sample(range(1, count), layers - 1)), count]
    rows = [names[start:end] for start, end in pairwise(cuts)]
    pairs = set()
    for number, row in enumerate(rows[1:], start=1):
        for index, name in enumerate(row):
            before = rows[number - 1]
            for _ in range(max(1, min(3, int(chance.expovariate(1 / 1.3)) + 1))):
                if chance.random() < 0.12 and number > 1:
                    source = chance.choice(rows[chance.randrange(0, number - 1)])
                else:
                    at = int(chance.gauss(index / len(row) * len(before), 2))
                    source = before[min(len(before) - 1, max(0, at))]
                pairs.add((source, name))
    return names, sorted(pairs)


def scattered(count: int, seed: int) -> tuple[Names, Pairs]:
    """`count` steps, each after one or two of all those before it, taken at random.

    The harshest of sparse graphs: nothing in it has a place of its own.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    names = [f"{chance.choice(_VERBS)}_{chance.choice(_NOUNS)}_{number}" for number in range(count)]
    pairs = [
        (names[chance.randrange(number)], names[number])
        for number in range(1, count)
        for _ in range(chance.randint(1, 2))
    ]
    return names, list(dict.fromkeys(pairs))


def samples() -> dict[str, tuple[Names, Pairs]]:
    """The graphs that pictures are measured by, by their size."""
    return {"5": report(), "30": training(), "300": layered(300, 22, 1), "1000": layered(1000, 40, 2)}


def numbered(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    """The pairs by the numbers of their names."""
    number_of = {name: number for number, name in enumerate(names)}
    return [(number_of[source], number_of[target]) for source, target in pairs]


def box_sizes(names: Sequence[str]) -> list[tuple[float, float]]:
    """Plain boxes for the names, in px."""
    return [(7.2 * len(name) + 18, 30.0) for name in names]


def graph_of(  # noqa: PLR0913 - a graph has many parts, and most tests need few
    names: Sequence[str],
    pairs: Iterable[tuple[str, str]],
    *,
    name: str = "workflow",
    inputs: Mapping[str, str] | None = None,
    outputs: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> Graph:
    """A graph of tasks with one output each.

    Args:
        names: A task and a node for each.
        pairs: Source and target of each edge.
        name: Name of the workflow.
        inputs: Inputs of the workflow, each with the node that takes it.
        outputs: Outputs of the workflow, each with the node that gives it.
        kinds: Kinds of tasks that are not Python.
    """
    number_of = {node: number for number, node in enumerate(names)}
    before: dict[str, list[str]] = {node: [] for node in names}
    for source, target in pairs:
        before[target].append(source)
    taken: dict[str, list[str]] = {}
    for port, node in (inputs or {}).items():
        taken.setdefault(node, []).append(port)
    entities, nodes = {}, []
    for node in names:
        ports = [Port(f"in{place}", "DataFrame") for place in range(len(before[node]))]
        ports += [Port(port, "int") for port in taken.get(node, [])]
        kind = (kinds or {}).get(node, "python")
        entities[node] = Entity(
            node, kind, tuple(ports), (Port("o0", "DataFrame"),), f"Does {node}.", "tour.md, cell 4"
        )
        bindings = [FromNode(f"n{number_of[source]}") for source in before[node]]
        nodes.append(
            Node(f"n{number_of[node]}", node, node, (*bindings, *(FromInput(port) for port in taken.get(node, []))))
        )
    return Graph(
        name,
        tuple(Port(port, "int") for port in inputs or {}),
        tuple(
            GraphOutput(port, "DataFrame", FromNode(f"n{number_of[node]}")) for port, node in (outputs or {}).items()
        ),
        tuple(nodes),
        entities,
    )


def report_graph() -> Graph:
    """Five steps with inputs, an output, two other kinds and a workflow within."""
    graph = graph_of(
        *report(),
        name="daily_report",
        inputs={"day": "load_orders", "currency": "report"},
        outputs={"report": "report"},
        kinds={"load_orders": "sql", "report": "shell"},
    )
    inner = graph_of(["match", "check", "merge"], [("match", "check"), ("check", "merge")], name="join")
    join = replace(graph.entities["join"], kind="workflow", graph=inner)
    return replace(graph, entities={**graph.entities, "join": join})


def mapped_graph(count: int) -> Graph:
    """One task that runs `count` times side by side, each time followed by another."""
    lanes = [(f"align_{number}", f"sort_{number}") for number in range(count)]
    names = ["load", *(name for lane in lanes for name in lane), "merge"]
    pairs = [pair for one, two in lanes for pair in (("load", one), (one, two), (two, "merge"))]
    graph = graph_of(names, pairs)
    nodes = []
    for node in graph.nodes:
        task = node.entity.split("_")[0]
        nodes.append(node._replace(entity=task, label=task))
    entities = {name.split("_")[0]: replace(entity, name=name.split("_")[0]) for name, entity in graph.entities.items()}
    return replace(graph, nodes=tuple(nodes), entities=entities)


class Measures(NamedTuple):
    """What can be counted on a drawing."""

    crossings: int
    """Pairs of lines that cross, however often."""
    overlaps: int
    """Pairs of boxes that overlap."""
    through: int
    """Times a line runs through a box it does not belong to."""


def measured(layout: Layout, *, steps: int = 8) -> Measures:
    """Counts made on the lines and boxes as they are drawn."""
    lines = {line: list(sampled(knots, across=layout.across, steps=steps)) for line, knots in layout.routes.items()}
    boxes = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in layout.places]
    return Measures(drawn_crossings(list(lines.values())), _overlaps(boxes), _through(boxes, lines))


def drawn_crossings(lines: Sequence[Sequence[Point]]) -> int:
    """Pairs of polylines that cross; such as only touch, or run together for a while, do not."""
    bands: dict[int, list[tuple[int, Point, Point]]] = {}
    for number, line in enumerate(lines):
        for start, end in pairwise(line):
            low, high = sorted((start.y, end.y))
            for band in range(int(low // 24), int(high // 24) + 1):
                bands.setdefault(band, []).append((number, start, end))
    found = set()
    for pieces in bands.values():
        pieces.sort(key=lambda piece: min(piece[1].x, piece[2].x))
        for place, (one, a, b) in enumerate(pieces):
            right = max(a.x, b.x)
            for other, c, d in pieces[place + 1 :]:
                if min(c.x, d.x) > right:
                    break
                if one != other and _cross(a, b, c, d):
                    found.add((min(one, other), max(one, other)))
    return len(found)


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    def side(one: Point, other: Point, point: Point) -> float:
        return (other.x - one.x) * (point.y - one.y) - (other.y - one.y) * (point.x - one.x)

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def _overlaps(boxes: Sequence[tuple[float, float, float, float]]) -> int:
    ordered = sorted(boxes)
    found = 0
    for place, (_, top, right, bottom) in enumerate(ordered):
        for left, other_top, _, other_bottom in ordered[place + 1 :]:
            if left >= right - 0.5:
                break
            found += other_top < bottom - 0.5 and top < other_bottom - 0.5
    return found


def _through(
    boxes: Sequence[tuple[float, float, float, float]], lines: Mapping[tuple[int, int], Sequence[Point]]
) -> int:
    found = 0
    for ends, points in lines.items():
        hit = set()
        for point in _dense(points):
            for number, (left, top, right, bottom) in enumerate(boxes):
                if left + 1 < point.x < right - 1 and top + 1 < point.y < bottom - 1 and number not in ends:
                    hit.add(number)
        found += len(hit)
    return found


def _dense(points: Sequence[Point]) -> Iterator[Point]:
    """Points at most about 8 px apart."""
    for start, end in pairwise(points):
        steps = int(max(abs(end.x - start.x), abs(end.y - start.y)) // 8) + 1
        for step in range(steps + 1):
            share = step / steps
            yield Point(start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share)
