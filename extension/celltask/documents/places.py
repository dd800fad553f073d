"""Where a document's code stands, for messages and tracebacks; holds what was loaded last of each document."""

# ruff: noqa: PTH109, PTH119 - pathlib costs more than all that is done here
from __future__ import annotations

import linecache
import os
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.origin import add_resolver, place_of
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from types import TracebackType

    from celltask.documents.outline import Cell, DocumentText

__all__ = ["forget", "masked_text", "place_in", "remember", "shown_path", "tell_place"]

_CELL_BREAK = "__celltask__: '%%task --help'"
"""Ends the region of a task marker above it, and does nothing else; stands on the line of the next cell's fence."""


class _Known(NamedTuple):
    shown: str
    cells: tuple[Cell, ...]


_known: dict[str, _Known] = {}


def shown_path(path: str) -> str:
    """The path as messages tell it: from the working folder if it is in there, else the last part.

    >>> shown_path(os.path.join(os.getcwd(), "docs", "tutorial.md")) == os.path.join("docs", "tutorial.md")
    True
    """
    here = os.getcwd().rstrip(os.sep) + os.sep
    return path.removeprefix(here) if path.startswith(here) else os.path.basename(path)


def place_in(document: DocumentText, cell: Cell, line: int) -> str:
    """The place of a line of `cell` in words: ``"tutorial.md, cell 4, line 101"``."""
    return f"{shown_path(document.path)}, cell {cell.number}, line {line}"


def remember(document: DocumentText, texts: Mapping[int, str]) -> None:
    """Let tracebacks, `inspect.getsource` and messages find the code of `document`.

    Args:
        document: As read.
        texts: Python of each cell by its number, with as many lines as the cell.
    """
    if not _known:
        add_resolver(_place)
    by_file: dict[str, list[Cell]] = {}
    for cell in document.cells:
        by_file.setdefault(cell.filename, []).append(cell)
    for filename, cells in by_file.items():
        _known[filename] = _Known(document.path, tuple(cells))
        lines = masked_text(cells, texts)
        # The second field is None, not an mtime: checkcache() would drop the entry, and read the page itself again.
        linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)


def forget(filename: str) -> None:
    """Drop what is known of a file that is no longer a document with cells."""
    if _known.pop(filename, None) is not None:
        linecache.cache.pop(filename, None)


def masked_text(cells: Iterable[Cell], texts: Mapping[int, str]) -> list[str]:
    r"""Lines of a document's Python, prose blanked, each at its own line number.

    >>> from celltask.documents.outline import Cell
    >>> masked_text([Cell(1, "x = 1", first_line=3)], {1: "x = 1"})
    ['\n', '\n', 'x = 1\n']
    """
    lines: list[str] = []
    marked = False
    for cell in cells:
        text = texts.get(cell.number)
        if text is None:
            continue
        if marked and len(lines) < cell.marker_line < cell.first_line:
            lines += [""] * (cell.marker_line - 1 - len(lines))
            lines.append(_CELL_BREAK)
        lines += [""] * (cell.first_line - 1 - len(lines))
        lines[cell.first_line - 1 :] = text.split("\n")
        marked = marked or "__celltask__" in text
    return [f"{line}\n" for line in lines]


def tell_place(error: Exception, filenames: Collection[str], fallback: tuple[str, int]) -> None:
    """Note on a user's exception where in the document it was raised, and take our own frames off its traceback.

    Args:
        error: As caught; what celltask raised itself tells its place already, and gets no note.
        filenames: File names that the document's code is compiled under.
        fallback: File name and line to tell if no code of the document is on the traceback.
    """
    first = error.__traceback__
    while first is not None and first.tb_frame.f_code.co_filename not in filenames:
        first = first.tb_next
    filename, line = fallback
    if first is not None:
        error.__traceback__ = first
        at: TracebackType | None = first
        while at is not None:
            if at.tb_frame.f_code.co_filename in filenames:
                filename, line = at.tb_frame.f_code.co_filename, at.tb_lineno
            at = at.tb_next
    if not isinstance(error, CelltaskError):
        error.add_note(f"while loading {place_of(filename, line)}")


def _place(filename: str, line: int) -> str | None:
    known = _known.get(filename)
    if known is None:
        return None
    at = next((cell for cell in reversed(known.cells) if min(cell.first_line, cell.marker_line or line) <= line), None)
    number = f", cell {at.number}" if at else ""
    return f"{shown_path(known.shown)}{number}, line {line}"
