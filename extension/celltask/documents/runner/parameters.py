"""Parameters of a document: values that are put in below the cell tagged ``parameters``, or else above all cells."""

from __future__ import annotations

import ast
import json
import keyword
from typing import TYPE_CHECKING

from celltask.documents.outline import Cell
from celltask.documents.report import relative
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.documents.outline import DocumentText

__all__ = ["INJECTED", "value_of", "with_parameters"]

INJECTED = "<celltask parameters>"
"""File name of the cell that is put in."""
_TAG = "parameters"


def value_of(text: str) -> object:
    """What `text` means: JSON or a Python literal, else the text itself.

    >>> value_of("0.1"), value_of("true"), value_of("None"), value_of("[1, 2]"), value_of("fast")
    (0.1, True, None, [1, 2], 'fast')
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text


def with_parameters(document: DocumentText, values: Mapping[str, object]) -> DocumentText:
    r"""The document with one more cell, which binds `values`; its cells are numbered anew.

    Raises:
        DocumentError: If a name is none, or not one of those that the cell tagged ``parameters`` binds.

    >>> from celltask.documents.outline import DocumentText
    >>> page = DocumentText("page.md", "myst", (Cell(1, "rate = 1", first_line=4, tags=("parameters",)),))
    >>> [cell.source for cell in with_parameters(page, {"rate": 0.5}).cells]
    ['rate = 1', 'rate = 0.5']
    """
    if not values:
        return document
    place = next((cell.number for cell in document.cells if _TAG in cell.tags), 0)
    known = _bound(document.cells[place - 1].source) if place else None
    for name in values:
        _check(name, known, relative(document.path))
    source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    cell = Cell(place + 1, source, first_line=1, tags=("injected-parameters",), filename=INJECTED)
    later = (other._replace(number=other.number + 1) for other in document.cells[place:])
    return document._replace(cells=(*document.cells[:place], cell, *later))


def _check(name: str, known: set[str] | None, where: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise DocumentError(f"{name!r} is no name of a variable", where, "write -p NAME VALUE")
    if known is not None and name not in known:
        from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

        near = get_close_matches(name, known, 1)
        mend = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(sorted(known))}"
        raise DocumentError(f"the document has no parameter {name!r}", where, mend)


def _bound(source: str) -> set[str]:
    """Names that are assigned in a cell."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
