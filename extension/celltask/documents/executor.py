"""Statements of a document executed in one namespace, one by one, and what becomes of those that raise."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Self

from celltask.documents.places import place_in, tell_place
from celltask.documents.preparing import UNFIT
from celltask.documents.slice import LeftOut
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from types import CodeType, ModuleType

    from celltask.documents.failures import Failures
    from celltask.documents.loop import Loop
    from celltask.documents.outline import DocumentText
    from celltask.documents.statements import Statement

__all__ = ["Executor"]

_COROUTINE = 0x80  # inspect.CO_COROUTINE


class Executor:
    """Executes statements in one namespace; holds the event loop for those that await."""

    def __init__(self, document: DocumentText, module: ModuleType, failures: Failures) -> None:
        self.document, self.module, self.failures = document, module, failures
        self.files = {cell.filename for cell in document.cells}
        self.flags = 0
        self._loop: Loop | None = None
        self._read: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            self._loop.close()

    def run(self, statements: tuple[Statement, ...]) -> list[LeftOut]:
        """Execute `statements`, and tell what was left out: of cells that are tagged to raise, or defined again.

        Raises:
            Exception: What a statement raises, with a note that tells the place, unless `failures` takes it.
        """
        __tracebackhide__ = True
        left_out: list[LeftOut] = []
        self._read = {name for item in statements for name in item.names.reads}
        last = {name: at for at, item in enumerate(statements) if item.is_definition for name in item.names.binds}
        raised = 0
        for number, statement in enumerate(statements):
            cell = statement.cell
            if cell.number == raised:
                reason = "stands below an exception, as the tag of its cell says"
                left_out.append(LeftOut(cell.number, statement.line, statement.text, reason))
                continue
            is_last = not statement.is_definition or any(last[name] == number for name in statement.names.binds)
            reason = self._carry_out(statement, is_last=is_last)
            if reason:
                left_out.append(LeftOut(cell.number, statement.line, statement.text, reason))
                raised = cell.number if "raises-exception" in cell.tags else raised
        return left_out

    def _carry_out(self, statement: Statement, *, is_last: bool) -> str:
        """Execute `statement`; the reason why nothing came of it, or ``""``."""
        __tracebackhide__ = True
        cell = statement.cell
        code: CodeType | None = None
        try:
            code = self._compiled(statement)
            self._execute(code)
        except Exception as error:  # border: the user's code runs here
            if isinstance(error, ModuleNotFoundError) and self._is_idle_import(statement, error.name or ""):
                return f"imports {error.name}, which is not installed and which nothing reads"
            if "raises-exception" in cell.tags:
                return f"raises {type(error).__name__}, as its tag says"
            tell_place(error, self.files, (cell.filename, statement.line))
            if self.failures.take(statement, error, self.module.__dict__, is_compiled=code is not None):
                return ""
            if isinstance(error, CelltaskError) and not is_last:
                return f"raises {type(error).__name__}, and is defined again below"
            explained = self.failures.explained(statement, error)
            if explained is not None:
                raise explained from error
            raise
        except SystemExit as stop:
            place = place_in(self.document, cell, statement.line)
            raise DocumentError(f"the document ends the process ({stop!r})", place, "take the exit out") from None
        self.failures.defined(statement)
        return ""

    def _is_idle_import(self, statement: Statement, missing: str) -> bool:
        """Whether `statement` only imports the module `missing`, and no executed statement reads its names."""
        if not statement.is_import or statement.names.star or statement.names.binds & self._read:
            return False
        node = statement.node
        wanted = [node.module or ""] if isinstance(node, ast.ImportFrom) else [item.name for item in node.names]  # type: ignore[attr-defined]  # an import
        return missing.partition(".")[0] in {name.partition(".")[0] for name in wanted}

    def _execute(self, code: CodeType) -> None:
        __tracebackhide__ = True
        if code.co_flags & _COROUTINE:
            self._await(code)
        else:
            exec(code, self.module.__dict__)  # noqa: S102 - executing the user's document is the purpose

    def _compiled(self, statement: Statement) -> CodeType:
        __tracebackhide__ = True
        node = statement.node
        flags = self.flags | (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if statement.names.awaits else 0)
        try:
            code: CodeType = compile(
                ast.Module([node], []), statement.cell.filename, "exec", flags=flags, dont_inherit=True
            )
        except UNFIT as error:
            place = place_in(self.document, statement.cell, statement.line)
            raise DocumentError(
                f"the statement cannot be compiled: {str(error) or type(error).__name__}", place
            ) from None
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            import __future__  # noqa: PLC0415 - few documents have one

            for name in node.names:  # holds for all that follows, as in a notebook
                self.flags |= getattr(__future__, name.name).compiler_flag
        return code

    def _await(self, code: CodeType) -> None:
        __tracebackhide__ = True
        if self._loop is None:
            from celltask.documents.loop import Loop  # noqa: PLC0415 - asyncio is slow, and few documents await

            self._loop = Loop()
        self._loop.run(eval(code, self.module.__dict__))  # noqa: S307 - as exec above
