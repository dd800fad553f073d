"""R Markdown and Quarto into cells: fences whose mark is followed by ``{python}``, with their options.

They are fences like those of MyST pages, so they are read by the same parser; that also gives their exact lines, which
jupytext does not have, and asks for no Quarto to be installed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.documents.cell_options import tags_in
from celltask.documents.fences import check_closed, fence_parser, fences_in, left_out
from celltask.documents.header import header_of
from celltask.documents.outline import PYTHON_NAMES, Cell, DocumentText
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from celltask.documents.fences import Fence
    from celltask.documents.outline import DocumentFormat, Nested, Notice

__all__ = ["read_rmarkdown"]

_CHUNK = re.compile(r"\s*\{\s*(?P<language>[A-Za-z]\w*)(?P<options>[\s,][^}]*)?\}\s*$")
_OPTION = re.compile(r"""([A-Za-z_][\w.-]*)\s*=\s*(c\([^)]*\)|\[[^\]]*\]|"[^"]*"|'[^']*'|[^\s,]+)""")
_LINE_OPTION = re.compile(r"#\|\s*([A-Za-z_][\w.-]*):\s*(.*)$")
_NEVER = frozenset({"false", "no"})
_DEEPEST = 40


def read_rmarkdown(text: str, path: str, form: DocumentFormat, *, nested: Nested = "run") -> DocumentText:
    """The code cells of the page `text`; a cell with ``eval`` set to false has the tag ``skip-execution``.

    Raises:
        DocumentError: If a cell is not closed, or is nested and shall not be, or the page has no Python.
    """
    lines = text.split("\n")
    header = header_of(lines, path)
    body = "\n" * header.length + "\n".join(lines[header.length :])
    cells: list[Cell] = []
    notices: list[Notice] = list(header.notices)
    for found in _chunks(body, lines, path):
        check_closed(found, path)
        if found.nested and nested != "run":
            notices.append(left_out(found, path, nested))
        else:
            cells.append(_cell(found, path, len(cells) + 1))
    if cells and not any(cell.is_python for cell in cells):
        language = cells[0].language
        raise DocumentError(f"this is a page of {language}, not of Python", path, "write {python} at its cells")
    return DocumentText(path, form, tuple(cells), text, tuple(notices))


def _chunks(body: str, page: list[str], path: str) -> list[Fence]:
    parser = fence_parser()
    found: list[Fence] = []
    pending = [(body, 1, 0)]
    while pending:
        text, first_line, depth = pending.pop()
        if depth > _DEEPEST:
            where = f"{path}, line {first_line}"
            raise DocumentError(f"divisions stand in each other more than {_DEEPEST} deep", where, "close them")
        for fence in fences_in(parser, text, first_line, page=page, nested=depth > 0):
            if fence.marks.startswith(":"):
                pending.append((fence.content, fence.line + 1, depth + 1))
            elif _CHUNK.match(fence.info):
                found.append(fence)
    return sorted(found, key=lambda fence: fence.line)


def _cell(found: Fence, path: str, number: int) -> Cell:
    chunk = _CHUNK.match(found.info)
    language = chunk["language"].lower() if chunk else ""
    options: dict[str, object] = {
        name: value.removeprefix("c(").removesuffix(")").strip("\"'") if value.startswith("c(") else value.strip("\"'")
        for name, value in _OPTION.findall((chunk and chunk["options"]) or "")
    }
    lines = found.content.split("\n")
    start = 0
    while start < len(lines) and (not lines[start].strip() or lines[start].startswith("#|")):
        option = _LINE_OPTION.match(lines[start])
        if option:
            options[option[1]] = option[2].strip()
        start += 1
    skipped = str(options.get("eval", "")).lower() in _NEVER
    return Cell(
        number=number,
        source="\n".join(lines[start:]).rstrip(),
        first_line=found.line + 1 + start,
        language="python" if language in PYTHON_NAMES else language,
        options=options,
        tags=tags_in(options) + (("skip-execution",) if skipped else ()),
        nested=found.nested,
        filename=path,
        marker_line=found.line,
        column=found.column,
    )
