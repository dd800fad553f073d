"""Plans of what stands within a workflow: items of maps, branches, inner workflows, as far as they are known."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import random_workflows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celltask import conditional, dynamic, map_task, plan, task, wait_for_input, workflow
from celltask.testing import mock_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask import Plan
    from celltask.core.workflow import Workflow

pytestmark = pytest.mark.usefixtures("own_store")


def told(planned: Plan) -> list[tuple[str, str, str]]:
    """The nodes of a plan."""
    return [(node.label, node.action, node.because) for node in planned.nodes]


@task(cache=True)
def square(x: int) -> int:
    """Kept."""
    return x * x


@task(cache=True)
def total(xs: list[int]) -> int:
    """Kept."""
    return sum(xs)


@task
def fresh(x: int) -> int:
    """Never kept."""
    return x


def test_a_map_tells_how_many_of_its_items_run() -> None:
    """Items are looked up one by one, and what hangs on the map is planned with what they gave."""

    @workflow
    def wf(xs: list[int]) -> int:
        return total(map_task(square)(x=xs))

    assert told(plan(wf, xs=[1, 2, 3])) == [
        ("map square", "run", "3 of 3 items: no earlier run"), ("total", "run", "a node before it runs"),
    ]  # fmt: skip
    wf(xs=[1, 2])
    assert told(plan(wf, xs=[1, 2])) == [
        ("map square", "reuse", "2 of 2 items: same code, same inputs"), ("total", "reuse", "same code, same inputs"),
    ]  # fmt: skip
    assert told(plan(wf, xs=[2, 1])) == [
        ("map square", "reuse", "2 of 2 items: same code, same inputs"), ("total", "run", "input `xs` changed"),
    ]  # fmt: skip
    assert told(plan(wf, xs=[1, 5, 2, 7, 8]))[0] == ("map square", "run", "3 of 5 items: input `x` changed")
    assert told(plan(wf, xs=[]))[0] == ("map square", "reuse", "it has no items")
    assert plan(wf, xs=list(range(100))).nodes[0].because == "98 of 100 items: input `x` changed"
    assert plan(wf, xs=list(range(10_001))).nodes[0].because == "10,001 items, decided while running"


def test_items_that_run_for_several_reasons_are_told_by_each() -> None:
    """A result that is too old beside one that is not there."""

    @task(cache=True, cache_ttl=0.05)
    def short(x: int) -> int:
        return x

    @workflow
    def wf(xs: list[int]) -> list[int]:
        return map_task(short)(x=xs)

    wf(xs=[1])
    time.sleep(0.1)
    assert plan(wf, xs=[1, 2]).nodes[0].because == "1 of 2 items: expired (cache_ttl); 1 of 2 items: input `x` changed"
    many = [1, *range(2, 50)]
    assert plan(wf, xs=many).nodes[0].because == "49 of 49 items: expired (cache_ttl), and other reasons"


def test_a_map_over_what_is_not_kept_or_not_known_says_so() -> None:
    """A task without cache, a list that a node before it gives, and lists that do not fit together."""

    @task
    def numbers(n: int) -> list[int]:
        return list(range(n))

    @task(cache=True)
    def add(a: int, b: int) -> int:
        return a + b

    @workflow
    def wf(n: int, xs: list[int]) -> tuple[list[int], list[int], list[int]]:
        return map_task(fresh)(x=xs), map_task(square)(x=numbers(n)), map_task(add)(a=xs, b=[1, 2, 3])

    assert [node.because for node in plan(wf, n=1, xs=[1, 2]).nodes] == [
        "not cached",
        "not cached",
        "a node before it runs",
        "its inputs do not fit: the lists of the map over 'add' have different lengths: a has 2, b has 3",
    ]


def test_an_item_that_does_not_fit_is_told() -> None:
    """What is wrong with it stands in the plan, in one line."""

    @workflow
    def wf(rows: list[dict[str, int]]) -> list[int]:
        return map_task(square)(x=[rows[0]["x"], rows[1]["y"]])

    square(x=1)
    assert plan(wf, rows=[{"x": 1}, {"x": 2}]).nodes[0].because == "its inputs do not fit: KeyError: 'y'"

    @workflow
    def of_any(xs: list) -> list[int]:  # type: ignore[type-arg]  # what is tried
        return map_task(square)(x=xs)

    assert plan(of_any, xs=[1, "a"]).nodes[0].because == (
        "its inputs do not fit: input 'x' of 'map square', at x[1], must be int, got 'a' (str)"
    )


def test_a_map_over_a_workflow_is_planned_through() -> None:
    """An item is reused if all its nodes are."""

    @workflow
    def one(x: int) -> int:
        return square(square(x))

    @workflow
    def wf(xs: list[int]) -> int:
        return total(map_task(one)(x=xs))

    wf(xs=[2, 3])
    assert told(plan(wf, xs=[2, 3])) == [
        ("map one", "reuse", "2 of 2 items: same code, same inputs"), ("total", "reuse", "same code, same inputs"),
    ]  # fmt: skip
    assert told(plan(wf, xs=[2, 3, 4]))[0] == ("map one", "run", "1 of 3 items: nodes of it run")


def chosen(x: int) -> tuple[Plan, Workflow[..., int]]:
    """A branch with a task, one with a workflow, one that fails, one with a constant."""

    @workflow
    def twice(x: int) -> int:
        return square(square(x))

    @workflow
    def wf(x: int) -> int:
        picked = (
            conditional("size")
            .if_(x > 100).fail("too large")
            .elif_(x > 10).then(square(x))
            .elif_(x > 1).then(twice(x))
            .else_().then(0)
        )  # fmt: skip
        return total([picked, 1])

    return plan(wf, x=x), wf


def test_a_choice_tells_the_branch_that_is_taken() -> None:
    """It is planned, the others are skipped, and what hangs on the choice is planned with what the branch gives."""
    planned, wf = chosen(20)
    assert [(node.id, *told_of) for node, told_of in zip(planned.nodes, told(planned), strict=True)] == [
        ("n0", "size", "run", "takes the branch x > 10"),
        ("n0/n0", "x > 100", "skip", "another branch is taken"),
        ("n0/n1", "x > 10", "run", "nodes of it run"),
        ("n0/n1/n0", "square", "run", "no earlier run"),
        ("n0/n2", "x > 1", "skip", "another branch is taken"),
        ("n0/n3", "else", "skip", "another branch is taken"),
        ("n1", "total", "run", "a node before it runs"),
    ]
    run = wf.run(x=20)
    assert [node.id for node in planned.nodes] == [node.id for node in run.nodes]
    assert [node.label for node in planned.nodes if node.action == "skip"] == [
        node.label for node in run.nodes if node.state == "skipped"
    ]
    assert told(plan(wf, x=20)) == [
        ("size", "reuse", "takes the branch x > 10"),
        ("x > 100", "skip", "another branch is taken"),
        ("x > 10", "reuse", "all nodes of it are reused"),
        ("square", "reuse", "same code, same inputs"),
        ("x > 1", "skip", "another branch is taken"),
        ("else", "skip", "another branch is taken"),
        ("total", "reuse", "same code, same inputs"),
    ]


def test_every_kind_of_branch_is_planned() -> None:
    """One that ends the run, one with a workflow, and one that runs nothing."""
    failing, _ = chosen(200)
    assert told(failing)[:2] == [
        ("size", "run", "takes the branch x > 100"), ("x > 100", "run", "it fails: too large"),
    ]  # fmt: skip
    nested, _ = chosen(3)
    assert [node for node in told(nested) if node[1] != "skip"] == [
        ("size", "run", "takes the branch x > 1"),
        ("x > 1", "run", "nodes of it run"),
        ("twice", "run", "nodes of it run"),
        ("square", "run", "no earlier run"),
        ("square", "run", "a node before it runs"),
        ("total", "run", "a node before it runs"),
    ]
    constant, _ = chosen(0)
    assert [node for node in told(constant) if node[1] != "skip"] == [
        ("size", "reuse", "takes the branch else"),
        ("else", "reuse", "it has no nodes"),
        ("total", "run", "no earlier run"),
    ]


def test_a_choice_by_what_is_not_known_is_made_while_running() -> None:
    """A condition that asks for the value of a node that runs; one before it that holds is enough."""

    @workflow
    def wf(x: int) -> int:
        y = fresh(x)
        return conditional("by y").if_(x > 10).then(square(y)).elif_(y > 1).then(1).else_().then(2)

    assert told(plan(wf, x=1)) == [("fresh", "run", "not cached"), ("by y", "run", "decided while running")]
    assert told(plan(wf, x=11)) == [
        ("fresh", "run", "not cached"),
        ("by y", "run", "takes the branch x > 10"),
        ("x > 10", "run", "nodes of it run"),
        ("square", "run", "a node before it runs"),
        ("fresh > 1", "skip", "another branch is taken"),
        ("else", "skip", "another branch is taken"),
    ]


class Odd:
    """Has an order that cannot be told."""

    def __gt__(self, other: object) -> bool:
        raise ArithmeticError("no order")


def test_a_condition_that_fails_is_told() -> None:
    """The error of users' own operators is no error of the plan."""

    @workflow
    def wf(x: Odd) -> int:
        return conditional("odd").if_(x > 1).then(1).else_().then(2)

    assert told(plan(wf, x=Odd())) == [("odd", "run", "its condition x > 1 fails: ArithmeticError: no order")]


def test_an_inner_workflow_is_planned_with_what_is_known_of_its_inputs() -> None:
    """A node of it that needs none of the unknown ones is reused."""

    @workflow
    def inner(a: int, b: int) -> int:
        return total([square(a), square(b)])

    @workflow
    def wf(x: int) -> int:
        return inner(a=x, b=fresh(x))

    square(x=3)
    assert told(plan(wf, x=3)) == [
        ("fresh", "run", "not cached"),
        ("inner", "run", "nodes of it run"),
        ("square", "reuse", "same code, same inputs"),
        ("square", "run", "a node before it runs"),
        ("total", "run", "a node before it runs"),
    ]


def test_a_workflow_that_only_passes_on_what_is_not_known_waits() -> None:
    """Without nodes of its own, it is known as little as its inputs."""

    @workflow
    def same(a: int) -> int:
        return a

    @workflow
    def wf(x: int) -> int:
        return square(same(fresh(x)))

    assert told(plan(wf, x=3)) == [
        ("fresh", "run", "not cached"),
        ("same", "run", "a node before it runs"),
        ("square", "run", "a node before it runs"),
    ]


def test_what_is_never_known_before_a_run_says_why() -> None:
    """A graph that is made while running, a person's answer, a stand-in."""

    @dynamic
    def squares(n: int) -> list[int]:
        return [square(number) for number in range(n)]

    @workflow
    def wf(n: int) -> tuple[list[int], int, int, list[list[int]]]:
        return squares(n), wait_for_input("how many", int), square(n), map_task(squares)(n=[1])

    with mock_task(square):
        assert [node.because for node in plan(wf, n=2).nodes] == [
            "its graph is made while running",
            "it waits for an answer",
            "a stand-in is in the place of its body",
            "its graph is made while running",
        ]
    assert plan(squares, n=2).nodes[0].because == "its graph is made while running"


@pytest.fixture
def kept_steps() -> Iterator[None]:
    """The tasks of random workflows, cached."""
    changed = [random_workflows.add, random_workflows.flaky, random_workflows.odd]
    before = [one.options for one in changed]
    for one, options in zip(changed, before, strict=True):
        one.options = replace(options, cache=True)
        one.generate()
    yield
    for one, options in zip(changed, before, strict=True):
        one.options = options
        one.generate()


@pytest.mark.usefixtures("kept_steps")
def test_a_run_does_what_was_planned() -> None:
    """In random workflows of every kind: each planned node is there, and what is to be reused or skipped is."""
    seen: Counter[str] = Counter()

    @settings(deadline=None, max_examples=40, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(random_workflows.plans(most=12), st.integers(-10, 50), st.integers(0, 1))
    def prove(steps: list[random_workflows.Step], x: int, more: int) -> None:
        wf, answers = random_workflows.workflow_of(steps), random_workflows.answers_of(steps)
        wf.run(x=x, salt=1, answers=answers, engine="inline")
        planned = plan(wf, x=x + more, salt=1)
        run = wf.run(x=x + more, salt=1, answers=answers, engine="inline")
        ended = {node.id: node.state for node in run.nodes}
        tasks = {node.id for node in planned.nodes if node.label in ("add", "flaky", "odd", "kept")}
        for node in planned.nodes:
            assert node.id in ended or run.state == "failed"
            state, is_task = ended.get(node.id, "skipped"), node.id in tasks
            seen[f"{node.action} {'task' if is_task else 'other'}"] += 1
            if node.action == "skip":
                assert state == "skipped"
            elif node.action == "reuse" and not (state == "skipped" and run.state == "failed"):
                is_empty = not is_task and not any(one.startswith(f"{node.id}/") for one in tasks)
                assert state == "reused" or (state == "done" and is_empty and "items" not in node.because), node

    prove()
    assert seen.keys() == {"run task", "run other", "reuse task", "reuse other", "skip other"}
