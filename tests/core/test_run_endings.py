"""How runs end: outputs that do not fit, listeners that fail, interrupts, and what is let go."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable  # noqa: TC003 - annotations of tests are read

import pytest

from celltask import task, workflow
from celltask.core.engines import engine_of
from celltask.core.events import Event, NodeFinished, NodeSkipped, NodeStarted, RunFinished
from celltask.errors import ValueMismatchError

ENGINES = pytest.mark.parametrize("engine", ["inline", "threads"])


class Big:
    """A value that can be watched."""


@task
def one(x: int) -> int:
    """The same."""
    return x


@task
def loose(x: int) -> dict:  # type: ignore[type-arg]  # what is tested: nothing is known of its parts
    """A dict of which nothing is declared."""
    return {"text": "a"}


@workflow
def pair(x: int) -> tuple[int, int]:
    """Two chains side by side."""
    return one(one(x)), one(x)


@ENGINES
def test_an_output_of_another_type_fails_the_run(engine: str) -> None:
    """A part that turns out to be of another type is told with the output's name, and the run ends as a failed one."""

    @workflow
    def wf(x: int) -> int:
        return loose(x)["text"]

    events: list[Event] = []
    run = wf.run(x=1, engine=engine, on_event=events.append)
    assert isinstance(run.error, ValueMismatchError)
    assert run.error.what == "output 'o0' of 'wf' must be int, got 'a' (str)"
    assert isinstance(events[-1], RunFinished)
    assert events[-1].state == run.state == "failed"
    with pytest.raises(ValueMismatchError, match="output 'o0' of 'wf'"):
        wf(x=1)


def test_an_output_of_an_inner_workflow_is_told_with_its_name() -> None:
    """The inner workflow is named, whose output does not fit."""

    @workflow
    def inner(x: int) -> int:
        return loose(x)["text"]

    @workflow
    def outer(x: int) -> int:
        return one(inner(x=x))

    with pytest.raises(ValueMismatchError, match="output 'o0' of 'inner' must be int"):
        outer(x=1)


def test_a_part_that_no_output_has_fails_the_run() -> None:
    """A key that is missing when outputs are put together is an error of the run like any other."""

    @workflow
    def wf(x: int) -> int:
        return loose(x)["gone"]

    run = wf.run(x=1)
    assert (run.state, type(run.error)) == ("failed", KeyError)


@ENGINES
def test_a_listener_that_fails_stops_the_run(engine: str) -> None:
    """What a listener raises is the error of the run, on every engine, and the listener is left alone after it."""
    seen: list[Event] = []

    def listener(event: Event) -> None:
        seen.append(event)
        if isinstance(event, NodeFinished):
            raise OSError("disk full")

    run = pair.run(x=1, engine=engine, on_event=listener)
    assert (run.state, str(run.error)) == ("failed", "disk full")
    assert isinstance(seen[-1], NodeFinished | NodeStarted)
    assert "skipped" in [node.state for node in run.nodes]


@ENGINES
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_exit_reaches_the_caller_and_the_listener(engine: str, error: type[BaseException]) -> None:
    """What is no Exception goes up as it is, after the run was told as cancelled."""

    @task
    def leave(x: int) -> int:
        raise error

    @workflow
    def wf(x: int) -> tuple[int, int]:
        return one(leave(x)), one(leave(x))

    events: list[Event] = []
    with pytest.raises(error):
        wf.run(x=1, engine=engine, on_event=events.append)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].state == "cancelled"


def test_nothing_is_told_after_the_end_of_a_run() -> None:
    """A body that an interrupt left behind in its thread ends without a word to the listener."""
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    @task(allow_globals=["begun"])
    def interrupted(x: int) -> int:
        assert begun.wait(20)
        raise KeyboardInterrupt

    @task(allow_globals=["begun", "release"])
    def left_behind(x: int) -> int:
        begun.set()
        assert release.wait(20)
        return x

    @workflow
    def wf(x: int) -> tuple[int, int]:
        return interrupted(x), left_behind(x)

    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        wf.run(x=1, on_event=events.append)
    assert isinstance(events[-1], RunFinished)
    before = len(events)
    release.set()
    engine_of("threads").submit(ended.set)
    assert ended.wait(20)
    pair.run(x=1)
    assert len(events) == before


@ENGINES
def test_a_result_is_let_go_when_nobody_wants_it_any_more(engine: str) -> None:
    """While later nodes run, the results that no later node and no output wants are free."""
    alive: list[weakref.ref[Big]] = []

    @task(share=["big"], allow_globals=["alive"])
    def weigh(big: Big) -> int:
        alive.append(weakref.ref(big))
        return 1

    @task
    def make(x: int) -> Big:
        return Big()

    @task(allow_globals=["alive"])
    def count(x: int) -> int:
        return sum(item() is not None for item in alive)

    @workflow
    def wf(x: int) -> int:
        return count(weigh(make(x)))

    assert wf.run(x=1, engine=engine).value == 0
    assert len(alive) == 1


def test_a_result_that_is_wanted_twice_is_kept_for_both() -> None:
    """An output may be the input of other nodes too, near and far."""

    @workflow
    def wf(x: int) -> tuple[int, list[int]]:
        first = one(x)
        second = one(first)
        third = one(second)
        first >> third
        return first, [one(third), second, one(first)]

    for engine in ("inline", "threads"):
        assert wf.run(x=3, engine=engine).value == (3, [3, 3, 3])


def test_a_workflow_may_bear_the_name_of_its_task() -> None:
    """The note about the node is there all the same; a task run by itself has none."""

    @task(name="same_name")
    def fail(x: int) -> int:
        raise ValueError(x)

    @workflow(name="same_name")
    def wf(x: int) -> int:
        return fail(x)

    error = wf.run(x=1).error
    assert error is not None
    assert error.__notes__[-1] == "in node n0 (same_name) of workflow 'same_name'"


def test_the_first_of_many_failures_tells_of_the_others() -> None:
    """With nodes that fail at once, one is the error and each other one a note on it."""
    meeting = threading.Barrier(4, timeout=20)

    @task(allow_globals=["meeting"])
    def fail(x: int) -> int:
        meeting.wait()
        raise ValueError(x)

    @workflow(failure_policy="finish")
    def wf(x: int) -> list[int]:
        return [fail(x) for _ in range(4)]

    error = wf.run(x=1).error
    assert error is not None
    assert sum("failed as well" in note for note in error.__notes__) == 3


class Broken:
    """An engine that cannot start anything."""

    workers = 2
    guests = crew = None

    def submit(self, job: Callable[[], object]) -> object:  # noqa: ARG002 - as engines have it
        """Always an error."""
        raise RuntimeError("can't start new thread")


def test_an_engine_that_cannot_start_a_job_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends with the engine's error instead of waiting for ever."""
    from celltask.core import engines  # noqa: PLC0415 - its table is changed for this test alone

    monkeypatch.setitem(engines._made, "broken", Broken())
    run = pair.run(x=1, engine="broken")
    assert (run.state, str(run.error)) == ("failed", "can't start new thread")


def test_threads_are_made_anew_in_a_forked_process() -> None:
    """After a fork nodes still run at the same time, though the parent's threads are not there."""
    pair.run(x=1)
    barrier = threading.Barrier(2, timeout=10)

    @task(allow_globals=["barrier"])
    def meet(x: int) -> int:
        barrier.wait()
        return x

    @workflow
    def wf(x: int) -> tuple[int, int]:
        return meet(x), meet(x)

    assert wf(x=1) == (1, 1)
    child = os.fork()
    if not child:
        os._exit(0 if wf.run(x=1).state == "done" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_run_of_one_task_has_its_outputs_checked_once_more() -> None:
    """`Task.run` gives outputs by name as a workflow does."""
    assert one.run(x=2).outputs == {"o0": 2}


def test_nodes_left_over_by_a_listener_are_told_as_skipped() -> None:
    """A run that ends early has no node without a state."""

    def listener(event: Event) -> None:
        if isinstance(event, NodeStarted | NodeSkipped):
            raise ZeroDivisionError

    assert {node.state for node in pair.run(x=1, engine="inline", on_event=listener).nodes} == {"skipped"}
