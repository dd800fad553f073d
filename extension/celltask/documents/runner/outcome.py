"""What became of documents and their cells, as plain data that every report is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from celltask.documents.report import relative

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celltask.documents.kernels.reply import Reply
    from celltask.documents.outline import Cell
    from celltask.documents.report import Told
    from celltask.documents.runner.choice import Chosen

__all__ = ["CellOutcome", "CellStarted", "DocumentOutcome", "Event", "Verdict", "counts"]

Verdict = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """What became of one cell."""

    cell: Cell
    name: str
    verdict: Verdict
    told: Told | None = None
    """Why it failed."""
    reason: str = ""
    """Why it was skipped."""
    reply: Reply | None = None
    """The kernel's, if the cell was executed."""
    is_example: bool = False
    """Whether this is an example, of `>>>` or of the shell; the cell then stands for it, and has its line."""
    took_s: float = 0.0
    """How long it took without a kernel."""

    @property
    def where(self) -> str:
        """Its place: ``"docs/tutorial.md:101"``."""
        return f"{relative(self.cell.filename)}:{self.cell.first_line}"

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.reply.seconds if self.reply else self.took_s


@dataclass(frozen=True, slots=True)
class DocumentOutcome:
    """What became of a document."""

    chosen: Chosen
    cells: tuple[CellOutcome, ...] = ()
    """Those that were asked for."""
    setup: tuple[CellOutcome, ...] = ()
    """Those above them that were executed for their sake."""
    seconds: float = 0.0
    unchanged: bool = False
    """True if it was not run, since it passed before and nothing has changed."""
    why: str = ""
    """Why it was run where it passed before: ``"data/prices.csv changed"``."""
    copies: tuple[str, str] | None = None
    """The folder that showed the project while it ran, and the project's own; None if it ran in that."""
    diff: str = ""
    """What was promoted of it, or is to be."""
    widgets: object = None
    """State of its widgets, as notebooks hold it in their metadata."""

    @property
    def failed(self) -> bool:
        """Whether it cannot be read, or one of its cells failed."""
        return self.chosen.error is not None or any(cell.verdict == "failed" for cell in self.cells)

    @property
    def executed(self) -> list[CellOutcome]:
        """All its cells that something is known of, in their order; without examples."""
        found = [one for one in (*self.setup, *self.cells) if not one.is_example]
        return sorted(found, key=lambda one: one.cell.number)


class CellStarted(NamedTuple):
    """A cell is executed now."""

    chosen: Chosen
    number: int
    """Of the cell, from 1."""


Event = CellStarted | DocumentOutcome
"""What a listener hears: that a cell has begun, or that a document has ended."""


def counts(outcomes: Sequence[DocumentOutcome]) -> dict[str, int]:
    """How many cells ``failed``, ``passed``, were ``skipped``; documents that had an ``error`` or are ``unchanged``."""
    found = dict.fromkeys(("failed", "passed", "skipped", "error", "unchanged"), 0)
    for outcome in outcomes:
        found["error"] += outcome.chosen.error is not None
        found["unchanged"] += outcome.unchanged
        for cell in outcome.cells:
            found[cell.verdict] += 1
    return found
