"""Nodes that will not run are told as skipped as soon as that is certain, not when the run is over."""

from __future__ import annotations

import threading

import pytest

from celltask import conditional, task, workflow
from celltask.core.events import Event, NodeFinished, NodeSkipped, NodeStarted

PATIENCE_S = 30.0
_begun, _told = threading.Event(), threading.Event()


@task
def fail(x: int) -> int:
    """Always an error."""
    message = f"no {x}"
    raise ValueError(message)


@task(allow_globals=("_begun",))
def fail_amid(x: int) -> int:
    """An error, once `until_told` runs."""
    _begun.wait(PATIENCE_S)
    return int(f"no {x}")


@task
def inc(x: int) -> int:
    """One more."""
    return x + 1


@task(allow_globals=("_begun", "_told"))
def until_told(x: int) -> int:
    """Lasts until a listener was told that other nodes are skipped."""
    _begun.set()
    if not _told.wait(PATIENCE_S):
        message = "nothing was told while this ran"
        raise TimeoutError(message)
    return x


@workflow(failure_policy="finish")
def finishing(x: int) -> tuple[int, int]:
    """A branch that fails, and one that goes on."""
    return inc(inc(fail(x))), inc(until_told(x))


@workflow
def stopping(x: int) -> tuple[int, int]:
    """The same, but for what is done after a failure."""
    return inc(inc(fail_amid(x))), inc(until_told(x))


class Listener:
    """Notes events, and lets `until_told` end when so many nodes were told as skipped."""

    def __init__(self, awaited: int) -> None:
        self.events: list[Event] = []
        self.awaited = awaited
        _begun.clear()
        _told.clear()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self.events.append(event)
        if len(self.skipped()) == self.awaited:
            _told.set()

    def skipped(self) -> list[tuple[str, str, str]]:
        """What was told of nodes that did not run."""
        return [event[1:] for event in self.events if isinstance(event, NodeSkipped)]

    def nodes(self, kind: type[Event]) -> list[str]:
        """Nodes to which something has happened."""
        return [event.node for event in self.events if isinstance(event, kind)]  # type: ignore[union-attr]  # all but those of runs


@pytest.mark.parametrize("engine", ["inline", "threads"])
def test_what_waits_for_a_failed_node_is_skipped_at_once(engine: str) -> None:
    """Nodes behind one that failed are told as skipped while others still run, with its name."""
    heard = Listener(2)
    run = finishing.run(x=1, engine=engine, on_event=heard)
    assert heard.skipped() == [("n1", "skipped", "fail failed"), ("n2", "skipped", "fail failed")]
    assert heard.nodes(NodeFinished) == ["n3", "n4"]
    assert [node.state for node in run.nodes] == ["failed", "skipped", "skipped", "done", "done"]


def test_what_a_stopped_run_will_not_begin_is_skipped_at_once() -> None:
    """Where the first failure ends the run, whatever has not begun is told as skipped while a node still runs."""
    heard = Listener(3)
    run = stopping.run(x=1, engine="threads", on_event=heard)
    assert heard.skipped() == [(node, "skipped", "fail_amid failed") for node in ("n1", "n2", "n4")]
    assert [node.state for node in run.nodes] == ["failed", "skipped", "skipped", "done", "skipped"]
    assert heard.nodes(NodeFinished) == ["n3"]


def test_what_a_cancelled_run_has_not_begun_is_cancelled_whatever_failed_before() -> None:
    """A node that does not wait for the one that failed reads cancelled, and one that does reads skipped."""
    heard, failed = Listener(-1), threading.Event()

    def hear(event: Event) -> None:
        heard(event)
        if len(heard.skipped()) == 2:
            failed.set()

    running = finishing.start(x=1, engine="threads", on_event=hear)
    assert _begun.wait(PATIENCE_S)
    assert failed.wait(PATIENCE_S)
    running.cancel()
    _told.set()
    run = running.wait(PATIENCE_S)
    assert [node.state for node in run.nodes] == ["failed", "skipped", "skipped", "done", "cancelled"]
    assert heard.skipped()[2:] == [("n4", "cancelled", "the run was cancelled")]


def test_nobody_begins_what_was_told_as_skipped() -> None:
    """Of a wide graph each node either begins or is told as skipped, and never both."""

    @workflow
    def wide(x: int) -> list[int]:
        return [*(inc(inc(x)) for _ in range(40)), fail(x), *(inc(x) for _ in range(100))]

    for engine in ("inline", "threads") * 10:
        heard = Listener(-1)
        run = wide.run(x=1, engine=engine, on_event=heard)
        begun, skipped = heard.nodes(NodeStarted), heard.nodes(NodeSkipped)
        assert sorted([*begun, *skipped]) == sorted(node.id for node in run.nodes)
        assert {reason for _, _, reason in heard.skipped()} <= {"fail failed"}


def test_branches_not_taken_are_skipped_before_the_taken_one_runs() -> None:
    """As soon as a condition has been evaluated, the other branches are told as skipped."""

    @workflow
    def chosen(x: int) -> int:
        return conditional("size").if_(x > 0).then(inc(x)).else_().then(x)

    heard = Listener(-1)
    chosen.run(x=1, engine="inline", on_event=heard)
    shown = [(type(event), event.node) for event in heard.events if isinstance(event, NodeSkipped | NodeStarted)]
    assert shown == [
        (NodeStarted, "n0"), (NodeSkipped, "n0/n1"), (NodeStarted, "n0/n0"), (NodeStarted, "n0/n0/n0"),
    ]  # fmt: skip
