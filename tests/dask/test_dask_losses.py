"""Dask: what becomes of a run whose worker or scheduler is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from distributed import Client
from local_clusters import started

from celltask import task, workflow
from celltask.core.engines.dask.offices import ClusterWarning
from celltask.core.events import NodeFinished, NodeRepeated
from celltask.errors import RunError, WorkerDiedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.core.events import Event
    from celltask.core.run import Run


@task
def step(x: int, number: int) -> int:
    """A little work."""
    time.sleep(0.01)
    return x + number


@task
def total(xs: list[int]) -> int:
    """The sum of many."""
    return sum(xs)


@workflow
def two_hundred(x: int) -> int:
    """Ten chains of twenty nodes, and their sum: 201 nodes."""
    ends = []
    for _ in range(10):
        end = x
        for number in range(20):
            end = step(x=end, number=number)
        ends.append(end)
    return total(xs=ends)


RIGHT = 10 * (1 + sum(range(20)))


def with_a_kill(client: Client, after: int) -> tuple[Run, list[Event]]:
    """A run during which a worker is killed, when so many nodes have ended."""
    client.wait_for_workers(2, timeout=60)
    victim = random.choice(list(client.run(os.getpid).values()))  # noqa: S311 - no secret
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, NodeFinished) and sum(isinstance(one, NodeFinished) for one in events) == after:
            os.kill(victim, signal.SIGKILL)

    return two_hundred.run(x=1, engine=client, on_event=listen), events


def check(run: Run, events: list[Event]) -> None:
    """It came to its end, with the right value, and tells what was done again."""
    assert (run.state, run.value, {node.state for node in run.nodes}) == ("done", RIGHT, {"done"})
    again = {event.node for event in events if isinstance(event, NodeRepeated)}
    assert {node.id for node in run.nodes if node.attempts > 1} == again


def test_a_run_outlasts_the_loss_of_a_worker(client: Client) -> None:
    """What was lost with a worker is done again, and told; the rest is not."""
    run, events = with_a_kill(client, 60)
    check(run, events)
    repeated = [event for event in events if isinstance(event, NodeRepeated)]
    assert 0 < len(repeated) < 201
    assert repeated[0].reason.startswith("what it gave, or the worker that it ran on, was lost; it runs on tcp://")


@pytest.mark.heavy
def test_twenty_runs_outlast_the_loss_of_a_worker_at_any_time(client: Client) -> None:
    """Whenever a worker is killed, the run ends with the right value."""
    for _ in range(20):
        run, events = with_a_kill(client, random.randint(1, 195))  # noqa: S311 - as above
        check(run, events)


@task
def crash(x: int) -> int:
    """Ends its own process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return x


@workflow
def crashing(x: int) -> int:
    """A node that no worker survives."""
    return step(x=crash(x=x), number=1)


def test_a_body_that_ends_its_worker_is_named(lonely: Client) -> None:
    """A task that kills worker after worker is given up, and the run ends."""
    run = crashing.run(x=1, engine=lonely)
    assert isinstance(run.error, WorkerDiedError)
    assert run.error.what == (
        "task 'crash' was running on several Dask workers that died one after another, and is given up"
    )
    assert [node.state for node in run.nodes] == ["failed", "skipped"]


def test_a_body_with_a_timeout_ends_only_its_own_process(client: Client) -> None:
    """With a timeout a body has a process of its own, and its worker outlasts it."""
    workers = set(client.run(os.getpid).values())
    run = crash.with_options({"timeout": 60.0}).run(x=1, engine=client)
    assert isinstance(run.error, WorkerDiedError)
    assert run.error.what == "the process of task 'crash' ended in the middle, with signal 9 (SIGKILL)"
    assert set(client.run(os.getpid).values()) == workers


def test_a_run_without_workers_says_what_it_waits_for() -> None:
    """A cluster that has no worker yet runs the nodes as soon as one comes, and it is told until then."""
    with started(0) as cluster, Client(cluster, set_as_default=False) as client:
        running = step.start(x=1, number=2, engine=client)
        waits = pytest.warns(ClusterWarning, match="there is no worker at the Dask scheduler tcp://127.0.0.1:")
        with waits, pytest.raises(TimeoutError):
            running.wait(8)
        cluster.scale(1)
        assert running.result(timeout=30) == 3


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """The scheduler file of a cluster of processes of their own, and its scheduler."""
    where = tmp_path / "scheduler.json"
    variables = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables["PYTHONPATH"] = str(Path(__file__).parent)

    def start(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *words, "--scheduler-file", str(where), "--host", "127.0.0.1"]
        return subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL)

    scheduler = start("scheduler", "--port", "0", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    worker = start("worker", "--nthreads", "1", "--no-dashboard", "--nworkers", "1")
    ends = time.monotonic() + 30
    while not where.exists():
        assert time.monotonic() < ends, "the scheduler did not start"
        time.sleep(0.05)
    yield where, scheduler
    for process in (scheduler, worker):
        process.terminate()
        process.wait(20)


@task(cache=True)
def slow_cached(x: int) -> int:
    """Worth keeping."""
    return x + 1


@task
def forever(x: int) -> int:
    """Does not end by itself."""
    time.sleep(60)
    return x


@workflow
def half_cached(x: int) -> int:
    """A cached node before one that does not end."""
    return forever(x=slow_cached(x=x))


@pytest.mark.usefixtures("own_store")
def test_a_lost_scheduler_ends_the_run_and_keeps_what_is_cached(
    apart: tuple[Path, subprocess.Popen[bytes]],
) -> None:
    """The run fails with what to do, and what was cached is reused by the next one."""
    where, scheduler = apart

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished):
            scheduler.kill()

    run = half_cached.run(x=1, engine=f"dask:{where}", on_event=listen)
    assert isinstance(run.error, RunError)
    assert run.error.what.startswith("the Dask scheduler at tcp://127.0.0.1:")
    assert run.error.what.endswith(" was lost, and with it all that was not cached")
    assert run.error.mend == "start a scheduler and run again: what is cached is reused"
    assert run.node("n0").state == "done"
    assert slow_cached.run(x=1).nodes[0].state == "reused"
