"""The cells of a document as Python: magics taken out, headers turned into decorators, parsed at their own lines."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from celltask.core.cell import decorate_tree, rewrite_source
from celltask.documents.failed import in_one_line
from celltask.documents.magics import without_magics
from celltask.documents.outline import Notice
from celltask.documents.places import shown_path
from celltask.documents.slice import LeftOut
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.unreadable import Unreadable

__all__ = ["UNFIT", "Prepared"]

UNFIT = (RecursionError, MemoryError, OverflowError, ValueError)
"""What the compiler raises, besides SyntaxError, for text that it cannot take."""

_SKIPPED_TAGS = frozenset({"skip-execution", "skip_execution", "no-execute"})


class Prepared:
    """The cells of a document as Python: texts, trees, the lines that are none, and the cells that cannot be read.

    Args:
        document: The document.
        demonstrates: Whether a header's ``--run`` is obeyed.

    Raises:
        DocumentError: If no cell is Python.
    """

    def __init__(self, document: DocumentText, *, demonstrates: bool = False) -> None:
        __tracebackhide__ = True
        self.document, self._demonstrates = document, demonstrates
        self.texts: dict[int, str] = {}
        self.trees: list[tuple[Cell, ast.Module]] = []
        self.left_out: list[LeftOut] = []
        self.unreadable: list[Unreadable] = []
        self.notices: list[Notice] = []
        if not any(cell.is_python for cell in document.cells):
            raise DocumentError("the document has no Python cell", shown_path(document.path), _mend_for_none(document))
        for cell in document.cells:
            self._prepare(cell)

    def _prepare(self, cell: Cell) -> None:
        __tracebackhide__ = True
        if not cell.is_python:
            self._leave_out(cell, f"is {cell.language}, not Python")
        elif _SKIPPED_TAGS.intersection(cell.tags):
            self._leave_out(cell, "is tagged skip-execution")
        else:
            text, magics = without_magics(cell.source, keep_tasks=True)
            rewritten = rewrite_source(text)
            text = without_magics(rewritten)[0]  # a header with --help is left as it is
            for magic in magics:
                if not magic.silent:
                    line = cell.first_line + magic.offset
                    self.left_out.append(LeftOut(cell.number, line, magic.text, "is a magic or shell command"))
            self._parse(cell, text)

    def _parse(self, cell: Cell, text: str) -> None:
        __tracebackhide__ = True
        where = f"{shown_path(self.document.path)}, cell {cell.number}"
        try:
            tree = _parsed(cell, text)
            tree = decorate_tree(tree, where=where, run=self._demonstrates)
        except (SyntaxError, CelltaskError) as error:
            if "raises-exception" in cell.tags:
                self._leave_out(cell, "raises an exception, as its tag says")
                return
            if isinstance(error, SyntaxError):
                error.add_note(f"in {where}")
            self._cannot_be_read(cell, error)
            return
        except UNFIT as error:
            what = f"the cell cannot be compiled: {str(error) or type(error).__name__}"
            self._cannot_be_read(cell, DocumentError(what, where))
            return
        self.texts[cell.number] = text
        self.trees.append((cell, tree))

    def _cannot_be_read(self, cell: Cell, error: CelltaskError | SyntaxError) -> None:
        from celltask.documents.unreadable import unreadable  # noqa: PLC0415 - only for a mistake

        found = unreadable(cell, error)
        self.unreadable.append(found)
        self.notices.append(Notice(found.line, found.told, found.mend))
        self._leave_out(cell, f"could not be read: {in_one_line(error)}")

    @property
    def words_of_unreadable(self) -> set[str]:
        """Every name in the cells that cannot be read."""
        return set().union(*(found.words for found in self.unreadable))

    def cause(self, name: str) -> str:
        """The cell for want of which `name` is most likely not defined, in words; empty if all cells could be read."""
        if not self.unreadable:
            return ""
        from celltask.documents.unreadable import likely_cause  # noqa: PLC0415 - only for a mistake

        return likely_cause(self.unreadable, name)

    def _leave_out(self, cell: Cell, reason: str) -> None:
        self.left_out.append(LeftOut(cell.number, cell.first_line, cell.source.partition("\n")[0], reason))


def _parsed(cell: Cell, text: str) -> ast.Module:
    __tracebackhide__ = True
    # Blank lines above the cell give every node, and every SyntaxError, its line in the document.
    return ast.parse("\n" * (cell.first_line - 1) + text, cell.filename)


def _mend_for_none(document: DocumentText) -> str:
    if document.format == "myst":
        if document.notices:
            return f"see line {document.notices[0].line}: {document.notices[0].mend}"
        return "open its code cells with ```{code-cell}"
    return "write a task in it"
