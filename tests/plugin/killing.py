"""Runs of pytest that are killed, and what is left of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from many_pages import write_pages

if TYPE_CHECKING:
    from typing import Self

_ENDS_S = 20.0
_LOOKS = 3

DAEMON = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
assert os.wait()
"""
PAGES = {
    "a": ("x = 1", DAEMON, "y = 2"),
    "b": ("import json", "import time\nopen('begun', 'w').close()\ntime.sleep(0.3)", "z = 3"),
    "c": (DAEMON, "1 / 0"),
    "d": ("import ipywidgets", "!sleep 0.1"),
}


class Run:
    """One run of pytest on `PAGES`, with folders and an environment of its own, by which all that it starts is known.

    Args:
        options: Of pytest.
    """

    def __init__(self, *options: str) -> None:
        self.token = uuid.uuid4().hex
        self.folder = Path(tempfile.mkdtemp(prefix="ct-", dir="/tmp"))  # short enough for sockets
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        write_pages(self.folder / "docs", PAGES)
        self._sources = self._read()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "--celltask", "-v", "-p", "no:cacheprovider", "docs", *options],
            cwd=self.folder,
            env={**os.environ, "TOKEN": self.token, "TMPDIR": str(self.temporary), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for process in self.processes():
            os.kill(process, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_for_line(self, part: str) -> None:
        """Wait until it has printed a line with `part`."""
        assert self._process.stdout is not None
        lines = []
        for line in self._process.stdout:
            lines.append(line.decode())
            if part in lines[-1]:
                return
        raise AssertionError(f"{part!r} is not in what it printed:\n{''.join(lines)}")

    def wait_for_file(self, name: str) -> None:
        """Wait until a cell has made a file."""
        while not (self.folder / "docs" / name).exists():
            assert self._process.poll() is None
            time.sleep(0.01)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it has ended, but no longer than some seconds."""
        try:
            self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return

    def kill(self) -> None:
        """Kill it as nothing can prevent."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def processes(self) -> list[int]:
        """All that carry its token, wherever they are."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                told = (folder / "environ").read_bytes() if folder.name.isdigit() else b""
            except OSError:  # it has ended, or is another's
                continue
            if self.token.encode() in told:
                found.append(int(folder.name))
        return found

    def left(self) -> list[str]:
        """Processes, temporary files and changed sources that are left when there was time to end and remove them."""
        until = time.monotonic() + _ENDS_S
        clean = 0
        while time.monotonic() < until and clean < _LOOKS:  # one look may miss a process that becomes another
            clean = 0 if self.processes() or self._files() else clean + 1
            time.sleep(0.03)
        processes = [f"{process} {Path(f'/proc/{process}/cmdline').read_bytes()!r}" for process in self.processes()]
        files = [str(path) for path in self._files()]
        return [*processes, *files, *(["the sources"] if self._read() != self._sources else [])]

    def _files(self) -> list[Path]:
        return [path for path in self.temporary.iterdir() if not path.name.startswith("pytest-of-")]

    def _read(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.folder / "docs").glob("*.md"))}
