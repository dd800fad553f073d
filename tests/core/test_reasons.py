"""Reasons: why the nodes of a run that is over were run or reused, from the run and from its record."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from celltask import map_task, plan, runs, task, workflow
from celltask.cli.runs import command
from celltask.core.reasons import why_the_last

pytestmark = pytest.mark.usefixtures("own_store")

ENGINES = ("inline", "threads", "processes")


@task(cache=True)
def load(n: int) -> list[int]:
    """Kept."""
    return list(range(n))


@task(cache=True)
def total(xs: list[int], scale: int = 1) -> int:
    """Kept; fails where a file says so."""
    if os.environ.get("TOTAL_FAILS"):
        raise ValueError("not now")
    return sum(xs) * scale


@task
def shown(x: int) -> str:
    """Not kept."""
    return str(x)


@workflow
def report(n: int, scale: int = 1) -> str:
    """Three in a row."""
    return shown(total(load(n), scale=scale))


def recorded(run: str) -> list[str]:
    """Why the nodes ran, as the command tells it."""
    told = json.loads(CliRunner().invoke(command, ["show", run, "--json"]).output)
    return [node["because"] for node in told["nodes"]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_tells_why_its_nodes_ran(engine: str) -> None:
    """In the words of the plan that was made before it, from the run itself and from its record."""
    report.run(n=3, engine=engine)
    for inputs in ({"n": 3}, {"n": 3, "scale": 2}, {"n": 4, "scale": 5}):
        planned = [node.because for node in plan(report, inputs).nodes]
        run = report.run(inputs, engine=engine)
        told = [run.why(node.id) for node in run.nodes]
        assert told[2] == planned[2] == "not cached"
        assert [why for why, was in zip(told, planned, strict=True) if was != "a node before it runs"] == [
            was for was in planned if was != "a node before it runs"
        ]
        assert recorded(run.id) == [*told[:2], ""]
    assert told[1] == "input `xs` changed; input `scale` changed"
    with pytest.raises(KeyError):
        run.why("n9")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_node_that_failed_tells_why_it_ran(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though nothing of it is kept; a result that is kept later changes nothing of that."""
    report.run(n=3)
    monkeypatch.setenv("TOTAL_FAILS", "1")
    run = report.run(n=4, engine=engine)
    assert [node.state for node in run.nodes] == ["done", "failed", "skipped"]
    monkeypatch.delenv("TOTAL_FAILS")
    report.run(n=4)
    assert run.why("total") == "input `xs` changed"
    assert recorded(run.id) == ["input `n` changed", "input `xs` changed", ""]
    assert set(runs(run.id)[0].missed) == {"n1"}


def test_a_failed_node_in_an_inner_workflow_tells_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the id that it has in the whole run."""

    @workflow
    def outer(n: int) -> str:
        return report(n=n)

    monkeypatch.setenv("TOTAL_FAILS", "1")
    run = outer.run(n=4)
    assert [run.why(node.id) for node in run.nodes] == ["", "no earlier run", "no earlier run", "not cached"]
    assert recorded(run.id) == ["", "no earlier run", "no earlier run", ""]


def test_items_of_a_map_tell_why_they_ran() -> None:
    """So many items for each reason, as the plan has it."""

    @workflow
    def wf(xs: list[int]) -> list[list[int]]:
        return map_task(load)(n=xs)

    for xs, why in (
        ([1, 2, 3], "3 items: no earlier run"),
        ([1, 2, 4], "1 item: input `n` changed"),
        (list(range(60)), "56 items: input `n` changed"),
        ([1], "same code, same inputs"),
    ):
        before = plan(wf, xs=xs).nodes[0].because.partition(": ")[2]
        run = wf.run(xs=xs)
        assert run.why("n0") == why
        assert why.partition(": ")[2] == before or run.nodes[0].state == "reused"
        assert recorded(run.id) == [why]


def test_the_newest_run_that_had_a_node_is_asked() -> None:
    """By the name of the node."""
    first = report.run(n=3)
    second = total.run(xs=[1])
    assert why_the_last("load") == f"in run {first.id} of report:\n  n0 load: done; no earlier run"
    assert why_the_last("total") == f"in run {second.id} of total:\n  n0 total: done; input `xs` changed"
    assert why_the_last("nobody") == ""
