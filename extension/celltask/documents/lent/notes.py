"""What is noted of a document while it is watched: what its cells read and write, on which its kept states depend."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.lent.kept import Kept
from celltask.documents.runner.inputs import Inputs, forget_versions
from celltask.documents.runner.noting import noting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.kernels.kernel import Kernel
    from celltask.documents.outline import Cell

__all__ = ["Notes"]

_UNKNOWN = "the kernel does not tell what it has read"


class Notes:
    """On one document. Holds what each state depends on, by the number of the cell after which it was kept.

    Args:
        root: Folder of the project.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._started_ns = 0
        self._last = self._nothing()
        self.kept: dict[int, Kept] = {}

    def _nothing(self) -> Kept:
        return Kept(0, 0, "", 0.0, str(self._root), Inputs("", {}, {}, {}), {})

    async def begin(self, kernel: Kernel) -> None:
        """Have a kernel take notes that has not executed any cell."""
        forget_versions()
        self._started_ns = time.time_ns()
        self._last = self._nothing()
        self.kept.clear()
        await kernel.execute(noting("install"))

    def go_on(self, after: int) -> None:
        """A kernel goes on from the state after cell number `after`."""
        self._last = self.kept[after] if after else self._nothing()

    async def told(self, kernel: Kernel) -> Mapping[str, object]:
        """What its cells have read and written, as `recorder.tell` has it; empty if it does not answer.

        What the kernel does from now on until the next cell is not noted.
        """
        file = Path(kernel.folder, "noted")
        await kernel.execute(noting("tell", str(file)))
        return _read(file)

    async def add(self, cells: Sequence[Cell], seconds: float, told: Mapping[str, object], process: int) -> None:
        """Note what the state after the last of `cells` depends on.

        Args:
            cells: All up to that one.
            seconds: That it took.
            told: After it.
            process: Number of the process that is the state; 0 if it is not kept.
        """
        last = self._last._replace(after=cells[-1].number, inputs=_UNKNOWN)
        if told:
            with suppress(OSError):  # it names a folder in which one may not look
                last = await asyncio.to_thread(
                    self._last.next, cells, process=process, seconds=seconds, told=told, started_ns=self._started_ns
                )
        self._last = last
        if process:
            self.kept[last.after] = last


def _read(file: Path) -> Mapping[str, object]:
    try:
        told: Mapping[str, object] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told
