"""The index of a folder: rows in SQLite, one connection for each thread of each process. It holds state."""

from __future__ import annotations

import errno
import os
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

from celltask.core.stores.base import StoreProblem

if TYPE_CHECKING:
    import sqlite3

    from celltask.core.stores.claims import Claims

__all__ = ["Index"]

FORMAT = 1
"""Of the tables; a folder with a higher one was written by a newer celltask."""

_BUSY_S = 60.0
_PAUSE_S = 0.005
_SETTING_UP_S = 4.0

_TABLES = (
    """CREATE TABLE IF NOT EXISTS entry (
        key TEXT PRIMARY KEY NOT NULL, task TEXT NOT NULL, made REAL NOT NULL, used REAL NOT NULL,
        size INTEGER NOT NULL, facts TEXT NOT NULL, layout TEXT NOT NULL, files TEXT NOT NULL,
        inline BLOB NOT NULL
    )""",  # rows in the order in which they come, so that few pages change
    "CREATE INDEX IF NOT EXISTS entry_of_task ON entry (task, made)",
    "CREATE TABLE IF NOT EXISTS code (digest TEXT PRIMARY KEY, parts TEXT NOT NULL) WITHOUT ROWID",
)


class _Opened:
    """A connection, closed when its thread ends; in the process that opened it, and no other.

    A forked child keeps those that it inherited: closing one there could damage the parent's.
    """

    # Of the class: when the interpreter ends, modules are gone before these are used.
    _process_now = staticmethod(os.getpid)
    _inherited: ClassVar[list[sqlite3.Connection]] = []

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.process, self.connection = os.getpid(), connection

    def __del__(self) -> None:
        if self.process == self._process_now():
            self.connection.close()
        else:
            self._inherited.append(self.connection)


class Index:
    """The file ``index.sqlite`` of a folder.

    Args:
        folder: Where it lies.
        claims: Of the same folder, so that one process sets it up.
    """

    def __init__(self, folder: str, claims: Claims) -> None:
        self._folder, self._claims = folder, claims
        self._path = f"{folder}/index.sqlite"
        self._local = threading.local()

    def prepare(self) -> None:
        """Make the folder and the tables, if need be.

        Raises:
            StoreProblem: If that cannot be done, or a newer celltask has made others.
        """
        import sqlite3  # noqa: PLC0415 - 10 ms, and only who stores something needs it

        try:
            os.makedirs(self._folder, exist_ok=True)  # noqa: PTH103 - pathlib is slow to import
            ignored = f"{self._folder}/.gitignore"
            if not os.path.exists(ignored):  # noqa: PTH110 - as above
                with open(ignored, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
                    file.write("*\n")
            with self._claims.setting_up(_SETTING_UP_S):
                connection = self._connect()
                found = connection.execute("PRAGMA user_version").fetchone()[0]
                if found > FORMAT:
                    raise StoreProblem(
                        f"the folder {self._folder} was written by a newer celltask (its format is {found}, and this "
                        f"one knows {FORMAT})",
                        "update celltask, or set CELLTASK_STORE to another folder",
                    )
                if found < FORMAT:
                    connection.execute("PRAGMA journal_mode = WAL")
                    for table in _TABLES:
                        connection.execute(table)
                    connection.execute(f"PRAGMA user_version = {FORMAT}")
                connection.execute("SELECT key FROM entry LIMIT 1").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise self.problem(error) from None

    def _connect(self) -> sqlite3.Connection:
        """The connection of this thread."""
        found: _Opened | None = getattr(self._local, "opened", None)
        if found is not None and found.process == os.getpid():
            return found.connection
        import sqlite3  # noqa: PLC0415 - as above

        made = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        made.execute("PRAGMA synchronous = NORMAL")
        made.execute("PRAGMA wal_autocheckpoint = 4000")  # pages; each one waits for the disk
        self._local.opened = _Opened(made)
        return made

    def row(self, query: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        """The first row that `query` gives."""
        found = self.rows(query, values)
        return found[0] if found else None

    def rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """What `query` gives.

        Raises:
            StoreProblem: If the index cannot be read.
        """
        return self._carried_out(query, values)

    def change(self, statement: str, values: tuple[object, ...]) -> None:
        """Carry out `statement`, in a transaction of its own.

        Raises:
            StoreProblem: If the index cannot be written.
        """
        self._carried_out(statement, values)

    def _carried_out(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        import sqlite3  # noqa: PLC0415 - as above

        end = time.monotonic() + _BUSY_S
        while True:
            try:
                return self._connect().execute(statement, values).fetchall()
            except sqlite3.OperationalError as error:
                # SQLite does not wait, whatever time it was given, where that could be a deadlock, and while the last
                # connection of another process closes.
                if "locked" not in str(error) or time.monotonic() > end:
                    raise self.problem(error) from None
            except sqlite3.Error as error:
                raise self.problem(error) from None
            time.sleep(_PAUSE_S)

    def problem(self, error: Exception) -> StoreProblem:
        """The problem that an error of the system or of SQLite stands for, with its mend."""
        told = str(error)
        another = "set CELLTASK_STORE to another folder"
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "full" in told:
            return StoreProblem(
                f"there is no space left for the folder {self._folder}",
                f"make room (`celltask cache gc --max-size 1GB`), or {another}",
            )
        is_read_only = getattr(error, "errno", None) in (errno.EACCES, errno.EROFS, errno.EPERM)
        if is_read_only or "readonly" in told or "unable to open" in told:
            return StoreProblem(
                f"the folder {self._folder} cannot be written to ({told})", f"make it writable, or {another}"
            )
        if "not a database" in told or "malformed" in told or "no such table" in told or "no such column" in told:
            return StoreProblem(
                f"{self._path} is not an index of celltask, or is damaged ({told})",
                f"remove the folder {self._folder}, or {another}",
            )
        return StoreProblem(f"the folder {self._folder} cannot be used ({told})", another)
