"""The cache: when a result is reused, when it is not, and that nothing is computed twice."""

from __future__ import annotations

import stat
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from celltask import File, conditional, map_task, task, workflow
from celltask.core.events import NodeReused
from celltask.core.stores.choice import StoreWarning, current_store, opened
from celltask.errors import InterfaceError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("own_store")


class Held:
    """A class that tests keep results of."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.array = np.zeros(20_000)


@contextmanager
def file_of_values(folder: Path) -> Iterator[Path]:
    """The only file of a large value."""
    (file,) = (path for path in (folder / "values").rglob("*") if path.is_file())
    yield file


def test_a_result_is_reused_for_equal_code_and_equal_content() -> None:
    """The same content in another object is a hit; other content is not."""
    ran = []

    @task(cache=True, allow_globals=["ran"])
    def total(xs: list[int], scale: int = 1) -> int:
        ran.append(xs)
        return sum(xs) * scale

    assert [total(xs=[1, 2]), total([1, 2], scale=1), total(xs=[2, 1]), total(xs=[1, 2], scale=2)] == [3, 3, 3, 6]
    assert ran == [[1, 2], [2, 1], [1, 2]]


def test_ignored_inputs_do_not_count() -> None:
    """An input named in `cache_ignore` changes nothing in the key."""
    ran = []

    @task(cache=True, cache_ignore=["verbose"], allow_globals=["ran"])
    def double(x: int, verbose: int = 0) -> int:
        ran.append(x)
        return 2 * x

    assert [double(x=1), double(x=1, verbose=1), double(x=2)] == [2, 2, 4]
    assert ran == [1, 2]


def test_ignoring_what_is_no_input_is_refused() -> None:
    """A misspelt name would silently change nothing."""
    with pytest.raises(InterfaceError) as caught:

        @task(cache=True, cache_ignore=["verbos"])
        def double(x: int, verbose: int = 0) -> int:
            return 2 * x

    assert caught.value.what == "cache_ignore names 'verbos', which is not an input of task 'double'"
    assert caught.value.mend == "use one of: verbose, x"


@pytest.mark.parametrize("ttl", [0.15, timedelta(milliseconds=150)])
def test_a_result_expires_after_its_time(ttl: float) -> None:
    """After `cache_ttl` seconds the task runs again."""
    ran = []

    @task(cache=True, cache_ttl=ttl, allow_globals=["ran"])
    def stamp(x: int) -> float:
        ran.append(x)
        return time.time()

    first = stamp(x=1)
    assert stamp(x=1) == first
    while time.time() - first < 0.3:
        time.sleep(0.05)
    assert stamp(x=1) > first
    assert len(ran) == 2


def test_a_result_from_the_future_has_expired(own_store: Path) -> None:
    """Where the clock was set back, a result with a time limit is not taken for fresh until the old time comes."""
    del own_store
    ran = []

    @task(cache=True, cache_ttl=3600, allow_globals=["ran"])
    def double(x: int) -> int:
        ran.append(x)
        return 2 * x

    double(x=1)
    store = current_store()
    (listed,) = store.entries()
    entry = store.get(listed.key)
    assert entry is not None
    store.put(listed.key, entry._replace(made=time.time() + 10_000))
    assert (double(x=1), ran) == (2, [1, 1])


@pytest.mark.parametrize("engine", ["inline", "threads"])
def test_a_run_with_refresh_computes_anew_and_replaces(engine: str) -> None:
    """Each call is computed once more in such a run, also by a task within a task; later runs reuse what that gave."""
    ran: list[str] = []

    @task(cache=True, allow_globals=["ran"])
    def inner(x: int) -> int:
        ran.append("inner")
        return x + 1

    @task(cache=True, allow_globals=["ran", "inner"])
    def outer(x: int) -> int:
        ran.append("outer")
        return int(inner(x=x))

    @workflow
    def wf(x: int) -> tuple[int, int]:
        return outer(x), inner(x)

    for refresh, expected in ((False, 2), (False, 0), (True, 2), (False, 0)):
        ran.clear()
        assert wf.run(x=1, engine=engine, refresh=refresh).result() == (2, 2)
        assert len(ran) == expected


def test_failures_are_not_kept() -> None:
    """What failed is tried again at the next call."""
    ran = []

    @task(cache=True, allow_globals=["ran"])
    def flaky(x: int) -> int:
        ran.append(x)
        if len(ran) == 1:
            raise ConnectionError
        return x

    with pytest.raises(ConnectionError):
        flaky(x=1)
    assert [flaky(x=1), flaky(x=1)] == [1, 1]
    assert len(ran) == 2


def test_what_has_no_content_is_refused_by_name() -> None:
    """A key is never guessed: an input whose content cannot be told is named."""

    @task(cache=True, share=["it"])
    def hold(it: object) -> int:
        return 1

    with pytest.raises(RunError) as caught:
        hold(it=threading.Lock())
    assert caught.value.what.startswith("input 'it' of cached task 'hold' has content that cannot be told")
    assert caught.value.mend == "give another type, or leave cache off"


def test_what_cannot_be_stored_is_told_once_and_computed_each_time() -> None:
    """The result is given all the same."""

    @task(cache=True)
    def lock(x: int) -> object:
        return threading.Lock()

    with pytest.warns(StoreWarning, match="the result of task 'lock' cannot be kept, and is computed at each call"):
        assert lock(x=1) is not None
    assert lock(x=1) is not None


def test_what_is_reused_belongs_to_who_got_it() -> None:
    """Changing a reused result, a large array or the inside of an object, changes nothing that is kept."""

    @task(cache=True)
    def large(x: int) -> np.ndarray[Any, Any]:
        return np.zeros(1_000_000)

    @task(cache=True)
    def held(x: int) -> Held:
        return Held(x)

    for _ in range(3):
        array, thing = large(x=1), held(x=1)
        assert not array.any()
        assert not thing.array.any()
        array += 1
        thing.array += 1


def test_a_large_array_is_mapped_and_not_read() -> None:
    """A hit on a large array is a view of the file, whose pages come when they are touched."""
    import mmap  # noqa: PLC0415 - only here

    @task(cache=True)
    def large(x: int) -> np.ndarray[Any, Any]:
        return np.ones(1_000_000)

    large(x=1)
    base: Any = large(x=1)
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)


def test_a_damaged_result_is_told_and_computed_anew(own_store: Path) -> None:
    """A changed file never becomes a wrong value."""

    @task(cache=True)
    def large(x: int) -> np.ndarray[Any, Any]:
        return np.ones(1_000_000)

    large(x=1)
    with file_of_values(own_store) as file:
        content = bytearray(file.read_bytes())
        content[5_000_000] ^= 1
        file.write_bytes(content)
    with pytest.warns(StoreWarning, match="a kept result of task 'large' cannot be used: the file .* is not as it was"):
        assert large(x=1).sum() == 1_000_000
    assert large(x=1).sum() == 1_000_000


def test_a_pickle_that_this_user_did_not_sign_is_never_loaded(
    tmp_path: Path, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unpickling runs code: an entry signed with another key counts as missing, and is told."""
    del own_store
    ran = []

    @task(cache=True, allow_globals=["ran"])
    def made(x: int) -> set[int]:
        ran.append(x)
        return {x}

    monkeypatch.setenv("CELLTASK_KEY_FILE", str(tmp_path / "theirs"))
    made(x=1)
    assert stat.S_IMODE((tmp_path / "theirs").stat().st_mode) == 0o600
    monkeypatch.setenv("CELLTASK_KEY_FILE", str(tmp_path / "ours"))
    with pytest.warns(StoreWarning) as caught:
        assert made(x=1) == {1}
    told = "it holds a pickle or file that is not signed with this user's key, and is not loaded"
    whole = f"a kept result of task 'made' cannot be used: {told}; it is computed anew"
    assert [str(one.message) for one in caught] == [whole]
    assert (made(x=1), ran) == ({1}, [1, 1])


def test_an_entry_does_not_pass_for_another() -> None:
    """The signature holds for its key: a pickle moved to another key is not loaded."""

    @task(cache=True)
    def moved(x: int) -> set[int]:
        return {x, 100}

    moved(x=1)
    moved(x=2)
    store = current_store()
    second, first = (store.get(one.key) for one in store.entries())
    key = next(iter(store.entries())).key
    assert first is not None
    assert second is not None
    store.put(key, first)
    with pytest.warns(StoreWarning, match="not signed"):
        assert moved(x=2) == {2, 100}


def test_a_result_with_large_fields_is_told_by_each_of_them() -> None:
    """Of an array of records that differ in one field only, what is computed is that of its own content."""

    @task(cache=True)
    def records(rate: int) -> np.ndarray:
        made = np.zeros(200_000, dtype=[("id", "f8"), ("rate", "f8")])
        made["rate"] = rate
        return made

    @task(cache=True)
    def first_rate(made: np.ndarray) -> float:
        return float(made["rate"][0])

    @workflow
    def rate_of(rate: int) -> float:
        return first_rate(records(rate))

    assert [rate_of(rate) for rate in (1, 2, 3)] == [1.0, 2.0, 3.0]


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    """The same content elsewhere is a hit; the same place with other content is not."""
    ran = []

    @task(cache=True, allow_globals=["ran"])
    def length(path: File) -> int:
        ran.append(str(path))
        return len(Path(path).read_text(encoding="utf-8"))

    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("abc", encoding="utf-8")
    two.write_text("abc", encoding="utf-8")
    assert [length(path=str(one)), length(path=str(two))] == [3, 3]
    assert len(ran) == 1
    one.write_text("abcd", encoding="utf-8")
    assert length(path=str(one)) == 4


def test_results_stay_when_the_label_of_the_code_stays() -> None:
    """With `cache_version`, changed code is reused for as long as the label is the same."""
    space: dict[str, Any] = {"task": task, "__name__": "cells_of_labels"}
    found = []
    for body, label in (("x + 1", "a"), ("x + 2", "a"), ("x + 2", "b")):
        source = f"@task(cache=True, cache_version='{label}')\ndef add(x: int) -> int:\n    return {body}\n"
        exec(source, space)  # noqa: S102 - stands for a cell
        found.append(space["add"](x=1))
    assert found == [2, 2, 3]


def test_another_store_has_other_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable is looked at when a result is wanted, so that it can be set in a notebook."""
    ran = []

    @task(cache=True, allow_globals=["ran"])
    def double(x: int) -> int:
        ran.append(x)
        return 2 * x

    double(x=1)
    monkeypatch.setenv("CELLTASK_STORE", str(tmp_path / "another"))
    double(x=1)
    assert len(ran) == 2
    assert opened(str(tmp_path / "another")) is current_store()


def test_what_holds_only_reused_nodes_counts_as_reused() -> None:
    """A map, a choice and an inner workflow are reused where all that ran in them was, and tell so; others ran."""

    @task(cache=True)
    def kept(x: int) -> int:
        return x + 1

    @workflow
    def inner(xs: list[int]) -> list[int]:
        return map_task(kept)(x=xs)

    @workflow
    def outer(xs: list[int]) -> tuple[list[int], int]:
        first = inner(xs=xs)
        return first, conditional("small").if_(first[0] < 10).then(kept(x=first[1])).else_().then(0)

    def states(xs: list[int]) -> dict[str, str]:
        return {node.id: node.state for node in outer.run(xs=xs, on_event=told.append).nodes}

    told: list[object] = []
    assert set(states([1, 2]).values()) == {"done", "skipped"}
    told.clear()
    again = states([1, 2])
    assert (again.pop("n1/n1"), set(again.values())) == ("skipped", {"reused"})
    assert [(event.node, event.reason) for event in told if isinstance(event, NodeReused) if "[" not in event.node] == [
        ("n0/n0", "2 of 2 items: same code, same inputs"),
        ("n0", "all nodes of it are reused"),
        ("n1/n0/n0", "same code, same inputs"),
        ("n1/n0", "all nodes of it are reused"),
        ("n1", "all nodes of it are reused"),
    ]
    more = states([1, 2, 7])
    assert (more["n0"], more["n0/n0"], more["n1"]) == ("done", "done", "reused")


RATE = 1


def test_a_constant_bound_anew_while_the_body_runs_is_no_part_of_its_code(
    own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result is kept with the code that it was asked for with; that of now does not pass for it."""
    del own_store

    @task(cache=True)
    def taxed(x: int) -> int:
        time.sleep(0)
        return x * RATE

    monkeypatch.setattr(time, "sleep", lambda _: monkeypatch.setitem(globals(), "RATE", 2))
    before = taxed.digest
    assert taxed(3) == 6
    assert taxed.digest != before
    assert [one.facts["code"] for one in current_store().newest("taxed", 1)] == [before]
    assert current_store().code(before) is None
