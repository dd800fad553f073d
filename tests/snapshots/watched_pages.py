"""Documents that are being watched by a process of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

WAITS = "waiting for a change; Ctrl-C ends\n"
MOST_S = 120.0


def page_of(*sources: str, title: str = "A page") -> str:
    """A page with these cells; the code of the first begins in line 4."""
    cells = [f"```{{code-cell}} python\n{source}\n```\n" for source in sources]
    return "\n".join([f"# {title}\n", *cells])


class Watched:
    """A running `celltask watch`.

    Args:
        folder: In which it runs.
        paths: What it watches.
        environment: Variables beside those of this process.
    """

    def __init__(self, folder: Path, *paths: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celltask", "watch", *(paths or ["page.md"])],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.kill = threading.Timer(MOST_S, self.process.kill)
        self.kill.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill.cancel()
        self.process.kill()
        self.out.close()
        self.process.wait()

    @property
    def out(self) -> IO[str]:
        """What it prints."""
        assert self.process.stdout is not None
        return self.process.stdout

    def told(self) -> str:
        """What it says until it waits, without times."""
        lines = []
        while (line := self.out.readline()) and line != WAITS:
            lines.append(re.sub(r"  [\d.]+ m?s$", "", line.rstrip()))
        assert line == WAITS
        return "\n".join(lines)

    def wait_for(self, part: str) -> None:
        """Read what it says up to a line with `part`."""
        for line in self.out:
            if part in line:
                return
        raise AssertionError(part)

    def write(self, *sources: str, title: str = "A page") -> None:
        """Save a page with these cells, all at once as an editor does."""
        new = self.folder / "new"
        new.write_text(page_of(*sources, title=title), encoding="utf-8")
        new.replace(self.folder / "page.md")

    def end(self) -> int:
        """Its exit code after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        self.out.read()
        return self.process.wait()
