"""The shell examples of a document without pytest, each waited for in a thread."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from celltask.documents.outline import Cell
from celltask.documents.report import Told, relative
from celltask.documents.runner.outcome import CellOutcome
from celltask.documents.shell.run import ShellRun, reason_not_to_run, told_before
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.documents.expected.promote import Replaced
    from celltask.documents.outline import DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.runner.choice import Chosen
    from celltask.documents.shell.asking import Choice
    from celltask.documents.shell.blocks import ShellBlock

__all__ = ["Commands"]


class Commands:
    """The shell examples that are asked for of one document.

    Args:
        chosen: Tells them.
        document: The document itself.
        settings: Of the project.
        choice: Which examples are run.
        accept: Is asked where an example prints something else than the document says; see `ShellRun`.
    """

    def __init__(
        self,
        chosen: Chosen,
        document: DocumentText,
        settings: Settings,
        choice: Choice,
        accept: Callable[[Replaced], bool],
    ) -> None:
        self._chosen, self._document, self._choice = chosen, document, choice
        self._run = ShellRun(document, chosen.blocks, settings, accept)

    async def outcomes(self) -> list[CellOutcome]:
        """What became of each."""
        if not self._chosen.commands:
            return []
        work = asyncio.ensure_future(asyncio.to_thread(self._in_turn))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._run.interrupt()
            await work
            raise

    def _in_turn(self) -> list[CellOutcome]:
        try:
            return [self._outcome_of(block) for block in self._chosen.blocks if block.name in self._chosen.commands]
        finally:
            self._run.close()

    def _outcome_of(self, block: ShellBlock) -> CellOutcome:
        path = self._document.path
        cell = Cell(len(self._document.cells) + 1, "", first_line=block.line, filename=path)
        reason = reason_not_to_run(block, self._choice)
        if reason:
            return CellOutcome(cell, block.name, "skipped", reason=f"the example is not run: {reason}", is_example=True)
        begun = time.perf_counter()
        try:
            broken = self._run.broken_above(block)
            if broken is not None and broken.failure is None:
                reason = f"{broken.block.name} above failed ({relative(path)}:{broken.block.line})"
                return CellOutcome(cell, block.name, "skipped", reason=reason, is_example=True)
            failure = broken.failure if broken else self._run.verdict_on(block, tells=True).failure
        except DocumentError as error:
            told = Told(relative(path), block.line, error.what, f"{error}\n")
            return CellOutcome(cell, block.name, "failed", told, is_example=True)
        took_s = time.perf_counter() - begun
        if failure is None:
            return CellOutcome(cell, block.name, "passed", is_example=True, took_s=took_s)
        text = told_before(block.name, broken.block, failure) if broken else failure.text
        told = Told(relative(path), failure.line, failure.what, text)
        return CellOutcome(cell, block.name, "failed", told, is_example=True, took_s=took_s)
