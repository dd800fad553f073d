"""Bodies that do what no body should: each ends in a named state, the results of others stand, the next run works."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from celltask import Run, current_context, dynamic, map_task, task, workflow
from celltask.core.events import NodeStarted
from celltask.core.history import runs

ENGINES = ("inline", "threads", "processes")
EXITS = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)


@task
def fine(x: int) -> int:
    """Nothing bad."""
    return x + 1


@task
def leave(x: int, exit_number: int) -> int:
    """Ask for an exit."""
    raise EXITS[exit_number]


@task
async def leave_late(x: int, exit_number: int) -> int:
    """Ask for an exit while others wait."""
    await asyncio.sleep(0)
    raise EXITS[exit_number]


class WordlessError(Exception):
    """Cannot tell what it is about."""

    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


@task
def wordless(x: int) -> int:
    """Fail without words."""
    raise WordlessError


@task
def fork(x: int) -> int:
    """Come to its end in two processes."""
    return x + 1 if os.fork() else x + 2


@task
def call_itself(x: int) -> int:
    """Call itself without end."""
    return call_itself(x=x + 1)


@dynamic
def grow_without_end(x: int) -> int:
    """Make a graph of itself without end."""
    return grow_without_end(x=x + 1)


@task
def wrong(x: int) -> int:
    """Return another type."""
    return str(x)  # type: ignore[return-value]  # what is tested


@task
def remove_folder(folder: Path) -> int:
    """Take the working directory away."""
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    return 1


@workflow(failure_policy="finish")
def beside_wordless(x: int) -> tuple[int, int, int]:
    """Two failures, and a node beside them."""
    return wordless(x=x), wordless(x=x), fine(x=x)


@workflow
def forks(x: int) -> tuple[int, int]:
    """A body that forks, and a node after it."""
    return fork(x=x), fine(x=fork(x=x))


@workflow(failure_policy="finish")
def beside_itself(x: int) -> tuple[int, int]:
    """A recursion, and a node beside it."""
    return call_itself(x=x), fine(x=x)


@workflow(failure_policy="finish")
def beside_growth(x: int) -> tuple[int, int]:
    """A graph without end, and a node beside it."""
    return grow_without_end(x=x), fine(x=x)


@workflow(failure_policy="finish")
def beside_wrong(x: int) -> tuple[int, int]:
    """A wrong type, and a node beside it."""
    return wrong(x=x), fine(x=x)


def states(run: Run) -> list[str]:
    """States of the nodes of the outermost workflow."""
    return [node.state for node in run.nodes if "/" not in node.id]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("member", "told"), [
    (beside_itself, "RecursionError: maximum recursion depth exceeded"),
    (beside_growth, "RunError: dynamic 'grow_without_end' is more than 100 deep within itself or others"),
    (beside_wrong, "ValueMismatchError: output 'o0' of 'wrong' must be int, got '1' (str)"),
])  # fmt: skip
def test_what_fails_leaves_the_other_nodes_alone(member: object, told: str, engine: str) -> None:
    """The error says what it was, and the node beside it is done."""
    run = member.run(x=1, engine=engine)  # type: ignore[attr-defined]  # a workflow
    assert states(run) == ["failed", "done"]
    assert f"{type(run.error).__name__}: {run.error}".startswith(told)
    assert fine.run(x=1, engine=engine).value == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_without_words_is_an_error_like_others(engine: str) -> None:
    """It is told by its class, alone, beside others and in a map."""
    run = beside_wordless.run(x=1, engine=engine)
    assert states(run) == ["failed", "failed", "done"]
    assert type(run.error) is (WordlessError if engine != "processes" else type(run.error))
    assert "WordlessError" in repr(run)
    mapped = map_task(wordless, min_successes=1).run(x=[1, 2], engine=engine)
    assert "2 of 2 items of the map over 'wordless' failed" in str(mapped.error)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", range(len(EXITS)))
@pytest.mark.parametrize("member", [leave, leave_late])
def test_an_exit_in_an_item_reaches_the_caller(member: object, number: int, engine: str) -> None:
    """Also from an async body, whose loop serves the next run as before."""
    with pytest.raises(EXITS[number]):
        map_task(member).run(x=[1, 2, 3], exit_number=[number] * 3, engine=engine)  # type: ignore[type-var]  # both are tasks
    with pytest.raises(EXITS[number]):
        member.run(x=1, exit_number=number, engine=engine)  # type: ignore[attr-defined]  # as above
    assert sorted(map_task(late).run(x=[1, 2], engine=engine).value) == [2, 3]  # type: ignore[call-overload]  # a list


@task
async def late(x: int) -> int:
    """Wait for a moment."""
    await asyncio.sleep(0)
    return x + 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_body_that_forks_ends_once(engine: str) -> None:
    """The run goes on in one process only."""
    me = os.getpid()
    assert forks.run(x=1, engine=engine).result() == (2, 3)
    assert os.getpid() == me


def test_a_folder_that_is_gone_is_the_matter_of_one_body(tmp_path: Path) -> None:
    """Bodies after it run where the run was started."""
    for number in range(4):
        assert remove_folder.run(folder=tmp_path / str(number), engine="processes").state == "done"
    assert fine.run(x=1, engine="processes").value == 2


def test_a_process_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    """With too few open files allowed, the node fails with what to do about it."""
    (tmp_path / "few.py").write_text(
        "import os, resource\nfrom celltask import task\n@task\ndef one(x: int) -> int:\n    return x\n"
        "from celltask.core.engines import engine_of\nengine_of('processes')\n"
        "one.run(x=1)\nlowest = os.open(os.devnull, 0)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, lowest + 1))\n"
        "run = one.run(x=1, engine='processes')\nprint(run.state, run.error)\n"
    )
    command = [sys.executable, str(tmp_path / "few.py")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert said == (
        "failed no process could be started: [Errno 24] Too many open files\n"
        "  mend: allow more processes and open files (ulimit -u, ulimit -n), or run it with engine='threads'\n"
    )


def test_an_output_that_is_full_is_not_the_end_of_a_process() -> None:
    """What cannot be shown is told as that, at once."""

    @task
    def speak(x: int) -> int:
        print("hello" * 10_000)  # noqa: T201 - what is tested
        return x

    with pytest.MonkeyPatch.context() as patch, Path("/dev/full").open("w") as full:
        patch.setattr(sys, "stdout", full)
        begun = time.monotonic()
        run = speak.run(x=1, engine="processes")
        assert time.monotonic() - begun < 4
    assert str(run.error) == (
        "what a body prints cannot be shown: [Errno 28] No space left on device\n"
        "  mend: look where the output goes: a full disk, or a reader that has gone"
    )
    assert fine.run(x=1, engine="processes").value == 2


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_a_run_is_cancelled_with_many_nodes_queued(engine: str) -> None:
    """Nothing more starts, every node has a state, and it does not take long."""

    @workflow
    def wide(x: int) -> list[int]:
        return [nap(x=x) for _ in range(500)]

    seen: list[object] = []
    running = wide.start(x=1, engine=engine, on_event=seen.append)
    while not any(isinstance(event, NodeStarted) for event in seen):
        time.sleep(0.005)
    running.cancel()
    run = running.wait(20)
    assert run.state == "cancelled"
    assert set(states(run)) <= {"cancelled", "done"}
    assert states(run).count("cancelled") > 450
    assert sum(isinstance(event, NodeStarted) for event in seen) < 50


@task
def nap(x: int) -> int:
    """Wait until cancelled, for a minute at most."""
    for _ in range(6000):
        if current_context().is_cancelled:
            break
        time.sleep(0.01)
    return x


INTERRUPTED = """
import os, sys, time
from celltask import task, workflow
from celltask.core.history import runs

@task
def sleep(x: int) -> int:
    print(os.getpid(), flush=True)
    time.sleep(60)
    return x

@task
def inc(x: int) -> int:
    return x + 1

@workflow
def wide(x: int) -> list[int]:
    return [inc(x=sleep(x=x)) for _ in range(4)]

try:
    wide.run(x=1, engine="processes")
except KeyboardInterrupt:
    print("interrupted", flush=True)
found = runs()[0]
print(found.state, {node.state for node in found.nodes}, inc.run(x=1, engine="processes").value, flush=True)
"""


def test_ctrl_c_ends_what_runs_in_processes(tmp_path: Path, own_store: Path) -> None:
    """The record says cancelled, no process is left, and the next run in the same process works."""
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    command = [sys.executable, str(tmp_path / "interrupted.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        bodies = [int(parent.stdout.readline()) for _ in range(2)]
        parent.send_signal(signal.SIGINT)
        out, err = parent.communicate(timeout=30)
    assert (out.splitlines(), err) == (["interrupted", "cancelled {'cancelled'} 2"], "")
    for pid in bodies:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_clock_that_jumps_changes_no_duration(jump_s: float, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """States, durations and the record are those of a clock that goes on."""

    @workflow
    def three(x: int) -> int:
        return fine(x=fine(x=fine(x=x)))

    true, calls = time.time, itertools.count()
    monkeypatch.setattr(time, "time", lambda: true() + (jump_s if next(calls) >= 3 else 0.0))
    run = three.run(x=1, engine=engine)
    monkeypatch.undo()
    assert (run.state, run.value) == ("done", 4)
    assert 0 <= run.duration_s < 60
    assert all(0 <= node.duration_s < 60 for node in run.nodes)
    recorded = next(found for found in runs() if found.id == run.id)
    assert recorded.state == "done"
    assert [node.state for node in recorded.nodes] == ["done"] * 3
    assert all(abs(node.started - run.started) < 60 for node in recorded.nodes)


LARGE = """
import os
from celltask import task, workflow

@task
def inc(x: int) -> int:
    return x + 1

@workflow
def wide(x: int) -> list[int]:
    return [inc(x=x) for _ in range(10_000)]

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

wide.graph, inc.run(x=1, engine="inline")
wide.trace
before = held()
events = []
run = wide.run(x=1, engine=ENGINE, on_event=events.append)
assert run.state == "done" and len(run.nodes) == 10_000 and len(events) == 20_002
print(held() - before)
"""


@pytest.mark.parametrize("engine", ["inline", "threads"])
def test_what_a_large_run_keeps_of_itself_is_small(engine: str, tmp_path: Path, own_store: Path) -> None:
    """A run of 10,000 nodes, its records and all its events take less than 50 MB."""
    (tmp_path / "large.py").write_text(LARGE.replace("ENGINE", repr(engine)))
    command = [sys.executable, str(tmp_path / "large.py")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert int(said.stdout) < 50_000_000


def test_records_that_cannot_be_written_are_told_once(tmp_path: Path, own_store: Path) -> None:
    """With a file in the way of the folder of records, and with a full disk, runs go on as before."""
    own_store.mkdir()
    (own_store / "runs").write_text("in the way")
    (tmp_path / "told.py").write_text(
        "import resource, sys\nfrom celltask import task\n@task\ndef inc(x: int) -> int:\n    return x + 1\n"
        "if len(sys.argv) > 1:\n    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "print([inc.run(x=1, engine='threads').value for _ in range(3)])\n"
    )
    command = [sys.executable, str(tmp_path / "told.py")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout == "[2, 2, 2]\n"
    assert said.stderr.count(f"runs are not recorded in {own_store / 'runs'}: ") == 1
    (own_store / "runs").unlink()
    said = subprocess.run([*command, "full"], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout == "[2, 2, 2]\n"
    assert said.stderr.count(f"runs are not recorded in {own_store / 'runs'}: [Errno 27] File too large") == 1
    run = inc_once.run(x=1)
    assert next((found.id, found.state) for found in runs()) == (run.id, "done")


@task
def inc_once(x: int) -> int:
    """One more."""
    return x + 1
