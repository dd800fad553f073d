"""A document that is executed again whenever it changes, from the first cell that has changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from celltask.documents.kernels.snapshots import Snapshots
from celltask.documents.reader import read_document
from celltask.documents.verdict import Failure, judge, must_raise, skip_reason, timeout_of
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from celltask.documents.kernels.kernel import Kernel
    from celltask.documents.kernels.pool import Kernels
    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.session import Stage

__all__ = ["Listener", "Watch", "first_changed"]

_LOOK_S = 0.2
_READING = Path(__file__).with_name("kernels") / "in_reading.py"
_INSTALL = (
    "(lambda names: (exec({text!r}, names), names['install'](get_ipython(), {answer!r})))"
    "({{'__name__': '_celltask_in_reading'}})"
)
_TELL = "get_ipython().compile.celltask_tell_reads({answer!r})"


class Listener(Protocol):
    """Is told what happens to a watched document."""

    def begins(self, document: DocumentText, number: int, why: str) -> None:
        """Cells are executed from `number` on; there may be none left."""

    def ended(self, document: DocumentText, cell: Cell, failure: Failure | None, seconds: float) -> None:
        """A cell has been executed."""

    def skipped(self, cell: Cell, why: str) -> None:
        """A cell is not executed."""

    def told(self, what: str) -> None:
        """Something else that the author may want to know."""

    def waits(self) -> None:
        """All has been executed; now a change is waited for."""


class _State(NamedTuple):
    """How a file was when it was looked at last."""

    stamp: tuple[int, int] | None
    digest: bytes


@dataclass
class Watch:
    """Executes one document again and again. Holds its kernel and snapshots until `close`.

    Args:
        path: Of the document.
        kernels: Where its kernels come from.
        stage: How its cells are executed.
        listener: Is told of everything.
    """

    path: str
    kernels: Kernels
    stage: Stage
    listener: Listener

    def __post_init__(self) -> None:
        self._snapshots = Snapshots()
        self._kernel: Kernel | None = None
        self._cells: tuple[Cell, ...] = ()
        self._passed = 0
        """Cells that have been executed or skipped without a failure, from the first on."""
        self._files: dict[str, _State] = {}

    async def run(self) -> None:
        """Execute the document now and after each change; ends only when it is cancelled.

        Raises:
            DocumentError: If the document cannot be read at first, or there is no kernel.
        """
        document, why = read_document(self.path), "begins"
        while True:
            self._look_at([self.path])
            number = 1 if why else first_changed(self._cells, document.cells, self._passed)
            await self._execute(document, number, why or "changed")
            document, why = await self._next_document()

    async def close(self) -> None:
        """End the kernel and the snapshots."""
        self._snapshots.close()
        if self._kernel is not None:
            await self._kernel.stop()
            self._kernel = None

    async def _execute(self, document: DocumentText, number: int, why: str) -> None:
        self._cells = document.cells
        self.listener.begins(document, number, why)
        if number <= len(document.cells):
            kernel, after = await self._kernel_before(document, number)
            for cell in document.cells[after:]:
                if not await self._passes(kernel, document, cell):
                    break
            await self._look_at_what_was_read(kernel)
        self.listener.waits()

    async def _kernel_before(self, document: DocumentText, number: int) -> tuple[Kernel, int]:
        """A kernel in a state before cell `number`, and after which cell that is."""
        for later in self._snapshots.taken:
            if number == 1 or later >= number:
                self._snapshots.drop(later)
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            await kernel.stop()
        after = max(self._snapshots.taken, default=None)
        if after is not None:
            with suppress(DocumentError):  # it was killed: begin anew
                self._kernel = await self._snapshots.resume(after, document.cells)
                self._passed = after
                return self._kernel, after
        self._passed = 0
        return await self._fresh(document), 0

    async def _fresh(self, document: DocumentText) -> Kernel:
        scene = self.stage.scene
        kernel = self._kernel = await self.kernels.take(self.stage.path, scene.environment)
        await kernel.begin(scene, document.cells)
        answer = str(Path(kernel.folder, "reads"))
        await kernel.execute(_INSTALL.format(text=_READING.read_text(encoding="utf-8"), answer=answer))
        reason = await self._snapshots.prepare(kernel) or await self._snapshots.take(kernel, 0)
        if reason:
            self.listener.told(f"no snapshot before the first cell: {reason}")
        return kernel

    async def _passes(self, kernel: Kernel, document: DocumentText, cell: Cell) -> bool:
        skipped = skip_reason(cell)
        if skipped:
            self.listener.skipped(cell, skipped)
        else:
            try:
                timeout_s, raises = timeout_of(cell, self.stage.timeout_s), must_raise(cell)
            except DocumentError as error:
                self.listener.told(str(error))
                return False
            reply = await kernel.run(cell, timeout_s=timeout_s)
            failure = judge(reply, raises, timeout_s=timeout_s)
            self.listener.ended(document, cell, failure, reply.seconds)
            if failure is not None:
                return False
            if self._snapshots.taken:
                reason = await self._snapshots.take(kernel, cell.number)
                if reason:
                    self.listener.told(f"no snapshot after cell {cell.number}: {reason}")
        self._passed = cell.number
        return True

    async def _look_at_what_was_read(self, kernel: Kernel) -> None:
        answer = str(Path(kernel.folder, "reads"))
        await kernel.execute(_TELL.format(answer=answer))
        self._look_at(_listed(answer))

    def _look_at(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._files[path] = _state_of(path)

    async def _next_document(self) -> tuple[DocumentText, str]:
        """The document after the next change, and why it has to begin from the start; empty if it need not."""
        while True:
            await asyncio.sleep(_LOOK_S)
            changed = [path for path, state in self._files.items() if _has_changed(path, state)]
            if not changed:
                continue
            self._look_at(changed)
            others = [path for path in changed if path != self.path]
            try:
                return read_document(self.path), f"{others[0]} has changed" if others else ""
            except DocumentError as error:
                self.listener.told(str(error))


def first_changed(before: Sequence[Cell], now: Sequence[Cell], passed: int) -> int:
    """Number of the first cell to execute again; one more than there are cells if there is none.

    Args:
        before: The cells as they were executed.
        now: The cells as they are.
        passed: How many of them passed, from the first on.

    A cell that only stands elsewhere, or has other options that change nothing of its execution, is executed again only
    if its text, options or tags differ.
    """
    same = 0
    for old, new in zip(before[:passed], now, strict=False):
        if (old.source, old.language, dict(old.options), old.tags) != (
            new.source,
            new.language,
            dict(new.options),
            new.tags,
        ):
            break
        same += 1
    return same + 1


def _listed(answer: str) -> list[str]:
    """What the kernel has written to the file `answer`; nothing if it is gone."""
    try:
        listed: list[str] = json.loads(Path(answer).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return listed


def _state_of(path: str) -> _State:
    try:
        found = Path(path).stat()
        return _State((found.st_mtime_ns, found.st_size), hashlib.sha256(Path(path).read_bytes()).digest())
    except OSError:
        return _State(None, b"")


def _has_changed(path: str, state: _State) -> bool:
    """Whether the content differs; a file that was only touched has not changed."""
    try:
        found = Path(path).stat()
    except OSError:
        return state.stamp is not None
    return (found.st_mtime_ns, found.st_size) != state.stamp and _state_of(path).digest != state.digest
