"""Environment variables of tasks: set for the body alone, whoever else sets some meanwhile."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from celltask import task, workflow
from celltask.core.events import Event, NodeStarted

NAME = "CELLTASK_TEST_TURN"


@task(environment={NAME: "inner"})
def inner(x: int) -> str:
    """What the inner body sees."""
    return os.environ[NAME]


@pytest.fixture(autouse=True)
def _clean() -> None:
    assert NAME not in os.environ


def test_a_body_with_variables_may_run_a_workflow_of_such_bodies() -> None:
    """Neither waits for the other for ever, and each sees its own."""
    begun: list[str] = []
    both = threading.Event()

    def listener(event: Event) -> None:
        if isinstance(event, NodeStarted):
            begun.append(event.node)
            if len(begun) == 2:
                both.set()

    @task(environment={NAME: "inner"}, allow_globals=["both"])
    def meeting(x: int) -> str:
        assert both.wait(10)  # no body ends before both nodes have begun
        return os.environ[NAME]

    @workflow
    def two(x: int) -> tuple[str, str]:
        return meeting(x=x), meeting(x=x)

    @task(environment={NAME: "outer"})
    def outer(x: int) -> tuple[str, str, str]:
        first, second = two.run(x=x, on_event=listener).outputs.values()
        return first, second, os.environ[NAME]  # type: ignore[return-value]  # texts

    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(outer(x=1)), daemon=True)
    thread.start()
    thread.join(20)
    assert found == [("inner", "inner", "outer")]
    assert NAME not in os.environ


def test_a_body_with_a_timeout_may_call_another_that_sets_variables() -> None:
    """The thread of the timeout belongs to the body that holds the turn."""

    @task(environment={NAME: "outer"}, timeout=20)
    def outer(x: int) -> tuple[str, str]:
        return inner(x=x), os.environ[NAME]

    assert outer(x=1) == ("inner", "outer")
    assert NAME not in os.environ


def test_async_bodies_on_one_loop_take_turns() -> None:
    """A body that awaits keeps its variables until it ends, and leaves none behind."""

    @task(environment={NAME: "a"})
    async def first(x: int) -> tuple[str, str]:
        before = os.environ[NAME]
        for _ in range(5):
            await asyncio.sleep(0.001)
        return before, os.environ[NAME]

    second = first.with_options({"environment": {NAME: "b"}})

    async def both() -> list[object]:
        return list(await asyncio.gather(first(x=1), second(x=1), first(x=2)))

    assert asyncio.run(both()) == [("a", "a"), ("b", "b"), ("a", "a")]
    assert NAME not in os.environ
    assert second.run(x=1).value == ("b", "b")


def test_what_was_set_before_comes_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the body raises, the caller's variable is as it was."""
    monkeypatch.setenv(NAME, "mine")

    @task(environment={NAME: "its"})
    def broken(x: int) -> int:
        raise ValueError(os.environ[NAME])

    with pytest.raises(ValueError, match="its"):
        broken(x=1)
    assert os.environ.pop(NAME) == "mine"
