"""Conditionals: which branch runs, what it gives, and what is refused while tracing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from celltask import ImperativeWorkflow, conditional, current_context, task, workflow
from celltask.core.events import Event, NodeSkipped
from celltask.errors import BindingError, GraphError, RefError, RunError


@dataclass
class Point:
    """A value with parts."""

    x: int
    label: str


@task
def double(x: int) -> int:
    """Twice."""
    return 2 * x


@task
def negative(x: int) -> int:
    """With the other sign."""
    return -x


@task
def word(x: int) -> str:
    """As text."""
    return str(x)


@task
def both(x: int) -> tuple[int, str]:
    """Two outputs."""
    return x, str(x)


@task
def positive(x: int) -> bool:
    """Whether it is above zero."""
    return x > 0


@task
def first(xs: list[int]) -> int:
    """The first of them."""
    return xs[0]


@task
def point(x: int) -> Point:
    """A value with parts."""
    return Point(x, "even" if x % 2 == 0 else "odd")


@task
def note(x: int) -> None:
    """No output."""


@workflow
def sized(x: int) -> int:
    """Three branches."""
    return (
        conditional("size")
        .if_(x > 9).then(double(x=negative(x=x)))
        .elif_(x == 0).then(7)
        .else_().then(x)
    )  # fmt: skip


@pytest.mark.parametrize("engine", ["inline", "threads"])
@pytest.mark.parametrize(("x", "wanted", "taken"), [(10, -20, 0), (0, 7, 1), (3, 3, 2)])
def test_only_the_taken_branch_runs(x: int, wanted: int, taken: int, engine: str) -> None:
    """The first branch whose condition holds runs, gives the value, and the others are skipped."""
    events: list[Event] = []
    run = sized.run(x=x, engine=engine, on_event=events.append)
    assert run.result() == wanted
    states = {node.id: node.state for node in run.nodes}
    assert [states[f"n0/n{at}"] for at in range(3)] == ["done" if at == taken else "skipped" for at in range(3)]
    assert ("n0/n0/n1" in states) is (taken == 0)
    skipped = [(event.node, event.reason) for event in events if isinstance(event, NodeSkipped)]
    assert skipped == [(f"n0/n{at}", "another branch was taken") for at in range(3) if at != taken]


def test_branches_are_named_after_their_conditions() -> None:
    """Records and pictures tell a branch by its condition as it is written."""
    entity = sized.graph.entities["size"]
    assert entity.graph is not None
    assert [node.label for node in entity.graph.nodes] == ["x > 9", "x == 0", "else"]
    assert [port.name for port in entity.inputs] == ["x"]
    assert entity.kind == "conditional"


def test_conditions_of_every_form() -> None:
    """Comparisons of references and constants, parts of values, bools, tests for None, joined by & | ~."""

    @workflow
    def wf(x: int, flag: bool, name: str | None = None, limit: int = 5) -> str:  # noqa: FBT001 - an input
        made = point(x=x)
        return (
            conditional("every")
            .if_((x > limit) & (made.label == "even")).then("large and even")
            .elif_(positive(x=x) & ~flag).then("above zero, no flag")  # type: ignore[operator]  # a reference
            .elif_(name.is_none() | (name == "a")).then("no name, or a")  # type: ignore[union-attr]  # a reference
            .elif_(flag).then("flag")
            .elif_(positive(x=x).is_false()).then("not above zero")  # type: ignore[attr-defined]  # a reference
            .elif_(True).then("always")  # noqa: FBT003 - a condition
            .else_().fail("never")
        )  # fmt: skip

    assert wf(x=6, flag=True) == "large and even"
    assert wf(x=7, flag=False) == "above zero, no flag"
    assert wf(x=7, flag=True) == "no name, or a"
    assert wf(x=7, flag=True, name="b") == "flag"
    assert wf(x=-1, flag=False, name="b") == "not above zero"


def test_a_condition_may_need_a_task() -> None:
    """A task called for a condition runs in any case, and belongs to no branch."""

    @workflow
    def wf(x: int) -> int:
        return conditional("c").if_(positive(x=x)).then(x).elif_(double(x=x) < -9).then(double(x=x)).else_().then(0)

    assert [wf(x=1), wf(x=-5), wf(x=-1)] == [1, -10, 0]
    assert [node.label for node in wf.graph.nodes] == ["positive", "double", "c"]


def test_what_a_branch_does_not_need_is_not_looked_at() -> None:
    """The way into a value is gone only in the branch and in the part of the condition that needs it."""

    @workflow
    def wf(xs: list[int], count: int) -> int:
        return conditional("c").if_((count > 0) & (xs[0] > 1)).then(double(x=xs[0])).else_().then(0)

    assert (wf(xs=[], count=0), wf(xs=[3], count=1)) == (0, 6)
    with pytest.raises(IndexError) as caught:
        wf(xs=[], count=1)
    assert "in the condition xs[0] > 1" in caught.value.__notes__


def test_several_outputs_none_and_names() -> None:
    """A branch may give a tuple, the outputs of a task, or nothing."""

    @workflow
    def two(x: int) -> tuple[int, str]:
        a, b = conditional("two").if_(x > 0).then(both(x=x)).else_().then((0, word(x=x)))
        return a, b

    @workflow
    def none(x: int) -> None:
        conditional("none").if_(x > 0).then(note(x=x)).else_().then(None)

    assert (two(x=4), two(x=-4)) == ((4, "4"), (0, "-4"))
    assert none(x=1) is None
    assert [node.state for node in none.run(x=-1).nodes] == ["done", "skipped", "done"]


def test_outputs_keep_the_names_that_all_branches_give() -> None:
    """Branches that run the same task give outputs of its names."""

    @task(outputs=("whole", "text"))
    def named(x: int) -> tuple[int, str]:
        return x, str(x)

    @workflow
    def wf(x: int) -> str:
        got = conditional("c").if_(x > 0).then(named(x=x)).else_().then(named(x=double(x=x)))
        return got.text  # type: ignore[attr-defined, no-any-return]  # a reference by name

    assert (wf(x=1), wf(x=-1)) == ("1", "-2")


def test_conditionals_and_workflows_within_branches() -> None:
    """A branch may hold a conditional of its own, and workflows, and use values from all around."""

    @workflow
    def wf(x: int, y: int) -> int:
        outer = double(x=y)
        return (
            conditional("outer")
            .if_(x > 0)
            .then(conditional("inner").if_(y > 0).then(negative(x=outer)).else_().then(sized(x=x)))
            .else_()
            .then(outer)
        )

    assert [wf(x=1, y=3), wf(x=10, y=-3), wf(x=-1, y=3)] == [-6, -20, 6]
    ids = [node.id for node in wf.run(x=10, y=-3).nodes]
    assert "n1/n0/n0/n1/n0/n0/n0/n1" in ids


def test_a_later_node_uses_the_value() -> None:
    """What the conditional gives is a reference like any other."""

    @workflow
    def wf(x: int) -> int:
        return double(x=conditional("c").if_(x > 0).then(x).else_().then(negative(x=x)))

    assert (wf(x=2), wf(x=-2)) == (4, 4)


def test_retries_and_cache_hold_within_branches() -> None:
    """A task in a branch keeps its options."""
    attempts: list[int] = []

    @task(retries=1, allow_globals=["attempts"])
    def flaky(x: int) -> int:
        attempts.append(current_context().attempt)
        if len(attempts) == 1:
            message = "once"
            raise ValueError(message)
        return x

    @task(cache=True)
    def kept(x: int) -> int:
        return x + 1

    @workflow
    def wf(x: int) -> int:
        return conditional("c").if_(x > 0).then(kept(x=flaky(x=x))).else_().then(0)

    assert wf(x=1) == 2
    assert attempts == [1, 2]
    assert wf.run(x=1).node("n0/n0/n1").state == "reused"


def test_fail_ends_the_run_with_its_message() -> None:
    """The message, the place, and which branches there are."""

    @workflow
    def wf(x: int) -> int:
        return conditional("c").if_(x > 0).then(x).else_().fail("x must be above zero")

    assert wf(x=1) == 1
    with pytest.raises(RunError) as caught:
        wf(x=-1)
    assert caught.value.what == "x must be above zero"
    assert caught.value.where.startswith("conditional 'c', ")
    assert caught.value.mend == "give inputs for which another branch is taken: x > 0"
    assert caught.value.__notes__ == ["in node n0 (c) of workflow 'wf'"]


def test_a_failure_in_a_branch_names_its_node() -> None:
    """The error of a task in a branch is told with the whole way to it."""

    @task
    def bad(x: int) -> int:
        message = "no"
        raise ValueError(message)

    @workflow
    def wf(x: int) -> int:
        return conditional("c").if_(x > 0).then(bad(x=x)).else_().then(0)

    run = wf.run(x=1)
    assert isinstance(run.error, ValueError)
    assert run.error.__notes__[1:] == [
        "in node n0/n0/n0 (bad) of branch 'x > 0'",
        "in node n0 (c) of workflow 'wf'",
    ]


def test_types_of_branches_are_joined() -> None:
    """Branches of different types give a union, which must fit where it goes."""

    @workflow
    def mixed(x: int) -> int | str:
        return conditional("c").if_(x > 0).then(double(x=x)).else_().then(word(x=x))

    assert (mixed(x=1), mixed(x=-1)) == (2, "-1")
    assert mixed.graph.entities["c"].outputs[0].type == "int | str"
    with pytest.raises(BindingError, match="c is int and cannot be output 'o0' of workflow 'wrong', which is str"):

        @workflow
        def wrong(x: int) -> str:
            return conditional("c").if_(x > 0).then(double(x=x)).else_().then(1)  # type: ignore[return-value]  # the test


def refused(body: str, **names: Any) -> tuple[str, str, str]:  # noqa: ANN401 - whatever the body needs
    """What is said of a workflow with this body."""
    space = {**globals(), **names}
    text = "@workflow\ndef wf(x: int, name: str) -> int:\n" + "".join(f"    {line}\n" for line in body.splitlines())
    with pytest.raises(GraphError) as caught:
        exec(compile(text, "wf.py", "exec"), space)  # noqa: S102 - the texts below
    return caught.value.what, caught.value.where, caught.value.mend


FORM = 'write conditional("name").if_(…).then(…).else_().then(…)'


@pytest.mark.parametrize(
    ("body", "what", "mend"),
    [
        ('return conditional("c").if_(x > 0).then(1)', "conditional 'c' has no else_()", FORM),
        ('conditional("c").if_(x > 0)\nreturn x', "conditional 'c' has no then(…) for its branch 'x > 0'", FORM),
        ('conditional("c")\nreturn x', "conditional 'c' has no branches", FORM),
        (
            'return conditional("c").if_(x).then(1).else_().then(2)',
            "conditional 'c' is given <reference to input 'x'> for a condition",
            'compare references: x > 3, name == "a", (a > 1) & (b < 2), flag',
        ),
        (
            'return conditional("c").if_(x > 3 & x < 5).then(1).else_().then(2)',
            "`&` joins conditions, and input 'x' beside it is none",
            "put each comparison in brackets: (a > 1) & (b < 2); do arithmetic inside a task",
        ),
        (
            'return conditional("c").if_(x > 0).then(both(x=x)).else_().then(2)',
            "branch 'x > 0' of conditional 'c' gives 2 values, branch 'else' gives 1 value",
            "let all branches give the same number of values",
        ),
        (
            'conditional("c").if_(x > 0).then(y := double(x=x)).else_().then(2)\nreturn y',
            "<reference to double> belongs to branch 'x > 0' of conditional 'c', not to workflow 'wf'",
            "give it as the value of its branch, and use what the conditional gives",
        ),
        (
            'c = conditional("c").if_(x > 0).then(1)\nc.else_().then(2)\nreturn c.elif_(x < 0).then(3)',
            "conditional 'c' goes on where it cannot",
            FORM,
        ),
    ],
)
def test_what_cannot_be_a_conditional_is_refused(body: str, what: str, mend: str) -> None:
    """Each is told with its line and what to write."""
    told = refused(body)
    assert (told[0], told[2]) == (what, mend)
    assert told[1].startswith("wf.py, line ")


def test_and_or_and_if_are_refused() -> None:
    """Python's own words need a truth now."""
    with pytest.raises(RefError, match="the truth of"):

        @workflow
        def wf(x: int) -> int:
            return conditional("c").if_(x > 0 and x < 3).then(1).else_().then(2)


def test_outside_of_a_workflow_a_plain_if_does() -> None:
    """There is nothing to choose later."""
    with pytest.raises(GraphError, match="conditional 'c' stands outside of a workflow"):
        conditional("c")


def test_an_imperative_workflow_has_conditionals() -> None:
    """They are written in the same words, and refused in the same way."""
    made = ImperativeWorkflow("by_hand")
    x = made.add_input("x", int)
    chosen = made.add_conditional("c").if_(x > 3).then(double(x=negative(x=x))).else_().then(x)
    made.add_output("y", made.add_task(double, x=chosen), int)
    assert (made(x=5), made(x=2)) == (-20, 4)
    made.add_conditional("open").if_(x > 1).then(1)
    with pytest.raises(GraphError, match=r"conditional 'open' has no else_\(\)"):
        made(x=1)


def test_the_digest_follows_conditions_and_branches() -> None:
    """Two workflows that differ in a condition, a constant or a branch have different digests."""

    def made(limit: int, value: int) -> str:
        @workflow
        def wf(x: int) -> int:
            return conditional("c").if_(x > limit).then(double(x=x)).else_().then(value)

        return wf.digest

    assert made(1, 2) == made(1, 2)
    assert len({made(1, 2), made(2, 2), made(1, 3)}) == 3
