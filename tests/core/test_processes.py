"""The engine of processes: what travels, and what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pydantic
import pytest

from celltask import Resources, map_task, mock_task, task, workflow
from celltask.core.events import NodePrinted
from celltask.core.pickling import dumps
from celltask.core.travel import captured_told, luggage_of
from celltask.errors import RunError

if TYPE_CHECKING:
    from celltask.core.task import Task

SCALE = 3


@dataclass
class Point:
    """Two numbers."""

    x: int
    y: int


class Model(pydantic.BaseModel):
    """A model of the test's own."""

    rate: float


def scaled(x: int) -> int:
    """A helper that reads a constant."""
    return x * SCALE


@task
def where(x: int) -> int:
    """The process that it runs in."""
    return os.getpid()


@task
def point(x: int) -> Point:
    """A value of a class of the test's own."""
    return Point(scaled(x), x)


@task
def rate(p: Point, model: Model) -> Model:
    """Another one."""
    return Model(rate=model.rate * p.x)


@workflow
def rates(x: int, model: Model) -> Model:
    """Two nodes with values of classes between them."""
    return rate(p=point(x=x), model=model)


@task
def redirected() -> str:
    """What a body warns of while it keeps its stderr for itself."""
    kept = io.StringIO()
    with contextlib.redirect_stderr(kept):
        warnings.warn("odd", stacklevel=1)
    return kept.getvalue().partition(": ")[2].partition("\n")[0]


def test_a_body_in_another_process_may_keep_its_warnings() -> None:
    """They go where it sends its stderr, as they do in this process."""
    run = redirected.run(engine="processes")
    assert (run.value, run.node("n0").log) == ("UserWarning: odd", "")


def test_bodies_run_in_other_processes_and_their_values_come_back() -> None:
    """Classes, helpers and constants go with a task, and results are of the classes known here."""
    run = rates.run(x=2, model=Model(rate=0.5), engine="processes")
    assert run.result() == Model(rate=3.0)
    assert where.run(x=1, engine="processes").value != os.getpid()


def test_calls_without_a_run_stay_here() -> None:
    """Only a run has an engine."""
    assert where(x=1) == os.getpid()


def test_an_error_comes_back_with_its_lines() -> None:
    """The traceback goes through the body's own lines, with the text and the carets that Python shows here."""

    @task
    def halve(x: int) -> float:
        return sum(
            1 / (n - x) for n in range(x + 1)
        )  # fmt: skip

    run = halve.run(x=2, engine="processes")
    with pytest.raises(ZeroDivisionError) as caught:
        run.result()
    text = "".join(traceback.format_exception(caught.value))
    assert f'File "{__file__}", line' in text
    assert "    1 / (n - x) for n in range(x + 1)\n    ~~^~~~~~~~~\n" in text
    assert caught.value.__notes__[0].startswith("in task 'halve', ")
    assert len(caught.value.__notes__) == 1


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    """Its class cannot be made again from its arguments."""

    class OddError(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(one + two)

    @task
    def odd(x: int) -> int:
        raise OddError(x, 2)

    assert str(odd.run(x=7, engine="processes").error) == (
        "OddError: 9\n  mend: the error's own class cannot leave its process"
    )


def test_what_a_body_prints_is_noted_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """It is in the node's record, and told as it comes."""

    @task
    def speak(x: int) -> int:
        print("hello", x)  # noqa: T201 - what is tested
        print("oh", file=sys.stderr)  # noqa: T201 - as above
        return x

    events: list[object] = []
    run = speak.run(x=1, engine="processes", on_event=events.append)
    assert run.nodes[0].log == "hello 1\noh\n"
    assert "".join(event.text for event in events if isinstance(event, NodePrinted)) == "hello 1\noh\n"
    assert tuple(capsys.readouterr()) == ("hello 1\n", "oh\n")


def test_a_flood_is_cut() -> None:
    """Of what a body prints 1 MiB is kept."""

    @task
    def flood(x: int) -> int:
        for _ in range(300):
            print("x" * 100_000)  # noqa: T201 - what is tested
        return x

    run = flood.run(x=1, engine="processes")
    assert run.state == "done"
    assert 1 << 20 <= len(run.nodes[0].log) < (1 << 20) + 100
    assert run.nodes[0].log.endswith("\n… and more, which is not kept\n")


def test_memory_asked_for_is_a_bound() -> None:
    """A body that wants more gets a MemoryError that says why."""

    @task(resources=Resources(memory="300MiB"))
    def eat(size: int) -> int:
        return len(bytearray(size))

    assert eat.run(size=10_000_000, engine="processes").state == "done"
    run = eat.run(size=1_000_000_000, engine="processes")
    assert type(run.error) is MemoryError
    assert str(run.error) == (
        "the task asked for 300 MiB (resources=Resources(memory=…)) and needed more: ask for more, or give it less"
    )


def test_variables_and_folder_are_those_of_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process started earlier sees what has changed since; variables of a task are its own."""

    @task(environment={"CELLTASK_TEST_MODE": "fast"})
    def told(x: int) -> list[str]:
        return [os.environ["CELLTASK_TEST_MODE"], os.environ.get("CELLTASK_TEST_MORE", "-"), str(Path.cwd())]

    assert told.run(x=1, engine="processes").value == ["fast", "-", str(Path.cwd())]
    monkeypatch.setenv("CELLTASK_TEST_MORE", "yes")
    monkeypatch.chdir(tmp_path)
    assert told.run(x=1, engine="processes").value == ["fast", "yes", str(tmp_path)]
    assert "CELLTASK_TEST_MODE" not in os.environ


def test_arrays_come_back_writable_and_inputs_stay_read_only() -> None:
    """As with every engine."""

    @task
    def double(a: np.ndarray) -> np.ndarray:
        assert not a.flags.writeable
        return a * 2

    value = double.run(a=np.arange(100_000), engine="processes").result()
    assert value.flags.writeable
    assert value[-1] == 199_998


def test_async_bodies_run_there_too() -> None:
    """Each in a loop of its process."""

    @task
    async def nap(x: int) -> int:
        await asyncio.sleep(0.01)
        return os.getpid()

    assert nap.run(x=1, engine="processes").value != os.getpid()


def test_a_stand_in_is_called_here() -> None:
    """What a test puts in the place of a body need not travel."""
    with mock_task(where) as mock:
        mock.return_value = 5
        assert where.run(x=1, engine="processes").value == 5


def test_a_body_that_forks_does_no_harm() -> None:
    """The other process ends where the body does."""

    @task
    def fork(x: int) -> int:
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
        return 1 if pid else 2

    assert [fork.run(x=1, engine="processes").value for _ in range(3)] == [1, 1, 1]


def test_data_that_a_task_takes_with_it_is_bounded() -> None:
    """Notebook data above 1 MiB is refused before anything starts, and named."""
    first.function.__globals__["ROWS"] = [str(n) for n in range(1_000_000)]
    try:
        with pytest.raises(RunError, match=r"task 'first' would take \d\.\d MB with it .*: `ROWS` \(\d\.\d MB\)"):
            luggage_of(first)
    finally:
        del first.function.__globals__["ROWS"]


def test_what_a_task_takes_with_it_is_told() -> None:
    """Names and sizes of what is worth telling."""
    first.function.__globals__["ROWS"] = ["x" * 10] * 2000 + [str(n) for n in range(5000)]
    try:
        assert list(luggage_of(first).captured) == ["ROWS"]
        assert first.run(x=0, engine="processes").value == "xxxxxxxxxx"
    finally:
        del first.function.__globals__["ROWS"]


def test_a_task_tells_how_large_is_what_it_takes_with_it() -> None:
    """Data that its helpers read counts, constants do not, and what says itself that it is large is not pickled."""

    class Array:
        nbytes = 5_000_000

        def __reduce__(self) -> str:
            raise AssertionError("pickled")

    space = {"task": task, "ROWS": list(range(1000)), "limits": {"a": 1}, "K": 3, "whole": Array(), "__name__": "c"}
    exec(  # noqa: S102 - stands for a cell
        "def low():\n    return limits['a']\n"
        "@task(allow_globals=['whole', 'ROWS', 'limits'])\n"
        "def f(x: int) -> int:\n    return ROWS[x] + low() + K + len(whole)\n",
        space,
    )
    made = cast("Task[..., object]", space["f"])
    assert list(made.captured) == ["whole", "ROWS", "limits"]
    assert made.captured["whole"] == 5_000_000
    assert made.captured["ROWS"] == len(dumps(space["ROWS"])) > 2000
    assert captured_told(made) == (
        f"whole (5.0 MB), ROWS ({made.captured['ROWS'] / 1000:.1f} kB), limits ({made.captured['limits']} B)"
        "; too much for another process"
    )


def test_a_task_that_takes_nothing_with_it_says_nothing() -> None:
    """Imports, helpers and constants are its code."""
    assert (fork_free.captured, captured_told(fork_free)) == ({}, "")


@task
def fork_free(x: int) -> int:
    """Read what is no data."""
    return os.getpid() + x


@task(allow_globals=["ROWS"])
def first(x: int) -> str:
    """A task that reads data."""
    return ROWS[x]  # noqa: F821 - put there by the test


@task
def divide(x: int) -> float:
    """End the process for 7, fail for 3."""
    if x == 7:
        os._exit(2)
    return 10 / (x - 3)


def test_items_of_a_map_go_to_processes_in_chunks() -> None:
    """Values, errors and their lines are those of items that run here."""
    run = map_task(where).run(x=list(range(1000)), engine="processes")
    assert len(set(run.value)) <= (os.cpu_count() or 1)
    assert os.getpid() not in run.value
    failed = map_task(divide).run(x=[1, 2, 3, 4], engine="processes")
    assert type(failed.error) is ZeroDivisionError
    assert failed.error.__notes__[1:] == ["in item 2 of 4 (counted from 0) of the map over 'divide': x=3 (int)"]
    assert "return 10 / (x - 3)" in "".join(traceback.format_exception(failed.error))


def test_an_item_that_ends_its_process_is_found_out() -> None:
    """The others are run again, one by one."""
    run = map_task(divide, min_successes=1).run(x=[1, 4, 7, 8], engine="processes")
    assert run.value == [-5, 10, None, 2]
