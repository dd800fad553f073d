"""A document that is executed again whenever it changes, from the first cell that has changed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from celltask.documents.kernels.snapshots import Snapshots
from celltask.documents.lent.kept import surroundings
from celltask.documents.lent.lender import Lender
from celltask.documents.lent.notes import Notes
from celltask.documents.reader import read_document
from celltask.documents.runner.cache import in_project
from celltask.documents.runner.inputs import file_state, files_read
from celltask.documents.stages import stage_of
from celltask.documents.verdict import Failure, judge, must_raise, skip_reason, timeout_of
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from celltask.documents.kernels.kernel import Kernel
    from celltask.documents.kernels.pool import Kernels
    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.session import Stage
    from celltask.documents.shell.scratch import Scratch

__all__ = ["Listener", "Watch", "first_changed", "watch_all"]

_LOOK_S = 0.2


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


@dataclass
class Watch:
    """Executes one document again and again. Holds its kernel and snapshots until `close`, and lends them to tests.

    Args:
        path: Of the document, from the root of the file system.
        kernels: Where its kernels come from.
        settings: How its cells are executed, if the document does not say so.
        listener: Is told of everything.
        hash_seed: Of the kernels.
        turn: Is held while cells are executed.
    """

    path: str
    kernels: Kernels
    settings: Settings
    listener: Listener
    hash_seed: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._snapshots = Snapshots()
        self._notes = Notes(self.settings.root)
        self._lender = Lender(self.path, self._snapshots, self._told)
        self._stage: Stage | None = None
        self._kernel: Kernel | None = None
        self._copies: Scratch | None = None
        self._cells: tuple[Cell, ...] = ()
        self._passed = 0
        """Cells that have been executed or skipped without a failure, from the first on."""
        self._files: dict[str, list[object]] = {}
        """How each file was when it was looked at last; see `file_state`."""

    async def run(self) -> None:
        """Execute the document now and after each change; ends only when it is cancelled.

        Raises:
            DocumentError: If the document cannot be read at first, or there is no kernel.
        """
        (document, stage), why = self._read(), "begins"
        self._lender.open()
        while True:
            self._look_at([self.path])
            if not why and stage != self._stage:
                why = "its settings have changed"
            number = 1 if why else first_changed(self._cells, document.cells, self._passed)
            async with self.turn:
                await self._execute(document, stage, number, why or "changed")
            document, stage, why = await self._next_document()

    async def close(self) -> None:
        """End the kernel and the snapshots."""
        await self._lender.close()
        self._snapshots.close()
        if self._kernel is not None:
            await self._kernel.stop()
            self._kernel = None
        self._leave_copies()

    def _leave_copies(self) -> None:
        copies, self._copies = self._copies, None
        if copies is not None:
            copies.close()

    def _read(self) -> tuple[DocumentText, Stage]:
        document = read_document(self.path, nested=self.settings.nested)
        return document, stage_of(document, self.settings)

    def _told(self) -> dict[str, object]:
        """What those are told who would go on from a state."""
        kept = [
            state for after, state in self._notes.kept.items() if state.process == self._snapshots.process_of(after)
        ]
        return {
            "surroundings": surroundings(self._stage) if self._stage is not None else {},
            "hash_seed": self.hash_seed,
            "states": [state._asdict() for state in kept],
        }

    async def _execute(self, document: DocumentText, stage: Stage, number: int, why: str) -> None:
        self._cells, self._stage = document.cells, stage
        self.listener.begins(document, number, why)
        if number <= len(document.cells):
            kernel, after = await self._kernel_before(document, stage, number)
            for cell in document.cells[after:]:
                if not await self._passes(kernel, document, stage, cell):
                    break
            told = await self._notes.told(kernel)
            if told:
                its_own = in_project(told, self._copies.places if self._copies else None)
                self._look_at(files_read(its_own, root=self.settings.root))
        self.listener.waits()

    async def _kernel_before(self, document: DocumentText, stage: Stage, number: int) -> tuple[Kernel, int]:
        """A kernel in a state before cell `number`, and after which cell that is."""
        for later in self._snapshots.taken:
            if number == 1 or later >= number:
                self._snapshots.drop(later)
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            await kernel.stop()
        after = max(self._snapshots.taken, default=None)
        if after is not None:
            with suppress(DocumentError):  # it was killed, or the copies are too much: begin anew
                if self._copies is not None:
                    self._copies.show_named(document.cells)
                self._kernel = await self._snapshots.resume(after, document.cells)
                self._passed = after
                self._notes.go_on(after)
                return self._kernel, after
        self._passed = 0
        return await self._fresh(document, stage), 0

    async def _fresh(self, document: DocumentText, stage: Stage) -> Kernel:
        self._leave_copies()
        self._copies = stage.copies_for(document, self.kernels.folder)
        scene = stage.scene_in(self._copies)
        kernel = self._kernel = await self.kernels.take(stage.path, scene.environment)
        await kernel.begin(scene, document.cells)
        await self._notes.begin(kernel)
        await self._notes.told(kernel)
        reason = await self._snapshots.prepare(kernel) or await self._snapshots.take(kernel, 0)
        if reason:
            self.listener.told(f"no snapshot before the first cell: {reason}")
        return kernel

    async def _passes(self, kernel: Kernel, document: DocumentText, stage: Stage, cell: Cell) -> bool:
        skipped = skip_reason(cell)
        if skipped:
            self.listener.skipped(cell, skipped)
        else:
            try:
                timeout_s, raises = timeout_of(cell, stage.timeout_s), must_raise(cell)
            except DocumentError as error:
                self.listener.told(str(error))
                return False
            reply = await kernel.run(cell, timeout_s=timeout_s)
            failure = judge(reply, raises, timeout_s=timeout_s)
            self.listener.ended(document, cell, failure, reply.seconds)
            if failure is not None:
                return False
            if self._snapshots.taken:
                await self._keep(kernel, document.cells[: cell.number], reply.seconds)
        self._passed = cell.number
        return True

    async def _keep(self, kernel: Kernel, cells: Sequence[Cell], seconds: float) -> None:
        """Keep the state after the last of `cells`."""
        number = cells[-1].number
        told = await self._notes.told(kernel)
        reason = await self._snapshots.take(kernel, number)
        if reason:
            self.listener.told(f"no snapshot after cell {number}: {reason}")
        await self._notes.add(cells, seconds, told, self._snapshots.process_of(number) if not reason else 0)

    def _look_at(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._files[path] = file_state(path)

    async def _next_document(self) -> tuple[DocumentText, Stage, str]:
        """The document after the next change, and why it has to begin from the start; empty if it need not."""
        while True:
            await asyncio.sleep(_LOOK_S)
            changed = [path for path, state in self._files.items() if _has_changed(path, state)]
            if not changed:
                continue
            self._look_at(changed)
            others = [path for path in changed if path != self.path]
            try:
                return *self._read(), f"{others[0]} has changed" if others else ""
            except DocumentError as error:
                self.listener.told(str(error))


async def watch_all(watches: Sequence[Watch]) -> None:
    """Execute each document at first and after each change, one at a time; ends only when it is cancelled.

    Raises:
        DocumentError: As `Watch.run` does.
    """
    turn = asyncio.Lock()
    for watch in watches:
        watch.turn = turn
    running = [asyncio.ensure_future(watch.run()) for watch in watches]
    try:
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for watch in watches:
            await watch.close()


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


def _has_changed(path: str, before: Sequence[object]) -> bool:
    """Whether the content differs; a file that was only touched has not changed."""
    return file_state(path, before)[-1:] != [*before][-1:]
