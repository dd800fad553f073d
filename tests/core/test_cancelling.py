"""Runs that are under way: waited for, cancelled, interrupted."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from celltask import Resources, current_context, task, workflow
from celltask.core.events import Event, NodeRetried, NodeSkipped, NodeStarted, RunFinished
from celltask.errors import RunCancelledError, RunError

ENGINES = ["threads", "processes", "inline"]


@task
def inc(x: int) -> int:
    """One more."""
    return x + 1


@task
def nap(seconds: float) -> float:
    """Take a while."""
    time.sleep(seconds)
    return seconds


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_can_be_waited_for(engine: str) -> None:
    """Starting returns at once; the run comes when it is over."""
    running = nap.start(seconds=0.2, engine=engine)
    assert not running.is_over
    with pytest.raises(TimeoutError, match=f"run {running.id} of nap is not over after 0.01 s"):
        running.wait(0.01)
    assert running.wait().outputs == {"o0": 0.2}
    assert running.is_over
    assert running.result() == 0.2


def _waits_for(seen: list[Event], kind: type) -> None:
    until = time.monotonic() + 10
    while not any(isinstance(event, kind) for event in seen):
        assert time.monotonic() < until, "it never came"
        time.sleep(0.005)


def test_a_cancelled_run_ends_what_runs_in_processes() -> None:
    """At once, with states that say so; what depends on it does not start."""

    @workflow
    def late(seconds: float) -> float:
        return nap(seconds=nap(seconds=seconds))

    seen: list[Event] = []
    running = late.start(seconds=60, engine="processes", on_event=seen.append)
    _waits_for(seen, NodeStarted)
    running.cancel()
    run = running.wait(10)
    assert run.state == "cancelled"
    assert [node.state for node in run.nodes] == ["cancelled", "cancelled"]
    with pytest.raises(RunCancelledError, match="the run was cancelled"):
        run.result()
    assert [(event.state, event.reason) for event in seen if isinstance(event, NodeSkipped)] == [
        ("cancelled", "the run was cancelled")
    ]
    assert [event.state for event in seen if isinstance(event, RunFinished)] == ["cancelled"]
    assert inc.run(x=1, engine="processes").value == 2


def test_a_body_in_a_thread_is_told() -> None:
    """It cannot be ended, but can look."""

    @task
    def patient(x: int) -> int:
        while not current_context().is_cancelled:
            time.sleep(0.005)
        return x

    seen: list[Event] = []
    running = patient.start(x=1, on_event=seen.append)
    _waits_for(seen, NodeStarted)
    running.cancel()
    assert running.wait(10).state == "cancelled"


def test_a_direct_call_is_never_cancelled() -> None:
    """There is no run."""

    @task
    def ask(x: int) -> bool:
        return current_context().is_cancelled

    assert ask(x=1) is False


def test_a_node_that_waits_for_its_next_attempt_is_cancelled() -> None:
    """It does not wait to the end."""

    @task(retries=5, retry_delay=60)
    def broken(x: int) -> int:
        raise ConnectionError

    seen: list[Event] = []
    running = broken.start(x=1, on_event=seen.append)
    while len(seen) < 3:
        time.sleep(0.005)
    running.cancel()
    run = running.wait(10)
    assert (run.state, run.nodes[0].state, run.nodes[0].attempts) == ("cancelled", "cancelled", 1)


def test_async_nodes_are_cancelled_where_they_wait() -> None:
    """All of them, at once."""

    @task
    async def doze(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @workflow
    def dozes(seconds: float) -> list[float]:
        return [doze(seconds=seconds) for _ in range(50)]

    seen: list[Event] = []
    running = dozes.start(seconds=60.0, on_event=seen.append)
    while sum(isinstance(event, NodeStarted) for event in seen) < 50:
        time.sleep(0.005)
    running.cancel()
    run = running.wait(10)
    assert {node.state for node in run.nodes} == {"cancelled"}
    assert run.state == "cancelled"


def test_nodes_of_inner_workflows_are_cancelled() -> None:
    """A cancelled run is cancelled at every depth."""

    @workflow
    def inner(seconds: float) -> float:
        return nap(seconds=nap(seconds=seconds))

    @workflow
    def outer(seconds: float) -> tuple[float, float]:
        return inner(seconds=seconds), inner(seconds=seconds)

    seen: list[Event] = []
    running = outer.start(seconds=60, engine="processes", on_event=seen.append)
    while sum(isinstance(event, NodeStarted) for event in seen) < 4:
        time.sleep(0.005)
    running.cancel()
    run = running.wait(10)
    assert {node.state for node in run.nodes} == {"cancelled"}


def test_cancelling_a_run_that_is_over_changes_nothing() -> None:
    """It is over."""
    running = inc.start(x=1)
    run = running.wait()
    running.cancel()
    assert running.wait() is run
    assert (run.state, run.value) == ("done", 2)


def test_async_tasks_share_one_loop() -> None:
    """They wait together, on one thread that is not the caller's."""
    threads = set()

    @task(allow_globals=["threads"])
    async def doze(x: int) -> int:
        threads.add(threading.get_ident())
        await asyncio.sleep(0.05)
        return x

    @workflow
    def dozes() -> list[int]:
        return [doze(x=n) for n in range(200)]

    run = dozes.run()
    assert run.value == list(range(200))
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    assert dozes.run(engine="inline").value == list(range(200))


def test_async_tasks_keep_their_context() -> None:
    """Each knows its own node, and one may call another."""

    @task
    async def inner(x: int) -> str:
        await asyncio.sleep(0)
        return current_context().task

    @task
    async def outer(x: int) -> tuple[str, str]:
        before = current_context().node
        return before, await inner(x=x)

    run = outer.run(x=1)
    assert run.value == ("n0", "inner")


class Gauge:
    """How many are inside at once, and the most that ever were."""

    def __init__(self) -> None:
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.now -= 1


def _most_at_once(**options: object) -> int:
    gauge = Gauge()

    @task(share=["gauge"], **options)  # type: ignore[call-overload]  # options of `task`
    def use(gauge: Gauge) -> int:
        with gauge:
            time.sleep(0.02)
        return 1

    @workflow
    def many(gauge: Gauge) -> list[int]:
        return [use(gauge=gauge) for _ in range(12)]

    assert many.run(gauge=gauge).result() == [1] * 12
    return gauge.most


def test_concurrency_is_a_limit() -> None:
    """No more nodes of the task run at once, though there are threads for all."""
    assert _most_at_once() > 3
    assert _most_at_once(concurrency=2) == 2
    assert _most_at_once(concurrency={"database": 3}) == 3


def test_nodes_wait_for_the_cpus_they_ask_for() -> None:
    """A node that asks for all CPUs runs alone."""
    cpus = len(os.sched_getaffinity(0))
    assert _most_at_once(resources=Resources(cpu=cpus)) == 1


def test_a_place_is_shared_by_tasks_and_runs() -> None:
    """All that name it count together."""
    gauge = Gauge()

    @task(share=["gauge"], concurrency={"licence": 1})
    def one(gauge: Gauge) -> int:
        with gauge:
            time.sleep(0.01)
        return 1

    @task(share=["gauge"], concurrency={"licence": 1})
    def two(gauge: Gauge) -> int:
        with gauge:
            time.sleep(0.01)
        return 2

    @workflow
    def many(gauge: Gauge) -> list[int]:
        return [member(gauge=gauge) for _ in range(4) for member in (one, two)]

    started = [many.start(gauge=gauge), many.start(gauge=gauge), many.start(gauge=gauge, engine="inline")]
    assert [running.result(20) for running in started] == [[1, 2] * 4] * 3
    assert gauge.most == 1


def test_more_than_there_is_is_refused_before_the_run() -> None:
    """Waiting would never end."""

    @task(resources=Resources(cpu=10_000))
    def greedy(x: int) -> int:
        return x

    run = greedy.run(x=1)
    assert type(run.error) is RunError
    assert "task 'greedy' asks for 10000 CPUs, and this machine has " in str(run.error)
    assert run.nodes[0].state == "skipped"


def test_retries_can_be_for_some_errors_only() -> None:
    """By class or by name; others end the node at once."""
    seen: list[int] = []

    @task(retries=3, retry_delay=0, retry_on=(ConnectionError, "TimeoutError"), allow_globals=["seen"])
    def flaky(x: int) -> int:
        seen.append(x)
        raise [ConnectionResetError, TimeoutError, ValueError][len(seen) - 1]

    run = flaky.run(x=1)
    assert type(run.error) is ValueError
    assert run.nodes[0].attempts == 3


def test_waits_between_attempts_grow_and_differ() -> None:
    """Twice as long each time, a quarter more or less."""

    @task(retries=4, retry_delay=0.01)
    def broken(x: int) -> int:
        raise ConnectionError

    seen: list[Event] = []
    broken.run(x=1, on_event=seen.append)
    delays = [event.delay_s for event in seen if isinstance(event, NodeRetried)]
    assert all(0.75 <= delay / (0.01 * 2**n) <= 1.25 for n, delay in enumerate(delays))
    assert len(set(delays)) == 4


def test_a_task_called_by_a_body_belongs_to_its_node(capsys: pytest.CaptureFixture[str]) -> None:
    """What it prints is in the node's log, and it knows the run."""

    @task
    def inner(x: int) -> str:
        print("inner", x)  # noqa: T201 - what is tested
        return current_context().run_id

    @task
    def outer(x: int) -> str:
        return inner(x=x)

    for engine in ENGINES:
        run = outer.run(x=1, engine=engine)
        assert (run.value, run.nodes[0].log) == (run.id, "inner 1\n")
    assert capsys.readouterr().out == "inner 1\n" * 3


def test_prints_of_a_node_are_in_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    """And seen where they always were."""

    @task
    def speak(x: int) -> int:
        print("node", x)  # noqa: T201 - what is tested
        return x

    @workflow
    def both() -> tuple[int, int]:
        return speak(x=1), speak(x=2)

    run = both.run()
    assert [node.log for node in run.nodes] == ["node 1\n", "node 2\n"]
    speak(x=3)
    assert sorted(capsys.readouterr().out.splitlines()) == ["node 1", "node 2", "node 3"]


@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_a_single_async_task_is_cancelled(pause: float) -> None:
    """At once, and also where the run has hardly begun."""

    @task
    async def doze(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @workflow
    def both(seconds: float) -> tuple[float, float]:
        return doze(seconds=seconds), doze(seconds=seconds)

    for member in (doze, both):
        running = member.start(seconds=60.0)
        time.sleep(pause)
        running.cancel()
        run = running.wait(10)
        assert run.state == "cancelled"
        assert {node.state for node in run.nodes} == {"cancelled"}


def test_lines_of_nodes_that_run_at_once_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    """Each is shown when it ends; what has no end is shown with the node's."""

    @task
    def speak(x: int) -> int:
        for n in range(200):
            print("node", x, "line", n)  # noqa: T201 - what is tested
        print("end", x, end="")  # noqa: T201 - as above
        return x

    @workflow
    def both() -> tuple[int, int]:
        return speak(x=1), speak(x=2)

    run = both.run()
    lines = capsys.readouterr().out
    assert all(lines.count(f"node {x} line {n}\n") == 1 for x in (1, 2) for n in range(200))
    assert [node.log.endswith(f"line 199\nend {n}") for n, node in enumerate(run.nodes, 1)] == [True, True]


def test_what_a_listener_prints_is_no_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown, and not in the log."""
    run = inc.run(x=1, on_event=lambda event: print(type(event).__name__))  # noqa: T201 - what is tested
    assert run.nodes[0].log == ""
    assert capsys.readouterr().out == "RunStarted\nNodeStarted\nNodeFinished\nRunFinished\n"
