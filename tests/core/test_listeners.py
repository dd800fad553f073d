"""Listeners that fail: the run ends with their error, whatever they were told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from celltask import task, workflow
from celltask.core.events import NodePrinted, RunFinished, RunStarted

if TYPE_CHECKING:
    from celltask.core.events import Event

ENGINES = ("inline", "threads", "processes")


@task(retries=3, retry_delay=0)
def speak(x: int) -> int:
    """Print, and mind no error of doing so."""
    try:
        print("hello", x)  # noqa: T201 - what is tested
    except OSError:
        return -1
    return x + 1


@workflow(failure_policy="finish")
def speeches(x: int) -> list[int]:
    """Six prints, two after each other three times."""
    return [speak(x=speak(x=x)) for _ in range(3)]


def failing_at(kind: type) -> tuple[list[Event], object]:
    """The events that were told, and a listener that fails at the first one of `kind`."""
    seen: list[Event] = []

    def listen(event: Event) -> None:
        seen.append(event)
        if isinstance(event, kind):
            raise OSError("the listener's own")

    return seen, listen


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("kind", "state"), [(RunStarted, "skipped"), (RunFinished, "done")])
def test_a_listener_that_fails_at_the_ends_of_a_run_fails_the_run(kind: type, state: str, engine: str) -> None:
    """What it raises is the run's error, also before anything ran and after all is done."""
    seen, listen = failing_at(kind)
    run = speeches.run(x=1, engine=engine, on_event=listen)  # type: ignore[arg-type]  # a listener
    assert (run.state, run.value, repr(run.error)) == ("failed", None, 'OSError("the listener\'s own")')
    assert {node.state for node in run.nodes} == {state}
    assert isinstance(seen[-1], kind)
    assert speeches.run(x=1, engine=engine).state == "done"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_listener_that_fails_at_a_print_stops_the_run_and_not_the_body(engine: str) -> None:
    """The body neither gets the error nor is tried again, and nothing more is told."""
    seen, listen = failing_at(NodePrinted)
    run = speeches.run(x=1, engine=engine, on_event=listen)  # type: ignore[arg-type]  # a listener
    assert (run.state, repr(run.error)) == ("failed", 'OSError("the listener\'s own")')
    assert sum(isinstance(event, NodePrinted) for event in seen) == 1
    assert max(node.attempts for node in run.nodes) == 1
    assert "skipped" in {node.state for node in run.nodes}
    assert speeches.run(x=1, engine=engine).value == [3, 3, 3]
