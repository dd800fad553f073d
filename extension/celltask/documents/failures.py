"""Definitions of a document that cannot be loaded, collected while it is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.documents.failed import Failed, in_one_line
from celltask.documents.places import place_in
from celltask.documents.scopes import root_of
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.documents.preparing import Prepared
    from celltask.documents.statements import Program, Statement

__all__ = ["Failures"]


class Failures:
    """What could not be loaded of one document. Holds state: it grows while the document is executed."""

    def __init__(self, prepared: Prepared, program: Program, *, collects: bool, demonstrates: bool = False) -> None:
        """Begin with the cells that cannot be read.

        Args:
            prepared: The cells of the document.
            program: Those that can be read.
            collects: Whether definitions that raise are collected; else they are errors.
            demonstrates: Whether demonstrations are executed too, whose own errors are never collected.
        """
        self.prepared, self.program = prepared, program
        self.collects, self.demonstrates = collects, demonstrates
        self._given = {bound: name for name, bound in program.task_names.items()}
        self._raised: dict[str, Failed] = {}
        self._found: list[Failed] = []
        self._unread: dict[str, Exception] = {}
        for cell in prepared.unreadable:
            later = {
                name for item in program.statements if item.cell.number > cell.cell.number for name in item.names.binds
            }
            self._unread.update(dict.fromkeys(set(cell.defines) - later, cell.error))
            self._found.append(Failed(cell.cell.number, cell.line, cell.defines[0] if cell.defines else "", cell.error))

    @property
    def failed(self) -> tuple[Failed, ...]:
        """All of them, in the order of the document."""
        return tuple(sorted(self._found, key=lambda item: item[:2])) if self.collects else ()

    @property
    def errors(self) -> Mapping[str, Exception]:
        """Why each name is not defined that would be: the last definition counts."""
        return {name: item.error for name, item in self._raised.items()} | self._unread

    def take(self, statement: Statement, error: Exception, namespace: dict[str, object], *, is_compiled: bool) -> bool:
        """Whether the error of `statement` is collected, so that the rest of the document can be loaded.

        Args:
            statement: What raised.
            error: As caught.
            namespace: From which the names are taken that `statement` would have defined.
            is_compiled: Whether `statement` itself is Python.
        """
        if not self.collects:
            return False
        names = self._names(statement)
        is_refused = isinstance(error, CelltaskError) or (isinstance(error, SyntaxError) and not is_compiled)
        is_demonstration = self.demonstrates and (not names or self.program.runs_task(statement))
        explained = self.explained(statement, error)
        if explained is None and (is_demonstration or not is_refused):
            return False
        if explained is not None:
            explained.__cause__ = error
            error = explained
        failed = Failed(statement.cell.number, statement.line, names[0] if names else "", error)
        self._found.append(failed)
        for name in names:
            namespace.pop(name, None)
            self._raised[name] = failed
        return True

    def lose(self, statement: Statement, error: Exception) -> None:
        """Note that what `statement` did define cannot be used."""
        names = self._names(statement)
        if not any(name in self._raised for name in names):
            failed = Failed(statement.cell.number, statement.line, next(iter(names), ""), error)
            self._found.append(failed)
            self._raised.update(dict.fromkeys(names, failed))

    def defined(self, statement: Statement) -> None:
        """Note that `statement` did define its names, whatever was tried before."""
        for name in self._names(statement) if self._raised else ():
            self._raised.pop(name, None)

    def explained(self, statement: Statement, error: Exception) -> DocumentError | None:
        """The error to tell for a name that is not bound because its definition could not be loaded."""
        if not isinstance(error, NameError) or not error.name:
            return None
        name = error.name
        place = place_in(self.prepared.document, statement.cell, statement.line)
        needing = repr(next(iter(self._names(statement)), "")) if statement.names.binds else "the statement"
        what = f"{needing} needs {name!r}"
        if name in self._raised:
            before = self._raised[name]
            told = f"{what}, which could not be loaded: {in_one_line(before.error)}"
            return DocumentError(told, place, f"mend cell {before.cell}, line {before.line}, first")
        cells = self.prepared.unreadable
        if cells and (name not in self.program.bound_by or any(name in cell.binds for cell in cells)):
            return DocumentError(f"{what}; {self.prepared.cause(name)}", place, "mend that cell")
        return None

    def _names(self, statement: Statement) -> list[str]:
        """The names that `statement` defines, as tasks are called; or of the workflow that it adds to."""
        bound = statement.names.binds
        if not bound:
            bound = {root_of(call.func) for call in statement.names.methods} & self.program.entities
        first = [name for name in bound if name == getattr(statement.node, "name", "")]
        ordered = [*first, *sorted(bound.difference(first))]
        return [*(self._given[name] for name in ordered if name in self._given), *ordered]
