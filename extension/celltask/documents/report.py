"""A failure of a cell in words: every line of it in the coordinates of the document."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from celltask.documents.verdict import headline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.verdict import Failure

__all__ = ["Told", "relative", "tell"]

_CELL = ("<module>", "<cell line: ")
"""Names of the top level of a cell; the second is IPython 8's."""


class Told(NamedTuple):
    """A failure as it is shown."""

    filename: str
    line: int
    """Place of the last line of the document that it passed through."""
    what: str
    text: str


def relative(filename: str) -> str:
    """The path from the working folder if it is in there, else as it is.

    >>> relative(os.path.join(os.getcwd(), "docs", "tutorial.md")) == os.path.join("docs", "tutorial.md")
    True
    """
    here = f"{Path.cwd()}{os.sep}"
    return filename.removeprefix(here)


def tell(failure: Failure, document: DocumentText, cell: Cell) -> Told:
    """The failure of `cell` with the lines of the document that lead to it."""
    page = _Page(document, cell)
    lines: list[str] = []
    place = (cell.filename, failure.line or cell.first_line)
    if failure.error is not None:
        lines += page.chain(failure.error)
        place = page.last_place(failure.error) or place
    if not any(line.startswith(relative(cell.filename)) for line in lines):
        lines = [*page.spot(Frame(*place)), *lines]
        if failure.error is None:
            lines += failure.lines
    if failure.error is None or failure.what != headline(failure.error):
        lines.append(failure.what)
    lines += ["", f"{relative(place[0])}:{place[1]}: {failure.what}"]
    return Told(relative(place[0]), place[1], failure.what, "\n".join(lines) + "\n")


class Frame(NamedTuple):
    """One step of a traceback, as the kernel tells it; columns count bytes, as the compiler's do."""

    filename: str
    line: int
    name: str = ""
    text: str = ""
    column: int | None = None
    end: int | None = None


class _Page:
    """The lines of a document, to be shown beside the frames of a traceback."""

    def __init__(self, document: DocumentText, cell: Cell) -> None:
        self._cell = cell
        self._lines = document.text.split("\n")
        self._cells = {other.filename: other for other in document.cells}
        self._is_notebook = document.format == "ipynb"

    def line(self, filename: str, number: int) -> str:
        """The line as it stands in the document; empty if the document has no such line."""
        cell = self._cells.get(filename)
        if cell is None:
            return ""
        lines, first = (cell.source.split("\n"), cell.first_line) if self._is_notebook else (self._lines, 1)
        return lines[number - first] if 0 <= number - first < len(lines) else ""

    def chain(self, error: Mapping[str, object]) -> Iterator[str]:
        """Lines for `error` and for what it came from, oldest first."""
        cause = cast("Mapping[str, object] | None", error.get("cause"))
        if cause is not None:
            yield from self.chain(cause)
            yield "which led to:" if error["how"] == "cause" else "while that was handled:"
        for frame in [*_frames(error), *self._syntax(error)]:
            yield from self.spot(frame)
        names = cast("list[str]", error["names"])
        message = str(error["message"])
        yield f"{names[0]}: {message}" if message else names[0]
        yield from (f"  {note}" for note in cast("list[str]", error["notes"]))

    def spot(self, frame: Frame) -> Iterator[str]:
        """A place, its line, and a marker below what is meant."""
        where = f" in {frame.name}" if frame.name and not frame.name.startswith(_CELL) else ""
        yield f"{relative(frame.filename)}:{frame.line}{where}"
        shown = self.line(frame.filename, frame.line) or frame.text
        if not shown.strip():
            return
        yield f"    {shown.strip()}"
        if frame.column is not None and frame.end is not None and shown == frame.text:
            before, marked = _characters(shown, 0, frame.column), _characters(shown, frame.column, frame.end)
            indent = len(shown) - len(shown.lstrip())
            yield f"    {' ' * (before - indent)}{'^' * max(marked, 1)}"

    def last_place(self, error: Mapping[str, object]) -> tuple[str, int] | None:
        """The last place in the document that `error` passed through."""
        known = [*_frames(error), *self._syntax(error)]
        return next(((frame.filename, frame.line) for frame in reversed(known) if frame.filename in self._cells), None)

    def _syntax(self, error: Mapping[str, object]) -> list[Frame]:
        """Where text of the document is not Python, if that is the error; its columns count characters from 1."""
        told = cast("tuple[str, int | None, int | None, int | None] | None", error["syntax"])
        filename, number, column, end = told or ("", None, None, None)
        if number is None or filename not in self._cells:
            return []
        text = self.line(filename, number)
        start = len(text[: max((column or 1) - 1, 0)].encode())
        stop = len(text[: max((end or 0) - 1, 0)].encode())
        return [Frame(filename, number, "", text, start, max(stop, start + 1))]


def _frames(error: Mapping[str, object]) -> list[Frame]:
    return [Frame(*frame) for frame in cast("list[tuple[str, int, str, str, int | None, int | None]]", error["frames"])]


def _characters(text: str, start: int, end: int) -> int:
    return len(text.encode()[start:end].decode(errors="replace"))
