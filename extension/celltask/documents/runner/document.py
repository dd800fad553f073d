"""One document from its first cell to its last, in one kernel."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from celltask.documents.report import Told, relative, tell
from celltask.documents.runner.outcome import CellOutcome, CellStarted, DocumentOutcome
from celltask.documents.session import Session
from celltask.documents.verdict import skip_reason
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.documents.kernels.pool import Kernels
    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.runner.choice import Chosen
    from celltask.documents.runner.outcome import Event
    from celltask.documents.session import Stage

__all__ = ["run_document"]


async def run_document(
    chosen: Chosen,
    stage: Stage,
    kernels: Kernels,
    *,
    listen: Callable[[Event], object] = lambda _: None,
    keep_going: bool = False,
) -> DocumentOutcome:
    """What became of a document; its cells are executed up to the last that is asked for.

    Args:
        chosen: The document and the cells that are asked for.
        stage: How it is run.
        kernels: Give it the kernel, which is ended with the document.
        listen: Called before each cell that is executed.
        keep_going: Execute the cells below one that failed as well.
    """
    if chosen.document is None:
        return DocumentOutcome(chosen)
    begun = time.perf_counter()
    session = Session(chosen.document, kernels, stage)
    run = _Run(chosen, chosen.document, session, keep_going=keep_going)
    try:
        await run.to_the_end(listen)
        outcome = DocumentOutcome(chosen, tuple(run.cells), tuple(run.setup), widgets=session.widgets)
    finally:
        await session.close()
    return replace(outcome, seconds=time.perf_counter() - begun)


class _Run:
    """The cells of a document while they are executed; holds what became of them."""

    def __init__(self, chosen: Chosen, document: DocumentText, session: Session, *, keep_going: bool) -> None:
        self._chosen, self._document, self._session = chosen, document, session
        self._keep_going = keep_going
        self._broken: CellOutcome | None = None
        self._is_told = False
        self.cells: list[CellOutcome] = []
        self.setup: list[CellOutcome] = []

    async def to_the_end(self, listen: Callable[[Event], object]) -> None:
        """Execute the cells up to the last that is asked for."""
        numbers = self._chosen.numbers
        last = max(
            (cell.number for cell in self._document.cells if cell.number in numbers and not skip_reason(cell)),
            default=0,
        )
        for cell, name in zip(self._document.cells, self._chosen.names, strict=True):
            is_asked = cell.number in numbers
            if not is_asked and cell.number > last:
                continue
            outcome = self._skipped(cell, name, is_asked=is_asked)
            if outcome is None:
                listen(CellStarted(self._chosen, cell.number))
                outcome = await self._executed(cell, name, is_last=cell.number == last)
            if outcome.verdict == "failed" and self._broken is None:
                self._broken, self._is_told = outcome, is_asked
            (self.cells if is_asked else self.setup).append(outcome)

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

    async def _executed(self, cell: Cell, name: str, *, is_last: bool) -> CellOutcome:
        try:
            result = await self._session.result_of(cell, is_last=is_last)
        except DocumentError as error:
            told = Told(relative(cell.filename), cell.first_line, error.what, f"{error}\n")
            return CellOutcome(cell, name, "failed", told)
        if result.failure is None:
            return CellOutcome(cell, name, "passed", reply=result.reply)
        return CellOutcome(cell, name, "failed", tell(result.failure, self._document, cell), reply=result.reply)


def _is_final(broken: CellOutcome) -> bool:
    """Whether there is no kernel left that could execute another cell."""
    return broken.reply is None or broken.reply.status == "dead"
