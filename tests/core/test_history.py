"""Records: every run is written down while it goes on, and can be read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from celltask import runs, task, workflow
from celltask.core import recording
from celltask.core.history import remove_runs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_store")


@task
def one(x: int) -> int:
    """Add one, and say so."""
    print("one of", x)  # noqa: T201 - what is recorded
    return x + 1


@task
def fail(x: int) -> int:
    """Fail."""
    raise ValueError(f"no {x}")


@task(cache=True)
def kept(x: int) -> int:
    """Double."""
    return 2 * x


@workflow
def inner(x: int) -> int:
    """Two nodes."""
    return one(one(x))


def test_a_run_is_recorded_with_its_nodes() -> None:
    """Names, states, times, host and process of a run and of each node of it, inner ones too."""

    @workflow
    def outer(x: int) -> int:
        return kept(inner(x))

    run = outer.run(x=1)
    (record,) = runs()
    assert (record.id, record.name, record.kind, record.state) == (run.id, "outer", "workflow", "done")
    assert (record.pid, record.host, record.engine) == (os.getpid(), os.uname().nodename, "threads")
    assert set(record.versions) == {"celltask", "python"}
    assert [(node.id, node.task, node.state) for node in record.nodes] == [
        ("n0", "inner", "done"), ("n0/n0", "one", "done"), ("n0/n1", "one", "done"), ("n1", "kept", "done"),
    ]  # fmt: skip
    assert all(node.started >= record.started and node.attempts == 1 for node in record.nodes)
    assert record.code == {"kept": kept.digest}
    assert sorted(record.digests) == ["n0.0", "n1.0"]


def test_a_failed_run_is_recorded_with_its_error() -> None:
    """The first error of the run, the error of its node, and what was skipped for it."""

    @workflow
    def broken(x: int) -> int:
        return one(fail(x))

    broken.run(x=3)
    (record,) = runs("broken")
    assert (record.state, record.error) == ("failed", "ValueError: no 3")
    assert [(node.state, node.error) for node in record.nodes] == [("failed", "ValueError: no 3"), ("skipped", "")]


def test_what_nodes_print_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    """The log of a run has what its bodies printed, by node."""
    inner.run(x=1)
    assert capsys.readouterr().out == "one of 1\none of 2\n"
    assert runs()[0].log == (("n0", "one of 1\n"), ("n1", "one of 2\n"))


def test_a_run_within_a_task_names_it() -> None:
    """A run that a task of another run has started says so."""

    @task(allow_globals=["inner"])
    def starts(x: int) -> int:
        return int(inner(x=x))

    run = starts.run(x=1)
    (within,) = runs("inner")
    assert within.within == (run.id, "n0")


def test_runs_are_listed_newest_first_and_by_name() -> None:
    """By the name of what was run, or by the id of the run; at most so many as were asked for."""
    ids = [kept.run(x=x).id for x in range(3)]
    inner.run(x=1)
    assert [one.id for one in runs("kept")] == ids[::-1]
    assert [one.id for one in runs("kept", limit=1)] == ids[-1:]
    assert [one.name for one in runs(ids[0])] == ["kept"]


def test_a_process_that_still_runs_is_told_from_one_that_was_killed(own_store: Path) -> None:
    """Another process sees how far a run has come, and that it is lost when its process is killed."""
    code = """
import time
from celltask import task, workflow

@task
def step(x: int) -> int:
    time.sleep(0.06)
    return x

@task
def stop(x: int) -> int:
    print("there", flush=True)
    time.sleep(600)
    return x

@workflow
def long(x: int) -> int:
    return stop(step(step(x)))

long(x=1)
"""
    variables = {**os.environ, "CELLTASK_STORE": str(own_store)}
    process = subprocess.Popen([sys.executable, "-c", code], env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    (record,) = runs()
    assert (record.state, record.pid) == ("running", process.pid)
    assert [node.state for node in record.nodes] == ["done", "done", "queued"]
    process.kill()
    process.communicate()
    (record,) = runs()
    assert record.state == "lost"
    assert [node.state for node in record.nodes] == ["done", "done", "queued"]


def test_a_broken_line_hides_no_other_run(own_store: Path) -> None:
    """What a killed process has half written is left out."""
    kept.run(x=1)
    (file,) = (own_store / "runs").glob("*.jsonl")
    (own_store / "runs" / "20200101-000000-1-abc.jsonl").write_text(
        file.read_text(encoding="utf-8") + '{"run": "half', encoding="utf-8"
    )
    assert [one.name for one in runs()] == ["kept", "kept"]


def test_old_records_are_removed_and_those_of_living_processes_stay(own_store: Path) -> None:
    """Also what is old stays while its process may write to it."""
    kept.run(x=1)
    (mine,) = (own_store / "runs").glob("*.jsonl")
    old = mine.with_name("20200101-000000-1-abc.jsonl")
    old.write_text(json.dumps({"pid": 1}) + "\n", encoding="utf-8")
    for file in (mine, old):
        os.utime(file, (1, 1))
    assert remove_runs(time.time() - 1000) == 1
    assert (mine.exists(), old.exists()) == (True, False)


def test_records_do_not_grow_without_end(own_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder keeps so many files; the oldest go first."""
    monkeypatch.setattr(recording, "MOST_FILES", 8)
    folder = own_store / "runs"
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / f"2020010{number % 10}-00000{number:02}-1-abc.jsonl").write_text("{}\n", encoding="utf-8")
    kept.run(x=1)
    assert len(list(folder.iterdir())) <= 8


def test_a_forked_child_holds_no_record_of_its_parent(own_store: Path) -> None:
    """The records of a process count as those of one that has ended as soon as it has, whatever its children do."""
    code = """
import os, sys
from celltask import task
from celltask.core import recording

@task
def step(x: int) -> int:
    return x

recording._MOST_IN_FILE = 0  # each run begins another file
step.run(x=1)
step.run(x=2)
if os.fork() == 0:
    print("there", flush=True)
    sys.stdin.read()
os._exit(0)
"""
    variables = {**os.environ, "CELLTASK_STORE": str(own_store)}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        process.wait(20)
        files = sorted((own_store / "runs").glob("*.jsonl"))
        assert [recording.is_alive(str(file)) for file in files] == [False, False]


def test_in_memory_runs_are_known_to_their_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the store in memory nothing is written, and the runs of the process can be read all the same."""
    monkeypatch.setenv("CELLTASK_STORE", "memory")
    run = kept.run(x=5)
    assert runs(run.id)[0].state == "done"
