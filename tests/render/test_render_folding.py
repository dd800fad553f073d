"""Folding: fewer boxes for graphs too large to be read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_graphs import graph_of, layered, mapped_graph, measured, samples

from celltask.render.composition import MARGIN, MOST_BOXES, MOST_WIDTH, compose
from celltask.render.folding import fold_alike, fold_chains, fold_rows, row_sizes
from celltask.render.ranks import backward_lines
from celltask.render.sketch import Sketch, sketch_of

TIMES = "\N{MULTIPLICATION SIGN}"


def labels(sketch: Sketch) -> list[str]:
    """What the boxes are called."""
    return [box.label for box in sketch.boxes]


def has_cycle(sketch: Sketch) -> bool:
    """Whether some boxes wait for each other."""
    lines = [(stroke.source, stroke.target) for stroke in sketch.strokes]
    return bool(backward_lines(len(sketch.boxes), lines)) or any(source == target for source, target in lines)


def test_repeated_steps_become_one_box_each() -> None:
    """A fan-out of 120 lanes of two tasks is drawn as four boxes in a row."""
    folded = fold_alike(sketch_of(mapped_graph(120)))
    assert labels(folded) == ["load", f"align {TIMES}120", f"sort {TIMES}120", "merge"]
    assert [(stroke.source, stroke.target) for stroke in folded.strokes] == [(0, 1), (1, 2), (2, 3)]


def test_steps_joined_differently_are_not_folded_together() -> None:
    """Two steps of one task stay apart if one of them feeds something else."""
    graph = mapped_graph(3)
    names = [node.label for node in graph.nodes]
    assert names.count("align") == 3
    extra = graph_of(["a", "b1", "b2", "c"], [("a", "b1"), ("a", "b2"), ("b1", "c")])
    nodes = tuple(node._replace(entity="b1") if node.label == "b2" else node for node in extra.nodes)
    folded = fold_alike(sketch_of(type(extra)("w", nodes=nodes, entities=extra.entities)))
    assert len(folded.boxes) == 4


def test_long_chains_become_one_box() -> None:
    """Steps that only hand on to each other are drawn as the first, the last and their number."""
    names = [f"step_{number}" for number in range(14)]
    folded = fold_chains(sketch_of(graph_of(names, list(pairwise(names)))))
    assert labels(folded) == ["step_0 → … → step_13 (14)"]


def test_short_chains_and_ends_of_branches_stay() -> None:
    """A chain ends where lines meet or part, and two steps are no chain."""
    graph = graph_of(["a", "b", "c", "d"], [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    assert labels(fold_chains(sketch_of(graph))) == ["a", "b", "c", "d"]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 5), st.integers(1, 4))
def test_folded_rows_lose_no_node_and_close_no_cycle(seed: int, most: int, bands: int) -> None:
    """Every node stands in exactly one box, and no box waits for itself by way of others."""
    sketch = sketch_of(graph_of(*layered(40, 7, seed)))
    folded = fold_rows(sketch, most, bands=bands)
    members = Counter(member for box in folded.boxes for member in box.members)
    assert members == Counter(f"n{number}" for number in range(40))
    assert not has_cycle(folded)
    assert bands > 1 or max(row_sizes(sketch)) <= most or len(folded.boxes) < len(sketch.boxes)


@pytest.mark.parametrize("size", ["5", "30", "300", "1000"])
def test_pictures_are_small_enough_to_be_read(size: str) -> None:
    """At most 100 boxes, so wide that the smallest text is 9 px high at 900 px, with nothing overlapping."""
    names, pairs = samples()[size]
    composition = compose(graph_of(names, pairs, inputs={"seed": names[0]}, outputs={"result": names[-1]}))
    assert len(composition.sketch.boxes) <= MOST_BOXES
    assert composition.layout.width + 2 * MARGIN <= MOST_WIDTH
    found = measured(composition.layout)
    assert (found.overlaps, found.through) == (0, 0)


@pytest.mark.parametrize("size", ["5", "30"])
def test_small_graphs_are_not_folded(size: str) -> None:
    """Up to 100 boxes that fit side by side are all drawn."""
    names, pairs = samples()[size]
    assert len(compose(graph_of(names, pairs)).sketch.boxes) == len(names)


def test_full_detail_draws_every_node() -> None:
    """Who asks for all boxes gets them, however many."""
    names, pairs = layered(150, 12, 5)
    assert len(compose(graph_of(names, pairs), detail="full").sketch.boxes) == 150


def test_folding_is_the_same_each_time() -> None:
    """The same graph is folded in the same way."""
    names, pairs = samples()["300"]
    assert compose(graph_of(names, pairs)).sketch == compose(graph_of(names, pairs)).sketch


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(graph_of([f"a{n}" for n in range(2000)], []), id="2000 apart"),
        pytest.param(
            graph_of([f"a{n}" for n in range(1500)], [(f"a{n}", f"a{n + 1}") for n in range(1499)]),
            id="a chain of 1500",
        ),
        pytest.param(
            graph_of(
                [f"{side}{n}" for n in range(200) for side in "ab"],
                [(f"{s}{n}", f"{t}{n + 1}") for n in range(199) for s in "ab" for t in "ab"],
            ),
            id="a ladder of 200 rungs",
        ),
        pytest.param(
            graph_of(["hub", *(f"leaf{n}" for n in range(90))], [("hub", f"leaf{n}") for n in range(90)]), id="a star"
        ),
    ],
)
def test_odd_shapes_are_small_enough_too(graph: object) -> None:
    """Graphs that are all width or all depth are folded to what can be read."""
    composition = compose(graph)  # type: ignore[arg-type]  # parametrize knows no types
    assert len(composition.sketch.boxes) <= MOST_BOXES
    assert composition.layout.width + 2 * MARGIN <= MOST_WIDTH


def test_pictures_are_the_same_in_every_process() -> None:
    """Neither the seed of hashes nor anything else of a process shows in a picture."""
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from celltask.render import svg; "
        "from sample_graphs import graph_of, layered; print(svg(graph_of(*layered(130, 12, 3))))"
    )
    drawn = [
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0].startswith("<svg ")
