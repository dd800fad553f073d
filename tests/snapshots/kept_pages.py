"""A document under test whose kernel keeps a snapshot after each cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.documents.kernels.scene import Scene
from celltask.documents.kernels.snapshots import Snapshots
from celltask.documents.outline import Cell

if TYPE_CHECKING:
    from pathlib import Path

    from celltask.documents.kernels.kernel import Kernel
    from celltask.documents.kernels.pool import Kernels
    from celltask.documents.kernels.reply import Reply
    from celltask.documents.loop import Loop

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def cells_of(*sources: str) -> list[Cell]:
    """These sources as the cells of a page, from line 1."""
    return [
        Cell(number, source, first_line=10 * number, filename="/page.md") for number, source in enumerate(sources, 1)
    ]


def text_of(reply: Reply) -> str:
    """All that a cell shows, streams first; or the last line of its error."""
    if reply.status != "ok":
        return f"{reply.status} {reply.name}: {reply.message}".rstrip(": ")
    results = [output["data"] for output in reply.outputs if "data" in output]
    texts = [str(data.get("text/plain", "")) for data in results if isinstance(data, dict)]
    return _COLOUR.sub("", "".join([*reply.streams.values(), *texts]))


class Page:
    """Runs cells in one kernel after the other. Holds them, and the snapshots."""

    def __init__(self, loop: Loop, kernels: Kernels, folder: Path) -> None:
        self.loop, self._kernels, self.folder = loop, kernels, folder
        self.snapshots = Snapshots()
        self.started: list[Kernel] = []

    def begin(self) -> Kernel:
        """A kernel that has run nothing."""
        kernel = self.loop.run(self._kernels.take())
        self.started.append(kernel)
        self.loop.run(kernel.begin(Scene(str(self.folder)), cells_of("")))
        assert self.loop.run(self.snapshots.prepare(kernel)) == ""
        return kernel

    def run(self, kernel: Kernel, source: str, *, timeout_s: float = 30) -> str:
        """What a cell with this source shows."""
        return text_of(self.reply(kernel, source, timeout_s=timeout_s))

    def reply(self, kernel: Kernel, source: str, *, timeout_s: float = 30) -> Reply:
        """The reply to a cell with this source."""
        kernel.go_on(cells_of(source))
        return self.loop.run(kernel.run(cells_of(source)[0], timeout_s=timeout_s))

    def take(self, kernel: Kernel, after: int = 1) -> str:
        """Why there is no snapshot; empty if there is one."""
        return self.loop.run(self.snapshots.take(kernel, after))

    def resume(self, after: int = 1) -> Kernel:
        """A kernel that goes on from a snapshot."""
        kernel = self.loop.run(self.snapshots.resume(after, cells_of("")))
        self.started.append(kernel)
        return kernel

    def after(self, *sources: str) -> Kernel:
        """A kernel that goes on after these cells, from a snapshot."""
        kernel = self.begin()
        for source in sources:
            assert not self.run(kernel, source).startswith(("error", "dead", "timeout"))
        assert self.take(kernel) == ""
        return self.resume()

    def close(self) -> None:
        """End all of it."""
        self.snapshots.close()
        for kernel in self.started:
            self.loop.run(kernel.stop())
