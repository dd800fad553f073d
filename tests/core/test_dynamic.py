"""Dynamic graphs: made while running from real values, nested, bounded, and drawn when known."""

from __future__ import annotations

import pytest

from celltask import conditional, dynamic, map_task, task, workflow
from celltask.core.events import Event, GraphMade
from celltask.errors import BindingError, GraphError, InterfaceError, PurityError, RefError, RunError

ENGINES = pytest.mark.parametrize("engine", ["inline", "threads"])


@task
def add(a: int, b: int) -> int:
    """Sum."""
    return a + b


@task
def fail(x: int) -> int:
    """Always an error."""
    message = f"no {x}"
    raise ValueError(message)


@dynamic
def summed(xs: list[int]) -> int:
    """Sum, one node for each number."""
    total = 0
    for x in xs:
        total = add(a=total, b=x)
    return total


@dynamic
def fibonacci(n: int) -> int:
    """Recursion, until a real value ends it."""
    if n < 2:
        return n
    return add(a=fibonacci(n=n - 1), b=fibonacci(n=n - 2))


@dynamic
def endless(n: int) -> int:
    """Recursion without an end."""
    return endless(n=n + 1)


@workflow
def around(n: int) -> int:
    """A dynamic function between tasks."""
    return add(a=fibonacci(n=add(a=n, b=1)), b=100)


@ENGINES
def test_the_graph_is_made_of_real_values(engine: str) -> None:
    """Loops and decisions of the function see values; each call of a task is a node."""
    run = summed.run(xs=[1, 2, 3], engine=engine)
    assert run.result() == 6
    assert [(node.id, node.task) for node in run.nodes] == [
        ("n0", "summed"), ("n0/n0", "add"), ("n0/n1", "add"), ("n0/n2", "add"),
    ]  # fmt: skip
    assert (summed(xs=[]), fibonacci(n=1)) == (0, 1)


@ENGINES
def test_dynamic_functions_nest_and_recur(engine: str) -> None:
    """A call of a dynamic function within one, the same one too, is a node that gets a real value in its turn."""
    run = around.run(n=4, engine=engine)
    assert run.result() == 105
    assert {node.state for node in run.nodes} == {"done"}
    assert "n1/n0/n1/n0" in {node.id for node in run.nodes}
    assert fibonacci(n=9) == 34


def test_the_graph_of_the_run_shows_what_it_became() -> None:
    """Before the run a dynamic node has no inside; the run's graph has it, at every level."""
    assert around.graph.entities["fibonacci"].graph is None
    run = around.run(n=2)
    assert run.graph is not None
    inner = run.graph.entities["fibonacci in n1"].graph
    assert inner is not None
    assert [node.label for node in inner.nodes] == ["fibonacci", "fibonacci", "add"]
    innermost = inner.entities["fibonacci in n0"].graph
    assert innermost is not None
    assert len(innermost.nodes) == 3


def test_the_graph_is_told_when_it_is_known() -> None:
    """Listeners get each graph as it is made, before its nodes start."""
    events: list[Event] = []
    around.run(n=1, engine="inline", on_event=events.append)
    made = [(event.node, len(event.graph.nodes)) for event in events if isinstance(event, GraphMade)]
    assert made == [("n1", 3), ("n1/n0", 0), ("n1/n1", 0)]


def test_a_failure_within_is_told_with_its_node() -> None:
    """The id of the node leads through the levels."""

    @dynamic
    def inner(n: int) -> int:
        return fail(x=add(a=n, b=1))

    @dynamic
    def outer(n: int) -> int:
        return inner(n=n)

    @workflow
    def wf(n: int) -> int:
        return outer(n=n)

    run = wf.run(n=1)
    assert str(run.error) == "no 2"
    assert getattr(run.error, "__notes__", [])[1:] == [
        "in node n0/n0/n1 (fail) of dynamic 'inner'",
        "in node n0 (outer) of workflow 'wf'",
    ]
    assert [node.state for node in run.nodes] == ["failed", "failed", "done", "failed"]


def test_an_error_of_the_function_itself_is_told_with_its_line() -> None:
    """The exception keeps its class and gains the place."""

    @dynamic
    def divided(n: int) -> int:
        return add(a=1 // n, b=1)

    with pytest.raises(ZeroDivisionError) as caught:
        divided(n=0)
    assert caught.value.__notes__[0].startswith("in dynamic 'divided', tests/core/test_dynamic.py, line ")


def test_a_value_of_a_node_is_a_reference() -> None:
    """What a task will give cannot be decided by; a conditional, or a dynamic function that gets it, can."""

    @dynamic
    def deciding(n: int) -> int:
        return 1 if add(a=n, b=1) > 3 else 2

    @dynamic
    def chosen(n: int) -> int:
        return conditional("c").if_(add(a=n, b=1) > 3).then(add(a=n, b=n)).else_().then(n)

    with pytest.raises(RefError, match="the truth of add > 3 needs the value of add"):
        deciding(n=1)
    assert (chosen(n=5), chosen(n=1)) == (10, 1)


def test_maps_and_workflows_within() -> None:
    """Whatever can be a node of a workflow can be one here."""

    @dynamic
    def spread(n: int) -> list[int]:
        return map_task(add)(a=list(range(n)), b=[around(n=1)] * n)

    assert spread(n=2) == [101, 102]


@ENGINES
def test_recursion_without_an_end_is_stopped(engine: str) -> None:
    """At a depth that is told, with what to change."""
    run = endless.run(n=0, engine=engine)
    assert isinstance(run.error, RunError)
    assert run.error.what == "dynamic 'endless' is more than 100 deep within itself or others"
    assert run.error.mend == "let the recursion end, or raise the limit: @dynamic(max_depth=…)"
    assert len(getattr(run.error, "__notes__", [])) == 0


def test_a_loop_without_an_end_is_stopped() -> None:
    """At a number of nodes that is told."""

    @dynamic(max_nodes=50)
    def forever(n: int) -> int:
        while True:
            n = add(a=n, b=1)

    with pytest.raises(RunError) as caught:
        forever(n=0)
    assert caught.value.what == "dynamic 'forever' makes more than 50 nodes"
    assert caught.value.where.startswith("tests/core/test_dynamic.py, line ")
    assert caught.value.mend == (
        "let the loop or recursion end, use map_task for many items, or raise the limit: @dynamic(max_nodes=…)"
    )


def test_the_limits_can_be_set() -> None:
    """Depth counts levels, and nodes count at all levels together."""

    @dynamic(max_depth=3)
    def shallow(n: int) -> int:
        return n if n == 0 else shallow(n=n - 1)

    @dynamic(max_nodes=10)
    def wide(n: int) -> int:
        return n if n == 0 else add(a=wide(n=n - 1), b=wide(n=n - 1))

    @dynamic(max_depth=300)
    def deep(n: int) -> int:
        return n if n == 0 else deep(n=n - 1)

    assert shallow(n=2) == 0
    with pytest.raises(RunError, match="dynamic 'shallow' is more than 3 deep"):
        shallow(n=3)
    assert wide(n=1) == 0
    with pytest.raises(RunError, match="dynamic 'wide' makes more than 10 nodes"):
        wide(n=5)
    assert deep(n=299) == 0


def test_a_workflow_that_calls_itself_is_refused() -> None:
    """At its definition, by name and through an earlier definition, with what to write instead."""
    mend = "put @dynamic in the place of @workflow: its graph is made step by step while it runs"
    with pytest.raises(GraphError) as caught:

        @workflow
        def again(n: int) -> int:
            return again(n=n)

    assert caught.value.what == "workflow 'again' calls itself, and its graph would have no end"
    assert caught.value.mend == mend
    space = {**globals()}
    exec("@workflow\ndef wf(n: int) -> int:\n    return n", space)  # noqa: S102 - a cell
    with pytest.raises(GraphError, match="workflow 'wf' calls itself"):
        exec("@workflow\ndef wf(n: int) -> int:\n    return wf(n=n)", space)  # noqa: S102 - the cell, changed


def test_what_a_dynamic_function_returns_is_checked() -> None:
    """Constants and references must fit the declared outputs."""

    @dynamic
    def wrong(n: int) -> int:
        return "a"  # type: ignore[return-value]  # the test

    with pytest.raises(BindingError, match="output 'o0' of dynamic 'wrong' must be int, got 'a'"):
        wrong(n=1)


def test_what_cannot_be_dynamic_is_refused() -> None:
    """Coroutines, limits without sense, data of the notebook."""
    with pytest.raises(InterfaceError, match="is not a plain function"):

        @dynamic
        async def waits(n: int) -> int:
            return n

    with pytest.raises(InterfaceError, match="max_depth 0 is not a limit"):
        dynamic(max_depth=0)(lambda: None)
    space = {**globals(), "data": [1]}
    text = "def reads(n: int) -> int:\n    return add(a=n, b=data[0])\n"
    with pytest.raises(PurityError):
        exec(f"@dynamic\n{text}", space)  # noqa: S102 - a cell
    exec(f"@dynamic(allow_globals=['data'])\n{text}", space)  # noqa: S102 - a cell
    assert space["reads"](n=1) == 2  # type: ignore[operator]  # the function of the cell


def test_the_digest_follows_the_code() -> None:
    """Two functions with different bodies differ; a workflow's digest has the dynamic function's in it."""

    def made(limit: int) -> tuple[str, str]:
        @dynamic
        def grows(n: int) -> int:
            return n if n > limit else grows(n=n + 1)

        @workflow
        def wf(n: int) -> int:
            return grows(n=n)

        return grows.digest, wf.digest

    assert made(3) == made(3)
    assert made(3)[0] != made(4)[0]
    assert made(3)[1] != made(4)[1]


def test_a_plan_leaves_open_what_only_a_run_decides() -> None:
    """Nodes of a graph that is not made yet are in no plan."""
    assert [(node.id, node.action, node.because) for node in fibonacci.plan(n=3).nodes] == [
        ("n0", "run", "its graph is made while running"),
    ]
    assert [node.because for node in around.plan(n=3).nodes][1:] == ["its graph is made while running", "not cached"]
