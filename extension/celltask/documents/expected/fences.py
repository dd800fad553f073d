"""Which fence of a document holds what which cell shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.outline import Notice
from celltask.documents.shell.blocks import is_shell

if TYPE_CHECKING:
    from celltask.documents.outline import Block, Cell, DocumentText

__all__ = ["expected_of", "stray_fences"]

_BEFORE = re.compile(r"[\s>]*(?:#(?=\s|$))?\s*")
"""What stands before a line in a quotation, a list, or a cell of a percent script."""
_END = re.compile(r"(?:`{3,}|~{3,}|:{3,})\s*$")
_NOTHING = re.compile(r"$|\+\+\+|%(?!%)|<!--.*-->\s*$")
_MARKER = re.compile(r"\s*#\s*%%.*\[(?:markdown|md)\]")


class _Found(NamedTuple):
    fences: dict[int, Block]
    strays: list[Notice]


def expected_of(document: DocumentText) -> dict[int, Block]:
    r"""The ```` ```{output} ```` fence that follows each cell, by the number of the cell.

    Nothing may stand between the two but empty lines, a ``+++`` and comments.

    >>> from celltask.documents.outline import Block, Cell, DocumentText
    >>> page = "```{code-cell}\n1 + 1\n```\n\n```{output}\n2\n```\n"
    >>> fence = Block("output", "", "2", line=5, first_line=6, last_line=7)
    >>> cell = Cell(1, "1 + 1", first_line=2, marker_line=1)
    >>> expected_of(DocumentText("page.md", "myst", (cell,), page, blocks=(fence,)))[1].source
    '2'
    """
    return _found(document).fences


def stray_fences(document: DocumentText) -> list[Notice]:
    """The ```` ```{output} ```` fences that belong to no cell, so that nothing is compared with them."""
    return _found(document).strays


def _found(document: DocumentText) -> _Found:
    found = _Found({}, [])
    if document.format == "ipynb":  # its cells store what they show
        return found
    lines = document.text.split("\n")
    for before, block in zip((None, *document.blocks), document.blocks, strict=False):
        if block.directive != "output" or _belongs_to_script(before, block, lines):
            continue
        cell = _cell_above(document, block)
        if cell is None:
            found.strays.append(_stray(block, "stands above the first code cell"))
        elif cell.number in found.fences and found.fences[cell.number].last_line > cell.last_line:
            first = found.fences[cell.number].line
            found.strays.append(
                _stray(block, f"is a second one after cell {cell.number}, whose first is at line {first}")
            )
        elif not _is_next(lines[cell.last_line : block.line - 1]):
            found.strays.append(_stray(block, f"does not follow cell {cell.number} directly"))
        else:
            found.fences[cell.number] = block
    return found


def _belongs_to_script(before: Block | None, block: Block, lines: list[str]) -> bool:
    """Whether the fence tells what the shell example right above it shows."""
    if before is None or not is_shell(before):
        return False
    return not any(line.removeprefix(block.prefix).strip() for line in lines[before.last_line : block.line - 1])


def _cell_above(document: DocumentText, block: Block) -> Cell | None:
    return next((cell for cell in reversed(document.cells) if cell.last_line < block.line), None)


def _is_next(between: list[str]) -> bool:
    """Whether lines are only the end of a cell and what a reader does not see."""
    ends = 0
    for line in between:
        text = "" if _MARKER.match(line) else _BEFORE.sub("", line, count=1)
        if _END.match(text):
            ends += 1
        elif not _NOTHING.match(text):
            return False
    return ends <= 1


def _stray(block: Block, why: str) -> Notice:
    return Notice(
        block.line, f"this {{output}} fence {why}, so it is not compared", "put it right below its cell", "stray-output"
    )
