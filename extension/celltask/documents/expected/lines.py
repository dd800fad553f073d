"""Whether one shown line is what one expected line says: `...` within it, numbers, values, cells of a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.documents.expected.alignment import ELLIPSIS, align
from celltask.documents.expected.rules import NUMBER, Rules, Tolerance
from celltask.documents.expected.tables import cells_of
from celltask.documents.expected.values import compare_values

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Lines", "kept_ellipses"]

_WORD = re.compile(r"\.\.\.|[-+]?\d[\d.]*(?:[eE][-+]?\d+)?|\w+|\s+|.")


class Lines:
    """Compares lines by the same rules; holds the patterns that were made of expected ones."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._pieces: dict[str, list[_Piece]] = {}
        self._known: dict[tuple[str, str, bool], bool] = {}

    def same(self, expected: str, shown: str, *, in_table: bool = False) -> bool:
        """Whether the line `shown` will do for `expected`; both are clean."""
        if expected == shown:
            return True
        key = (expected, shown, in_table)
        if key not in self._known:
            self._known[key] = self._same(*key)
        return self._known[key]

    def _same(self, expected: str, shown: str, in_table: bool) -> bool:  # noqa: FBT001 - a key of what is known
        if in_table and self._same_cells(cells_of(expected), cells_of(shown)):
            return True
        if (ELLIPSIS in expected or not self._rules.tolerance.is_exact) and self._fits(expected, shown):
            return True
        return compare_values(expected, shown, self._rules.tolerance) == "same"

    def differing_cell(self, expected: str, shown: str) -> int:
        """Place of the first cell that differs; -1 if the lines have different numbers of cells, or none differs."""
        wanted, got = cells_of(expected), cells_of(shown)
        if len(wanted) != len(got):
            return -1
        return next((at for at, pair in enumerate(zip(wanted, got, strict=True)) if not self._same_cell(*pair)), -1)

    def _same_cells(self, wanted: Sequence[str], got: Sequence[str]) -> bool:
        if len(wanted) == len(got) and all(map(self._same_cell, wanted, got)):
            return True
        return any(ELLIPSIS in cell for cell in wanted) and self._fits(" ".join(wanted), " ".join(got))

    def _same_cell(self, wanted: str, got: str) -> bool:
        if wanted == got or (NUMBER.fullmatch(wanted) and NUMBER.fullmatch(got) and self._allows(wanted, got)):
            return True
        return ELLIPSIS in wanted and self._fits(wanted, got)

    def _allows(self, wanted: str, got: str) -> bool:
        return self._rules.tolerance.allows(wanted, got)

    def _fits(self, expected: str, shown: str) -> bool:
        """Whether the pieces between `...` stand in the line in their order, the outer ones at its ends."""
        if expected not in self._pieces:
            parts = [expected] if expected == ELLIPSIS * 2 else expected.split(ELLIPSIS)
            self._pieces[expected] = [_Piece(part, self._rules.tolerance) for part in parts]
        pieces = self._pieces[expected]
        if len(pieces) == 1:
            return pieces[0].find(shown, 0, at_start=True, at_end=True) is not None
        at: int | None = pieces[0].find(shown, 0, at_start=True)
        for piece in pieces[1:-1]:
            at = None if at is None else piece.find(shown, at)
        return at is not None and pieces[-1].find(shown, at, at_end=True) is not None


class _Piece:
    """Text without `...`, whose numbers may be near."""

    def __init__(self, text: str, tolerance: Tolerance) -> None:
        self._tolerance = tolerance
        self._numbers = [] if tolerance.is_exact else NUMBER.findall(text)
        between = [text] if tolerance.is_exact else NUMBER.split(text)
        self._pattern = f"({NUMBER.pattern})".join(map(re.escape, between))

    def find(self, line: str, start: int, *, at_start: bool = False, at_end: bool = False) -> int | None:
        """Where the first such text from `start` on ends; None if there is none."""
        pattern = re.compile(f"{self._pattern}\\Z" if at_end else self._pattern)
        tried = [pattern.match(line, start)] if at_start else pattern.finditer(line, start)
        for found in tried:
            if found and all(map(self._tolerance.allows, self._numbers, found.groups())):
                return found.end()
        return None


def kept_ellipses(expected: str, shown: str, lines: Lines) -> str:
    """The line `shown` with the `...` of `expected` for the words that they still stand for.

    >>> kept_ellipses("loss ... after 3 rounds", "loss 0.412 after 5 rounds", Lines(Rules()))
    'loss ... after 5 rounds'
    """
    if ELLIPSIS not in expected:
        return shown
    words, others = _WORD.findall(expected), _WORD.findall(shown)
    steps = align(words, others, lambda one, other: words[one] == others[other])
    anchors = [words[step.expected] for step in steps if step.kind == "same"]
    if not any(word.strip() and word.strip() != ELLIPSIS for word in anchors):
        return shown  # nothing of the old line is left, so nothing tells what its `...` stood for
    text = "".join(
        ELLIPSIS if step.kind == "rest" else "".join(others[step.start : step.stop])
        for step in steps
        if step.kind != "gone"
    )
    return text if text.strip() != ELLIPSIS and lines.same(text, shown) else shown
