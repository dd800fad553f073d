"""Random workflows of every kind of node give what plain Python gives, on every engine in the same way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celltask import conditional, current_context, dynamic, map_task, task, workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask import Run

KINDS = ("add", "choose", "nested", "map", "some", "grow", "inner", "flaky", "kept", "fail")
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 99), st.integers(0, 99), st.integers(-3, 3)),
    min_size=1, max_size=14,
)  # fmt: skip
LARGE = 1000


@task
def add(a: int, b: int) -> int:
    """Sum, kept small."""
    return (a + b) % LARGE


@task(retries=1, retry_delay=0.001)
def flaky(x: int) -> int:
    """Fails at its first attempt where the number is odd."""
    if x % 2 and current_context().attempt == 1:
        message = "at first"
        raise ValueError(message)
    return x + 1


@task(cache=True)
def kept(x: int) -> int:
    """Cached."""
    return x + 2


@task
def odd(x: int) -> int:
    """Fails for even numbers."""
    if x % 2 == 0:
        message = f"{x} is even"
        raise ValueError(message)
    return x


@task
def total(xs: list[int | None]) -> int:
    """Sum of what is there, kept small."""
    return sum(x or 0 for x in xs) % LARGE


@dynamic
def grown(n: int) -> int:
    """As many nodes as the last digit says, at several levels."""
    rest = n % 4
    return rest if rest < 2 else add(a=grown(n=rest - 1), b=grown(n=rest - 2))


@workflow
def inner(x: int) -> int:
    """A choice within a workflow within the workflow."""
    return add(a=conditional("even").if_(x > 5).then(kept(x=x)).else_().then(x), b=1)


def traced(kind: str, a: int, b: int, k: int) -> int:  # noqa: PLR0911 - one for each kind
    """The value of one step in a workflow, where `a` and `b` are references."""
    match kind:
        case "choose":
            return conditional("c").if_((a > k) & (b != 3)).then(add(a=b, b=k)).elif_(b == 0).then(k).else_().then(a)
        case "nested":
            within = conditional("in").if_(b < k).then(flaky(x=a)).else_().then(grown(n=b))
            return conditional("out").if_(a > k).then(within).else_().then(inner(x=a))
        case "map":
            return total(xs=map_task(partial(add, b=b), concurrency=2)(a=[a, k, 1]))
        case "some":
            return total(xs=map_task(odd, min_successes=0)(x=[a, b, k]))
        case "grow":
            return grown(n=a)
        case "inner":
            return inner(x=a)
        case "flaky":
            return flaky(x=a)
        case "kept":
            return kept(x=a)
        case "fail":
            return odd(x=a)
    return add(a=a, b=b)


def plain(kind: str, a: int, b: int, k: int) -> int:  # noqa: C901, PLR0911 - one for each kind
    """The same in plain Python."""
    match kind:
        case "choose":
            return (b + k) % LARGE if a > k and b != 3 else k if b == 0 else a
        case "nested":
            if a > k:
                return plain("flaky" if b < k else "grow", a if b < k else b, 0, 0)
            return plain("inner", a, 0, 0)
        case "map":
            return sum((x + b) % LARGE for x in (a, k, 1)) % LARGE
        case "some":
            return sum(x for x in (a, b, k) if x % 2) % LARGE
        case "grow":
            return (0, 1, 1, 2)[a % 4]
        case "inner":
            return ((a + 2 if a > 5 else a) + 1) % LARGE
        case "flaky":
            return a + 1
        case "kept":
            return a + 2
        case "fail":
            if a % 2 == 0:
                raise ValueError
            return a
    return (a + b) % LARGE


def computed(steps: list[tuple[str, int, int, int]], x: int, one: Callable[[str, int, int, int], int]) -> int:
    """What the steps give, each of values before it."""
    values = [x]
    for kind, first, second, k in steps:
        values.append(one(kind, values[first % len(values)], values[second % len(values)], k))
    return values[-1]


def facts(run: Run) -> dict[str, tuple[str, str, int]]:
    """Label, state and attempts of each node; what is reused was done before."""
    return {node.id: (node.label, node.state.replace("reused", "done"), node.attempts) for node in run.nodes}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(-10, 50))
def test_random_workflows_give_what_plain_python_gives(steps: list[tuple[str, int, int, int]], x: int) -> None:
    """Equal results, equal states of all nodes, equal numbers of attempts, one after another and side by side."""

    @workflow(failure_policy="finish")
    def wf(x: int) -> int:
        return computed(steps, x, traced)

    runs = [wf.run(x=x, engine=engine) for engine in ("inline", "threads", "threads")]
    assert facts(runs[0]) == facts(runs[1]) == facts(runs[2])
    try:
        wanted = computed(steps, x, plain)
    except ValueError:
        assert {run.state for run in runs} <= {"failed", "done"}
        assert len({(run.state, run.value) for run in runs}) == 1
    else:
        assert [run.result() for run in runs] == [wanted] * 3


@pytest.mark.heavy
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(-10, 50))
def test_many_random_workflows_give_what_plain_python_gives(steps: list[tuple[str, int, int, int]], x: int) -> None:
    """The same for ten times as many."""
    test_random_workflows_give_what_plain_python_gives.hypothesis.inner_test(steps, x)  # type: ignore[attr-defined]  # hypothesis adds it
