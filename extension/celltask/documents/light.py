"""Scripts in jupytext's light format into cells: jupytext says what the cells are, their lines are found again here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.documents.cell_options import tags_in
from celltask.documents.outline import Cell, DocumentText
from celltask.documents.percent import script_header
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["is_light", "read_light"]

_FORMAT = re.compile(r"^#\s+format_name:\s*light\s*$", re.MULTILINE)
_MARKER = re.compile(r"^# \+(?:\s*$|\s+(?:\{.*\}|\[(?:markdown|md|raw)\].*|[\w.-]+=.*)$)", re.MULTILINE)
_COMMENT = re.compile(r"^#[ \t]?")


def is_light(text: str) -> bool:
    r"""Whether a script says that it is in the light format, or has markers of its cells.

    >>> is_light("# +\nx = 1\n# -\n"), is_light("# + and more\nx = 1\n")
    (True, False)
    """
    return bool(_FORMAT.search(text) or _MARKER.search(text))


def read_light(text: str, path: str) -> DocumentText:
    """The code cells of the light script `text`, each with its lines.

    Raises:
        DocumentError: If its header cannot be read or is of another language, or jupytext cannot read it.
    """
    import jupytext  # type: ignore[import-untyped]  # noqa: PLC0415 - 0.5 s, and it has no types of its own

    lines = text.split("\n")
    at, notices = script_header(lines, path)
    try:
        notebook = jupytext.reads(text, fmt={"extension": ".py", "format_name": "light"})
    except Exception as error:  # noqa: BLE001 - border: jupytext raises whatever its readers run into
        reason = str(error).partition("\n")[0] or type(error).__name__
        mend = "correct its markers, or write it in the percent format"
        raise DocumentError(f"the script cannot be read: {reason}", f"{path}, line 1", mend) from None
    cells: list[Cell] = []
    for cell in notebook.cells:
        source = str(cell.source).split("\n")
        start = _place_of(source, lines, at)
        if start is not None:
            at = start + len(source)
        if cell.cell_type != "code" or not str(cell.source).strip():
            continue
        if start is None:
            what = f"code cell {len(cells) + 1} of this script is not found in its text"
            raise DocumentError(what, f"{path}, line {at + 1}", "write the script in the percent format")
        options = {str(key): value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
        marker = start if start and _MARKER.match(lines[start - 1]) else 0
        number = len(cells) + 1
        text_of = str(cell.source).rstrip()
        tags = tags_in(options)
        cells.append(Cell(number, text_of, start + 1, "python", options, tags, filename=path, marker_line=marker))
    return DocumentText(path, "light", tuple(cells), text, notices)


def _place_of(source: Sequence[str], lines: Sequence[str], start: int) -> int | None:
    """Where `source` stands in `lines` from `start` on; a line of IPython or of Markdown stands there as a comment."""
    for place in range(start, len(lines) - len(source) + 1):
        if all(_is_same(line, lines[place + offset]) for offset, line in enumerate(source)):
            return place
    return None


def _is_same(line: str, written: str) -> bool:
    return line == written or line.rstrip() in {written.rstrip(), _COMMENT.sub("", written).rstrip()}
