"""Graphs as JSON and back."""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import json
import math
import pathlib
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celltask import ImperativeWorkflow, Resources, task, workflow
from celltask.core.graph import Collected, Constant, Entity, FromInput, FromNode, Graph, GraphOutput, Node, Port
from celltask.core.graph_constants import Told, constant_from_json, constant_to_json
from celltask.core.graph_json import FORMAT
from celltask.errors import GraphError


class Halves(NamedTuple):
    """Two halves."""

    left: float
    right: float


@task
def halve(number: float, label: str = "x") -> Halves:
    """Halve a number.

    Args:
        number: What is halved.
        label: What it is called.
    """
    del label
    return Halves(number / 2, number / 2)


@task
def total(numbers: list[float], by_name: dict[str, float]) -> float:
    """Add everything."""
    return sum(numbers) + sum(by_name.values())


@workflow
def inner(number: float) -> float:
    """A workflow within."""
    return halve(number=number).left


@workflow
def outer(number: float, settings: dict[str, float]) -> tuple[float, float]:
    """A workflow with bindings of every kind."""
    halves = halve(number=number)
    halves.with_overrides(name="first", retries=2, resources=Resources(cpu=1))  # type: ignore[attr-defined]  # a Ref
    whole = total(numbers=[halves.left, 1.0, settings["a"]], by_name={"r": halves.right})
    nested = inner(number=whole)
    halves >> nested  # type: ignore[operator]  # Refs
    return whole, nested


def test_a_traced_graph_comes_back_whole() -> None:
    """Through JSON text and back every node, binding, entity and order is the same."""
    graph = outer.graph
    back = Graph.from_json(json.loads(json.dumps(graph.to_json(), allow_nan=False)))
    assert back.to_json() == graph.to_json()
    assert list(back.edges()) == list(graph.edges())
    assert back.waits_for() == graph.waits_for()
    plain = [node._replace(overrides=None) for node in graph.nodes]
    assert [node._replace(overrides=None) for node in back.nodes] == plain
    assert back.entities == graph.entities


def test_a_graph_put_together_by_hand_comes_back_equal() -> None:
    """The imperative way gives the same kind of data."""
    made = ImperativeWorkflow("by_hand")
    number = made.add_input("number", float)
    made.add_output("half", made.add_task(halve, number=number).left, float)  # type: ignore[attr-defined]  # a Ref
    assert Graph.from_json(made.graph.to_json()) == made.graph


def test_a_constant_without_json_form_comes_back_as_its_text() -> None:
    """An object goes as its repr, and what comes back prints the same."""

    class Odd:
        def __repr__(self) -> str:
            return "an odd one"

    data = graph_with(Odd()).to_json()
    (binding,) = Graph.from_json(json.loads(json.dumps(data))).nodes[0].bindings
    assert isinstance(binding, Constant)
    assert binding.value == Told("an odd one")
    assert repr(binding.value) == "an odd one"
    assert graph_with(binding.value).to_json() == data


def graph_with(value: object) -> Graph:
    """A graph of one node whose one input is the constant `value`."""
    entity = Entity("f", "python", (Port("x", "Any"),), (Port("o0", "int"),))
    return Graph("g", (), (), (Node("n0", "f", "f", (Constant(value),)),), {"f": entity})


keys = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(allow_nan=False)
constants = st.recursive(
    keys,
    lambda inner: (
        st.lists(inner) | st.dictionaries(keys, inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner)
    ),
)


@given(constants)
def test_every_plain_constant_comes_back_equal(value: object) -> None:
    """Numbers, texts, bytes, lists, tuples and dicts with any keys, nested, keep value and class."""
    data = json.loads(json.dumps(graph_with(value).to_json(), allow_nan=False))
    (binding,) = Graph.from_json(data).nodes[0].bindings
    assert isinstance(binding, Constant)
    assert repr(binding.value) == repr(value)


def test_numbers_that_json_lacks_come_back() -> None:
    """Not-a-number and the infinities are no valid JSON, and still arrive."""
    for value in (math.nan, math.inf, -math.inf):
        (binding,) = Graph.from_json(graph_with(value).to_json()).nodes[0].bindings
        assert isinstance(binding, Constant)
        assert repr(binding.value) == repr(value)


def test_a_constant_too_deep_goes_as_text() -> None:
    """A list in a list in a list, 2,000 times, is no RecursionError."""
    value: object = []
    for _ in range(500):
        value = [value]
    assert Graph.from_json(graph_with(value).to_json()).name == "g"


WRONG = [
    (None, "$"),
    ({}, "format"),
    ({"format": "celltask.graph/9"}, "format"),
    ({"format": FORMAT}, "$.entities"),
    ({"format": FORMAT, "entities": {}, "name": 1}, "$.name"),
]


@pytest.mark.parametrize(("data", "where"), WRONG)
def test_what_is_no_graph_is_refused_with_its_place(data: object, where: str) -> None:
    """The error says where in the data it stumbled."""
    with pytest.raises(GraphError, match="this is no graph") as caught:
        Graph.from_json(data)
    assert caught.value.where == where


def test_a_graph_that_names_what_is_not_there_is_refused() -> None:
    """Every id, entity, input and output that is named must exist."""
    entity = Entity("f", "python", (Port("x", "int"),), (Port("o0", "int"),))
    node = Node("n0", "f", "f", (Constant(1),))
    wrong = [
        Graph("g", nodes=(node,)),
        Graph("g", nodes=(node, node), entities={"f": entity}),
        Graph("g", nodes=(node._replace(bindings=()),), entities={"f": entity}),
        Graph("g", nodes=(node._replace(after=("n7",)),), entities={"f": entity}),
        Graph("g", nodes=(node._replace(bindings=(FromInput("y"),)),), entities={"f": entity}),
        Graph("g", nodes=(node,), entities={"f": entity}, outputs=(GraphOutput("o", "int", FromNode("n0", 1)),)),
        Graph("g", nodes=(node,), entities={"f": entity}, outputs=(GraphOutput("o", "int", FromNode("n1")),)),
        Graph("g", outputs=(GraphOutput("o", "int", Collected("list", (FromInput("z"),))),)),
    ]
    for graph in wrong:
        with pytest.raises(GraphError, match="this is no graph"):
            Graph.from_json(graph.to_json())


def spots(data: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The way to every value in JSON data."""
    found = [path]
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, item in items:
        found += spots(item, (*path, key))
    return found


SOUND = json.loads(json.dumps(outer.graph.to_json()))
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.sampled_from(spots(SOUND)[1:]), json_data)
def test_data_changed_anywhere_is_read_or_refused(spot: tuple[object, ...], instead: object) -> None:
    """Whatever stands in any place, the answer is a graph or a GraphError, never another exception."""
    data = copy.deepcopy(SOUND)
    holder = data
    for key in spot[:-1]:
        holder = holder[key]
    holder[spot[-1]] = instead
    try:
        graph = Graph.from_json(data)
    except GraphError:
        return
    assert list(graph.edges()) is not None


@pytest.mark.parametrize(
    "value",
    [
        dt.date(2026, 1, 2),
        dt.datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 - naive stays naive
        dt.timedelta(minutes=3),
        decimal.Decimal("0.10"),
        2 + 3j,
        pathlib.PurePosixPath("a/b"),
        {1, 2},
        frozenset({"a", (1, 2)}),
        {"when": [dt.date(2026, 1, 2)]},
    ],
    ids=lambda value: type(value).__name__,
)
def test_constants_beyond_json_come_back_equal(value: object) -> None:
    """Dates, numbers of other kinds, paths and sets keep their class and value on the way."""
    back = constant_from_json(json.loads(json.dumps(constant_to_json(value))), "graph")
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    "data", [{"$set": [[1]]}, {"$scalar": ["datetime.date", "soon"]}, {"$scalar": ["os.system", 1]}]
)
def test_constants_that_are_none_are_refused(data: object) -> None:
    """What cannot have come from a graph is told, and nothing is called by name."""
    with pytest.raises(GraphError, match="this is no graph"):
        constant_from_json(data, "graph")
