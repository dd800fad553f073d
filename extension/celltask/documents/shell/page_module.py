"""A page's own cells as a file of another kind, so that a command finds them under the name that it uses.

A module has every cell at the lines where the page has it: a place told in the one is a place in the other.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.logical import logical_starts
from celltask.documents.magics import without_magics

if TYPE_CHECKING:
    from celltask.documents.outline import Cell, DocumentText

__all__ = ["has_same_lines", "page_as"]

_FORMATS = {"myst": "md:myst", "percent": "py:percent"}
_SUFFIXES = {"myst": ".md", "percent": ".py", "python": ".py"}
_LEFT_OUT = frozenset({"skip-execution", "skip_execution", "no-execute", "raises-exception", "raises_exception"})
_TASK = re.compile(r"%%?(?:task|workflow)(?=\s|$)")


def has_same_lines(document: DocumentText, suffix: str) -> bool:
    """Whether what `page_as` gives has the lines of the document."""
    return suffix in {".py", _SUFFIXES.get(document.format)} and document.format != "ipynb"


def page_as(document: DocumentText, suffix: str) -> str:
    r"""The document as a text of the format that `suffix` (``.py``, ``.md`` or ``.ipynb``) stands for.

    A page becomes a percent script without the cells that are not to be executed, or that must raise.

    >>> from celltask.documents.outline import Cell, DocumentText
    >>> cell = Cell(1, "%%task\ndef f(x: int) -> int: ...", first_line=3, marker_line=2)
    >>> page_as(DocumentText("page.md", "myst", (cell,), "..."), ".py")
    '\n# %%\n# %%task\ndef f(x: int) -> int: ...\n'
    """
    if _SUFFIXES.get(document.format) == suffix:
        return document.text
    if suffix == ".py" and document.format == "myst":
        return _script(document)
    import jupytext  # type: ignore[import-untyped]  # noqa: PLC0415 - 0.5 s, and rarely needed; it has no types

    text = document.text
    if document.format == "ipynb":
        text = Path(document.path).read_text(encoding="utf-8-sig")
        if suffix == ".ipynb":
            return text
    notebook = jupytext.reads(text, fmt=_FORMATS.get(document.format, "ipynb"))
    made: str = jupytext.writes(notebook, fmt={".md": "md:myst", ".py": "py:percent"}.get(suffix, "ipynb"))
    return made


def _script(document: DocumentText) -> str:
    lines: list[str] = []
    for cell in document.cells:
        if not cell.is_python or _LEFT_OUT.intersection(cell.tags):
            continue
        lines += [""] * (cell.marker_line - 1 - len(lines))
        lines.append("# %%")
        lines += [""] * (cell.first_line - 1 - len(lines))
        lines += _python_lines(cell)
    return "\n".join(lines) + "\n"


def _python_lines(cell: Cell) -> list[str]:
    """The code with the header of its task as a comment, as percent scripts have it, and other magics left out."""
    lines = without_magics(cell.source, keep_tasks=True)[0].split("\n")
    for number in list(logical_starts(lines)):
        at = number
        while _TASK.match(lines[number]) and at < len(lines):
            lines[at], goes_on = f"# {lines[at]}", lines[at].endswith("\\")
            at += 1
            if not goes_on:
                break
    return lines
