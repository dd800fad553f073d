"""Stores that cannot be used, really: a full disk, a folder that may not be written to, a disk that does not answer.

In each case a run ends well, one warning says what it is and what to do, and the next run works.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it takes what only Linux has")

PROGRAM = """
import sys
from celltask import runs, task, workflow

@task(cache=True)
def small(x: int) -> int:
    print("body", end=" ")
    return 2 * x

@task(cache=True)
def large(x: int) -> bytes:
    print("body", end=" ")
    return bytes([x]) * 3_000_000

@task(cache=True)
def length(data: bytes) -> int:
    print("body", end=" ")
    return len(data)

@workflow
def wf(x: int) -> tuple[int, int]:
    return small(x=x), length(data=large(x=x))

for _ in range(2):
    run = wf.run(x=1)
    print(run.state, run.value, [node.state for node in run.nodes], flush=True)
"""
COMPUTED = "body body body done (2, 3000000) ['done', 'done', 'done']\n"
REUSED = "done (2, 3000000) ['reused', 'reused', 'reused']\n"


def two_runs(store: Path, *before: str, timeout_s: float = 60) -> tuple[str, str]:
    """What a process says, on both streams, that runs a workflow twice with the store in that folder."""
    command = [*before, sys.executable, "-c", PROGRAM]
    env = {**os.environ, "CELLTASK_STORE": str(store)}
    said = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout_s, check=True)
    return said.stdout, said.stderr


@contextmanager
def mounted(folder: Path, kind: str, options: str) -> Iterator[None]:
    """A file system of that kind at `folder`; the test is skipped where this user cannot mount one."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder.mkdir()
    if libc.mount(b"test", os.fsencode(folder), kind.encode(), 0, options.encode()):
        pytest.skip(f"{kind} cannot be mounted here: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        libc.umount2(os.fsencode(folder), 2)  # MNT_DETACH


def told(store: Path, *what: str) -> str:
    """A warning, as a process shows it."""
    return "".join(f"celltask:1: StoreWarning: {line}\n" for line in what).replace("FOLDER", str(store))


def test_a_full_disk_is_told_and_both_runs_are_done(tmp_path: Path) -> None:
    """What has room is kept; when there is room again, all is."""
    disk = tmp_path / "disk"
    with mounted(disk, "tmpfs", "size=1m"):
        out, err = two_runs(disk / "store")
        assert out == COMPUTED + "body done (2, 3000000) ['reused', 'done', 'reused']\n"
        assert err == told(
            disk / "store",
            "there is no space left for the folder FOLDER; results are not kept\n"
            "  mend: make room (`celltask cache gc --max-size 1GB`), or set CELLTASK_STORE to another folder",
        )
        left = [path for path in (disk / "store" / "values").rglob("*") if path.is_file()]
        assert left == []
        ctypes.CDLL(None).mount(b"test", os.fsencode(disk), b"tmpfs", 32, b"size=64m")  # MS_REMOUNT
        assert two_runs(disk / "store") == ("body done (2, 3000000) ['reused', 'done', 'reused']\n" + REUSED, "")


def without_power_over_files() -> Sequence[str]:
    """What begins a command that may not write where the rights of a folder say so, though root runs it."""
    if os.geteuid():
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv to let it not")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.mark.parametrize(
    ("is_there", "why"),
    [
        pytest.param(True, "attempt to write a readonly database", id="there"),
        pytest.param(False, "[Errno 13] Permission denied: 'FOLDER'", id="to-be-made"),
    ],
)
def test_a_store_that_may_not_be_written_to_is_told(tmp_path: Path, why: str, *, is_there: bool) -> None:
    """Results and records are kept in memory; when it may be written to again, it serves as before."""
    store = tmp_path / "above" / "store"
    if is_there:
        two_runs(store)
    else:
        store.parent.mkdir()
    folders = [path for path in (store.parent, *store.parent.rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        out, err = two_runs(store, *without_power_over_files())
    finally:
        for path in folders:
            path.chmod(0o755)
    assert out == COMPUTED + REUSED
    records, results = err.split("celltask:1: ")[1:]
    assert records.startswith(f"StoreWarning: runs are not recorded in {store}/runs: [Errno 13] Permission denied: ")
    assert records.endswith("  mend: set CELLTASK_STORE to another folder\n")
    assert f"celltask:1: {results}" == told(
        store,
        f"the folder FOLDER cannot be written to ({why}); results are kept in memory, until the process ends\n"
        "  mend: make it writable, or set CELLTASK_STORE to another folder",
    )
    assert two_runs(store) == ((REUSED if is_there else COMPUTED) + REUSED, "")


def test_a_pipe_in_the_place_of_the_index_is_told(tmp_path: Path) -> None:
    """Nobody waits for who writes to it."""
    store = tmp_path / "store"
    store.mkdir()
    os.mkfifo(store / "index.sqlite")
    assert two_runs(store) == (
        COMPUTED + REUSED,
        told(
            store,
            "the folder FOLDER cannot be used (disk I/O error); results are kept in memory, until the process ends\n"
            "  mend: set CELLTASK_STORE to another folder",
        ),
    )


@contextmanager
def dead_mount(folder: Path) -> Iterator[None]:
    """A file system of which nobody answers for the files, as one of a machine that has gone."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        pytest.skip(f"there is no FUSE here: {error}")
    try:
        with mounted(folder, "fuse", f"fd={device},rootmode=40000,user_id=0,group_id=0"):
            yield
    finally:
        os.close(device)


@pytest.mark.parametrize("below", ["", "store"])
def test_a_disk_that_does_not_answer_delays_a_process_for_seconds(tmp_path: Path, below: str) -> None:
    """Then results and records are kept in memory."""
    begun = time.monotonic()
    with dead_mount(tmp_path / "dead"):
        store = tmp_path / "dead" / below
        out, err = two_runs(store)
        assert time.monotonic() - begun < 30
        assert out == COMPUTED + REUSED
        assert err == told(
            store,
            "the folder FOLDER has not answered for 5 s; results are kept in memory, until the process ends\n"
            "  mend: see whether its disk is there, or set CELLTASK_STORE to another folder",
        )
    shutil.rmtree(tmp_path / "dead")
    assert two_runs(store) == (COMPUTED + REUSED, "")
