"""Tracebacks: whatever way a body is reached, no frame of ours stands in the user's way."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable  # noqa: TC003 - annotations of tests are read
from pathlib import Path

import pytest

import celltask
from celltask import ShellTask, task, workflow
from celltask.errors import TaskExitError

HOUSE = str(Path(celltask.__file__).parent)


@task
def fail(x: int) -> int:
    """Always an error."""
    raise ZeroDivisionError


@task
async def fail_later(x: int) -> int:
    """Always an error, after a pause."""
    await asyncio.sleep(0)
    raise ZeroDivisionError


@task
def parts(x: int) -> dict:  # type: ignore[type-arg]  # what is tested: nothing is known of its parts
    """A dict without the part that is asked for."""
    return {}


@workflow
def wf(x: int) -> int:
    """A node that fails."""
    return fail(x)


@workflow
def outer(x: int) -> int:
    """A node that is a workflow with a node that fails."""
    return wf(x=x)


@workflow
def wide(x: int) -> list[int]:
    """Nodes that fail side by side."""
    return [fail(x), fail(x), fail(x)]


@workflow
def missing(x: int) -> int:
    """A node whose input is not there."""
    return fail(parts(x)["gone"])


def _in_loop(call: Callable[[], object]) -> object:
    async def main() -> object:
        return call()

    return asyncio.run(main())


@task
def total(xs: list[int]) -> int:
    """Takes a list."""
    return sum(xs)


@workflow
def missing_inside(x: int) -> int:
    """A node with a list in which one part is not there."""
    return total([x, parts(x)["gone"]])


WAYS: dict[str, Callable[[], object]] = {
    "call": lambda: fail(1),
    "cached": lambda: fail.with_options({"cache": True})(1),
    "retried": lambda: fail.with_options({"retries": 0, "environment": {"CELLTASK_TEST_X": "1"}})(1),
    "timeout": lambda: fail.with_options({"timeout": 20})(1),
    "async": lambda: asyncio.run(fail_later(1)),  # type: ignore[arg-type]  # a coroutine
    "async-timeout": lambda: fail_later.with_options({"timeout": 20}).run(x=1).result(),
    "async-in-loop": lambda: _in_loop(lambda: fail_later.run(x=1).result()),
    "run": lambda: fail.run(x=1).result(),
    "workflow": lambda: wf(x=1),
    "nested": lambda: outer(x=1),
    "wide": lambda: wide(x=1),
    "missing-part": lambda: missing(x=1),
    "missing-part-in-a-list": lambda: missing_inside(x=1),
    "wrong-input": lambda: wf(x="a"),  # type: ignore[arg-type]  # what is tested
    "wrong-input-of-run": lambda: wf.run(x="a"),
    "shell": ShellTask("fails_here", script="exit 3"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_our_frames_ask_to_be_left_out(way: Callable[[], object]) -> None:
    """Every frame of celltask between the caller and the error hides itself, as pytest and IPython understand it."""
    with pytest.raises((ZeroDivisionError, KeyError, TypeError, TaskExitError)) as caught:
        way()
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame for frame in frames if frame.f_code.co_filename.startswith((HOUSE, "<celltask "))]
    assert ours
    assert [frame.f_code.co_qualname for frame in ours if "__tracebackhide__" not in frame.f_locals] == []
