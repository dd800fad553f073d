"""A fresh kernel for one document: started, asked to run cell after cell, stopped. All else only sees `Kernel`."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from celltask.documents.channels import Channels
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from celltask.documents.outline import Cell

__all__ = ["Kernel", "Reply", "how_it_ended"]

_START_S = 60.0
_INTERRUPT_S = 3.0
_STOP_S = 2.0
_ASK_S = 10.0
_LONGEST_SOCKET = 90
"""Characters of a socket's path that every Unix takes."""
_WATCH = "__import__('IPython').get_ipython().compile.celltask_watch"


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one cell."""

    status: Literal["ok", "error", "timeout", "dead"]
    error: dict[str, object] | None = None
    """What it raised, as `in_kernel` tells it."""
    unseen: list[list[object]] = field(default_factory=list)
    """How, and what else was raised that the cell's status does not tell."""
    name: str = ""
    """Class of the error by the kernel's own reply."""
    message: str = ""
    lines: tuple[str, ...] = ()
    """The kernel's own traceback."""
    ends_session: bool = False
    """Whether the cell called `exit` or `quit`."""
    streams: dict[str, str] = field(default_factory=dict)
    """What it printed, by stream."""
    exit_code: int | None = None
    """Of a kernel that died; negative for a signal."""


class Kernel:
    """One process of the Python that runs the tests; it holds the state of the cells run so far.

    Args:
        folder: Working folder of the kernel.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._scratch = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._channels: Channels | None = None

    def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            DocumentError: If it ends, or does not answer within 60 s.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self._scratch = tempfile.mkdtemp(prefix="celltask-")
        short = os.name == "posix" and len(self._scratch) < _LONGEST_SOCKET
        file = str(Path(self._scratch, "kernel.json"))
        self._channels = Channels(file, transport="ipc" if short else "tcp")
        with Path(self._scratch, "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own Python
                _command(file),
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if not self._channels.wait_until_ready(time.monotonic() + _START_S, self._is_alive):
            what = "does not answer" if self._is_alive() else how_it_ended(self._exit_code())
            raise DocumentError(f"the kernel {what} at its start", mend="try: python -m ipykernel_launcher")
        watch = Path(__file__).with_name("in_kernel.py").read_text(encoding="utf-8")
        names = "{'__name__': '_celltask_in_kernel'}"
        setup = f"(lambda names: (exec({watch!r}, names), names['install'](get_ipython())))({names})"
        if self._ask(setup).get("status") != "ok":
            raise DocumentError("the kernel cannot be watched", mend="upgrade ipykernel and IPython")

    def run(self, cell: Cell, *, timeout_s: float) -> Reply:
        """Execute `cell`; one that takes longer than `timeout_s` seconds is interrupted, then killed."""
        channels = self._open()
        where = f"{cell.filename!r}, {cell.first_line}, {cell.marker_line}"
        self._ask(f"{_WATCH}.place({where})")
        asked = channels.execute(cell.source, {"told": f"{_WATCH}.report()"})
        done = channels.finish(asked, time.monotonic() + timeout_s, self._is_alive)
        late = not done and self._is_alive()
        if late:
            self._interrupt()
            done = channels.finish(asked, time.monotonic() + _INTERRUPT_S, self._is_alive)
        streams = asked.streams
        if not done:
            code = None if late else self._exit_code()
            self._kill()
            return Reply("timeout" if late else "dead", streams=streams, exit_code=code)
        content = asked.content
        told = _told(content)
        report = _read(told or _told(self._ask("None", f"{_WATCH}.report()")))
        status: Literal["ok", "error"] = "ok" if content.get("status") == "ok" else "error"
        return Reply(
            "timeout" if late else status,
            error=cast("dict[str, object] | None", report.get("error")),
            unseen=cast("list[list[object]]", report.get("unseen", [])),
            name=str(content.get("ename", "")),
            message=str(content.get("evalue", "")),
            lines=tuple(map(str, content.get("traceback", ()))),
            ends_session=any(part.get("source") == "ask_exit" for part in content.get("payload", ())),
            streams=streams,
        )

    def stop(self) -> None:
        """End the process and whatever it started; a second call does nothing."""
        process = self._process
        if process is not None and self._channels is not None:
            if process.poll() is None:
                self._channels.ask_to_stop()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_S)
            self._kill()
        if self._channels is not None:
            self._channels.close()
            self._channels = None
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = ""

    def _open(self) -> Channels:
        if self._channels is None or self._process is None:
            raise DocumentError("the kernel is not running")
        return self._channels

    def _ask(self, code: str, expression: str = "") -> dict[str, object]:
        """The reply to `code`, executed silently with `expression` after it; empty if the kernel is gone."""
        channels = self._open()
        asked = channels.execute(code, {"told": expression} if expression else {}, silent=True)
        channels.finish(asked, time.monotonic() + _ASK_S, self._is_alive)
        return asked.content

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _exit_code(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    def _interrupt(self) -> None:
        if os.name == "posix" and self._process is not None:
            self._process.send_signal(signal.SIGINT)

    def _kill(self) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # all gone already
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)  # its children too
            else:
                self._process.kill()
        self._process.wait()

    def _environment(self) -> dict[str, str]:
        # Not PYTEST_…: ipykernel captures less under pytest, and a reader has no pytest around the page. Not
        # PYTHONWARNINGS: as "error" it would stop the kernel at the first deprecation in its own imports.
        left_out = ("PYTEST_", "PYTHONWARNINGS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        # Nobody's profile and history; a kernel whose parent is gone ends by itself.
        return {**kept, "IPYTHONDIR": str(Path(self._scratch, "ipython")), "JPY_PARENT_PID": str(os.getpid())}


def _command(file: str) -> list[str]:
    options = ["-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", file]
    return [sys.executable, *options, "--HistoryManager.hist_file=:memory:"]


def how_it_ended(code: int | None) -> str:
    """How a process ended, in words: ``"was killed by SIGSEGV"``."""
    if code is not None and code < 0:
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"
    return f"ended with exit code {code}"


def _told(content: dict[str, object]) -> dict[str, object]:
    """The part of a reply that answers the expression; empty if there is none."""
    expressions = content.get("user_expressions")
    return expressions.get("told", {}) if isinstance(expressions, dict) else {}


def _read(told: dict[str, object]) -> dict[str, object]:
    """The watch's report out of a reply; empty if the cell broke what makes it."""
    data = told.get("data")
    text = data.get("text/plain") if isinstance(data, dict) else None
    try:
        return cast("dict[str, object]", json.loads(ast.literal_eval(str(text))))
    except (ValueError, SyntaxError, TypeError):
        return {}
