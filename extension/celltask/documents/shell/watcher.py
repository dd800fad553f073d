"""Runs one shell, and ends all that it started when it ends or when the process that asked for it is gone.

A program of its own: ``python -I -S watcher.py COMMANDS REPORT SHELL ARGUMENT…``. Its standard input is a pipe that
nobody writes to, and whose other end is closed when its owner dies, however it does. It imports nothing of celltask.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import sys

COMMANDS, REPORT = 8, 9
"""Descriptors under which the shell finds the two pipes: a POSIX shell can only write those of one digit."""

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


def main(commands: int, report: int, shell: list[str]) -> None:
    """Run `shell` with the two pipes, tell its exit code as ``exit 3`` once nothing of it is left, and end."""
    _adopt_orphans()
    woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _pipe()
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    started = os.fork()
    if started == 0:
        _become(commands, report, shell)
    code = _wait(started, woken)
    _end_all(started)
    os.write(report, f"exit {code}\n".encode())


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _adopt_orphans() -> None:
    """On Linux, become the parent of whatever the shell leaves behind, also of what left its process group."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _become(commands: int, report: int, shell: list[str]) -> None:
    """In the forked process: be the shell, in a session of its own, with nothing on its standard input."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGXFSZ):  # Python ignores or takes these
        signal.signal(number, signal.SIG_DFL)
    kept = [fcntl.fcntl(pipe, fcntl.F_DUPFD, 20) for pipe in (commands, report)]
    os.closerange(3, 20)
    for end, place in zip(kept, (COMMANDS, REPORT), strict=True):
        os.dup2(end, place)
        os.close(end)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.execv(shell[0], shell)  # noqa: S606 - running it is the purpose


def _wait(shell: int, woken: int) -> int:
    """Exit code of the shell as shells tell it; -1 if the owner went away first."""
    while True:
        while True:
            with contextlib.suppress(ChildProcessError):
                ended, status = os.waitpid(-1, os.WNOHANG)
                if ended == shell:
                    code = os.waitstatus_to_exitcode(status)
                    return code if code >= 0 else 128 - code
                if ended:
                    continue
            break
        ready = select.select([0, woken], [], [])[0]
        if 0 in ready:
            return -1
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 4096)


def _end_all(shell: int) -> None:
    """Kill the shell's process group and every other descendant, until there is none."""
    while True:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(shell, signal.SIGKILL)
        for child in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    own = os.getpid()
    try:
        with open(f"/proc/{own}/task/{own}/children", encoding="ascii") as file:  # noqa: PTH123 - pathlib takes 5 ms
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
