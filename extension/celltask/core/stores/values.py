"""Files named by their content: how large values lie in a folder.

A file is written under a name of its own in the folder where it belongs, then renamed: it is there whole or not at
all. What cannot be trusted to be as it was written is read through and compared with its name. That is left out only
for a large file whose stamp (inode, times, size, start of the machine) is still the one noted when it was written:
it cannot have been changed since, nor have been lost with the power.
"""

from __future__ import annotations

import mmap
import os
import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from celltask.core.stores.base import StoreProblem
from celltask.core.types.large import LARGE, digest_of_large

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import FileIO

    from celltask.core.types.pieces import Buffer

__all__ = ["Values", "digest_of"]

_ALIGNMENT = 64
_DAY_S = 86400.0
WANTED_S = 600.0
"""For how long a file that no entry names may belong to one that is just being written."""
_PADDING = bytes(_ALIGNMENT)


def digest_of(pieces: Sequence[Buffer]) -> str:
    """Name of `pieces`: hex SHA-256 of their sizes and contents."""
    whole = sha256(repr([len(piece) for piece in pieces]).encode())
    for piece in pieces:
        whole.update(piece if len(piece) < LARGE else digest_of_large(piece))
    return whole.hexdigest()


class Values:
    """The files below one folder.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path_of(self, digest: str) -> str:
        """Where the file of that name is, or would be."""
        return f"{self.folder}/{digest[:2]}/{digest[2:]}"

    def write(self, digest: str, pieces: Sequence[Buffer]) -> str:
        """The stamp of the file that holds `pieces`, written unless it is there.

        Raises:
            OSError: If it cannot be written; nothing is left then.
        """
        path = self.path_of(digest)
        size = _padded([len(piece) for piece in pieces])
        with suppress(OSError, StoreProblem):
            found = os.stat(path)  # noqa: PTH116 - pathlib is slow to import
            if found.st_size == size and self.read(digest, [len(piece) for piece in pieces], "") is not None:
                if time.time() - found.st_mtime > WANTED_S / 2:
                    os.utime(path)  # nobody who sweeps takes it now
                return _stamp(path, size)
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - as above
        temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
        try:
            with open(temporary, "xb", buffering=0) as file:  # noqa: PTH123 - as above
                for piece in pieces:
                    _write_all(file.fileno(), piece)
                    _write_all(file.fileno(), _PADDING[: -len(piece) % _ALIGNMENT])
            os.replace(temporary, path)  # noqa: PTH105 - as above
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108 - as above
            raise
        return _stamp(path, size)

    def read(self, digest: str, sizes: Sequence[int], stamp: str) -> tuple[list[Buffer], str] | None:
        """The pieces of the file of that name, the reader's own to write to, and its stamp; none if there is no file.

        Args:
            digest: Name.
            sizes: Bytes of each piece.
            stamp: As noted when it was written; ``""`` for a file that must be read through.

        Raises:
            StoreProblem: If the content is not what was written.
        """
        path = self.path_of(digest)
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
                whole = os.fstat(file.fileno()).st_size
                is_whole = whole == _padded(sizes)
                held: Buffer | mmap.mmap = b""
                if is_whole and whole:
                    is_large = whole >= LARGE
                    held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if is_large else _read_all(file, whole)
        except FileNotFoundError:
            return None
        pieces: list[Buffer] = []
        start = 0
        for size in sizes:
            pieces.append(memoryview(held)[start : start + size])
            start += size + -size % _ALIGNMENT
        now = _stamp(path, whole)
        if is_whole and ((now and stamp == now) or digest_of(pieces) == digest):
            return pieces, now
        raise StoreProblem(f"the file {path} is not as it was written", "", is_lasting=False)

    def remove(self, digest: str) -> int:
        """Remove a file, unless it is so new that its entry may not be written yet; the bytes that made free."""
        path = self.path_of(digest)
        try:
            found = os.stat(path)  # noqa: PTH116 - as above
            if time.time() - found.st_mtime < WANTED_S:
                return 0
            os.unlink(path)  # noqa: PTH108 - as above
        except OSError:
            return 0
        return found.st_size

    def names(self) -> list[str]:
        """Every file; what was left by writers that died a day ago is removed on the way."""
        found = []
        for folder, _, files in os.walk(self.folder):
            for name in files:
                if name.endswith(".tmp"):
                    _sweep(f"{folder}/{name}")
                else:
                    found.append(os.path.basename(folder) + name)  # noqa: PTH119 - as above
        return found


def _sweep(path: str) -> None:
    with suppress(OSError):
        if time.time() - os.stat(path).st_mtime > _DAY_S:  # noqa: PTH116 - as above
            os.unlink(path)  # noqa: PTH108 - as above


def _padded(sizes: Sequence[int]) -> int:
    return sum(size + -size % _ALIGNMENT for size in sizes)


def _write_all(descriptor: int, piece: Buffer) -> None:
    view = memoryview(piece).cast("B") if len(piece) else memoryview(b"")
    while view:
        view = view[os.write(descriptor, view) :]


def _read_all(file: FileIO, size: int) -> memoryview:
    held = memoryview(bytearray(size))
    done = 0
    while done < size:
        read = file.readinto(held[done:])
        if not read:
            break
        done += read
    return held


def _stamp(path: str, size: int) -> str:
    """What is no longer the same once a file was written to, replaced, or may have been lost.

    It is ``""`` where it is unknown, and for a file that is read through each time, being small.
    """
    if size < LARGE:
        return ""
    found = os.stat(path)  # noqa: PTH116 - as above
    start = _start_of_machine()
    return f"{start} {found.st_dev} {found.st_ino} {found.st_mtime_ns} {found.st_ctime_ns}" if start else ""


_start: list[str] = []


def _start_of_machine() -> str:
    if not _start:
        try:
            with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123 - as above
                _start.append(file.read().strip())
        except OSError:
            _start.append("")
    return _start[0]
