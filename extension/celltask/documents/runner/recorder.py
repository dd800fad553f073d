"""Run inside the kernel of a document: notes what files it reads and which modules it loads. It leaves no name behind.

It hears of files from the interpreter's own audit events (https://peps.python.org/pep-0578/), so it knows what Python
code opens, and not what code in other languages does.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["finish", "install", "tell"]

_IMPORTLIB = "<frozen importlib._bootstrap_external>"
_PROCESSES = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}
)
_HARMLESS = frozenset({"gcc", "ldconfig", "ld", "lscpu", "objdump", "uname"})
"""Programs that packages ask about the machine."""
_WORKERS = ("popen_fork", "popen_forkserver", "popen_spawn_posix", "popen_loky_posix")
"""Ends of the names of modules that are loaded when a pool of processes starts one."""
_WRITES = os.O_WRONLY | os.O_RDWR
_CHANGES = {"os.mkdir": 1, "os.remove": 1, "os.rename": 2, "os.rmdir": 1, "shutil.rmtree": 1}
"""Other events that change files and folders; how many of these they name first."""
_HEARD = _PROCESSES | {*_CHANGES, "open", "os.listdir", "os.scandir", "socket.connect", "sqlite3.connect"}


class Recorder:
    """Holds what was noted, until it is told to stop."""

    def __init__(self) -> None:
        self.is_on = True
        self.read: dict[str, None] = {}
        self.written: dict[str, None] = {}
        self.listed: dict[str, None] = {}
        self.unknown: dict[str, None] = {}
        """Why not all that it reads can be known, in words."""

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Note an audit event; called for each one, so it decides quickly."""
        if event not in _HEARD or not self.is_on:
            return
        if event == "open":
            self._opened(*args)
        elif event in {"os.listdir", "os.scandir"}:
            if not _is_importing():
                self._note(self.listed, args[0] or ".")
        elif event in _CHANGES:
            self._changed(*args[: _CHANGES[event]], folder=args[-1])
        elif event in _PROCESSES:
            self._started(event, args)
        elif event == "sqlite3.connect":
            self._note(self.read, args[0])
        elif isinstance(args[1], tuple):
            self.unknown[f"it connects to {args[1][0]}"] = None

    def _opened(self, path: object, mode: str | None, flags: int) -> None:
        is_written = bool(set(mode or "").intersection("wax+")) or bool(mode is None and flags & _WRITES)
        if not _is_importing():
            self._note(self.written if is_written else self.read, path)

    def _changed(self, *paths: object, folder: object) -> None:
        if not _is_importing() and folder in {-1, None}:  # else they are told from an open folder
            for path in paths:
                self._note(self.written, path)

    def _note(self, where: dict[str, None], path: object) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - quick, and follows no links
            if place not in self.written or where is not self.read:  # what it wrote itself is no input
                where[place] = None

    def _started(self, event: str, args: tuple[Any, ...]) -> None:
        program = args[0] if event == "subprocess.Popen" else ""
        if program is None or not isinstance(program, (str, bytes, os.PathLike)) or not args:
            program = ""
        name = os.path.basename(os.fsdecode(program))  # noqa: PTH119 - as above
        if name not in _HARMLESS:
            self.unknown["it starts other programs"] = None


def _is_importing() -> bool:
    """Whether the interpreter's import looks for a module; what it loads is known from the modules."""
    frame = sys._getframe(2)  # noqa: SLF001 - no other way to tell
    for _ in range(2):
        if frame.f_code.co_filename == _IMPORTLIB:
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False


def install(shell: Any) -> None:  # noqa: ANN401 - IPython's, which is not imported here
    """Begin to note."""
    recorder = Recorder()
    shell._celltask_recorder = recorder  # noqa: SLF001 - kept for `finish`
    sys.addaudithook(recorder.hear)


def tell(shell: Any, file: str) -> None:  # noqa: ANN401 - as above
    """Write to `file` what was noted until now, as JSON; the next cell is noted again.

    Until then the kernel may be forked, and given another connection file, which is none of the document's doing.
    """
    finish(shell, file)
    recorder = shell._celltask_recorder  # noqa: SLF001 - put there by `install`

    def go_on(*_: object) -> None:
        recorder.is_on = True
        shell.events.unregister("pre_run_cell", go_on)

    shell.events.register("pre_run_cell", go_on)


def finish(shell: Any, file: str) -> None:  # noqa: ANN401 - as above
    """Write to `file` what was noted, as JSON."""
    recorder = shell._celltask_recorder  # noqa: SLF001 - put there by `install`
    recorder.is_on = False
    modules = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    if any(name.endswith(_WORKERS) for name in modules):
        recorder.unknown["it works in other processes"] = None
    told = {
        "read": list(recorder.read),
        "written": list(recorder.written),
        "listed": list(recorder.listed),
        "unknown": list(recorder.unknown),
        "modules": {name: path for name, path in modules.items() if isinstance(path, str)},
    }
    Path(file).write_text(json.dumps(told), encoding="utf-8")
