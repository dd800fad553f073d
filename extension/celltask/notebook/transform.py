"""The two passes over every cell: header lines into Python text, and markers into decorators."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from IPython.core.error import InputRejected

from celltask.core.cell import RUNTIME_NAME, decorate_tree, has_header, rewrite_source
from celltask.core.header import HEADER
from celltask.errors import BodyError, CellError, HeaderError

if TYPE_CHECKING:
    from celltask.notebook.session import Session

__all__ = ["TreeTransformer", "defined_names", "rewrite_lines", "wait_for_def"]


class _RefusedHeaderError(HeaderError, InputRejected):
    """A `HeaderError` by which IPython refuses the cell without giving the transformer up."""


class _RefusedBodyError(BodyError, InputRejected):
    """A `BodyError` by which IPython refuses the cell without giving the transformer up."""


# What a front end shows as the error's class is this name.
_RefusedHeaderError.__name__, _RefusedBodyError.__name__ = "HeaderError", "BodyError"


def rewrite_lines(lines: list[str]) -> list[str]:
    """The cell with its header lines turned into Python; an IPython input transformer without side effects."""
    text = "".join(lines)
    return rewrite_source(text).splitlines(keepends=True) if has_header(text) else lines


# What IPython believes of it: it then judges a cell below `%%task` as that of a cell magic, which a blank line ends.
# As Python the line would be complete by itself, and a terminal would run it before a def could be written below.
rewrite_lines.has_side_effects = True  # type: ignore[attr-defined]  # IPython asks functions for it


def wait_for_def(lines: list[str]) -> list[str]:
    """A line `%task …` that stands alone made `%%task …`, which a terminal knows not to be complete."""
    text = "".join(lines).strip()
    match = HEADER.match(text)
    if match is None or match["percents"] != "%" or "\n" in text or "--help" in text:
        return lines
    return [f"%{line}" if line.startswith("%") else line for line in lines]


class TreeTransformer(ast.NodeTransformer):
    """The AST transformer of one shell."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def visit(self, tree: ast.AST) -> ast.AST:
        """The tree with all markers replaced; the session is told which names the headers define.

        Raises:
            HeaderError: If a header line cannot be read; nothing of the cell has run.
            BodyError: If the lines below one cannot become its body; nothing of the cell has run.
        """
        if not isinstance(tree, ast.Module):
            return tree
        try:
            decorate_tree(tree, where=self._session.places.current_cell())
        except CellError as error:
            refused = _RefusedHeaderError if isinstance(error, HeaderError) else _RefusedBodyError
            raise refused(error.what, error.where, error.mend) from None
        names = defined_names(tree)
        if names:
            self._session.note_definitions(names)
        return tree


def defined_names(tree: ast.Module) -> list[str]:
    """Names of the functions that header lines decorate, in their order."""
    found = []
    for item in tree.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.decorator_list:
            first = item.decorator_list[0]
            dotted = first.func if isinstance(first, ast.Call) else first
            if (
                isinstance(dotted, ast.Attribute)
                and isinstance(dotted.value, ast.Name)
                and dotted.value.id == RUNTIME_NAME
            ):
                found.append(item.name)
    return found
