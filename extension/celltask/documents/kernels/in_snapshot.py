"""A kernel that lets itself be kept: inside of the kernel, a door at which it is asked to fork.

Beside its connection file the kernel listens on a socket called ``door``. Whoever connects asks for a snapshot: the
kernel forks, and the new process *is* the state between two cells. The connection is answered by ``{"pid": 12}`` or
``{"refused": "2 threads of the document run"}``, a line of JSON, and from then on speaks the language of
`fork_server`: requests for kernels come in, with a socket, standard output and error beside each. Such a kernel goes
on where the cell before ended, with the same objects, under another connection file. A snapshot ends when its
connection is closed, a kernel when its own socket is.

The text of this module is sent to the kernel; it needs nothing but the standard library, and leaves no name behind.
"""

# ruff: noqa: TC004 - what is imported for the type checker here is there already when this is executed
from __future__ import annotations

import contextlib
import gc
import os
import random
import signal
import socket
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.documents.kernels.in_document import Document
    from celltask.documents.kernels.in_transports import Transports
    from celltask.documents.kernels.keeping import (
        SNAPSHOT,
        answer,
        begin_to_keep,
        end_with_parent,
        keep,
        name_process,
        received,
    )

__all__ = ["Door", "install"]

_MOST_TEXT = 4000


class Door:
    """Where a kernel is asked for snapshots.

    Args:
        transports: What must be left behind and made anew.
        document: What the document has opened and started.
    """

    def __init__(self, transports: Transports, document: Document) -> None:
        self._transports, self._document = transports, document
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Listen beside the connection file."""
        path = Path(self._transports.app.abs_connection_file).with_name("door")
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._transports.loop.add_reader(self._listener, self._asked)

    def fds(self) -> set[int]:
        """The file descriptors that are its own."""
        return {self._listener.fileno()} if self._listener is not None else set()

    def _asked(self) -> None:
        """Fork; returns in the process that was asked, and in each that goes on from the snapshot."""
        assert self._listener is not None  # noqa: S101 - it has been opened
        control, _ = self._listener.accept()
        reason = self._document.reason_against(own_fds={*self.fds(), control.fileno()})
        if reason:
            answer(control, {"refused": reason})
            control.close()
            return
        self._transports.flush()
        self._document.rest()
        kept = _Kept(self._document)
        ready, done = os.pipe()
        pid = _fork()
        if pid:
            os.close(done)
            self._tell(control, ready, pid)
            kept.restore_signals()
            return
        os.close(ready)
        self._be(control, done, kept)

    def _tell(self, control: socket.socket, ready: int, pid: int) -> None:
        """Say what has become of the fork, in the process that goes on as before."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        with open(ready, encoding="utf-8", errors="replace") as answered:
            told = answered.read()  # all of it: then the copy has let go of everything
        if told.isdecimal():
            reason = self._document.reason_of_native_threads()
            if reason:
                os.kill(int(told), signal.SIGKILL)
        else:
            reason = f"the kernel cannot be copied: {told or 'the copy ended'}"
        answer(control, {"refused": reason} if reason else {"pid": int(told)})
        control.close()

    def _be(self, control: socket.socket, done: int, kept: _Kept) -> None:
        """Be the snapshot; returns in kernels that go on from it."""
        answers: socket.socket | None = None
        fds: list[int] = []
        try:
            if _fork():  # the document's own children are none of ours: it may wait for them
                os._exit(0)
            os.setsid()
            name_process(SNAPSHOT.encode())
            gc.disable()
            gc.freeze()
            assert self._listener is not None  # noqa: S101 - it has been opened
            self._listener.close()
            self._transports.leave_behind({control.fileno(), done})
            kept.reopen_files()
            os.write(done, str(os.getpid()).encode())
            os.close(done)
            answers, request, fds = _serve(control)
            kept.reopen_files()
            self._transports.make_anew(_connection_file(request), fds[0], fds[1])
            self.open()
            kept.restore()
            answer(answers, {"bound": True})
        except BaseException as error:  # noqa: BLE001 - border: two processes must not go on as the same kernel
            with contextlib.suppress(OSError):
                text = traceback.format_exc() if fds else f"{type(error).__name__}: {error}"
                os.write(fds[1] if fds else done, text.encode()[:_MOST_TEXT])
            os._exit(1)
        answers.close()
        for fd in fds:
            os.close(fd)


class _Kept:
    """What a fork would change, as it was before."""

    def __init__(self, document: Document) -> None:
        self._files = document.files_read()
        self._random = random.getstate()  # a fork seeds it anew
        self._collects = gc.isenabled()
        self._name = Path("/proc/self/comm").read_bytes().strip()
        self._on_child = signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def reopen_files(self) -> None:
        """Read on at the same place in each file, and move it for nobody else."""
        for fd, flags, offset in self._files:
            with contextlib.suppress(FileNotFoundError):  # collected meanwhile
                again = os.open(f"/proc/self/fd/{fd}", flags)
                os.lseek(again, offset, os.SEEK_SET)
                os.dup2(again, fd, inheritable=os.get_inheritable(fd))
                os.close(again)

    def restore_signals(self) -> None:
        """Hear of children again."""
        if self._on_child is not None:
            signal.signal(signal.SIGCHLD, self._on_child)

    def restore(self) -> None:
        """All of it."""
        self.restore_signals()
        name_process(self._name)
        random.setstate(self._random)
        gc.unfreeze()
        if self._collects:
            gc.enable()
        if "JPY_PARENT_PID" in os.environ:
            os.environ["JPY_PARENT_PID"] = str(os.getppid())


def _serve(control: socket.socket) -> tuple[socket.socket, dict[str, Any], list[int]]:
    """Fork for each request; returns in each new kernel, with the socket for its answers, and stdout and stderr."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for what was forked: the system buries it
    while True:
        request, fds = received(control)
        if request is None:
            os._exit(0)
        if _fork():
            for fd in fds:
                os.close(fd)
            continue
        control.close()
        answers = socket.socket(fileno=fds[0])
        _keep(answers, request, fds[1:])
        return answers, request, fds[1:]


def _keep(answers: socket.socket, request: dict[str, Any], fds: list[int]) -> None:
    """Fork a kernel, and see it to its end; returns in the kernel."""
    begin_to_keep()
    keeper = os.getpid()
    pid = _fork()
    if pid:
        keep(answers, pid, fds, request["scratch"])
    end_with_parent()
    if os.getppid() != keeper:  # it ended before it could have been told
        os._exit(1)
    os.setsid()


def _connection_file(request: dict[str, Any]) -> str:
    arguments = request["arguments"]
    return str(arguments[arguments.index("-f") + 1])


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that other threads run: only those of the kernel do
        return os.fork()


def install(
    shell: Any,  # noqa: ANN401 - the types of IPython are not at hand
    transports: Callable[..., Transports],
    document: Callable[[Transports], Document],
) -> None:
    """Open a door to the kernel of `shell`.

    Raises:
        RuntimeError: If this kernel cannot be kept, with the reason.
    """
    app = getattr(getattr(shell, "kernel", None), "parent", None)
    if not sys.platform.startswith("linux") or not hasattr(os, "pidfd_open"):
        raise RuntimeError("snapshots need Linux")
    if app is None or not hasattr(app, "init_kernel"):
        raise RuntimeError("the kernel is not one of ipykernel's own")
    its = transports(app)
    reason = its.reason_against()
    if reason and reason != "a cell still runs":
        raise RuntimeError(reason)
    shell.enable_tip = False  # IPython draws one at random when a client asks who it is: the document's next numbers
    Door(its, document(its)).open()
