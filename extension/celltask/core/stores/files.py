"""A folder of this machine: an index in SQLite, large values in files beside it. Several processes may use it at once.

The row of an entry is written after its files, so what the index tells is there. What is small lies in the row.
"""

from __future__ import annotations

import json
import threading
import time
from itertools import chain
from typing import TYPE_CHECKING, Final

from celltask.core.stores.base import Code, Entry, Listed, StoreProblem
from celltask.core.stores.claims import Claims
from celltask.core.stores.index import Index
from celltask.core.stores.values import Values, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from celltask.core.types.pieces import Buffer

__all__ = ["FilesStore"]

_INLINE = 2048  # bytes; a blob up to this size lies in the row
_LISTED = "SELECT key, task, made, used, size, facts FROM entry"
_SINGLE = "="
"""Begins the layout of an entry with one value in one piece, which lies in the row: its digest comes after."""
_DAY_S: Final = 86400.0
_PATIENCE_S = 5.0


class FilesStore:
    """The store in one folder. It holds state: connections, and what it knows to be written.

    Args:
        folder: Its folder, made if need be.
    """

    is_shared = True

    def __init__(self, folder: str) -> None:
        self.place = folder
        self._claims = Claims(f"{folder}/claims")
        self._values = Values(f"{folder}/values")
        self._index = Index(folder, self._claims)
        self._known: set[str] = set()

    def check(self) -> None:
        """Make the folder ready, or tell why it cannot be used; within a few seconds also if it does not answer.

        Raises:
            StoreProblem: If it cannot be used.
        """
        told: list[BaseException | None] = []

        def work() -> None:
            try:
                self._index.prepare()
                told.append(None)
            except BaseException as error:  # noqa: BLE001 - carried to the caller
                told.append(error)

        # The folder may lie on a machine that does not answer, and then the system waits for ever.
        thread = threading.Thread(target=work, daemon=True, name="celltask store")
        thread.start()
        thread.join(_PATIENCE_S)
        if not told:
            raise StoreProblem(
                f"the folder {self.place} has not answered for {_PATIENCE_S:.0f} s",
                "see whether its disk is there, or set CELLTASK_STORE to another folder",
            )
        if told[0] is not None:
            raise told[0]

    def get(self, key: str) -> Entry | None:
        """The entry under `key`."""
        row = self._index.row("SELECT task, made, used, facts, layout, inline FROM entry WHERE key = ?", (key,))
        if row is None:
            return None
        task, made, used, facts, layout, inline = row
        if layout[:1] == _SINGLE:
            if digest_of((inline,)) != layout[1:]:
                raise self._damaged()
            blobs: list[Sequence[Buffer]] = [(inline,)]
        else:
            blobs = self._blobs(key, json.loads(layout), inline)
        if time.time() - used > _DAY_S:
            self._index.change("UPDATE entry SET used = ? WHERE key = ?", (time.time(), key))
        return Entry(task, made, json.loads(facts), blobs)

    def _damaged(self) -> StoreProblem:
        return StoreProblem(f"an entry in the index of {self.place} is damaged", "", is_lasting=False)

    def _blobs(self, key: str, layout: list[list[object]], inline: bytes) -> list[Sequence[Buffer]]:
        """The blobs of a row.

        Raises:
            StoreProblem: If one is not what was written.
        """
        blobs: list[Sequence[Buffer]] = []
        start, is_stale = 0, False
        for described in layout:
            sizes: list[int] = described[0]  # type: ignore[assignment]  # as `put` writes it
            digest, stamp = str(described[1]), described[2]
            if stamp is None:
                pieces: list[Buffer] = []
                for size in sizes:
                    pieces.append(inline[start : start + size])
                    start += size
                if digest_of(pieces) != digest:
                    raise self._damaged()
                blobs.append(pieces)
                continue
            found = self._values.read(digest, sizes, str(stamp))
            if found is None:
                what = f"the file {self._values.path_of(digest)} is gone"
                raise StoreProblem(what, "", is_lasting=False)
            blobs.append(found[0])
            is_stale = is_stale or found[1] != stamp
            described[2] = found[1]
        if is_stale:  # it was read through once; the next time it need not be
            self._index.change("UPDATE entry SET layout = ? WHERE key = ?", (json.dumps(layout), key))
        return blobs

    def put(self, key: str, entry: Entry) -> None:
        """Keep `entry` under `key`."""
        layout: list[list[object]] = []
        inline: list[Buffer] = []
        files = []
        size = 0
        for pieces in entry.blobs:
            digest = digest_of(pieces)
            sizes = [len(piece) for piece in pieces]
            size += sum(sizes)
            if sum(sizes) <= _INLINE:
                inline.extend(pieces)
                layout.append([sizes, digest, None])
                continue
            try:
                layout.append([sizes, digest, self._values.write(digest, pieces)])
            except OSError as error:
                raise self._index.problem(error) from None
            files.append(digest)
        is_single = len(layout) == 1 and len(inline) == 1 and not files
        told = f"{_SINGLE}{layout[0][1]}" if is_single else json.dumps(layout)
        self._index.change(
            "INSERT OR REPLACE INTO entry (key, task, made, used, size, facts, layout, files, inline) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, entry.task, entry.made, entry.made, size, json.dumps(entry.facts), told,
                " ".join(files), b"".join(inline),
            ),
        )  # fmt: skip

    def claim(self, key: str, *, wait: bool) -> AbstractContextManager[object] | None:
        """A claim on computing `key`."""
        return self._claims.take(key, wait=wait)

    def know(self, digest: str, parts: Mapping[str, str]) -> None:
        """Keep the parts of a code, once."""
        if digest not in self._known:
            self._index.change(
                "INSERT OR IGNORE INTO code (digest, parts) VALUES (?, ?)", (digest, json.dumps(dict(parts)))
            )
            self._known.add(digest)

    def code(self, digest: str) -> Code | None:
        """The parts of the code with this digest."""
        row = self._index.row("SELECT parts FROM code WHERE digest = ?", (digest,))
        return None if row is None else json.loads(row[0])

    def newest(self, task: str, count: int) -> list[Listed]:
        """The entries of a task, newest first."""
        return self._listed(f"{_LISTED} WHERE task = ? ORDER BY made DESC LIMIT ?", (task, count))

    def entries(self) -> Iterator[Listed]:
        """Every entry, newest first."""
        return iter(self._listed(f"{_LISTED} ORDER BY made DESC", ()))

    def _listed(self, query: str, values: tuple[object, ...]) -> list[Listed]:
        rows = self._index.rows(query, values)
        return [Listed(key, task, made, used, size, json.loads(facts)) for key, task, made, used, size, facts in rows]

    def remove(self, keys: Sequence[str]) -> int:
        """Remove entries, and every file that no entry names any more."""
        freed = 0
        for key in keys:
            row = self._index.row("SELECT length(inline) FROM entry WHERE key = ?", (key,))
            freed += row[0] if row else 0
            self._index.change("DELETE FROM entry WHERE key = ?", (key,))
        named = set(chain.from_iterable(row[0].split() for row in self._index.rows("SELECT files FROM entry", ())))
        freed += sum(self._values.remove(name) for name in self._values.names() if name not in named)
        self._index.change("DELETE FROM code WHERE digest NOT IN (SELECT json_extract(facts, '$.code') FROM entry)", ())
        self._known.clear()
        return freed
