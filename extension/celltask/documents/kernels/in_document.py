"""What a document has opened and started, inside of its kernel, and whether it would survive a fork.

A fork copies memory and one thread. Other threads would be missing from the copy; open connections, child processes
and files that are written to would be shared with it. Where there are such, there is no snapshot, and the reason is
told, since a state that is almost right is worse than none.

The text of this module is sent to the kernel; it needs nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from celltask.documents.kernels.in_transports import Transports

__all__ = ["Document"]

_OMP_PAUSE_HARD = 2
_THREADS_OF_CONTEXT = 2
_SURVIVING = ("jemalloc_bg_thd",)
"""Threads of native code that are started again after a fork, by name."""
_DEVICES = ("/dev/nvidia", "/dev/kfd", "/dev/dri")


class Document:
    """What the document in this kernel has opened and started.

    Args:
        transports: What belongs to the kernel itself.
    """

    def __init__(self, transports: Transports) -> None:
        self._transports = transports

    def reason_against(self, own_fds: Collection[int]) -> str:
        """Why a fork would not have the same state, before it is tried; empty if nothing is known against it."""
        return (
            self._transports.reason_against()
            or self._reason_of_threads()
            or self._reason_of_children()
            or self._reason_of_files(own_fds)
            or self._reason_of_memory()
        )

    def _reason_of_threads(self) -> str:
        own = {thread.ident for thread in self._transports.threads()}
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        frames = sys._current_frames()  # noqa: SLF001 - the one list that has threads which Python did not start
        others = [names.get(ident, "unnamed") for ident in frames if ident not in own]
        return _counted(len(others), "thread", "of the document runs", "of the document run", others)

    def _reason_of_children(self) -> str:
        pids: list[str] = []
        for children in Path("/proc/self/task").glob("*/children"):
            with suppress(OSError):  # the thread has ended
                pids += children.read_text().split()
        return _counted(len(pids), "process", "that the document started runs", "that the document started run", ())

    def _reason_of_files(self, own_fds: Collection[int]) -> str:
        for fd, target in self._others(own_fds):
            if target.startswith(_DEVICES):
                return f"the document uses {target}"
            if target.startswith("socket:"):
                return "a network connection of the document is open"
            if target.startswith("pipe:"):
                return "a pipe of the document is open"
            if _is_written(fd):
                return f"the document holds {target!r} open for writing"
        return ""

    def _reason_of_memory(self) -> str:
        """Whether memory is shared with other processes, or with a file."""
        for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
            parts = line.split(maxsplit=5)
            if parts[1].startswith("rw") and parts[1].endswith("s"):
                name = parts[5] if len(parts) > 5 else "unnamed"  # noqa: PLR2004 - the sixth field, if there is one
                return f"the document shares memory: {name}"
        return ""

    def reason_of_native_threads(self) -> str:
        """Why a fork has not the same state, after it: by now, pools that fork well have ended their threads."""
        python = {os.getpid(), *(thread.native_id for thread in threading.enumerate())}
        queues, others = 0, []
        for task in Path("/proc/self/task").iterdir():
            name = ""
            with suppress(OSError):  # it has ended
                name = Path(task, "comm").read_text().strip()
            if int(task.name) in python or name in {"", *_SURVIVING}:
                continue
            if name.startswith("ZMQbg"):
                queues += 1
            else:
                others.append(name)
        if queues > _THREADS_OF_CONTEXT * self._transports.contexts():
            return "a ZeroMQ context of the document is open"
        return _counted(len(others), "thread", "of native code runs", "of native code run", others)

    def files_read(self) -> list[tuple[int, int, int]]:
        """Files that the document reads: descriptor, flags, and the place at which it reads on."""
        found = []
        for fd, _ in self._others(()):
            if stat.S_ISREG(os.fstat(fd).st_mode) and not _is_written(fd):
                found.append((fd, fcntl.fcntl(fd, fcntl.F_GETFL), os.lseek(fd, 0, os.SEEK_CUR)))
        return found

    def rest(self) -> None:
        """Have OpenMP's pools end their idle threads; they start again when they are needed, here and in a fork."""
        maps = Path("/proc/self/maps").read_text(errors="replace")
        for path in set(re.findall(r"\S+/libgomp[^/\s]*\.so\S*", maps)):
            with suppress(OSError, AttributeError):  # a version without it
                ctypes.CDLL(path).omp_pause_resource_all(_OMP_PAUSE_HARD)

    def _others(self, own_fds: Collection[int]) -> Iterator[tuple[int, str]]:
        for fd, target in self._transports.open_fds():
            if fd not in own_fds and not self._transports.owns(fd, target):
                yield fd, target


def _is_written(fd: int) -> bool:
    mode = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
    return mode != os.O_RDONLY and stat.S_ISREG(os.fstat(fd).st_mode)


def _counted(number: int, noun: str, one: str, many: str, names: Collection[str]) -> str:
    if not number:
        return ""
    listed = f": {', '.join(sorted(names))}" if names else ""
    return (
        f"1 {noun} {one}{listed}"
        if number == 1
        else f"{number} {noun}{'es' if noun[-1] == 's' else 's'} {many}{listed}"
    )
