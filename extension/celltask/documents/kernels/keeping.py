"""What the servers that fork kernels have in common: requests, answers, and that nothing outlives a kernel.

Like `bounds`, this is executed as text where it is needed, and needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SNAPSHOT", "answer", "begin_to_keep", "end_with_parent", "keep", "name_process", "received"]

SNAPSHOT = "celltask-state"
"""By which the system knows the process of a snapshot."""
_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36
_MOST_FDS = 3


def received(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """The next request and its file descriptors; None when there is nobody to make one."""
    text = b""
    fds: list[int] = []
    while not text.endswith(b"\n"):
        try:
            part, more, _, _ = socket.recv_fds(control, 1 << 16, _MOST_FDS)
        except ConnectionError:
            return None, fds
        if not part:
            return None, fds
        text += part
        fds += more
    return json.loads(text), fds


def answer(answers: socket.socket, told: dict[str, object]) -> bool:
    """Tell this; False if nobody is left to hear it."""
    try:
        answers.sendall(f"{json.dumps(told)}\n".encode())
    except OSError:
        return False
    return True


def end_with_parent() -> None:
    """Have this process killed when the one ends that forked it."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def name_process(name: bytes) -> None:
    """Have the system know this process by another name."""
    _prctl(_PR_SET_NAME, name)


def begin_to_keep() -> None:
    """Hear of the ends of what is forked from now on, and of what that leaves behind."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def keep(answers: socket.socket, pid: int, fds: Sequence[int], folder: str) -> NoReturn:
    """Wait for the end of a kernel or for the word to end it, and leave no process behind that it started.

    Args:
        answers: Where it is told what becomes of the kernel; whoever closes the other end says that word.
        pid: The kernel, a child of this process.
        fds: What only the kernel needs.
        folder: Of the kernel, in that of its run; both are removed if nobody is left to hear of the end.
    """
    for fd in fds:
        os.close(fd)
    answer(answers, {"pid": pid})
    ended = os.pidfd_open(pid)
    select.select([answers.fileno(), ended], [], [])
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # if it had no group of its own yet
    _, status, used = os.wait4(pid, 0)
    _end_children()
    code, cpu_s = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
    if not answer(answers, {"exit": code, "cpu_s": cpu_s, "peak_mib": used.ru_maxrss / 1024}):
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            Path(folder).parent.rmdir()  # the last one to end removes that of the run
    os._exit(0)


def _end_children() -> None:
    """Kill what was left to this process by those that it waited for, and what these leave in turn.

    Snapshots of the kernel are left alone: they end with the connection on which they were asked for.
    """
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while True:
        left = [pid for pid in children.read_text().split() if _name_of(pid) != SNAPSHOT] if children.exists() else []
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(pid), signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            if not left:
                return
            os.waitpid(int(left[0]), 0)


def _name_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _prctl(option: int, value: int | bytes) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
