"""Plans: what would run, what be reused, and why, in words that name what changed."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from celltask import plan, task, workflow
from celltask.core.stores.choice import current_store

if TYPE_CHECKING:
    from celltask import Plan

pytestmark = pytest.mark.usefixtures("own_store")

CELLS = """
import math

RATE = 3

def clean(x: float) -> float:
    return x + 1

@task(cache=True)
def load(n: int) -> list[float]:
    return [float(i) for i in range(n)]

@task(cache=True)
def total(xs: list[float], scale: float = 1.0) -> float:
    return clean(sum(xs)) * RATE * scale

@workflow
def wf(n: int = 4) -> float:
    return total(load(n))
"""


def cells(source: str = CELLS) -> dict[str, Any]:
    """The names that running `source` as a cell defines."""
    space: dict[str, Any] = {"task": task, "workflow": workflow, "__name__": "cells_of_plans"}
    exec(source, space)  # noqa: S102 - stands for a cell
    return space


def told(planned: Plan) -> list[tuple[str, str, str]]:
    """The nodes of a plan."""
    return [(node.label, node.action, node.because) for node in planned.nodes]


def test_before_and_after_the_first_run() -> None:
    """Nothing is there to reuse, then everything."""
    wf = cells()["wf"]
    assert told(plan(wf, n=4)) == [("load", "run", "no earlier run"), ("total", "run", "a node before it runs")]
    wf(n=4)
    assert told(plan(wf, {"n": 4})) == [(name, "reuse", "same code, same inputs") for name in ("load", "total")]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param("RATE = 3", "RATE = 4", "constant RATE 3 → 4", id="constant"),
        pytest.param("return x + 1", "return x + 2", "helper `clean` changed", id="helper"),
        pytest.param("* RATE * scale", "* RATE * scale * 1", "body changed", id="body"),
        pytest.param(
            "scale: float = 1.0",
            "scale: float = 2.0",
            "default of scale 1.0 → 2.0; input `scale` changed",
            id="default",
        ),
        pytest.param(
            "@task(cache=True)\ndef total",
            "@task(cache=True, cache_version='b')\ndef total",
            "cache_version (none) → b",
            id="label",
        ),
    ],
)
def test_what_changed_in_the_code_is_named(old: str, new: str, why: str) -> None:
    """The node whose code changed runs, and the plan says what it was; the others are reused."""
    cells()["wf"](n=4)
    changed = cells(CELLS.replace(old, new))["wf"]
    assert told(plan(changed, n=4)) == [("load", "reuse", "same code, same inputs"), ("total", "run", why)]


def test_what_changed_in_the_inputs_is_named() -> None:
    """Compared with the nearest of the newest results of the task."""
    total = cells()["total"]
    total(xs=[1.0], scale=2.0)
    total(xs=[1.0, 5.0], scale=4.0)
    assert plan(total, xs=[3.0], scale=2.0).nodes[0].because == "input `xs` changed"
    assert plan(total, xs=[3.0], scale=3.0).nodes[0].because == "input `xs` changed; input `scale` changed"


def test_another_python_is_named() -> None:
    """A result of another minor version of Python is told with both versions, and packages are alike."""
    total = cells()["total"]
    total(xs=[1.0])
    store = current_store()
    (one,) = store.entries()
    entry = store.get(one.key)
    parts = store.code(total.digest)
    assert entry is not None
    assert parts is not None
    store.remove([one.key])
    store.know("other", {**parts, "python": "3.4", "package scikit-learn": "1.9.0"})
    store.put("f" * 64, entry._replace(facts={**entry.facts, "code": "other"}))
    now = "{}.{}".format(*sys.version_info)
    assert plan(total, xs=[1.0]).nodes[0].because == f"package scikit-learn is gone; Python 3.4 → {now}"


def test_expired_and_refreshed_results_say_so() -> None:
    """A result that is too old, and one that is asked for anew."""

    @task(cache=True, cache_ttl=0.05)
    def short(x: int) -> int:
        return x

    @task(cache=True)
    def long(x: int) -> int:
        return x

    short(x=1)
    long(x=1)
    time.sleep(0.1)
    assert plan(short, x=1).nodes[0].because == "expired (cache_ttl)"
    assert plan(long, x=1, refresh=True).nodes[0].because == "refresh asked for"
    assert plan(long, x=1).nodes[0].action == "reuse"


def test_the_nodes_of_an_inner_workflow_are_planned() -> None:
    """A workflow in a workflow is reused if all of it is, and what hangs on it as well."""
    space = cells(
        CELLS + "\n@workflow\ndef outer(n: int) -> float:\n    return total([wf(n)]).with_overrides(name='last')\n"
    )
    outer = space["outer"]
    assert told(plan(outer, n=4)) == [
        ("wf", "run", "nodes of it run"),
        ("load", "run", "no earlier run"),
        ("total", "run", "a node before it runs"),
        ("last", "run", "a node before it runs"),
    ]
    outer(n=4)
    assert [(node.id, node.action) for node in plan(outer, n=4).nodes] == [
        ("n0", "reuse"), ("n0/n0", "reuse"), ("n0/n1", "reuse"), ("n1", "reuse"),
    ]  # fmt: skip


def test_a_plan_is_shown_as_a_table() -> None:
    """One line for each node, in columns."""
    assert repr(plan(cells()["wf"], n=4)) == (
        "<plan of wf>\n  n0  load   run    no earlier run\n  n1  total  run    a node before it runs"
    )
    assert plan(cells()["wf"]).node("total").action == "run"


def test_a_plan_runs_nothing() -> None:
    """Not one body runs, and nothing is kept."""
    ran: list[int] = []

    @task(cache=True, allow_globals=["ran"])
    def noted(x: int) -> int:
        ran.append(x)
        return x

    plan(noted, x=1)
    assert (ran, list(current_store().entries())) == ([], [])
