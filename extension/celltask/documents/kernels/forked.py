"""The side of the tests of a fork server: it is started, asked for kernels, and told when nobody needs them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from celltask.documents.kernels.reply import Ended
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ForkServer", "ForkedProcess", "can_fork", "told_at"]

_STOP_S = 2.0


def can_fork() -> bool:
    """Whether kernels can be forked here: on Linux, where a process can wait for another by a descriptor."""
    return hasattr(os, "pidfd_open") and hasattr(socket, "recv_fds")


async def told_at(address: Path, control: socket.socket) -> dict[str, Any]:
    """What whoever listens at `address` says first, in a line of JSON; `control` is connected then, and blocks.

    Raises:
        OSError: If nobody listens there, or says anything to the end of a line.
        ValueError: If the line is something else.
    """
    loop = asyncio.get_running_loop()
    control.setblocking(False)  # noqa: FBT003 - its signature
    await loop.sock_connect(control, str(address))
    text = b""
    while not text.endswith(b"\n"):
        part = await loop.sock_recv(control, 1 << 16)
        if not part:
            raise ConnectionError
        text += part
    control.setblocking(True)  # noqa: FBT003 - as above
    told: dict[str, Any] = json.loads(text)
    return told


class ForkedProcess:
    """A kernel's process, which is the child of another; like `subprocess.Popen` as far as a provisioner needs it."""

    stdin = stdout = stderr = None

    def __init__(self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answers, self._writer = answers, writer
        self.pid = 0
        self.ended: Ended | None = None
        self.bound = False

    @classmethod
    async def behind(cls, end: socket.socket) -> ForkedProcess:
        """The process that answers at the other side of `end`.

        Raises:
            DocumentError: If it ends before it has said anything.
        """
        process = cls(*await asyncio.open_unix_connection(sock=end))
        try:
            while not process.pid and process.ended is None:
                await process._read()
        except BaseException:
            process.release()
            raise
        if not process.pid:
            raise DocumentError("the fork server ended", mend="run with --celltask-kernels=cold")
        return process

    async def _read(self) -> None:
        line = await self._answers.readline()
        told = json.loads(line) if line else {"exit": -int(signal.SIGKILL)}
        self.pid = int(told.get("pid", self.pid))
        self.bound = bool(told.get("bound", self.bound))
        if "exit" in told:
            self.ended = Ended(told["exit"], told.get("cpu_s"), told.get("peak_mib"))
            self._writer.close()

    async def wait_until_bound(self) -> bool:
        """Whether it can be talked to now; False if it has ended."""
        while not self.bound and self.ended is None:
            await self._read()
        return self.bound

    async def wait(self) -> Ended:
        """How it ended, once it has."""
        while self.ended is None:
            await self._read()
        return self.ended

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.ended.code if self.ended else None

    def send_signal(self, number: int) -> None:
        """Send it a signal, and to what it started in its process group."""
        if self.ended is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def release(self) -> None:
        """Hear nothing more of it."""
        self._writer.close()

    def kill(self) -> None:
        """End it and all that it started, wherever that is."""
        if self.ended is None:
            self._writer.write_eof()


class ForkServer:
    """A process that forks kernels; others of its kind are forked from it, which have imported more.

    Args:
        control: Our end of the socket on which it takes requests; it ends when this is closed.
        process: The first of them; None of those that were forked.
    """

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None, log: BinaryIO) -> None:
        self._control, self._process, self._log = control, process, log
        self.is_asked = False
        """Whether it has been asked for anything."""
        self._turn = asyncio.Lock()

    @classmethod
    def start(cls, python: Sequence[str], environment: Mapping[str, str], folder: str, *, bare: bool = False) -> Self:
        """Start one; it is asked at once, and answers when it is ready.

        Args:
            python: Path of the interpreter, and its flags.
            environment: Its variables; what concerns the interpreter cannot be changed later.
            folder: Of the run, which it removes at its end.
            bare: Whether it starts commands instead of forking kernels.
        """
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile(prefix="celltask-fork-server-")  # noqa: SIM115 - open as long as this lives
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own Python
                [*python, str(Path(__file__).with_name("fork_server.py")), folder, *(["--bare"] if bare else [])],
                env=dict(environment),
                stdin=theirs.fileno(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return cls(ours, process, log)

    async def fork(self, request: Mapping[str, object], stdout: int, stderr: int) -> ForkedProcess:
        """A kernel as `request` says: its ``arguments``, ``cwd`` and ``env``; of a bare server, its ``command``.

        Raises:
            DocumentError: If the server has ended.
        """
        ours, theirs = socket.socketpair()
        return await self._asked(request, ours, theirs, [stdout, stderr])

    async def pass_on(self, request: Mapping[str, object], fds: Sequence[int]) -> None:
        """Have a kernel forked for somebody else, who is answered on the first of `fds`, and whose it is then.

        Raises:
            OSError: If the server has ended.
        """
        async with self._turn:
            socket.send_fds(self._control, [f"{json.dumps(request)}\n".encode()], list(fds))

    async def fork_server(self, modules: Sequence[str]) -> ForkServer | None:
        """A server that has imported `modules` too; None if what they start cannot be forked.

        Raises:
            DocumentError: If this server has ended.
        """
        ours, theirs = socket.socketpair()
        control, its_end = socket.socketpair()
        try:
            with its_end:
                process = await self._asked({"modules": list(modules)}, ours, theirs, [its_end.fileno()])
        except BaseException:
            control.close()
            raise
        process.release()
        if not process.bound:
            control.close()
            return None
        return ForkServer(control, None, self._log)

    async def _asked(
        self, request: Mapping[str, object], ours: socket.socket, theirs: socket.socket, fds: list[int]
    ) -> ForkedProcess:
        self.is_asked = True
        try:
            await self._turn.acquire()  # descriptors of two requests may not arrive together
        except BaseException:
            ours.close()
            theirs.close()
            raise
        try:
            try:
                with theirs:  # else nobody would hear that a server ended which has not taken the request
                    socket.send_fds(self._control, [f"{json.dumps(request)}\n".encode()], [theirs.fileno(), *fds])
            except OSError:
                ours.close()
                raise self._ended() from None
            try:
                return await ForkedProcess.behind(ours)
            except DocumentError:
                raise self._ended() from None
        finally:
            self._turn.release()

    def _ended(self) -> DocumentError:
        self._log.seek(0)
        told = self._log.read().decode(errors="replace").strip().rpartition("\n")[2]
        return DocumentError(
            f"the fork server of the kernels ended{f': {told}' if told else ''}",
            mend="install ipykernel where the tests run, or run with --celltask-kernels=cold",
        )

    def close(self) -> None:
        """Let it end; what it forked ends by itself, each when its own process is released."""
        if self._process is not None and not self.is_asked:
            self._process.kill()  # it has forked nothing, and may still be busy with its imports
        self._control.close()
        if self._process is not None:
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._log.close()
