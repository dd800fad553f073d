"""Where the tasks and workflows of a page are defined, told from its text: nothing of it is executed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal, NamedTuple

from celltask.documents.preparing import Prepared
from celltask.documents.statements import Program
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.documents.outline import DocumentText
    from celltask.documents.statements import Statement

__all__ = ["Definition", "definitions_of"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Definition(NamedTuple):
    """A task or workflow, and the cell that defines it."""

    name: str
    kind: Literal["task", "workflow"]
    cell: int
    """Number of the cell, from 1."""


def definitions_of(document: DocumentText) -> list[Definition]:
    r"""The tasks and workflows that the cells of `document` define, in their order; one defined twice is there twice.

    A task that is given another name than that of its function is there under both.

    >>> from celltask.documents.outline import Cell, DocumentText
    >>> cell = Cell(1, "%%workflow\ndef double(x: int) -> int:\n    return add(x, x)", first_line=3)
    >>> definitions_of(DocumentText("page.md", "myst", (cell,)))
    [Definition(name='double', kind='workflow', cell=1)]
    """
    try:
        program = Program.of(Prepared(document).trees)
    except DocumentError:  # it has no Python
        return []
    given = {bound: name for name, bound in program.task_names.items()}
    found = []
    for statement in program.statements:
        for name in sorted(statement.names.binds & program.entities):
            kind = _kind(program, statement, name)
            names = dict.fromkeys([name, given.get(name, name)])
            found += [Definition(one, kind, statement.cell.number) for one in names]
    return found


def _kind(program: Program, statement: Statement, name: str) -> Literal["task", "workflow"]:
    makers = (_last(program, maker) for maker in _makers(statement.node, name))
    return "workflow" if any(maker.lower() == "workflow" for maker in makers) else "task"


def _makers(node: ast.stmt, name: str) -> Iterator[ast.expr]:
    """What makes an entity of a name: its decorators, or the functions that its value is a call of."""
    for inner in ast.walk(node):
        if isinstance(inner, _FUNCTIONS) and inner.name == name:
            yield from inner.decorator_list
        elif isinstance(inner, ast.Assign | ast.AnnAssign) and inner.value is not None:
            yield inner.value


def _last(program: Program, maker: ast.expr) -> str:
    """The last part of its name where it is defined: ``"workflow"`` of ``import celltask as ct; ct.workflow(…)``."""
    while isinstance(maker, ast.Call):
        maker = maker.func
    origin = program.origin(maker) or ast.unparse(maker)
    return origin.rpartition(".")[2]
