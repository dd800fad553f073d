"""Expected text against shown text: nothing if they agree, else the first line that differs and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

from celltask.documents.expected.alignment import ELLIPSIS, Step, align, fit
from celltask.documents.expected.lines import Lines, kept_ellipses
from celltask.documents.expected.rules import Rules
from celltask.documents.expected.tables import Row, cells_of, table_rows
from celltask.documents.expected.values import compare_values

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Difference", "compare", "written_lines"]

_HUNK = re.compile(r"(?<=^@@ -)\d+|(?<= \+)\d+(?=(?:,\d+)? @@$)")
_OTHER_ORDER = ": the same items, in other order"


@dataclass(frozen=True, slots=True)
class Difference:
    """How shown text differs from what was expected."""

    line: int
    """First expected line that differs, from 0; the number of expected lines if only more is shown."""
    what: str
    """In words, one line."""
    expected: tuple[str, ...]
    """The expected lines, as written."""
    accepted: tuple[str, ...]
    """Lines that would do: those that still fit as written, the others as shown, the author's `...` kept."""
    notes: tuple[str, ...] = ()
    """What else helps: which sanitisers changed a line that differs."""

    def diff(self, first_line: int = 1, *, name: str = "expected") -> list[str]:
        """A unified diff from what is expected to what is shown, in lines of the document.

        Args:
            first_line: Line of the document where the expected text begins.
            name: What the expected text is called in the head of the diff.
        """
        found = unified_diff(self.expected, self.accepted, name, "shown", n=2, lineterm="")
        return [
            _HUNK.sub(lambda number: str(int(number[0]) + first_line - 1), line) if at > 1 else line
            for at, line in enumerate(found)
        ]


def written_lines(text: str) -> list[str]:
    r"""The lines of a text without blanks at their ends, and without empty lines at its ends.

    >>> written_lines("\na  \r\n\nb\n\n")
    ['a', '', 'b']
    """
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines[_empty_head(lines) :]


def _empty_head(lines: Sequence[str]) -> int:
    return next((at for at, line in enumerate(lines) if line.strip()), 0)


def compare(expected: str, shown: str, rules: Rules | None = None) -> Difference | None:
    r"""How `shown` differs from `expected`; None if it does not.

    Blanks at the ends of lines, and empty lines at the ends of the text, do not count. A `...` stands for any text
    within a line, and alone on a line for any lines, also for none. Numbers must be equal unless a tolerance is given.

    >>> compare("{1, 2}\n...\ndone in 3 s", "{2, 1}\na\nb\ndone in 4 s")
    >>> compare("loss 0.41", "loss 0.42").what
    "expected 'loss 0.41', shown is 'loss 0.42'"
    """
    rules = rules or Rules()
    return _Comparison(expected, shown, rules).difference()


class _Comparison:
    """Two texts while they are compared."""

    def __init__(self, expected: str, shown: str, rules: Rules) -> None:
        self._rules = rules
        self._offset = _empty_head(expected.replace("\r\n", "\n").split("\n"))
        self._written, self._shown = written_lines(expected), written_lines(shown)
        self._expected = [rules.clean(line) for line in self._written]
        self._got = [rules.clean(line) for line in self._shown]
        self._rows = table_rows(self._shown)
        self._lines = Lines(rules)

    def difference(self) -> Difference | None:
        if fit(self._expected, self._got, self._same) is not None:
            return None
        likeness = compare_values("\n".join(self._expected), "\n".join(self._got), self._rules.tolerance)
        if likeness == "same":
            return None
        steps = align(self._expected, self._got, self._same)
        at = next((at for at, step in enumerate(steps) if step.kind not in {"same", "rest"}), 0)
        what = self._told(steps, at)
        if likeness == "order" and not what.endswith(_OTHER_ORDER):
            what = f"{what}{_OTHER_ORDER}"
        line = steps[at].expected
        if line < 0:  # more is shown than expected: that is told where it should have stood
            line = max((step.expected for step in steps[:at]), default=-1) + 1
        return Difference(
            line + self._offset, what, tuple(self._written), self._accepted(steps), tuple(self._notes(steps))
        )

    def _same(self, place: int, other: int) -> bool:
        return self._lines.same(self._expected[place], self._got[other], in_table=other in self._rows)

    def _told(self, steps: list[Step], at: int) -> str:
        step = steps[at]
        if not self._expected:
            return "nothing is expected here yet"
        if not self._got:
            return "nothing is shown"
        if step.kind == "new":
            return f"{_quoted(self._shown[step.start])} is shown and not expected"
        written = self._written[step.expected]
        if step.kind == "gone":
            return f"{_quoted(written)} is expected and not shown"
        shown = self._shown[step.start]
        cell = self._cell(step)
        likeness = compare_values(self._expected[step.expected], self._got[step.start], self._rules.tolerance)
        order = _OTHER_ORDER if likeness == "order" else ""
        return cell or f"expected {_quoted(written)}, shown is {_quoted(shown)}{order}"

    def _cell(self, step: Step) -> str:
        """The first cell that differs, where both lines are of a table."""
        row: Row | None = self._rows.get(step.start)
        expected, got = self._expected[step.expected], self._got[step.start]
        at = -1 if row is None else self._lines.differing_cell(expected, got)
        if row is None or at < 0:
            return ""
        cells, others = cells_of(expected), cells_of(got)
        name = row.names[at] if len(row.names) == len(cells) and row.names[at] else str(at + 1)
        place = f"row {row.number}, column {name}" if row.number else "the head of the table"
        return f"{place}: expected {_quoted(cells[at])}, shown is {_quoted(others[at])}"

    def _accepted(self, steps: list[Step]) -> tuple[str, ...]:
        """Lines that fit: checked, since a line that is kept may say less than it did where it stood."""
        paths = [one for one in self._rules.sanitisers if one.name == "paths"]

        def shown(line: str) -> str:  # what names this machine's folders is not for the page
            for sanitiser in paths:
                line = sanitiser(line)
            return line

        spoilt = self._rows_beside({at for step in steps if step.kind != "same" for at in range(step.start, step.stop)})
        lines = []
        for step in steps:
            if step.kind == "same" and step.start in spoilt and ELLIPSIS not in self._written[step.expected]:
                lines.append(shown(self._shown[step.start]))
            elif step.kind in {"same", "rest"}:
                lines.append(self._written[step.expected])
            elif step.kind == "changed":
                lines.append(kept_ellipses(self._written[step.expected], shown(self._shown[step.start]), self._lines))
            elif step.kind == "new":
                lines.append(shown(self._shown[step.start]))
        whole = tuple(shown(line) for line in self._shown)
        if len(lines) == 1 and lines[0].strip() == ELLIPSIS and len(self._written) > 1:
            return whole  # a page that says only `...` says nothing
        cleaned = [self._rules.clean(line) for line in lines]
        is_fit = fit(
            cleaned,
            self._got,
            lambda one, other: self._lines.same(cleaned[one], self._got[other], in_table=other in self._rows),
        )
        return tuple(lines) if is_fit is not None else whole

    def _rows_beside(self, changed: set[int]) -> set[int]:
        """Rows of the tables in which a row changed: the widths of their columns go together."""
        found: set[int] = set()
        for start in changed.intersection(self._rows):
            for step in (1, -1):
                at = start
                while at in self._rows and (at not in found or at == start):
                    found.add(at)
                    at += step
        return found

    def _notes(self, steps: list[Step]) -> list[str]:
        """The sanitisers that changed lines which differ all the same."""
        differing = [
            line
            for step in steps
            if step.kind not in {"same", "rest"}
            for line in [
                *self._shown[step.start : step.stop],
                *self._written[max(step.expected, 0) : step.expected + 1],
            ]
        ]
        used = [one.name for one in self._rules.sanitisers if any(one(line) != line for line in differing)]
        return [f"not compared: {', '.join(used)}"] if used else []


def _quoted(text: str) -> str:
    text = text.strip()
    most = 60
    return repr(text if len(text) <= most else f"{text[: most - 1]}…")
