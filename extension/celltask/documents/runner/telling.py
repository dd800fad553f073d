"""Outcomes in words: a line a document, failures as the pytest plugin tells them, the slowest cells, a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.documents.runner.outcome import counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from celltask.documents.runner.outcome import CellOutcome, DocumentOutcome

__all__ = ["cell_line", "document_line", "duration", "failures", "notices", "slowest", "summary"]

_WIDTH = 78
_MOST_TEXT = 200_000
"""Characters of each stream that are told of a cell that failed."""
_ENDINGS = {
    "failed": "failed",
    "passed": "passed",
    "skipped": "skipped",
    "error": "unreadable",
    "unchanged": "unchanged",
}


def duration(seconds: float) -> str:
    """A duration for people.

    >>> duration(0.0123), duration(3.412)
    ('12 ms', '3.41 s')
    """
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.2f} s"  # noqa: PLR2004 - shown as 1000 ms above


def document_line(outcome: DocumentOutcome) -> str:
    """``"docs/page.md  2 passed, 1 skipped in 85 ms"``, and why it was run if it had passed before."""
    shown = outcome.chosen.label
    if outcome.unchanged:
        return f"{shown}  unchanged since it passed"
    because = f" ({outcome.why})" if outcome.why else ""
    return f"{shown}  {summary([outcome])} in {duration(outcome.seconds)}{because}"


def cell_line(outcome: DocumentOutcome, cell: CellOutcome) -> str:
    """``"docs/page.md::train passed (line 101, 12 ms)"``."""
    more = f", {duration(cell.seconds)}" if cell.seconds else ""
    reason = f": {cell.reason}" if cell.reason else ""
    return f"{outcome.chosen.shown}::{cell.name} {cell.verdict} (line {cell.cell.first_line}{more}){reason}"


def failures(outcomes: Sequence[DocumentOutcome]) -> Iterator[str]:
    """One text for each document that cannot be read and each cell that failed."""
    for outcome in outcomes:
        if outcome.chosen.error is not None:
            yield f"{_title(outcome.chosen.shown)}\n{outcome.chosen.error}\n"
        for cell in outcome.cells:
            if cell.told is not None:
                streams = cell.reply.streams.items() if cell.reply else ()
                shown = "".join(_stream(name, text) for name, text in sorted(streams, reverse=True))
                yield f"{_title(f'{outcome.chosen.shown}::{cell.name}')}\n{cell.told.text}{shown}"


def notices(outcomes: Sequence[DocumentOutcome]) -> list[str]:
    """What of the documents may be meant otherwise than it was run: ``"page.md:12: …"``."""
    return [
        f"{outcome.chosen.shown}:{notice.line}: {notice.what}{f'; {notice.mend}' if notice.mend else ''}"
        for outcome in outcomes
        for notice in outcome.chosen.notices
    ]


def _title(text: str) -> str:
    return f" {text} ".center(_WIDTH, "_")


def _stream(name: str, text: str) -> str:
    cut = text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}\n[and more]"
    return f"{f' {name} of the cell '.center(_WIDTH, '-')}\n{cut.rstrip()}\n"


def slowest(outcomes: Sequence[DocumentOutcome], number: int) -> list[str]:
    """The cells that took longest, at most `number`; all of them if it is 0."""
    known = [(outcome, cell) for outcome in outcomes for cell in (*outcome.setup, *outcome.cells)]
    timed = [(cell.seconds, outcome, cell) for outcome, cell in known if cell.seconds]
    timed.sort(key=lambda item: -item[0])
    return [
        f"{duration(took):>8}  {outcome.chosen.shown}::{cell.name}" for took, outcome, cell in timed[: number or None]
    ]


def summary(outcomes: Sequence[DocumentOutcome]) -> str:
    """``"1 failed, 4 passed"``; documents that cannot be read, or were not run, are told after the cells.

    >>> summary([])
    'nothing was run'
    """
    told = [f"{number} {_ENDINGS[name]}" for name, number in counts(outcomes).items() if number]
    return ", ".join(told) or "nothing was run"
