"""Workflows: tracing, wiring, and what is refused while tracing."""

from __future__ import annotations

import functools
from collections.abc import Callable  # noqa: TC003 - annotations of tests are read
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from celltask import ImperativeWorkflow, task, workflow
from celltask.core.graph import Collected, Constant, FromInput, FromNode
from celltask.errors import BindingError, CallError, CycleError, GraphError, InterfaceError, PurityError, RefError


@dataclass
class Point:
    """A value with parts."""

    x: int
    y: float


class Pair(NamedTuple):
    """Two named outputs."""

    first: int
    second: str


@task
def add(a: int, b: int = 2) -> int:
    """Sum."""
    return a + b


@task
def text(x: str) -> str:
    """Text as it is."""
    return x


@task
def scale(x: float) -> float:
    """Twice as much."""
    return 2 * x


@task
def total(xs: list[int]) -> int:
    """Sum of a list."""
    return sum(xs)


@task
def point(x: int) -> Point:
    """A value with parts."""
    return Point(x, x / 2)


@task
def pair(x: int) -> Pair:
    """Two outputs."""
    return Pair(x, str(x))


@task
def table(x: int) -> dict[str, int]:
    """A dict."""
    return {"x": x}


@task
def say(x: int) -> None:
    """No output."""
    print(x)  # noqa: T201 - a body


def test_calls_become_nodes_in_order_and_nothing_runs() -> None:
    """Tracing gives a static graph with bindings, and runs no body."""
    ran: list[int] = []

    @task(allow_globals=["ran"])
    def note(x: int) -> int:
        ran.append(x)
        return x

    @workflow
    def wf(x: int) -> int:
        return add(a=note(x=x), b=5)

    assert ran == []
    first, second = wf.graph.nodes
    assert (first.id, first.label, first.bindings) == ("n0", "note", (FromInput("x"),))
    assert (second.id, second.bindings) == ("n1", (FromNode("n0"), Constant(5)))
    assert wf.graph.outputs[0].binding == FromNode("n1")


def test_a_workflow_is_called_like_a_function() -> None:
    """Defaults, keywords and positions work, and the outputs come back as plain values."""

    @workflow
    def wf(x: int = 1, *, y: int = 2) -> tuple[int, float]:
        return add(x, y), scale(x=add(x, y))

    assert wf() == (3, 6.0)
    assert wf(2, y=3) == (5, 10.0)
    with pytest.raises(CallError, match="'wf' has no input 'z'"):
        wf(z=1)  # type: ignore[call-arg]  # what is tested


def test_outputs_of_every_form() -> None:
    """Inputs, constants, lists, parts and named outputs can be returned."""

    @workflow
    def wf(x: int) -> tuple[int, int, list[int], float, str]:
        both = pair(x)
        return x, 7, [add(x), both.first], point(x).y, both[1]

    assert wf(x=4) == (4, 7, [6, 4], 2.0, "4")


def test_a_named_tuple_names_the_outputs_of_a_workflow() -> None:
    """A NamedTuple return type works for workflows as for tasks."""

    @workflow
    def wf(x: int) -> Pair:
        return Pair(add(x), text(x="a"))

    assert wf(x=1) == Pair(3, "a")
    assert [output.name for output in wf.graph.outputs] == ["first", "second"]


def test_parts_of_a_value_are_typed() -> None:
    """`ref.field` and `ref["key"]` have the types of the parts."""

    @workflow
    def wf(x: int) -> tuple[float, int]:
        return scale(point(x).y), add(table(x)["x"])

    assert wf(x=4) == (4.0, 6)
    with pytest.raises(BindingError, match=r"point.y is float and cannot be input 'x' of 'text', which is str"):
        workflow(_wiring(lambda x: text(point(x).y)))
    with pytest.raises(RefError, match=r"point.z"):
        workflow(_wiring(lambda x: add(point(x).z)))


def _wiring(body: Callable[..., object]) -> Callable[[int], int]:
    def wired(x: int) -> int:
        return body(x)  # type: ignore[return-value]  # a reference

    return wired


def test_a_part_that_is_missing_is_told_with_the_way_to_it() -> None:
    """When the run meets a value without the part that was asked for, the error says which part of what."""

    @workflow
    def wf(x: int) -> int:
        return add(table(x)["y"])

    with pytest.raises(KeyError) as caught:
        wf(x=1)
    assert caught.value.__notes__[0] == "in the workflow, n0['y'] was asked for"


def test_an_output_that_a_node_does_not_have_is_refused() -> None:
    """A typing mistake in an output's name is told with the outputs there are."""
    with pytest.raises(RefError, match="node pair has no output 'frist'") as caught:
        workflow(_wiring(lambda x: pair(x).frist))
    assert caught.value.mend == "use one of: first, second"


def test_references_inside_lists_and_dicts_are_found() -> None:
    """A list of references is one input made of several outputs."""

    @workflow
    def wf(x: int) -> int:
        return total(xs=[add(x), 10, add(x, x)])

    assert isinstance(wf.graph.nodes[2].bindings[0], Collected)
    assert wf(x=1) == 3 + 10 + 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(
            lambda x: text(x=add(x)), "add is int and cannot be input 'x' of 'text', which is str", id="types"
        ),
        pytest.param(lambda x: text(x=3), "input 'x' of 'text' must be str, got 3 .int.", id="constant"),
        pytest.param(
            lambda x: add(pair(x)), "input 'a' of 'add' takes one value and is given a node with 2", id="multi"
        ),
        pytest.param(lambda x: add(say(x)), "input 'a' of 'add' takes one value and is given a node with 0", id="void"),
        pytest.param(lambda x: text(x="a"), "text is str and cannot be output 'o0' of workflow 'wired'", id="output"),
        pytest.param(
            lambda x: None, "output 'o0' of workflow 'wired' is declared and nothing is returned", id="no-output"
        ),
        pytest.param(
            lambda x: (x, x), "a tuple in output 'o0' of workflow 'wired' is tuple where int is declared", id="too-many"
        ),
    ],
)
def test_wrong_wiring_is_told_at_definition(body: Callable[..., object], message: str) -> None:
    """Both ends of a connection that can never fit are named, with the line."""
    with pytest.raises(BindingError, match=message) as caught:
        workflow(_wiring(body))
    assert "test_workflow.py, line " in caught.value.where


def test_an_int_may_go_where_a_float_is_wanted() -> None:
    """What converts exactly at run time fits at definition."""
    assert workflow(lambda_int_to_float)(3) == 6.0


def lambda_int_to_float(x: int) -> float:
    """Wiring from int to float."""
    return scale(x=add(x, 0))


@pytest.mark.parametrize(
    ("use", "told"),
    [
        pytest.param(lambda ref: 1 if ref else 2, "`if`", id="bool"),
        pytest.param(lambda ref: 1 if ref > 3 else 2, "the truth of add > 3", id="comparison"),
        pytest.param(lambda ref: 1 if (ref > 3) & (ref < 5) else 2, "the truth of", id="condition"),
        pytest.param(list, "iteration or unpacking", id="iter"),
        pytest.param(len, r"len\(\)", id="len"),
        pytest.param(lambda ref: ref + 1, r"`\+`", id="add"),
        pytest.param(lambda ref: 1 - ref, "`-`", id="rsub"),
        pytest.param(lambda ref: -ref, "`-`", id="neg"),
        pytest.param(range, "use as a number", id="range"),
        pytest.param(float, "use as a number", id="float"),
        pytest.param(lambda ref: f"{ref}", "an f-string", id="format"),
        pytest.param(lambda ref: 3 in ref, "`in`", id="in"),
        pytest.param(lambda ref: ref(), "a call", id="call"),
        pytest.param(lambda ref: ref[ref], "a reference", id="index-by-ref"),
        pytest.param(lambda ref: ref[ref > 3], "a condition, as for filtering a table", id="filter"),
        pytest.param(lambda ref: ref[ref > 3, "x"], "with a reference or condition in it", id="filter-and-column"),
        pytest.param(lambda ref: ref[[ref]], "with a reference or condition in it", id="list-of-references"),
    ],
)
def test_a_reference_is_not_a_value(use: Callable[[object], object], told: str) -> None:
    """Whatever needs the value itself is refused with where and what to do instead."""
    with pytest.raises(RefError, match=told) as caught:
        workflow(_wiring(lambda x: use(add(x))))
    assert "test_workflow.py, line " in caught.value.where
    assert "task" in caught.value.mend


def test_a_partial_task_works_in_a_workflow() -> None:
    """`functools.partial` fixes inputs with values or references."""

    @workflow
    def wf(x: int) -> int:
        return functools.partial(add, b=add(x, 1))(a=10)

    assert wf(x=1) == 12


def test_a_workflow_in_a_workflow_is_one_node_with_its_own_graph() -> None:
    """Sub-workflows nest."""

    @workflow
    def inner(x: int) -> int:
        return add(add(x))

    @workflow
    def outer(x: int) -> int:
        return add(inner(x=x), inner(x=1))

    assert outer(x=0) == 4 + 5
    entity = outer.graph.entities["inner"]
    assert (entity.kind, entity.graph is not None and len(entity.graph.nodes)) == ("workflow", 2)


def test_overrides_change_one_node() -> None:
    """`with_overrides` renames and re-tunes this node alone."""

    @workflow
    def wf(x: int) -> int:
        first = add(x).with_overrides(name="first", retries=3)
        return add(first)

    first, second = wf.graph.nodes
    assert (first.label, first.overrides, second.overrides) == ("first", {"name": "first", "retries": 3}, None)
    assert wf(x=1) == 5
    with pytest.raises(GraphError, match="no option 'node_name' to override"):
        workflow(_wiring(lambda x: add(x).with_overrides(node_name="n")))


def test_order_without_data_is_kept() -> None:
    """`a >> b` makes b wait, also against the order of definition."""
    seen: list[int] = []

    @task(allow_globals=["seen"])
    def note(x: int) -> None:
        seen.append(x)

    @workflow
    def wf() -> None:
        first, second = note(1), note(2)
        second >> first

    assert wf.graph.nodes[0].after == ("n1",)
    assert wf() is None
    assert seen == [2, 1]


def test_a_cycle_of_orders_is_refused() -> None:
    """Nodes cannot wait for each other."""

    def wf(x: int) -> int:
        first = add(x)
        second = add(first)
        second >> first
        return second

    with pytest.raises(CycleError, match=r"these nodes wait for each other: add .n0., add .n1."):
        workflow(wf)


def test_a_redefined_task_is_used_from_then_on() -> None:
    """A workflow is traced again when a task of its kind of name was redefined."""
    space: dict[str, object] = {"task": task, "workflow": workflow, "__name__": "redefining"}
    exec("@task\ndef f(x: int) -> int: return x", space)  # noqa: S102 - stands for a cell
    exec("@workflow\ndef wf(x: int) -> int: return f(x=x)", space)  # noqa: S102 - stands for a cell
    assert space["wf"](x=1) == 1  # type: ignore[operator]  # a workflow
    exec("@task\ndef f(x: int) -> int: return x + 10", space)  # noqa: S102 - stands for a cell
    assert space["wf"](x=1) == 11  # type: ignore[operator]  # a workflow


def test_an_imperative_workflow_is_put_together_by_hand() -> None:
    """Inputs, tasks and outputs can be added one by one."""
    made = ImperativeWorkflow("by_hand")
    x = made.add_input("x", int, default=5)
    both = made.add_task(pair, x=x)
    made.add_output("sum", made.add_task(add, a=x, b=both.first), int)  # type: ignore[attr-defined]  # named outputs
    made.add_output("text", both.second, str)  # type: ignore[attr-defined]  # named outputs
    assert made() == (10, "5")
    assert made.run(x=1).outputs == {"sum": 2, "text": "1"}
    with pytest.raises(InterfaceError, match="already has 'x'"):
        made.add_input("x", int)
    with pytest.raises(CallError, match="needs a value for x"):
        made.add_task(pair)
    with pytest.raises(BindingError):
        made.add_output("wrong", both.second, int)  # type: ignore[attr-defined]  # named outputs


def test_two_tasks_of_one_name_stay_apart() -> None:
    """Entities of the graph are unique though names are not."""

    def make(step: int) -> Callable[[int], int]:
        @task(name="same")
        def same(x: int) -> int:
            return x + step

        return same

    one, ten = make(1), make(10)

    @workflow
    def wf(x: int) -> int:
        return ten(one(x))

    assert sorted(wf.graph.entities) == ["same", "same#2"]
    assert wf(x=0) == 11


@pytest.mark.usefixtures("own_store")
def test_a_plan_says_what_would_run_and_why() -> None:
    """Reused nodes are told from those that run, without running anything."""

    @task(cache=True)
    def slow(x: int) -> int:
        return x + 1

    @workflow
    def wf(x: int) -> int:
        return add(slow(slow(x)))

    def told() -> list[tuple[str, str]]:
        return [(node.action, node.because) for node in wf.plan(x=1).nodes]

    assert told() == [("run", "no earlier run"), ("run", "a node before it runs"), ("run", "not cached")]
    wf(x=1)
    assert told() == [("reuse", "same code, same inputs")] * 2 + [("run", "not cached")]


def test_a_workflow_that_reads_notebook_data_is_refused() -> None:
    """Data would be frozen into the graph at the moment of definition, so it must be an input."""
    space: dict[str, object] = {"task": task, "workflow": workflow, "total": total, "rows": [1, 2], "__name__": "cells"}
    source = "@workflow{}\ndef baked() -> int: return total(xs=rows)"
    with pytest.raises(PurityError, match="'baked' reads data that is not one of its inputs: rows"):
        exec(source.format(""), space)  # noqa: S102 - stands for a cell
    exec(source.format("(allow_globals='rows')"), space)  # noqa: S102 - stands for a cell
    assert space["baked"]() == 3  # type: ignore[operator]  # a workflow
