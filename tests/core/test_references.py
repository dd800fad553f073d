"""References: their parts, names, and what they must not be mixed with."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import pytest

from celltask import ImperativeWorkflow, ShellTask, task, workflow
from celltask.errors import BindingError, GraphError, RefError


@dataclass
class Place:
    """A value with fields of awkward names and types."""

    where: int
    length: Annotated[int, {"unit": "m"}]


class Counts(NamedTuple):
    """Outputs named like methods of tuples."""

    count: int
    index: int


class Pair(NamedTuple):
    """Two outputs."""

    first: int
    second: int


@task
def one(x: int) -> int:
    """The same."""
    return x


@task
def place(x: int) -> Place:
    """A place."""
    return Place(x, x + 1)


@task
def counts(x: int) -> Counts:
    """Two numbers."""
    return Counts(x, x + 10)


@task
def pair(x: int) -> Pair:
    """Two numbers."""
    return Pair(x, x)


@task
def text(x: str) -> str:
    """The same."""
    return x


@task
def size(x: dict) -> int:  # type: ignore[type-arg]  # what is tested: nothing is known of its parts
    """How many items there are."""
    return len(x)


def test_fields_of_any_name_and_type_can_be_taken() -> None:
    """No method of a reference hides a field, and a type need not have a hash."""

    @workflow
    def wf(x: int) -> tuple[int, int]:
        made = place(x)
        return one(made.where), one(made.length)

    assert wf(x=1) == (1, 2)


def test_outputs_may_be_named_like_methods_of_tuples() -> None:
    """`count` and `index` give the outputs of these names, where there are such."""

    @workflow
    def wf(x: int) -> tuple[int, int]:
        both = counts(x)
        assert callable(pair(x).count)
        assert callable(pair(x).index)
        return one(both.count), one(both.index)

    assert wf(x=1) == (1, 11)


def test_a_reference_is_not_turned_into_text() -> None:
    """`str()` and `print()` are refused, for what they gave would be a value of the workflow ever after."""

    def wf(x: int) -> str:
        return text(x=str(one(x)))

    with pytest.raises(RefError, match="needs the value of one, which exists only when the workflow runs"):
        workflow(wf)


def test_a_reference_is_no_key() -> None:
    """A dict that is put together has keys that are known."""

    def wf(x: int) -> int:
        return size(x={one(x): 1})

    with pytest.raises(BindingError, match="a dict with references in it"):
        workflow(wf)


def test_a_reference_belongs_to_its_workflow() -> None:
    """What an inner function takes from the one around it must be an input."""

    def outer(x: int) -> int:
        mine = one(one(x))

        @workflow
        def inner(z: int) -> int:
            return one(mine)

        return inner(z=mine)

    with pytest.raises(GraphError, match="<reference to one> belongs to workflow 'outer', not to workflow 'inner'"):
        workflow(outer)


@pytest.mark.parametrize("use", ["task", "list", "output", "order"])
def test_workflows_put_together_by_hand_do_not_mix(use: str) -> None:
    """Whatever a foreign reference is used for, it is refused."""
    theirs = ImperativeWorkflow("theirs").add_input("x", int)
    made = ImperativeWorkflow("ours")
    x = made.add_input("x", int)

    @task
    def total(xs: list[int]) -> int:
        return sum(xs)

    uses = {
        "task": lambda: made.add_task(one, x=theirs),
        "list": lambda: made.add_task(total, xs=[x, theirs]),
        "output": lambda: made.add_output("y", theirs, int),
        "order": lambda: made.add_task(one, x=x) >> ImperativeWorkflow("third").add_task(one, x=1),  # type: ignore[operator]  # nodes
    }
    with pytest.raises(GraphError, match="belongs to workflow '(theirs|third)', not to workflow 'ours'"):
        uses[use]()


def test_a_workflow_put_together_by_hand_may_grow_between_runs() -> None:
    """Nodes, orders and options added after a run count in the next one."""
    made = ImperativeWorkflow("growing")
    x = made.add_input("x", int)
    first = made.add_task(one, x=x)
    made.add_output("y", first, int)
    assert (made(x=1), len(made.graph.nodes)) == (1, 1)
    second = made.add_task(one, x=first)
    assert ([node.state for node in made.run(x=1).nodes], len(made.graph.nodes)) == (["done", "done"], 2)
    third = made.add_task(one, x=x)
    third >> second  # type: ignore[operator]  # nodes
    assert made.run(x=1).graph is made.graph
    assert made.graph.nodes[1].after == ("n2",)
    second.with_overrides(name="renamed")  # type: ignore[attr-defined]  # a node
    assert made.run(x=1).node("renamed").id == "n1"


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        pytest.param({"retries": -1}, "retries -1 is not a number of retries", id="retries"),
        pytest.param({"timeout": 0}, "timeout 0 is not a time", id="timeout"),
    ],
)
def test_overrides_that_make_no_sense_are_told_at_their_line(overrides: dict[str, object], what: str) -> None:
    """A wrong option is an error of the definition, not of the run."""

    def wf(x: int) -> int:
        return one(x).with_overrides(**overrides)  # type: ignore[attr-defined,no-any-return]  # a reference

    with pytest.raises(GraphError) as caught:
        workflow(wf)
    assert caught.value.what == what
    assert "test_references.py, line " in caught.value.where


def test_only_the_name_of_an_inner_workflow_can_be_overridden() -> None:
    """Options that would do nothing are refused."""

    @workflow
    def inner(x: int) -> int:
        return one(x)

    def wf(x: int) -> int:
        return inner(x=x).with_overrides(name="renamed", cache=True)  # type: ignore[attr-defined,no-any-return]  # a reference

    with pytest.raises(GraphError, match="node inner is a workflow, of which only the name can be overridden"):
        workflow(wf)


def test_a_task_with_other_options_is_of_the_same_kind() -> None:
    """A shell task stays one, whatever is changed about it."""
    shell = ShellTask("kept_kind", script="true").with_options({"retries": 1})
    assert (type(shell), shell.kind, shell.options.retries) == (ShellTask, "shell", 1)
    assert shell() is None


@pytest.mark.usefixtures("own_store")
def test_a_plan_knows_what_hides_in_a_list() -> None:
    """A node that gets an unknown result inside a container waits for it like any other; mere order is no matter."""

    @task(cache=True)
    def anything(xs: list) -> int:  # type: ignore[type-arg]  # what is tested: any items will do
        return len(xs)

    @workflow
    def wf(x: int) -> tuple[int, int]:
        before = one(x)
        later = anything([7])
        before >> later  # type: ignore[operator]  # nodes
        return anything([before, 1]), later

    wf(x=1)
    told = {node.id: (node.action, node.because) for node in wf.plan(x=1).nodes}
    assert told == {
        "n0": ("run", "not cached"),
        "n1": ("reuse", "same code, same inputs"),
        "n2": ("run", "a node before it runs"),
    }


def test_partial_tasks_are_known_by_their_own_names() -> None:
    """A partial task binds inputs inside a workflow as outside."""

    @workflow
    def wf(x: int) -> int:
        return functools.partial(one, x=x)()

    assert wf(x=5) == 5
