"""Runs: records, events, parallel nodes, failures."""

from __future__ import annotations

import threading
from pathlib import Path  # noqa: TC003 - annotations of tasks are read

import pytest

from celltask import task, workflow
from celltask.core.events import (
    Event,
    NodeFailed,
    NodeFinished,
    NodeRetried,
    NodeReused,
    NodeSkipped,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from celltask.errors import PluginError, ValueMismatchError


@task
def inc(x: int) -> int:
    """One more."""
    return x + 1


@task
def fail(x: int) -> int:
    """Always an error."""
    message = f"no {x}"
    raise ValueError(message)


@workflow
def chain(x: int) -> int:
    """Two more, in two nodes."""
    return inc(inc(x))


@pytest.mark.parametrize("engine", ["inline", "threads"])
def test_a_run_tells_outputs_nodes_and_times(engine: str) -> None:
    """A run has a value, outputs by name, and a record for each node."""
    run = chain.run(x=1, engine=engine)
    assert (run.state, run.value, run.outputs, run.result()) == ("done", 3, {"o0": 3}, 3)
    assert [(node.id, node.task, node.state, node.attempts) for node in run.nodes] == [
        ("n0", "inc", "done", 1),
        ("n1", "inc", "done", 1),
    ]
    assert 0 < run.nodes[0].duration_s <= run.duration_s
    assert run.nodes[1].started >= run.nodes[0].started >= run.started
    assert f"<run {run.id} of chain: done in " in repr(run)


def test_events_tell_a_run_as_it_happens() -> None:
    """Listeners get every step in order."""
    events: list[Event] = []
    run = chain.run(x=1, engine="inline", on_event=events.append)
    assert [type(event) for event in events] == [
        RunStarted, NodeStarted, NodeFinished, NodeStarted, NodeFinished, RunFinished,
    ]  # fmt: skip
    assert events[0] == RunStarted(run.id, "chain", ("n0", "n1"), events[0].at)  # type: ignore[union-attr]  # RunStarted


@pytest.mark.parametrize("engine", ["inline", "threads"])
def test_a_failure_is_kept_with_its_node_and_place(engine: str) -> None:
    """The user's exception is the run's error, with notes that name task, line and node; later nodes are skipped."""

    @workflow
    def wf(x: int) -> int:
        return inc(fail(inc(x)))

    events: list[Event] = []
    run = wf.run(x=1, engine=engine, on_event=events.append)
    assert [node.state for node in run.nodes] == ["done", "failed", "skipped"]
    assert isinstance(run.error, ValueError)
    task_note, node_note = run.error.__notes__
    assert task_note.startswith("in task 'fail', ")
    assert node_note == "in node n1 (fail) of workflow 'wf'"
    assert [type(event) for event in events if isinstance(event, NodeFailed | NodeSkipped)] == [NodeFailed, NodeSkipped]
    with pytest.raises(ValueError, match="no 2"):
        run.result()
    with pytest.raises(ValueError, match="no 2"):
        wf(x=1)


@pytest.mark.parametrize(
    ("policy", "states"), [("stop", ["failed", "skipped", "skipped"]), ("finish", ["failed", "skipped", "done"])]
)
def test_the_failure_policy_decides_what_still_runs(policy: str, states: list[str]) -> None:
    """The policy "stop" starts nothing more, "finish" does all that does not need the failed node."""

    @workflow(failure_policy=policy)
    def wf(x: int) -> tuple[int, int]:
        return inc(fail(x)), inc(x)

    assert [node.state for node in wf.run(x=1, engine="inline").nodes] == states


def test_nodes_that_are_ready_together_run_at_the_same_time() -> None:
    """Two independent nodes meet at a barrier, which one after the other never could."""
    barrier = threading.Barrier(3, timeout=20)

    @task(allow_globals=["barrier"])
    def meet(x: int) -> int:
        barrier.wait()
        return x

    @workflow
    def wf() -> list[int]:
        return [meet(1), meet(2), meet(3)]

    assert wf() == [1, 2, 3]


def test_a_chain_stays_on_the_calling_thread() -> None:
    """Where nothing is parallel, no other thread is used."""
    seen: list[int] = []

    @task(allow_globals=["seen"])
    def who(x: int) -> int:
        seen.append(threading.get_ident())
        return x

    @workflow
    def wf(x: int) -> int:
        return who(who(who(x)))

    wf(x=1)
    assert set(seen) == {threading.get_ident()}


def test_a_wide_workflow_gives_the_same_as_inline() -> None:
    """Two hundred nodes in parallel end with the right sum, whatever thread ran which."""

    @task
    def add_all(xs: list[int]) -> int:
        return sum(xs)

    @workflow
    def wf(x: int) -> int:
        return add_all([inc(inc(x)) for _ in range(200)])

    assert wf.run(x=1).value == wf.run(x=1, engine="inline").value == 600


def test_nodes_of_a_nested_workflow_are_recorded() -> None:
    """The nodes within a node have ids and records of their own."""

    @workflow
    def outer(x: int) -> int:
        return inc(chain(x=x))

    events: list[Event] = []
    run = outer.run(x=1, on_event=events.append)
    assert [node.id for node in run.nodes] == ["n0", "n0/n0", "n0/n1", "n1"]
    assert [event.node for event in events if isinstance(event, NodeFinished)] == ["n0/n0", "n0/n1", "n0", "n1"]


def test_reused_nodes_say_so() -> None:
    """A cached node whose result is known is not run again, and its state tells it."""

    @task(cache=True)
    def slow(x: int) -> int:
        return x

    @workflow
    def wf(x: int) -> int:
        return slow(x)

    events: list[Event] = []
    assert wf.run(x=1).nodes[0].state == "done"
    assert wf.run(x=1, on_event=events.append).nodes[0].state == "reused"
    assert [event.reason for event in events if isinstance(event, NodeReused)] == ["same code, same inputs"]


def test_retries_of_a_node_are_told() -> None:
    """`with_overrides(retries=…)` holds for its node, and each retry is an event."""
    left = [2]

    @task(retry_delay=0, allow_globals=["left"])
    def flaky(x: int) -> int:
        left[0] -= 1
        if left[0] >= 0:
            raise ConnectionError
        return x

    @workflow
    def wf(x: int) -> int:
        return flaky(x).with_overrides(retries=2)

    events: list[Event] = []
    run = wf.run(x=1, on_event=events.append)
    assert (run.state, run.nodes[0].attempts) == ("done", 3)
    assert [event.attempt for event in events if isinstance(event, NodeRetried)] == [1, 2]


def test_an_interrupt_cancels_the_run() -> None:
    """Ctrl-C in a task reaches the caller, and the rest of the run is told as cancelled."""

    @task
    def interrupted(x: int) -> int:
        raise KeyboardInterrupt

    @workflow
    def wf(x: int) -> int:
        return inc(interrupted(x))

    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        wf.run(x=1, on_event=events.append)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].state == "cancelled"
    assert [event.state for event in events if isinstance(event, NodeSkipped)] == ["cancelled"]


def test_inputs_are_checked_before_anything_runs() -> None:
    """A wrong input is an error of the call, not of a node."""
    with pytest.raises(ValueMismatchError, match="input 'x' of 'chain' must be int, got 'a'"):
        chain.run(x="a")


def test_an_unknown_engine_is_told_with_the_known_ones() -> None:
    """A wrong engine name lists what there is."""
    with pytest.raises(PluginError, match="use one of: dask, inline, processes, threads"):
        chain.run(x=1, engine="rocket")


def test_a_single_task_can_be_run_with_record() -> None:
    """`task.run` gives one task the record and events of a run."""
    run = inc.run(x=1)
    assert (run.value, [node.label for node in run.nodes]) == (2, ["inc"])


def test_a_single_task_that_fails_is_not_told_as_a_workflow() -> None:
    """Run by itself, a task's error names the task alone."""
    run = fail.run(x=1)
    assert run.error is not None
    assert [note.partition(",")[0] for note in run.error.__notes__] == ["in task 'fail'"]


def test_values_between_nodes_are_isolated() -> None:
    """Two nodes that get one list cannot see each other's changes."""

    @task
    def make() -> list[int]:
        return [1]

    @task
    def grow(xs: list[int]) -> int:
        xs.append(1)
        return len(xs)

    @workflow
    def wf() -> tuple[int, int, list[int]]:
        made = make()
        return grow(made), grow(made), made

    assert wf() == (2, 2, [1])


def test_the_working_directory_is_kept_for_the_outputs(tmp_path: Path) -> None:
    """What a task left in its scratch folder is still there when the run has ended."""
    from celltask import current_context  # noqa: PLC0415 - used in one task

    @task
    def write() -> Path:
        file = current_context().working_directory / "a.txt"
        file.write_text("x")
        return file

    assert write().read_text() == "x"
    assert not write().is_relative_to(tmp_path)


def test_a_failed_run_tells_why() -> None:
    """The text of a failed run ends with the error and how to get it raised."""
    told = repr(fail.run(x=1)).splitlines()
    assert told[-2].startswith("  ValueError: no 1 (in task 'fail', ")
    assert told[-1] == "  result() raises it"


def test_the_text_of_a_run_stays_short() -> None:
    """Many nodes are counted, and an error that cannot tell itself does not break the text."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    @task
    def mute(x: int) -> int:
        raise MuteError

    @workflow
    def wf(x: int) -> int:
        for _ in range(100):
            x = inc(x)
        return mute(x)

    lines = repr(wf.run(x=0)).splitlines()
    assert len(lines) == 1 + 60 + 1 + 2
    assert lines[61] == "  … and 41 more nodes"
