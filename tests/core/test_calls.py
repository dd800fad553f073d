"""Calls: a task that is called in the body of another one stands under it in the run and in its record."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from celltask import current_context, map_task, runs, task, workflow
from celltask.cli.runs import command
from celltask.testing import mock_task

if TYPE_CHECKING:
    from celltask.core.run import Run

pytestmark = pytest.mark.usefixtures("own_store")

ENGINES = ("inline", "threads", "processes")


@task(cache=True)
def kept(x: int) -> int:
    """Double."""
    return 2 * x


@task
def helper(x: int) -> int:
    """Say so, and call another one."""
    print("helper", x)  # noqa: T201 - what the node is to have
    return kept(x=x) + 1


@task
def broken(x: int) -> int:
    """Fail."""
    raise ValueError(f"no {x}")


@task(retries=1, retry_delay=0.001)
def flaky(x: int) -> int:
    """Good at the second attempt."""
    if current_context().attempt == 1:
        raise ValueError("again")
    return x


@task
def calling(x: int) -> int:
    """Call four, one of which fails and one calls another."""
    try:
        broken(x=x)
    except ValueError:
        return helper(x=x) + flaky(x=x)
    return 0


@task(retries=1, retry_delay=0.001)
def trying(x: int) -> int:
    """Call one in each of two attempts."""
    kept(x=x + current_context().attempt)
    if current_context().attempt == 1:
        raise ValueError("again")
    return x


@task
async def awaiting(x: int) -> int:
    """Call two at once."""
    return sum(await asyncio.gather(waited(x=x), waited(x=x + 1)))


@task
async def waited(x: int) -> int:
    """Wait a little."""
    await asyncio.sleep(0.001)
    return x


@task
def quick(x: int) -> int:
    """One more."""
    return x + 1


@task
def many(n: int) -> int:
    """Call two over and over."""
    return sum(quick(x=kept(x=0)) for _ in range(n))


@task
def mistyped() -> int:
    """Call one with what does not fit, and with what it does not take."""
    for value in ("1", None):
        try:
            kept(x=value)  # type: ignore[arg-type]  # what is tried
        except Exception:  # noqa: BLE001, S112 - tried, one after the other
            continue
    return 1


def told(run: Run) -> list[tuple[str, str, str, int]]:
    """What stands in a run."""
    return [(node.id, node.task, node.state, node.attempts) for node in run.nodes]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_body_calls_stands_under_its_node(engine: str) -> None:
    """Each call has a name, a state, times and attempts, and stands under what called it, on every engine."""
    kept(x=3)
    before = time.time()
    run = calling.run(x=3, engine=engine)
    assert run.value == 10
    assert told(run) == [
        ("n0", "calling", "done", 1), ("n0/c0", "broken", "failed", 1), ("n0/c1", "helper", "done", 1),
        ("n0/c1/c2", "kept", "reused", 1), ("n0/c3", "flaky", "done", 2),
    ]  # fmt: skip
    node, *calls = run.nodes
    assert node.log == "helper 3\n"
    assert [one.is_call for one in run.nodes] == [False, True, True, True, True]
    assert before - 1 <= node.started <= calls[0].started <= calls[-1].started <= time.time() + 1
    assert all(one.duration_s <= node.duration_s for one in calls)
    (record, *_) = runs("calling")
    assert [(one.id, one.task, one.state, one.attempts) for one in record.nodes] == told(run)
    assert [one.error for one in record.nodes] == ["", "ValueError: no 3", "", "", ""]
    for recorded, one in zip(record.nodes, run.nodes, strict=True):
        assert (recorded.started, recorded.duration_s) == pytest.approx((one.started, one.duration_s), abs=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_calls_of_every_attempt_are_told(engine: str) -> None:
    """Those of an attempt that failed stand before those of the next."""
    assert told(trying.run(x=1, engine=engine)) == [
        ("n0", "trying", "done", 2), ("n0/c0", "kept", "done", 1), ("n0/c1", "kept", "done", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_async_bodies_call_too(engine: str) -> None:
    """Calls that wait at once stand beside each other."""
    assert told(awaiting.run(x=1, engine=engine)) == [
        ("n0", "awaiting", "done", 1), ("n0/c0", "waited", "done", 1), ("n0/c1", "waited", "done", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_calls_beyond_a_hundred_are_counted(engine: str) -> None:
    """A body that calls without end leaves a hundred rows and a count for each task."""
    run = many.run(n=5000, engine=engine)
    assert len(run.nodes) == 101
    assert run.nodes[0].more_calls == {"kept": 4950, "quick": 4950}
    assert repr(run).splitlines()[-1] == "  n0     … 4,950 more calls of kept, 4,950 more calls of quick"
    (record,) = runs("many")
    assert (len(record.nodes), record.nodes[0].more_calls) == (101, {"kept": 4950, "quick": 4950})
    shown = CliRunner().invoke(command, ["show", run.id]).output.splitlines()
    assert "n0: 4,950 more calls of kept, 4,950 more calls of quick" in shown
    as_json = json.loads(CliRunner().invoke(command, ["show", run.id, "--json"]).output)
    assert as_json["nodes"][0]["more_calls"] == {"kept": 4950, "quick": 4950}
    assert [as_json["nodes"][place][key] for place in (1, 2) for key in ("id", "task")] == [
        "n0/c0", "kept", "n0/c1", "quick",
    ]  # fmt: skip


def test_a_run_tells_so_many_calls_one_by_one_and_no_more() -> None:
    """With ten thousand told, those of further nodes are counted."""

    @workflow
    def wf(n: int) -> list[int]:
        return [many(n=n) for _ in range(102)]

    run = wf.run(n=50)
    rows = [node for node in run.nodes if node.is_call]
    assert len(rows) == 10_000
    assert sum(sum(node.more_calls.values()) for node in run.nodes) == 200
    assert len(runs("wf")[0].nodes) == 10_102


def test_nodes_that_end_at_once_tell_no_more() -> None:
    """The limit holds for a run whose nodes end in several threads at the same time."""

    @task
    def lasting(n: int) -> int:
        many(n=n)
        return int(not time.sleep(0.002))  # so that more than one thread is wanted

    @workflow
    def wf(n: int) -> list[int]:
        return [lasting(n=n) for _ in range(120)]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # whatever can come between two steps of a thread does
    try:
        ran = [wf.run(n=50, engine="threads") for _ in range(3)]
    finally:
        sys.setswitchinterval(before)
    assert [sum(node.is_call for node in run.nodes) for run in ran] == [10_000] * 3


@pytest.mark.parametrize("engine", ENGINES)
def test_items_of_a_map_call_too(engine: str) -> None:
    """What is called for the items stands under the map, each call once."""
    run = map_task(helper).run({"x": [1, 2, 3, 1]}, engine=engine)
    assert run.value == [3, 5, 7, 3]
    calls = [node for node in run.nodes if node.is_call]
    assert {node.task for node in calls} == {"kept"}
    assert len({node.id for node in calls}) == 4
    retried = map_task(calling).run({"x": [1, 2]}, engine=engine)
    assert sorted(node.state for node in retried.nodes if node.task == "broken") == ["failed", "failed"]


def test_threads_of_a_body_call_too() -> None:
    """Threads that a body starts in its context are a part of it."""

    @task
    def threaded(n: int) -> None:
        threads = [threading.Thread(target=copy_context().run, args=(kept, n)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    run = threaded.run(n=3)
    assert [node.id for node in run.nodes] == ["n0", *(f"n0/c{number}" for number in range(20))]
    assert sorted(node.state for node in run.nodes[1:]) == ["done", *["reused"] * 19]


def test_a_call_with_what_does_not_fit_is_one_that_failed() -> None:
    """The error of a check is told like that of a body."""
    mistyped.run()
    (record,) = runs("mistyped")
    assert [(node.state, node.error.splitlines()[0]) for node in record.nodes[1:]] == [
        ("failed", "ValueMismatchError: input 'x' of 'kept' must be int, got '1' (str)"),
        ("failed", "ValueMismatchError: input 'x' of 'kept' must be int, got None (NoneType)"),
    ]


def test_a_stand_in_is_called_in_a_body_too() -> None:
    """A mock is what the body calls, before and after it was called really."""
    assert calling.run(x=3).value == 10
    with mock_task(helper) as mock:
        mock.return_value = 97
        assert told(calling.run(x=3))[2:] == [("n0/c1", "helper", "done", 1), ("n0/c2", "flaky", "done", 2)]
    mock.assert_called_once_with(3)
    assert calling.run(x=3).value == 10


def test_what_was_kept_in_a_call_tells_why_it_ran() -> None:
    """The record of the run tells it for calls as for nodes."""
    kept(x=1)
    run = helper.run(x=2)
    shown = CliRunner().invoke(command, ["show", run.id]).output.splitlines()
    (line,) = [line for line in shown if line.startswith("n0/c0 ")]
    assert line.split("  ")[-1].strip() == "input `x` changed"


def test_a_task_that_is_called_outside_of_runs_leaves_no_record() -> None:
    """A direct call has no run that what it calls could stand in."""
    assert calling(x=3) == 10
    assert runs() == []
