"""Stores: what is kept comes back, or counts as missing and is told; a run works whatever becomes of its store."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest

from celltask import task
from celltask.core.signing import is_signed, signature
from celltask.core.stores.base import Entry, StoreProblem
from celltask.core.stores.choice import StoreWarning, current_store, folder_of, folder_of_user, opened, where
from celltask.core.stores.files import FilesStore
from celltask.core.stores.memory import MemoryStore
from celltask.testing import check_store

KEY = "a" * 64
LARGE = bytes(3_000_000)
PROGRAM = """
from celltask import task

@task(cache=True)
def double(x: int) -> int:
    print("body")
    return 2 * x

@task(cache=True)
def long(x: int) -> bytes:
    return bytes(5_000_000)
"""


def run(code: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A process that has the tasks of `PROGRAM` and the store in `folder`, and runs `code`."""
    variables = {**os.environ, "CELLTASK_STORE": str(folder), **more}
    command = [sys.executable, "-W", "always", "-c", PROGRAM + code]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


def test_the_stores_keep_their_contract(tmp_path: Path) -> None:
    """Both built-in stores do what the contract says."""
    check_store(MemoryStore())
    store = FilesStore(str(tmp_path / "store"))
    store.check()
    check_store(store)


def test_a_result_is_there_in_the_next_process(tmp_path: Path) -> None:
    """A cached task runs once for all processes that share the store."""
    said = [run("print(double(x=4))", tmp_path / "store").stdout for _ in range(2)]
    assert said == ["body\n8\n", "8\n"]


def test_a_damaged_value_counts_as_missing(tmp_path: Path) -> None:
    """A file that was changed, and one that is gone, are told, and no wrong value is given."""
    store = FilesStore(str(tmp_path))
    store.check()
    for damage in (lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]), Path.unlink):
        store.put(KEY, Entry("t", 0.0, {}, [[LARGE]]))
        (file,) = (path for path in (tmp_path / "values").rglob("*") if path.is_file())
        damage(file)
        with pytest.raises(StoreProblem, match="is not as it was written|is gone") as caught:
            store.get(KEY)
        assert not caught.value.is_lasting


def test_a_changed_row_counts_as_missing(tmp_path: Path) -> None:
    """What lies in the index itself is checked as well."""
    store = FilesStore(str(tmp_path))
    store.check()
    store.put(KEY, Entry("t", 0.0, {}, [[b"J4"]]))
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute("UPDATE entry SET inline = X'4A35'")
    connection.close()
    with pytest.raises(StoreProblem, match="an entry in the index of .* is damaged"):
        store.get(KEY)


def test_a_large_file_is_read_through_once_only(tmp_path: Path) -> None:
    """What was touched is compared with its digest; if it is whole, the next look need not do it again."""
    store = FilesStore(str(tmp_path))
    store.check()
    store.put(KEY, Entry("t", 0.0, {}, [[LARGE]]))
    (file,) = (path for path in (tmp_path / "values").rglob("*") if path.is_file())
    before = store._index.row("SELECT layout FROM entry", ())
    os.utime(file, (1, 1))
    assert store.get(KEY) is not None
    after = store._index.row("SELECT layout FROM entry", ())
    assert before != after
    assert store.get(KEY) is not None
    assert store._index.row("SELECT layout FROM entry", ()) == after


def test_a_smaller_file_is_read_without_writing_to_the_index(tmp_path: Path) -> None:
    """What is read through each time needs no note of it."""
    store = FilesStore(str(tmp_path))
    store.check()
    store.put(KEY, Entry("t", time.time(), {}, [[b"p", bytes(50_000)]]))
    index = sqlite3.connect(tmp_path / "index.sqlite")
    before = index.execute("PRAGMA data_version").fetchone()
    assert store.get(KEY) is not None
    assert index.execute("PRAGMA data_version").fetchone() == before
    index.close()


def test_equal_values_share_a_file_until_the_last_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries with the same large value take its space once, and it stays while one needs it."""
    monkeypatch.setattr("celltask.core.stores.values.WANTED_S", 0.0)
    store = FilesStore(str(tmp_path))
    store.check()
    for key in ("a" * 64, "b" * 64):
        store.put(key, Entry("t", 0.0, {}, [[LARGE]]))
    assert store.remove(["a" * 64]) == 0
    assert store.get("b" * 64) is not None
    assert store.remove(["b" * 64]) >= len(LARGE)
    assert not [path for path in (tmp_path / "values").rglob("*") if path.is_file()]


def test_left_over_temporary_files_are_swept_after_a_day(tmp_path: Path) -> None:
    """What a writer that died left behind does not stay for ever; what is being written now does."""
    store = FilesStore(str(tmp_path))
    store.check()
    store.put(KEY, Entry("t", 0.0, {}, [[LARGE]]))
    (file,) = (path for path in (tmp_path / "values").rglob("*") if path.is_file())
    old, new = file.with_suffix(".1-a.tmp"), file.with_suffix(".2-b.tmp")
    for left in (old, new):
        left.write_bytes(b"half")
    os.utime(old, (time.time() - 100_000,) * 2)
    store.remove([])
    assert (old.exists(), new.exists()) == (False, True)


def _newer(folder: Path) -> None:
    folder.mkdir()
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def _foreign(folder: Path) -> None:
    folder.mkdir()
    (folder / "index.sqlite").write_bytes(b"this is no database, but a text of some length " * 100)


def _a_file(folder: Path) -> None:
    folder.write_text("not a folder")


@pytest.mark.parametrize(
    ("spoil", "told", "mend"),
    [
        pytest.param(
            _newer,
            "the folder {folder} was written by a newer celltask (its format is 99, and this one knows 1)",
            "update celltask, or set CELLTASK_STORE to another folder",
            id="newer",
        ),
        pytest.param(
            _foreign,
            "{folder}/index.sqlite is not an index of celltask, or is damaged (file is not a database)",
            "remove the folder {folder}, or set CELLTASK_STORE to another folder",
            id="foreign",
        ),
        pytest.param(
            _a_file,
            "the folder {folder} cannot be used ([Errno 17] File exists: '{folder}')",
            "set CELLTASK_STORE to another folder",
            id="a-file",
        ),
    ],
)
def test_a_run_works_with_a_store_that_cannot_be_used(
    spoil: object, told: str, mend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results are then kept in memory, and one warning says why, and what to do."""
    folder = tmp_path / "spoilt"
    spoil(folder)  # type: ignore[operator]  # one of the three above
    monkeypatch.setenv("CELLTASK_STORE", str(folder))

    @task(cache=True)
    def double(x: int) -> int:
        return 2 * x

    with pytest.warns(StoreWarning) as caught:
        assert double(x=1) == 2
    whole = f"{told}; results are kept in memory, until the process ends\n  mend: {mend}"
    assert [str(warning.message) for warning in caught] == [whole.replace("{folder}", str(folder))]
    assert (double(x=1), double(x=2)) == (2, 4)


def test_a_disk_that_is_full_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    """The value is given all the same; nothing half-written is left, and the next process computes it."""
    limited = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
    said = run(f"{limited}print(double(x=1), len(long(x=1)), double(x=2))", tmp_path / "store")
    assert said.stdout == "body\nbody\n2 5000000 4\n"
    assert said.stderr.count("StoreWarning") == 1
    assert "Traceback" not in said.stderr
    assert not [path for path in (tmp_path / "store" / "values").rglob("*") if path.is_file()]
    assert run("print(len(long(x=1)))", tmp_path / "store").stdout == "5000000\n"


def test_a_folder_that_does_not_answer_is_given_up_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead mount, where the system waits for ever, delays the run for some seconds and no more."""
    store = FilesStore(str(tmp_path))
    for_ever = threading.Event()
    monkeypatch.setattr(store._index, "prepare", for_ever.wait)  # what such a system does
    monkeypatch.setattr("celltask.core.stores.files._PATIENCE_S", 0.2)
    with pytest.raises(StoreProblem, match="has not answered for 0 s"):
        store.check()
    for_ever.set()


def test_where_results_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says, else beside the project, else in the user's cache."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    inner = tmp_path / "work" / "notebooks"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.setenv("CELLTASK_STORE", "/somewhere")
    assert where() == "/somewhere"
    monkeypatch.delenv("CELLTASK_STORE")
    assert where() == folder_of_user()
    (tmp_path / "work" / "pyproject.toml").touch()
    assert where() == str(tmp_path / "work" / ".celltask" / "store")
    (inner / ".celltask").mkdir()
    assert where() == str(inner / ".celltask" / "store")
    monkeypatch.setenv("CELLTASK_STORE", "memory")
    assert isinstance(current_store(), MemoryStore)


def test_a_folder_is_one_store_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the name of the store before it, it is the same store, and runs are recorded there."""
    assert opened(f"files:{tmp_path}/store") is opened(f"{tmp_path}/store/")
    monkeypatch.setenv("CELLTASK_STORE", f"files:{tmp_path}/store")
    assert folder_of("runs") == f"{tmp_path.resolve()}/store/runs"


def test_a_store_of_an_unknown_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is not installed is named, and the run goes on in memory."""
    monkeypatch.setenv("CELLTASK_STORE", "redis:localhost")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert isinstance(current_store(), MemoryStore)
    assert [str(one.message).splitlines() for one in caught] == [
        [
            "no celltask.stores called 'redis'; results are kept in memory, until the process ends",
            "  mend: use one of: files, memory",
        ]
    ]


def test_a_forked_child_uses_the_store_of_its_parent(tmp_path: Path) -> None:
    """A connection is never shared between processes."""
    code = """
import os
print(double(x=1), flush=True)
child = os.fork()
if child == 0:
    print(double(x=1), double(x=2), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(double(x=2), double(x=3))
"""
    assert run(code, tmp_path / "store").stdout == "body\n2\nbody\n2 4\nbody\n4 6\n"


def test_a_forked_child_leaves_all_connections_of_its_parent_open(tmp_path: Path) -> None:
    """Also those of other threads, which the child does not have: closing them could damage the parent's."""
    code = """
import gc, os, threading
from pathlib import Path

def connections():
    links = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum("/index.sqlite" in link for link in links)

def use():
    double(x=2)
    ready.set()
    over.wait(20)

ready, over = threading.Event(), threading.Event()
double(x=1)
thread = threading.Thread(target=use)
thread.start()
ready.wait(20)
before = connections()
child = os.fork()
if child == 0:
    gc.collect()
    print(connections() - before, flush=True)
    os._exit(0)
os.waitpid(child, 0)
over.set()
thread.join()
"""
    assert run(code, tmp_path / "store").stdout == "body\nbody\n0\n"


def test_many_processes_may_make_one_store_at_once(tmp_path: Path) -> None:
    """The first use by several at the same moment fails for none."""
    variables = {**os.environ, "CELLTASK_STORE": str(tmp_path / "store")}
    command = [sys.executable, "-W", "error", "-c", PROGRAM + "print(double(x=1))"]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, env=variables, stdout=pipe, stderr=pipe) for _ in range(6)]
    said = [process.communicate(timeout=60) for process in started]
    assert [error for _, error in said] == [b""] * 6
    assert sorted(out for out, _ in said) == [b"2\n"] * 5 + [b"body\n2\n"]


def test_a_folder_of_results_is_ignored_by_git(tmp_path: Path) -> None:
    """Nobody commits results by accident."""
    opened(str(tmp_path / "store"))
    assert (tmp_path / "store" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_nothing_is_left_of_a_key_that_could_not_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk knows no links, the process has a key of its own, and no file stays behind."""

    def refused(*places: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", *places)

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setenv("CELLTASK_KEY_FILE", str(tmp_path / "keys" / "key"))
    assert is_signed("text", signature("text"))
    assert list((tmp_path / "keys").iterdir()) == []


def test_threads_that_use_a_store_first_at_once_share_one(own_store: Path) -> None:
    """The first look-up of several threads at the same moment opens the folder once, and none is turned away."""
    begun = threading.Barrier(8)
    found = []

    def look() -> None:
        begun.wait()
        found.append(current_store())

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [store.place for store in found] == [str(own_store)] * 8
    assert len(set(map(id, found))) == 1
