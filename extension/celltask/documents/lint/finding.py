"""What a rule finds in a document, and how a line is to be written instead."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Finding", "Fix"]


class Fix(NamedTuple):
    """A change that is safe: it changes how the document is written, not what it says."""

    line: int
    """From 1."""
    column: int
    """Where `old` stands, from 1."""
    old: str
    new: str


class Finding(NamedTuple):
    """One thing that a rule finds.

    >>> str(Finding("docs/page.md", 8, 1, "nested-cell", "this cell is nested", "move it"))
    'docs/page.md:8:1: nested-cell: this cell is nested; move it'
    """

    path: str
    line: int
    """From 1; 0 for the whole document."""
    column: int
    """From 1."""
    rule: str
    what: str
    mend: str = ""
    fixes: tuple[Fix, ...] = ()

    def __str__(self) -> str:
        mend = f"; {self.mend}" if self.mend else ""
        return f"{self.path}:{self.line}:{self.column}: {self.rule}: {self.what}{mend}"
