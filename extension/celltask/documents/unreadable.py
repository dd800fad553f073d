"""Cells that cannot be read as Python or as a task: what they would have defined, and how that is told."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.failed import in_one_line
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.documents.outline import Cell

__all__ = ["Unreadable", "likely_cause", "unreadable"]

_DEFINED = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
_HEADER = re.compile(r"^(?:#[ \t]?)?%%?(?:task|workflow)[ \t]+([^\W\d]\w*)", re.MULTILINE)
_RENAMED = re.compile(r"^(?:(?:#[ \t]?)?%%?(?:task|workflow)[ \t].*--name[ =]|@.*\bname=)[\"']?(\w+)", re.MULTILINE)
_ASSIGNED = re.compile(r"^([^\W\d][\w, \t]*?)(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_IMPORTED = re.compile(r"^(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+([\w., \t]+)", re.MULTILINE)
_WORD = re.compile(r"[^\W\d]\w*")


class Unreadable(NamedTuple):
    """A cell that cannot be read, and the names at the left edge of its lines."""

    cell: Cell
    line: int
    """Where the mistake is, as far as it is known; else its first line."""
    error: Exception
    """A `SyntaxError` or `CelltaskError`."""
    defines: tuple[str, ...]
    """Names of its functions, classes and tasks."""
    binds: frozenset[str]
    """These, and names of its imports and variables."""

    @property
    def told(self) -> str:
        """``"cell 49 could not be read: invalid syntax: y = = 2"``."""
        return f"cell {self.cell.number} could not be read: {in_one_line(self.error)}"

    @property
    def mend(self) -> str:
        """How to mend it."""
        return (self.error.mend if isinstance(self.error, CelltaskError) else "") or "mend that cell"

    @property
    def words(self) -> set[str]:
        """Every name in its text."""
        return set(_WORD.findall(self.cell.source))


def unreadable(cell: Cell, error: Exception) -> Unreadable:
    r"""What can be told of a cell that cannot be read.

    Args:
        cell: As it stands in the document.
        error: Why it cannot be.

    >>> from celltask.documents.outline import Cell
    >>> found = unreadable(Cell(2, "K, L = 1, 2\ndef f(:\n    pass", first_line=9), SyntaxError("invalid syntax"))
    >>> found.told, found.defines, sorted(found.binds)
    ('cell 2 could not be read: invalid syntax', ('f',), ['K', 'L', 'f'])
    """
    text = dedent(cell.source)
    defines = [*_RENAMED.findall(text), *_HEADER.findall(text), *_DEFINED.findall(text)]
    binds = set(defines)
    for targets in _ASSIGNED.findall(text):
        binds.update(_WORD.findall(targets))
    for names in _IMPORTED.findall(text):
        for name in names.split(","):
            words = _WORD.findall(name)
            binds.update(words[-1:] if " as " in name else words[:1])
    line = error.lineno if isinstance(error, SyntaxError) and error.lineno else cell.first_line
    return Unreadable(cell, line, error, tuple(dict.fromkeys(defines)), frozenset(binds))


def likely_cause(cells: Iterable[Unreadable], name: str) -> str:
    """The cell for want of which `name` is most likely missing, in words; empty if every cell could be read."""
    found = sorted(cells, key=lambda item: (name not in item.binds, name not in item.words))
    if not found:
        return ""
    others = len(found) - 1
    more = f" (nor could {others} other{'s' if others > 1 else ''})" if others else ""
    return f"{found[0].told}{more}"
