"""One document from its first cell to its last, in one kernel."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from celltask.documents.report import Told, relative, tell
from celltask.documents.runner.outcome import CellOutcome, CellStarted, DocumentOutcome
from celltask.documents.session import Session
from celltask.documents.verdict import skip_reason
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from celltask.documents.expected.doctests import DoctestBlock
    from celltask.documents.expected.outputs import Outputs
    from celltask.documents.kernels.pool import Kernels
    from celltask.documents.outline import Cell
    from celltask.documents.runner.choice import Chosen
    from celltask.documents.runner.commands import Commands
    from celltask.documents.runner.outcome import Event
    from celltask.documents.session import Stage

__all__ = ["run_document"]


async def run_document(  # noqa: PLR0913 - all but three by keyword
    chosen: Chosen,
    stage: Stage,
    kernels: Kernels,
    *,
    outputs: Outputs | None = None,
    commands: Commands | None = None,
    listen: Callable[[Event], object] = lambda _: None,
    keep_going: bool = False,
) -> DocumentOutcome:
    """What became of a document; its cells are executed up to the last that is asked for.

    Args:
        chosen: The document and the cells that are asked for.
        stage: How it is run.
        kernels: Give it the kernel, which is ended with the document.
        outputs: What its cells must show; None if that does not matter.
        commands: Its shell examples; None if they are not run.
        listen: Called before each cell that is executed.
        keep_going: Execute the cells below one that failed as well.
    """
    if chosen.document is None:
        return DocumentOutcome(chosen)
    begun = time.perf_counter()
    session = Session(chosen.document, kernels, stage)
    run = _Run(chosen, session, outputs, keep_going=keep_going)
    try:
        await run.to_the_end(listen)
        if commands is not None:
            run.cells += await commands.outcomes()
        cells, setup = tuple(run.cells), tuple(run.setup)
        outcome = DocumentOutcome(chosen, cells, setup, copies=session.copies, widgets=session.widgets)
    finally:
        await _completed(session.close())
    return replace(outcome, seconds=time.perf_counter() - begun)


async def _completed(work: Coroutine[object, object, None]) -> None:
    """Wait for `work`, which goes on to its end also if this is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


class _Run:
    """The cells of a document while they are executed; holds what became of them."""

    def __init__(self, chosen: Chosen, session: Session, outputs: Outputs | None, *, keep_going: bool) -> None:
        self._chosen, self._session, self._outputs = chosen, session, outputs
        self._document = session.document
        self._keep_going = keep_going
        self._broken: CellOutcome | None = None
        """The cell after which none is executed."""
        self._is_told = False
        self.cells: list[CellOutcome] = []
        self.setup: list[CellOutcome] = []

    async def to_the_end(self, listen: Callable[[Event], object]) -> None:
        """Execute the cells up to the last that is asked for, and the examples between them."""
        numbers = self._chosen.numbers
        asked = [cell.number for cell in self._document.cells if cell.number in numbers and not skip_reason(cell)]
        below = max((block.after for block in self._chosen.examples), default=0)
        last = max([0, below, *asked])
        await self._try_examples(0)
        for cell, name in zip(self._document.cells, self._chosen.names, strict=True):
            is_asked = cell.number in numbers
            if is_asked or cell.number <= last:
                outcome = self._skipped(cell, name, is_asked=is_asked)
                if outcome is None:
                    listen(CellStarted(self._chosen, cell.number))
                    is_last = cell.number == last and last > below
                    outcome = await self._executed(cell, name, is_asked=is_asked, is_last=is_last)
                (self.cells if is_asked else self.setup).append(outcome)
            await self._try_examples(cell.number)

    def _skipped(self, cell: Cell, name: str, *, is_asked: bool) -> CellOutcome | None:
        """The outcome of a cell that is not executed; None of one that is."""
        reason = skip_reason(cell)
        if reason:
            return CellOutcome(cell, name, "skipped", reason=f"the cell {reason}")
        broken = self._broken
        if broken is None or (self._keep_going and not _is_final(broken)):
            return None
        if is_asked and not self._is_told and broken.told is not None:
            self._is_told = True
            what = f"set-up cell {broken.name} ({broken.where}) failed: {broken.told.what}"
            text = f"{name} needs the cells above it, and {what}\n\n{broken.told.text}"
            return CellOutcome(cell, name, "failed", broken.told._replace(what=what, text=text))
        return CellOutcome(cell, name, "skipped", reason=f"cell {broken.name} above failed ({broken.where})")

    async def _executed(self, cell: Cell, name: str, *, is_asked: bool, is_last: bool) -> CellOutcome:
        try:
            result = await self._session.result_of(cell, is_last=is_last)
        except DocumentError as error:
            outcome = CellOutcome(cell, name, "failed", _told(cell, error))
            return self._breaking(outcome, is_asked=is_asked)
        reply = result.reply
        if result.failure is not None:
            told = tell(result.failure, self._document, cell)
            return self._breaking(CellOutcome(cell, name, "failed", told, reply=reply), is_asked=is_asked)
        try:
            failure = self._outputs.check(cell, reply.outputs) if self._outputs and is_asked else None
        except DocumentError as error:
            return CellOutcome(cell, name, "failed", _told(cell, error), reply=reply)
        if failure is None:
            return CellOutcome(cell, name, "passed", reply=reply)
        return CellOutcome(cell, name, "failed", tell(failure, self._document, cell), reply=reply)

    def _breaking(self, outcome: CellOutcome, *, is_asked: bool) -> CellOutcome:
        if self._broken is None:
            self._broken, self._is_told = outcome, is_asked
        return outcome

    async def _try_examples(self, number: int) -> None:
        """Try the examples that stand below the cell of that number, or above all cells."""
        for block in self._chosen.examples:
            if block.after == number:
                self.cells.append(replace(await self._tried(block), is_example=True))

    async def _tried(self, block: DoctestBlock) -> CellOutcome:
        cell = block.cell._replace(number=block.after + 1, first_line=block.line)
        name = f"{block.name}{self._chosen.suffix}"
        reason = skip_reason(block.cell) if block.is_docstring else ""
        if reason:
            return CellOutcome(cell, name, "skipped", reason=f"its cell {reason}")
        skipped = self._skipped(cell, name, is_asked=True)
        if skipped is not None or self._outputs is None:
            return skipped or CellOutcome(cell, name, "passed")
        try:
            failure = await self._session.try_examples(block, self._outputs.rules, accept=self._outputs.accept)
        except DocumentError as error:
            return CellOutcome(cell, name, "failed", _told(cell, error))
        if failure is None:
            return CellOutcome(cell, name, "passed")
        return CellOutcome(cell, name, "failed", tell(failure, self._document, cell))


def _told(cell: Cell, error: DocumentError) -> Told:
    return Told(relative(cell.filename), cell.first_line, error.what, f"{error}\n")


def _is_final(broken: CellOutcome) -> bool:
    """Whether there is no kernel left that could execute another cell."""
    return broken.reply is None or broken.reply.status == "dead"
