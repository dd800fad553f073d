"""An output that differs, told in the lines of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.documents.verdict import Failure

if TYPE_CHECKING:
    from celltask.documents.expected.compare import Difference

__all__ = ["MEND", "output_failure"]

MEND = "if what is shown is right, run it with --promote"
_MOST_LINES = 60
_MOST_COLUMNS = 500


def output_failure(difference: Difference, *, name: str, first_line: int, last_line: int) -> Failure:
    """The failure for a cell whose output differs.

    Args:
        difference: As `compare` tells it.
        name: The document as it is called in messages, ``"docs/page.md"``.
        first_line: Line of the document where the expected text begins.
        last_line: Line where its fence ends: no failure is told below it.
    """
    line = max(min(first_line + difference.line, last_line), 1)
    diff = [
        text if len(text) <= _MOST_COLUMNS else f"{text[:_MOST_COLUMNS]}…"
        for text in difference.diff(first_line, name=name)
    ]
    if len(diff) > _MOST_LINES:
        diff = [*diff[:_MOST_LINES], f"[and {len(diff) - _MOST_LINES} more lines]"]
    return Failure(f"other output: {difference.what}", line=line, lines=(*diff, *difference.notes, f"mend: {MEND}"))
