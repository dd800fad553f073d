"""Dask: what goes where: values, code, limits, time, the end of bodies."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import members
import numpy as np
import pytest
from distributed import Client

from celltask import Resources, conditional, current_context, map_task, task, workflow
from celltask.core.events import NodeFinished, NodeStarted
from celltask.errors import RunCancelledError, RunError, TaskTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.events import Event


class Traced:
    """A value that writes down the process in which it is unpickled."""

    def __init__(self, book: str) -> None:
        self.book = book

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__dict__.update(state)
        with Path(self.book).open("a", encoding="utf-8") as out:
            out.write(f"{os.getpid()}\n")


@task
def make(book: str) -> object:
    """A value of which is known where it goes."""
    return Traced(book)


@task
def hand_on(value: object) -> object:
    """The same value."""
    return value


@task
def where(value: object, wait_s: float = 0.0) -> int:
    """The process that this runs in."""
    time.sleep(wait_s)
    return os.getpid()


@workflow
def far(book: str) -> list[int]:
    """A value that many nodes need, on both workers."""
    value = hand_on(value=make(book=book))
    return [where(value=value, wait_s=0.05) for _ in range(8)]


def test_values_between_nodes_never_come_here(client: Client, tmp_path: Path) -> None:
    """What goes from node to node goes from worker to worker."""
    book = tmp_path / "book"
    workers = set(far.run(book=str(book), engine=client).result())
    assert workers == set(client.run(os.getpid).values())
    unpickled = {int(line) for line in book.read_text().split()}
    assert unpickled
    assert unpickled <= workers


@task
def plus(x: int) -> int:
    """One more."""
    return x + 1


@workflow
def chosen(book: str, number: int) -> int:
    """A value that goes through a choice that does not look at it."""
    value = hand_on(value=make(book=book))
    taken = conditional("which").if_(plus(x=number) > 1).then(hand_on(value=value)).else_().then(make(book=book))
    return where(value=hand_on(value=taken))


def test_a_choice_looks_only_at_its_conditions(client: Client, tmp_path: Path) -> None:
    """A value that a conditional passes on goes through it without coming here."""
    book = tmp_path / "book"
    book.touch()
    assert chosen.run(book=str(book), number=1, engine=client).result() in client.run(os.getpid).values()
    assert os.getpid() not in {int(line) for line in book.read_text().split()}


def test_code_goes_to_each_worker_once(client: Client, tmp_path: Path) -> None:
    """What a task takes along is unpacked once on each worker, however many nodes run it."""
    space: dict[str, object] = {"BIG": Traced(str(tmp_path / "book")), "task": task, "os": os}
    exec("@task(allow_globals='BIG')\ndef big(x: int) -> int:\n    BIG\n    return os.getpid()\n", space)  # noqa: S102 - as a notebook does

    @workflow
    def many(x: int) -> list[int]:
        return [space["big"](x=x) for _ in range(100)]  # type: ignore[operator]  # a task

    ran = set(many.run(x=1, engine=client).result())
    unpickled = [int(line) for line in (tmp_path / "book").read_text().split()]
    assert sorted(unpickled) == sorted(client.run(os.getpid).values())
    assert ran <= set(unpickled)


@task
def noted_then_sleep(book: str) -> None:
    """Writes down its process and goes on for a minute."""
    Path(book).write_text(str(os.getpid()))
    time.sleep(60)


def is_gone(pid: int) -> bool:
    """Whether no process has this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, at most twenty seconds."""
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends, "it never came to hold"
        time.sleep(0.01)


def test_a_timeout_ends_the_body(client: Client, tmp_path: Path) -> None:
    """A body that takes too long is ended on its worker, and the worker lives on."""
    book, workers = tmp_path / "pid", set(client.run(os.getpid).values())
    run = noted_then_sleep.with_options({"timeout": 1.0}).run(book=str(book), engine=client)
    assert isinstance(run.error, TaskTimeoutError)
    assert run.error.what == ("task 'noted_then_sleep' ran longer than its timeout of 1 s; its process was ended")
    until(lambda: is_gone(int(book.read_text())))
    assert set(client.run(os.getpid).values()) == workers


def test_a_cancelled_run_ends_its_bodies(client: Client, tmp_path: Path) -> None:
    """A body in a process of its own is ended when the run is cancelled."""
    book = tmp_path / "pid"
    running = noted_then_sleep.with_options({"timeout": 60.0}).start(book=str(book), engine=client)
    until(lambda: book.exists() and book.read_text() != "")
    running.cancel()
    run = running.wait(20)
    assert (run.state, run.nodes[0].state) == ("cancelled", "cancelled")
    until(lambda: is_gone(int(book.read_text())))


@task
def until_cancelled(book: str) -> None:
    """Goes on until it is told that nobody wants it."""
    Path(book).write_text("began")
    while not current_context().is_cancelled:
        time.sleep(0.01)
    Path(book).write_text("told")


def test_a_body_in_a_thread_is_told(client: Client, tmp_path: Path) -> None:
    """A body without a timeout cannot be ended, and can ask; the run does not wait for it."""
    book = tmp_path / "book"
    running = until_cancelled.start(book=str(book), engine=client)
    until(lambda: book.exists() and book.read_text() == "began")
    running.cancel()
    assert isinstance(running.wait(20).error, RunCancelledError)
    until(lambda: book.read_text() == "told")


@task
def one_when_cancelled(book: str) -> int:
    """A number that comes when nobody wants it any more."""
    until_cancelled(book=book)
    return 1


@workflow
def grown_after(book: str) -> tuple[int, int]:
    """Nodes that wait in this process and on the cluster for a value."""
    value = one_when_cancelled(book=book)
    return members.inc(x=members.inc(x=value)), members.fibonacci(n=value)


def test_a_cancelled_run_does_not_wait_for_values(client: Client, tmp_path: Path) -> None:
    """What waits for a value from the cluster ends with the run, and the next run goes on as ever."""
    book = tmp_path / "book"
    running = grown_after.start(book=str(book), engine=client)
    until(lambda: book.exists() and book.read_text() == "began")
    running.cancel()
    assert running.wait(20).state == "cancelled"
    assert members.growing.start(x=2, engine=client).wait(20).result() == members.growing(x=2)


@task
def wait_for(path: str) -> int:
    """Ends when somebody makes the file."""
    while not Path(path).exists():
        time.sleep(0.01)
    return 1


@task
def quick(x: int) -> int:
    """Ends at once."""
    return x


@workflow
def live(path: str) -> tuple[int, int]:
    """A node that ends when something heard of the end of the other."""
    return quick(x=1), wait_for(path=path)


def test_events_come_while_other_nodes_run(client: Client, tmp_path: Path) -> None:
    """A listener hears of the end of a node while another one goes on."""

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished) and event.node == "n0":
            (tmp_path / "heard").touch()

    run = live.run(path=str(tmp_path / "heard"), engine=client, on_event=listen)
    assert run.result() == (1, 1)


def test_a_listener_that_fails_stops_the_run(client: Client) -> None:
    """What a listener raises is the error of the run."""

    def listen(event: Event) -> None:
        if isinstance(event, NodeStarted):
            message = "no more"
            raise KeyError(message)

    run = quick.run(x=1, engine=client, on_event=listen)
    assert (run.state, repr(run.error)) == ("failed", "KeyError('no more')")


@task
def first_fails(path: str) -> int:
    """Fails when the other one runs."""
    while not Path(path).exists():
        time.sleep(0.01)
    message = "stop"
    raise ValueError(message)


@task
def begins(path: str) -> int:
    """Says that it runs, and takes a while."""
    Path(path).touch()
    time.sleep(0.5)
    return 1


def test_after_a_failure_nothing_new_begins(client: Client, tmp_path: Path) -> None:
    """What runs goes on to its end; what did not begin is skipped."""

    @workflow
    def stops(path: str) -> tuple[int, int]:
        return first_fails(path=path), quick(x=quick(x=begins(path=path)))

    run = stops.run(path=str(tmp_path / "began"), engine=client)
    states = {node.id: node.state for node in run.nodes}
    assert states == {"n0": "failed", "n1": "done", "n2": "skipped", "n3": "skipped"}


@task(cache=True)
def costly(n: int) -> list[int]:
    """A value worth keeping."""
    print("computed")  # noqa: T201 - a body prints
    return list(range(n))


@task(cache=True)
def summed(xs: list[int]) -> int:
    """Another one, of it."""
    return sum(xs)


@workflow
def kept(n: int) -> int:
    """Two cached nodes."""
    return summed(xs=costly(n=n))


@pytest.mark.usefixtures("own_store")
def test_results_are_kept_by_the_workers_for_everybody(client: Client) -> None:
    """What a worker has kept is reused by a run in this process, and the other way round."""
    states = [[node.state for node in kept.run(n=5, engine=engine).nodes] for engine in (client, "threads")]
    assert states == [["done", "done"], ["reused", "reused"]]
    states = [[node.state for node in kept.run(n=6, engine=engine).nodes] for engine in ("threads", client)]
    assert states == [["done", "done"], ["reused", "reused"]]


@task(cache=True)
def large(n: int) -> np.ndarray:
    """A value that is too large to go along with the code."""
    return np.arange(float(n))


@task
def last(values: np.ndarray) -> float:
    """Its last number."""
    return float(values[-1])


@workflow
def of_large(n: int) -> float:
    """A cached node before one that is not."""
    return last(values=large(n=n))


@pytest.mark.usefixtures("own_store")
def test_a_kept_value_is_read_where_it_is_needed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is found before anything is sent, and a worker that needs it reads it from the store itself."""
    large(n=200_000)
    monkeypatch.delattr(Client, "scatter")
    events: list[Event] = []
    run = of_large.run(n=200_000, engine=client, on_event=events.append)
    assert (run.result(), [node.state for node in run.nodes]) == (199_999.0, ["reused", "done"])
    assert [type(event).__name__ for event in events if getattr(event, "node", "") == "n0"] == [
        "NodeStarted",
        "NodeReused",
    ]


@pytest.mark.usefixtures("own_store")
def test_a_run_of_kept_results_sends_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of which everything is kept needs no worker."""
    kept(n=7)
    monkeypatch.delattr(Client, "register_plugin")
    assert [node.state for node in kept.run(n=7, engine=client).nodes] == ["reused", "reused"]


def test_a_result_that_cannot_travel_is_told(client: Client) -> None:
    """A value that no other worker could get is an error of the task."""

    @task
    def lock() -> object:
        return threading.Lock()

    error = lock.run(engine=client).error
    assert isinstance(error, RunError)
    assert error.what == "task 'lock' returned a lock that cannot leave its worker: cannot pickle '_thread.lock' object"
    assert error.mend == "return something that can be pickled, or run it with engine='threads'"


@task(concurrency=1)
def alone(folder: str) -> int:
    """How many of its kind run at the same time."""
    mark = Path(folder) / str(time.monotonic_ns())
    mark.touch()
    time.sleep(0.1)
    count = len(list(Path(folder).iterdir()))
    mark.unlink()
    return count


@workflow
def queueing(folder: str) -> list[int]:
    """Several that may only run one after the other."""
    return [alone(folder=folder) for _ in range(4)]


def test_a_limit_holds_on_all_workers_together(client: Client, tmp_path: Path) -> None:
    """Of a task with a limit of one, one runs at a time, whatever workers there are."""
    assert queueing.run(folder=str(tmp_path), engine=client).result() == [1, 1, 1, 1]


@task(resources=Resources(cpu=1))
def on_a_cpu(x: int) -> int:
    """Asks for what the workers have declared."""
    return x


def test_resources_are_asked_of_the_workers(client: Client) -> None:
    """A task that asks for what a worker has runs there."""
    assert on_a_cpu.run(x=3, engine=client).result() == 3


def test_items_of_a_map_run_on_the_workers(client: Client) -> None:
    """A map shares its items out among the workers, and none runs here."""

    @workflow
    def mapped(xs: list[float]) -> list[int]:
        return map_task(where)(value=[1, 2, 3, 4, 5, 6], wait_s=xs)

    ran = set(mapped.run(xs=[0.05] * 6, engine=client).result())
    assert ran <= set(client.run(os.getpid).values())
