"""Claims: who computes what, between the processes that share a folder.

Each key has one byte in a file that stays empty; a claim is a lock on that byte. The system gives it up when its
process ends, however it ends, so that nobody waits for the dead; and it refuses to let two processes wait for each
other. Two keys that share a byte by chance only wait for each other once.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

__all__ = ["Claims"]

_SETTING_UP = 0
_FIRST = 1


class Claims:
    """The claims of this process in one folder. It holds state: an open file, which no other part may open.

    Closing any descriptor of that file would give up all claims of the process, as POSIX has it.

    Args:
        path: The file of the locks.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None
        self._opening = threading.Lock()
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._opening = threading.Lock()  # another thread of the parent may have held it

    def _descriptor(self) -> int:
        """The open file; a forked child opens its own, and leaves the one it inherited open."""
        with self._opening:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = os.getpid(), os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            return self._opened[1]

    def take(self, key: str, *, wait: bool) -> AbstractContextManager[object] | None:
        """A claim on `key`; none if another process has it, or would wait for ever if this one waited for it."""
        place = _FIRST + int(key[:15], 16)
        return self._held(place) if self._lock(place, wait=wait) else None

    @contextmanager
    def setting_up(self, limit_s: float) -> Iterator[bool]:
        """While it lasts, no other process sets the folder up; false if one did for all of the time given."""
        end = time.monotonic() + limit_s
        while not (is_ours := self._lock(_SETTING_UP, wait=False)) and time.monotonic() < end:
            time.sleep(0.005)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._unlock(_SETTING_UP)

    @contextmanager
    def _held(self, place: int) -> Iterator[None]:
        try:
            yield
        finally:
            self._unlock(place)

    def _lock(self, place: int, *, wait: bool) -> bool:
        try:
            import fcntl  # noqa: PLC0415 - not everywhere
        except ImportError:  # without it, two processes may compute the same
            return True
        try:
            fcntl.lockf(self._descriptor(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, place)
        except OSError as error:
            # Any other error: a file system without locks, where two processes may compute the same.
            return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
        return True

    def _unlock(self, place: int) -> None:
        try:
            import fcntl  # noqa: PLC0415 - not everywhere

            fcntl.lockf(self._descriptor(), fcntl.LOCK_UN, 1, place)
        except (ImportError, OSError):
            return
