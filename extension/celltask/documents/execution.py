"""A document with cells carried out: its statements sliced, compiled one by one at their own lines, and executed."""

from __future__ import annotations

import ast
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Self

import celltask
from celltask.core.cell import RUNTIME_NAME, decorate_tree, rewrite_source
from celltask.documents.magics import without_magics
from celltask.documents.modules import module_name, registered
from celltask.documents.places import place_in, remember, shown_path, tell_place
from celltask.documents.slice import LeftOut, slice_program
from celltask.documents.statements import Program, Statement
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Collection

    from celltask.documents.loop import Loop
    from celltask.documents.outline import Cell, DocumentText

__all__ = ["execute_cells"]

_SKIPPED_TAGS = frozenset({"skip-execution", "skip_execution", "no-execute"})
_COROUTINE = 0x80  # inspect.CO_COROUTINE
_UNFIT = (RecursionError, MemoryError, OverflowError, ValueError)
"""What the compiler raises, besides SyntaxError, for text that it cannot take."""


def execute_cells(
    document: DocumentText, names: Collection[str] | None, *, execute_all: bool
) -> tuple[ModuleType, list[LeftOut]]:
    """The module that `document` becomes, and what of it was not executed.

    Raises:
        DocumentError: If it has no Python, or a name is not bound in it.
        SyntaxError: If a cell is no Python; its place is that in the document.
        Exception: Whatever an executed statement raises, with a note that tells the place.
    """
    __tracebackhide__ = True
    prepared = _Prepared(document)
    program = Program.of(prepared.trees)
    _check_names(document, program, names)
    if execute_all:
        kept: tuple[Statement, ...] = tuple(program.statements)
    else:
        found = slice_program(program, names)
        kept = found.kept
        prepared.left_out.extend(found.left_out)
    remember(document, prepared.texts)
    name, root = module_name(document.path)
    module = ModuleType(name)
    module.__file__ = document.path
    module.__package__ = name.rpartition(".")[0]
    module.__dict__[RUNTIME_NAME] = celltask
    with registered(module, document.path, root), _Executor(document, module) as executor:
        prepared.left_out.extend(executor.run(kept))
    return module, sorted(prepared.left_out)


class _Prepared:
    """The cells of a document as Python: texts, trees, and the lines that are none."""

    def __init__(self, document: DocumentText) -> None:
        __tracebackhide__ = True
        self.document = document
        self.texts: dict[int, str] = {}
        self.trees: list[tuple[Cell, ast.Module]] = []
        self.left_out: list[LeftOut] = []
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
            tree = decorate_tree(tree, where=where, run=False)
        except (SyntaxError, CelltaskError) as error:
            if "raises-exception" in cell.tags:
                self._leave_out(cell, "raises an exception, as its tag says")
                return
            if isinstance(error, SyntaxError):
                error.add_note(f"in {where}")
            raise
        except _UNFIT as error:
            raise DocumentError(f"the cell cannot be compiled: {str(error) or type(error).__name__}", where) from None
        self.texts[cell.number] = text
        self.trees.append((cell, tree))

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


def _check_names(document: DocumentText, program: Program, names: Collection[str] | None) -> None:
    __tracebackhide__ = True
    if any(statement.names.star for statement in program.statements):
        return
    for name in names or ():
        if name not in program.bound_by and name not in program.task_names:
            raise unknown_name(name, document.path, sorted(program.entities) or sorted(program.bound_by))


def unknown_name(name: str, path: str, known: list[str]) -> DocumentError:
    """The error for a task or workflow that the document does not have."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    near = get_close_matches(name, known, 1)
    mend = f"did you mean {near[0]!r}?" if near else f"use one of: {', '.join(known)}" if known else "define one"
    return DocumentError(f"no task or workflow is called {name!r}", shown_path(path), mend)


class _Executor:
    """Executes statements in one namespace; holds the event loop for those that await."""

    def __init__(self, document: DocumentText, module: ModuleType) -> None:
        self.document, self.module = document, module
        self.flags = 0
        self._loop: Loop | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            self._loop.close()

    def run(self, statements: tuple[Statement, ...]) -> list[LeftOut]:
        """Execute `statements`, and tell what was left out of cells that are tagged to raise."""
        __tracebackhide__ = True
        left_out: list[LeftOut] = []
        raised = 0
        for statement in statements:
            cell = statement.cell
            if cell.number == raised:
                reason = "stands below an exception, as the tag of its cell says"
                left_out.append(LeftOut(cell.number, statement.line, statement.text, reason))
                continue
            try:
                self._execute(statement)
            except Exception as error:  # border: the user's code runs here
                if "raises-exception" not in cell.tags:
                    files = {cell.filename for cell in self.document.cells}
                    tell_place(error, files, (cell.filename, statement.line))
                    raise
                raised = cell.number
                reason = f"raises {type(error).__name__}, as its tag says"
                left_out.append(LeftOut(cell.number, statement.line, statement.text, reason))
            except SystemExit as stop:
                place = place_in(self.document, cell, statement.line)
                raise DocumentError(f"the document ends the process ({stop!r})", place, "take the exit out") from None
        return left_out

    def _execute(self, statement: Statement) -> None:
        __tracebackhide__ = True
        code = self._compiled(statement)
        namespace = self.module.__dict__
        if code.co_flags & _COROUTINE:
            self._await(code)
        else:
            exec(code, namespace)  # noqa: S102 - executing the user's document is the purpose

    def _compiled(self, statement: Statement) -> CodeType:
        __tracebackhide__ = True
        node = statement.node
        flags = self.flags | (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if statement.names.awaits else 0)
        try:
            code: CodeType = compile(
                ast.Module([node], []), statement.cell.filename, "exec", flags=flags, dont_inherit=True
            )
        except _UNFIT as error:
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
