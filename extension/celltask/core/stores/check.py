"""The proof that a store keeps its promises; `celltask.testing.check_store` for authors of stores."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from celltask.core.stores.base import Entry

if TYPE_CHECKING:
    from celltask.core.stores.base import Store

__all__ = ["check_store"]

_LARGE = bytes(range(256)) * 8192  # 2 MiB
_FACTS = {"code": "c0de", "inputs": {"x": "1"}, "outputs": ["2", ""], "run": "r"}


def check_store(store: Store) -> None:
    """Assert that `store`, which must be empty, does what its contract says.

    Raises:
        AssertionError: At the first promise that is not kept.

    >>> from celltask.core.stores.memory import MemoryStore
    >>> check_store(MemoryStore())
    """
    _hold(bool(store.place), "it does not say where it is")
    one, two, absent = "a" * 64, "b" * 64, "c" * 64
    _hold(store.get(absent) is None, "get() gives something for a key that was never put")
    _hold(not list(store.entries()), "it is not empty")
    now = time.time()
    store.put(one, Entry("first", now - 10, _FACTS, [[b"J1"]]))
    store.put(two, Entry("first", now, _FACTS, [[b"n", memoryview(_LARGE)], [b"p", b"", b"\0" * 5000]]))
    _check_got(store, one, [[b"J1"]])
    _check_got(store, two, [[b"n", _LARGE], [b"p", b"", b"\0" * 5000]])
    _check_private(store, two)
    _hold([entry.key for entry in store.newest("first", 5)] == [two, one], "newest() is not newest first")
    _hold(len(store.newest("first", 1)) == 1, "newest() gives more than was asked for")
    _hold(not store.newest("other", 5), "newest() gives entries of another task")
    _hold(sorted(entry.key for entry in store.entries()) == [one, two], "entries() does not give every entry")
    store.know("c0de", {"body": "x"})
    _hold(store.code("c0de") == {"body": "x"} and store.code("none") is None, "code() is not what know() was told")
    store.put(one, Entry("first", now, _FACTS, [[b"J2"]]))
    _check_got(store, one, [[b"J2"]])
    _check_claim(store, absent)
    store.remove([two])
    _hold(store.get(two) is None and store.get(one) is not None, "remove() takes another entry, or none")


def _check_got(store: Store, key: str, blobs: list[list[bytes]]) -> None:
    entry = store.get(key)
    if entry is None:
        raise AssertionError("get() gives nothing for a key that was put")
    _hold([[bytes(piece) for piece in blob] for blob in entry.blobs] == blobs, "bytes come back changed")
    _hold(entry.task == "first" and dict(entry.facts) == _FACTS, "task or facts come back changed")


def _check_private(store: Store, key: str) -> None:
    entry = store.get(key)
    view = memoryview(entry.blobs[0][1]) if entry is not None else memoryview(b"")
    _hold(not view.readonly, "a large piece cannot be written to by who got it")
    view[:4] = b"mine"
    again = store.get(key)
    _hold(again is not None and bytes(again.blobs[0][1]) == _LARGE, "writing to what was got changes the store")


def _check_claim(store: Store, key: str) -> None:
    claim = store.claim(key, wait=False)
    if claim is None:
        raise AssertionError("claim() gives none though nobody has one")
    with claim:
        pass
    again = store.claim(key, wait=True)
    if again is None:
        raise AssertionError("a claim does not end with its block")
    with again:
        pass


def _hold(promise: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as `assert`
    if not promise:
        raise AssertionError(otherwise)
