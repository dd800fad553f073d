"""A store in this process's memory, gone when it ends."""

from __future__ import annotations

import time
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING

from celltask.core.stores.base import Code, Entry, Listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

__all__ = ["MemoryStore"]


class MemoryStore:
    """Entries by key in a dict.

    >>> store = MemoryStore()
    >>> store.put("k", Entry("double", 0.0, {}, [[b"J4"]]))
    >>> store.get("k").blobs
    [[b'J4']]
    >>> store.get("other") is None
    True
    """

    place = "memory"
    is_shared = False

    def __init__(self, text: str = "") -> None:
        del text
        self._entries: dict[str, Entry] = {}
        self._codes: dict[str, Code] = {}

    def get(self, key: str) -> Entry | None:
        """The entry under `key`, with buffers of its own."""
        found = self._entries.get(key)
        if found is None:
            return None
        return found._replace(blobs=[[piece if at == 0 else bytearray(piece) for at, piece in enumerate(blob)]
                                     for blob in found.blobs])  # fmt: skip

    def put(self, key: str, entry: Entry) -> None:
        """Keep `entry` under `key`."""
        self._entries.pop(key, None)  # so that the newest is last
        self._entries[key] = entry._replace(blobs=[[bytes(piece) for piece in blob] for blob in entry.blobs])

    def claim(self, key: str, *, wait: bool) -> AbstractContextManager[object] | None:
        """Always: there is no other process, and threads of this one have agreed already."""
        del key, wait
        return nullcontext()

    def know(self, digest: str, parts: Mapping[str, str]) -> None:
        """Keep the parts of a code."""
        self._codes.setdefault(digest, dict(parts))

    def code(self, digest: str) -> Code | None:
        """The parts of the code with this digest."""
        return self._codes.get(digest)

    def newest(self, task: str, count: int) -> list[Listed]:
        """The entries of a task, newest first."""
        return list(islice((one for one in self.entries() if one.task == task), count))

    def entries(self) -> Iterator[Listed]:
        """Every entry, newest first."""
        for key, entry in reversed(list(self._entries.items())):
            yield Listed(key, entry.task, entry.made, time.time(), _size(entry), entry.facts)

    def remove(self, keys: Sequence[str]) -> int:
        """Forget entries."""
        gone = [self._entries.pop(key) for key in dict.fromkeys(keys) if key in self._entries]
        return sum(_size(entry) for entry in gone)


def _size(entry: Entry) -> int:
    return sum(len(piece) for blob in entry.blobs for piece in blob)
