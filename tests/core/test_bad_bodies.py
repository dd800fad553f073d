"""Bodies that misbehave: each ends in a named state with what to do, and harms neither other nodes nor the next run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from misbehaving import crash, leave, unpicklable

from celltask import Resources, runs, task, workflow

if TYPE_CHECKING:
    from celltask.core.run import Run

pytestmark = pytest.mark.usefixtures("own_store")

ENGINES = ("inline", "threads", "processes")


@task
def fine(x: int) -> int:
    """Nothing bad."""
    return x + 1


@task
def zeros(x: int) -> np.ndarray:
    """Some numbers."""
    return np.zeros(x)


@task
def write_to(values: np.ndarray) -> int:
    """Change what others have."""
    values[0] = 5.0
    return 1


@task
def numbers(x: int) -> list[int]:
    """Some numbers."""
    return [x]


@task
def append_to(values: list[int]) -> int:
    """Change what others have, as it seems."""
    values.append(7)
    return len(values)


@task
def mistyped(x: int) -> int:
    """Return another type."""
    return str(x)  # type: ignore[return-value]  # what is tried


@task(timeout=0.5)
def last_for_ever(x: int) -> int:
    """Never end, in a process; in a thread, end some time later."""
    for _ in range(200):
        time.sleep(0.01)
    return x


@task(resources=Resources(memory="100MiB"))
def eat(x: int) -> int:
    """Take all memory there is."""
    return len([bytes(1 << 20) for _ in range(1 << 16)])


class OddExit(BaseException):
    """An exit of the test's own."""


@task
def exit_oddly(x: int) -> int:
    """Ask for an exit."""
    raise OddExit


def beside(bad: Any) -> Any:  # noqa: ANN401 - a task with any inputs
    """A workflow of `bad`, and of nodes that have nothing to do with it."""

    @workflow(failure_policy="finish")
    def both(x: int) -> tuple[Any, int]:
        return bad(x=x), fine(x=fine(x=x))

    return both


MEND_PROCESS = "mend: look for what ends the process in its body, or in a library that it uses"
MEND_TIME = "mend: give it more time (timeout=…), or less to do"


@pytest.mark.parametrize(
    ("bad", "engines", "told"),
    [
        pytest.param(
            mistyped, ENGINES,
            "ValueMismatchError: output 'o0' of 'mistyped' must be int, got '3' (str)\n  at: PLACE\n"
            "  mend: return what is declared, or change the declared type", id="wrong-type",
        ),
        pytest.param(
            leave, ("processes",),
            f"WorkerDiedError: the process of task 'leave' ended in the middle, with exit code 3\n  at: PLACE\n"
            f"  {MEND_PROCESS}", id="os._exit",
        ),
        pytest.param(
            crash, ("processes",),
            "WorkerDiedError: the process of task 'crash' ended in the middle, with signal 11 (SIGSEGV)\n  at: PLACE\n"
            f"  {MEND_PROCESS}", id="segfault",
        ),
        pytest.param(
            last_for_ever, ("processes",),
            "TaskTimeoutError: task 'last_for_ever' ran longer than its timeout of 0.5 s; its process was ended\n"
            f"  at: PLACE\n  {MEND_TIME}", id="never-ends-in-a-process",
        ),
        pytest.param(
            last_for_ever, ("inline", "threads"),
            "TaskTimeoutError: task 'last_for_ever' ran longer than its timeout of 0.5 s; its thread cannot be stopped "
            f"and goes on until it ends by itself\n  at: PLACE\n  {MEND_TIME}", id="never-ends-in-a-thread",
        ),
        pytest.param(
            eat, ("processes",),
            "MemoryError: the task asked for 100 MiB (resources=Resources(memory=…)) and needed more: ask for more, or "
            "give it less", id="eats-memory",
        ),
        pytest.param(
            unpicklable, ("processes",),
            "RunError: task 'unpicklable' returned a generator that cannot leave its process: cannot pickle "
            "'generator' object\n  at: PLACE\n  mend: return something that can be pickled, or run it with "
            "engine='threads'",
            id="unpicklable",
        ),
    ],
)  # fmt: skip
def test_a_body_that_misbehaves_ends_in_a_named_state(bad: Any, engines: tuple[str, ...], told: str) -> None:  # noqa: ANN401 - a task
    """The error says what, where and what to do; other nodes are done; the record has it; the next run works."""
    for engine in engines:
        both = beside(bad)
        run: Run = both.run(x=3, engine=engine)
        assert [node.state for node in run.nodes] == ["failed", "done", "done"]
        whole = f"{type(run.error).__name__}: {run.error}"
        assert whole == told.replace("PLACE", bad.place)
        (record, *_) = runs(run.id)
        assert (record.state, record.error) == ("failed", whole)
        assert [node.state for node in record.nodes] == ["failed", "done", "done"]
        assert fine.run(x=1, engine=engine).value == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_body_that_changes_its_inputs_changes_nothing_for_others(engine: str) -> None:
    """A list is its own; an array is read-only, and the error says what to do."""

    @workflow(failure_policy="finish")
    def wf(x: int) -> tuple[int, int, list[int], np.ndarray]:
        values, many = numbers(x=x), zeros(x=x)
        changed, failed = append_to(values=values), write_to(values=many)
        return changed, failed, values, many

    run = wf.run(x=3, engine=engine)
    assert [(node.label, node.state) for node in run.nodes] == [
        ("numbers", "done"), ("zeros", "done"), ("append_to", "done"), ("write_to", "failed"),
    ]  # fmt: skip
    assert str(run.error) == "assignment destination is read-only"
    assert run.error.__notes__[1:2] == [  # type: ignore[union-attr]  # it has failed
        "mend: copy an array before writing to it (values = values.copy()), or name it in share=(…)"
    ]

    assert harmless_of(engine) == (2, [3])


def harmless_of(engine: str) -> object:
    """What a list is after a body has changed its own."""

    @workflow
    def wf(x: int) -> tuple[int, list[int]]:
        values = numbers(x=x)
        return append_to(values=values), values

    return wf.run(x=3, engine=engine).value


@pytest.mark.parametrize("engine", ENGINES)
def test_an_exit_that_a_body_asks_for_cancels_the_run(engine: str) -> None:
    """It reaches the caller as it is; the record says what was done before, and the next run works."""

    @workflow
    def wf(x: int) -> int:
        return exit_oddly(x=fine(x=x))

    with pytest.raises(OddExit):
        wf.run(x=1, engine=engine)
    (record,) = runs("wf")
    assert (record.state, [node.state for node in record.nodes]) == ("cancelled", ["done", "cancelled"])
    assert fine.run(x=1, engine=engine).value == 2


FLOOD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (600 << 20, 600 << 20))  # less than is printed
from celltask import runs, task, workflow

@task
def flood(x: int) -> int:
    line = "x" * (1 << 20) + chr(10)
    for _ in range(1000):
        print(line, end="")
    return x

@task
def fine(x: int) -> int:
    return x + 1

@workflow
def wf(x: int) -> int:
    return fine(x=flood(x=x))

run = wf.run(x=1, engine=ENGINE)
(record, *_) = runs("wf")
told = [len(node.log) for node in run.nodes], [len(text) for _, text in record.log], fine.run(x=1, engine=ENGINE).value
print(run.state, run.value, told, run.nodes[0].log[-40:], file=sys.stderr)
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_body_that_prints_a_gigabyte_is_done_and_little_of_it_is_kept(engine: str, own_store: Path) -> None:
    """A mebibyte stands in the run and in its record, and says that there was more."""
    command = [sys.executable, "-c", FLOOD.replace("ENGINE", repr(engine))]
    with Path(os.devnull).open("w") as nowhere:
        said = subprocess.run(command, stdout=nowhere, stderr=subprocess.PIPE, text=True, timeout=60, check=True)
    state, value, *rest = said.stderr.split(" ", 2)
    assert (state, value) == ("done", "2")
    assert rest[0].endswith("and more, which is not kept\n\n")
    assert (1 << 20) <= int(rest[0].split("[")[1].split(",")[0]) <= (1 << 20) + 100
