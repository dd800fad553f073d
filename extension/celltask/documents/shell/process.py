"""One shell that runs command after command, and tells of each how it ended and what it printed."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_BYTES", "Outcome", "ShellProcess"]

MOST_BYTES = 1_000_000
"""What one command may print."""

_STOP_S = 5.0
_WATCHER = Path(__file__).with_name("watcher.py")

# The loop is read by bash and by plain sh. What it does itself is neither shown, should the user switch tracing on, nor
# known to the next command, which sees the exit code of the one before it as in a terminal.
_LOOP = """\
__celltask_save() { export -p >"$__celltask_state"; printf 'in %s\\n' "$PWD" >&9; }
__celltask_code() { return "$1"; }
__celltask_status=0
__celltask_state=$1
trap '{ __celltask_save; } 2>/dev/null' EXIT
if [ -e "$1" ]; then . "$1" 2>/dev/null; fi
while { IFS= read -r __celltask_file <&8; } 2>/dev/null; do
    { __celltask_code "$__celltask_status"; } 2>/dev/null
    . "$__celltask_file"
    {
        __celltask_status=$?
        __celltask_save
        printf 'done %d\\n' "$__celltask_status" >&9
    } 2>/dev/null
done
"""


class Outcome(NamedTuple):
    """How a command ended."""

    how: Literal["done", "ended", "timeout", "flood"]
    """``"ended"``: the shell with it, by ``exit``, ``exec`` or ``set -e``; the last two: it was killed."""
    output: str
    """What it printed to both streams, in order; at most `MOST_BYTES`."""
    exit_code: int = 0
    line: int | None = None
    """Line that was running last, if the command tells."""


class ShellProcess:
    """A running shell. Holds a process, and the folder that it is in.

    Args:
        shell: Path of bash or sh, with its options.
        folder: Its working folder.
        environment: Its environment.
        state: File in which it keeps its exported variables; read at the start if it exists.
    """

    def __init__(self, shell: list[str], folder: Path, environment: Mapping[str, str], state: Path) -> None:
        self.folder = folder
        commands, self._commands = os.pipe()
        self._report, report = os.pipe()
        self._output, output = os.pipe()
        # Its own script is put in the shell by -c; the name behind it is what the shell calls itself in messages.
        inner = [*shell, "-c", _LOOP, Path(shell[0]).name, str(state)]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own Python; what the shell runs is the user's wish
                [sys.executable, "-I", "-S", str(_WATCHER), str(commands), str(report), *inner],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=(commands, report),
                start_new_session=True,
            )
        except BaseException:
            for end in (self._commands, self._report, self._output):
                os.close(end)
            raise
        finally:
            for end in (commands, report, output):
                os.close(end)
        for end in (self._report, self._output):
            os.set_blocking(end, False)
        self._is_open = True

    @property
    def is_open(self) -> bool:
        """Whether it takes another command."""
        return self._is_open

    def run(self, file: Path, *, deadline: float, lines: range = range(0)) -> Outcome:
        """Have the shell read the commands in `file`, and wait until it is done; it is closed if it is not.

        Args:
            file: The commands.
            deadline: When they have to be done, by `time.monotonic`.
            lines: Lines of `file` that it may tell to be running; of others, the shell's own are meant.
        """
        with contextlib.suppress(BrokenPipeError):
            os.write(self._commands, f"{file}\n".encode())
        reading = _Reading(self._output, self._report, lines)
        how = reading.until(deadline)
        if reading.folder is not None:
            self.folder = reading.folder
        if how != "done":
            self.close()
        return Outcome(how, reading.text, reading.exit_code, reading.line)

    def interrupt(self) -> None:
        """Have the shell end, with all that it started; whoever waits for a command in it, is told so."""
        if self._process.stdin is not None:
            self._process.stdin.close()  # the sign for the watcher

    def close(self) -> None:
        """End the shell and all that it started; a second call does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        self.interrupt()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for end in (self._commands, self._report, self._output):
            os.close(end)


class _Reading:
    """What comes through the two pipes of a shell while one command is run."""

    def __init__(self, output: int, report: int, lines: range) -> None:
        self._output, self._report, self._lines = output, report, lines
        self._printed = bytearray()
        self._told = b""
        self._how: Literal["done", "ended"] | None = None
        self.exit_code = 0
        self.line: int | None = None
        self.folder: Path | None = None

    @property
    def text(self) -> str:
        """What was printed so far."""
        return bytes(self._printed[:MOST_BYTES]).decode("utf-8", "replace").replace("\r\n", "\n")

    def until(self, deadline: float) -> Literal["done", "ended", "timeout", "flood"]:
        """Read until the command is done, the shell ends, time is over, or too much is printed."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._report, selectors.EVENT_READ)
            while self._how is None:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return "timeout"
                for key, _ in selector.select(left_s):
                    if key.fd == self._report:
                        self._hear()
                    else:
                        self._take()
                if len(self._printed) > MOST_BYTES:
                    return "flood"
        while self._take() and len(self._printed) <= MOST_BYTES:  # what the command printed last is in the pipe by now
            pass
        return "flood" if len(self._printed) > MOST_BYTES else self._how

    def _take(self) -> bool:
        try:
            found = os.read(self._output, 1 << 16)
        except BlockingIOError:
            return False
        self._printed += found
        return bool(found)

    def _hear(self) -> None:
        try:
            found = os.read(self._report, 1 << 16)
        except BlockingIOError:
            return
        if not found:  # the watcher itself is gone
            self._how, self.exit_code = self._how or "ended", self.exit_code or -1
        *whole, self._told = (self._told + found).split(b"\n")
        for line in whole:
            word, _, value = line.decode("utf-8", "surrogateescape").partition(" ")
            if word == "line":
                self.line = int(value) if int(value) in self._lines else self.line
            elif word == "in":
                self.folder = Path(value)
            elif word in {"done", "exit"}:
                self._how, self.exit_code = ("done" if word == "done" else "ended"), int(value)
