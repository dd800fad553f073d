"""Scripts in the percent format into cells: ``# %%`` markers, and IPython's lines as comments.

``# %% title [markdown] key="value"`` opens a cell, as in jupytext, VS Code and Spyder. A commented magic such as
``# %%task --cache`` stands for the magic; it opens a cell of its own unless it is the first line of the current one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from celltask.documents.cell_options import tags_in
from celltask.documents.logical import logical_starts
from celltask.documents.outline import PYTHON_NAMES, Block, Cell, DocumentText, Notice
from celltask.errors import DocumentError

__all__ = ["is_percent", "markdown_lines", "read_percent", "script_header"]

_MARKER = re.compile(r"#\s*%%(%*)(?:\s+(.*))?$")
_MAGIC = re.compile(r"#[ \t]?(?=%{1,2}[A-Za-z_])")
_TASK_CELL = re.compile(r"#[ \t]?%%(?:task|workflow)(?:\s|$)")
_ANY = re.compile(r"^(?:#\s*%%(?:%*)(?:\s|$)|#[ \t]?%{1,2}(?:task|workflow)(?:\s|$))", re.MULTILINE)
_KIND = re.compile(r"\[(markdown|md|raw|[A-Za-z+]+)\](?=\s|$)")
_MARKDOWN = frozenset({"markdown", "md"})
_QUOTES = re.compile(r"[rR]?(\"{3}|'{3})")
_FENCE_MARKS = ("```", "~~~", ":::")
_OPTION = re.compile(r"""([A-Za-z_][\w.-]*)\s*=\s*(\[[^\]]*\]|"[^"]*"|'[^']*'|[^\s]+)""")


class _Part(NamedTuple):
    """Lines of one cell, its marker left out; line numbers from 0."""

    start: int
    end: int
    marker: int
    """Line of the marker, or -1 for what stands above the first."""
    label: str

    @property
    def kind(self) -> str:
        """What the label says in brackets, in lower case; empty if nothing."""
        found = _KIND.search(self.label)
        return found[1].lower() if found else ""


def is_percent(text: str) -> bool:
    r"""Whether a script has cell markers or commented task lines, outside of strings.

    >>> is_percent("# %%\nx = 1\n"), is_percent("s = '''\n# %%\n'''")
    (True, False)
    """
    if not _ANY.search(text):
        return False
    lines = text.split("\n")
    return any(_ANY.match(lines[number]) for number in logical_starts(lines, reset=_ANY))


def read_percent(text: str, path: str) -> DocumentText:
    """The code cells of the percent script `text`; `path` is for messages and for the cells' file name.

    Raises:
        DocumentError: If its header says that it is of another language.
    """
    lines = text.split("\n")
    header, notices = script_header(lines, path)
    starts = set(logical_starts(lines, reset=_ANY))
    cells: list[Cell] = []
    blocks: list[Block] = []
    for part in _parts(lines, header, starts):
        if part.kind in _MARKDOWN:
            blocks += _blocks(lines, part, path)
            continue
        cell = _cell(part, _with_magics(lines, part, starts), path, len(cells) + 1)
        if cell is not None:
            cells.append(cell)
    return DocumentText(path, "percent", tuple(cells), text, notices, tuple(blocks))


def markdown_lines(text: str, path: str) -> frozenset[int]:
    r"""Numbers of the lines of the percent script `text` that stand in cells of Markdown, less their markers.

    >>> sorted(markdown_lines("# %% [markdown]\n# Prose\n# %%\nx = 1\n", "script.py"))
    [2]
    """
    lines = text.split("\n")
    header, _ = script_header(lines, path)
    parts = _parts(lines, header, set(logical_starts(lines, reset=_ANY)))
    return frozenset(n + 1 for part in parts if part.kind in _MARKDOWN for n in range(part.start, part.end))


def script_header(lines: list[str], path: str) -> tuple[int, tuple[Notice, ...]]:
    """Number of lines down to the end of the commented YAML header, 0 if there is none, and what is to be said of it.

    Raises:
        DocumentError: If it is no YAML, or says that the script is of another language.
    """
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if first == len(lines) or lines[first].rstrip() not in {"# ---", "#---"}:
        return 0, ()
    rest = lines[first:]
    end = next((number for number, line in enumerate(rest) if not line.startswith("#")), len(rest))
    from celltask.documents.header import header_of  # noqa: PLC0415 - few scripts have one

    header = header_of([re.sub(r"^#[ ]?", "", line) for line in rest[:end]], path)
    if header.is_other_language:
        raise DocumentError(
            f"this is a script of {header.language}, not of Python", path, "set `language: python` in its header"
        )
    return (first + header.length if header.length else 0), header.notices


def _parts(lines: list[str], header: int, starts: set[int]) -> list[_Part]:
    opened: list[tuple[int, int, str]] = [(header, -1, "")]
    for number in range(header, len(lines)):
        if number not in starts:
            continue
        marker = _MARKER.match(lines[number])
        if marker:
            opened.append((number + 1, number, marker[2] or ""))
        elif _TASK_CELL.match(lines[number]) and _has_code(lines[opened[-1][0] : number]):
            opened.append((number, number, ""))
    ends = [max(marker, start) for start, marker, _ in opened[1:]]
    ends = [marker if marker >= 0 else start for start, marker, _ in opened[1:]] + [len(lines)]
    return [_Part(start, end, marker, label) for (start, marker, label), end in zip(opened, ends, strict=True)]


def _has_code(lines: list[str]) -> bool:
    return any(line.strip() and (not line.startswith("#") or _MAGIC.match(line)) for line in lines)


def _with_magics(lines: list[str], part: _Part, starts: set[int]) -> list[str]:
    """The lines of a part with commented magics as magics, and what they continue on."""
    shown = list(lines[part.start : part.end])
    continued = False
    for number in range(len(shown)):
        line = shown[number]
        if continued:
            shown[number] = re.sub(r"^#[ \t]?", "", line)
        elif part.start + number in starts and (magic := _MAGIC.match(line)):
            shown[number] = line[magic.end() :]
        else:
            continue
        continued = line.endswith("\\")
    return shown


def _blocks(lines: list[str], part: _Part, path: str) -> list[Block]:
    """The fences in a cell of Markdown, which is a comment or a string of three quotes."""
    shown = lines[part.start : part.end]
    if not any(mark in line for line in shown for mark in _FENCE_MARKS):
        return []
    from celltask.documents.myst import blocks_in  # noqa: PLC0415 - loads markdown-it

    first = next(number for number, line in enumerate(shown) if line.strip())
    quotes = _QUOTES.match(shown[first])
    if quotes:
        shown[first] = shown[first][quotes.end() :]
        text = "\n".join(shown).rpartition(quotes[1])[0]
    else:
        text = "\n".join(re.sub(r"^#[ \t]?", "", line) for line in shown)
    return blocks_in(text, path, first_line=part.start + 1, page=lines)


def _cell(part: _Part, lines: list[str], path: str, number: int) -> Cell | None:
    if part.kind == "raw":
        return None
    first = next((place for place, line in enumerate(lines) if line.strip()), None)
    if part.marker < 0 and (first is None or not _has_code(lines)):
        return None
    start = first or 0
    options = {name: value.strip("\"'") for name, value in _OPTION.findall(part.label)}
    return Cell(
        number=number,
        source="\n".join(lines[start:]).rstrip(),
        first_line=part.start + start + 1,
        language="python" if part.kind in PYTHON_NAMES else part.kind,
        options=options,
        tags=tags_in(options),
        filename=path,
        marker_line=part.marker + 1,
    )
