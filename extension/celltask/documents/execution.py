"""A document with cells carried out: its statements sliced, compiled one by one at their own lines, and executed."""

from __future__ import annotations

import builtins
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import celltask
from celltask.core.cell import RUNTIME_NAME
from celltask.documents.executor import Executor
from celltask.documents.failed import Failed, unknown_name
from celltask.documents.failures import Failures
from celltask.documents.modules import module_name, registered
from celltask.documents.outline import Notice
from celltask.documents.places import place_in, remember
from celltask.documents.preparing import Prepared
from celltask.documents.slice import LeftOut, slice_program
from celltask.documents.statements import Program, Statement
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from celltask.documents.outline import DocumentText
    from celltask.documents.unreadable import Unreadable

__all__ = ["Executed", "execute_cells"]


class Executed(NamedTuple):
    """What came of executing a document."""

    module: ModuleType
    left_out: tuple[LeftOut, ...]
    failed: tuple[Failed, ...]
    """Definitions that could not be loaded; none if names were asked for, unless all was executed."""
    notices: tuple[Notice, ...]
    errors: Mapping[str, Exception]
    """Those of `failed` by each name that is not defined for want of it."""
    cause: str
    """The cells that could not be read, in words; empty if all could."""


def execute_cells(document: DocumentText, names: Collection[str] | None, *, execute_all: bool) -> Executed:
    """The module that `document` becomes, and what of it was not executed.

    Where names are given, a cell that cannot be read matters only if something of it is needed. Where all is asked
    for, such cells and definitions that raise are collected.

    Raises:
        DocumentError: If it has no Python, or a name is not bound in it, or only in a cell that cannot be read.
        Exception: Whatever an executed statement raises, with a note that tells the place.
    """
    __tracebackhide__ = True
    prepared = Prepared(document, demonstrates=execute_all)
    program = Program.of(prepared.trees)
    _check_names(prepared, program, names)
    needed = frozenset(program.entities)
    if execute_all:
        kept: tuple[Statement, ...] = tuple(program.statements)
    else:
        found = slice_program(program, names, read_elsewhere=prepared.words_of_unreadable)
        kept, needed = found.kept, found.needed
        prepared.left_out.extend(found.left_out)
        if names is not None:
            _check_needed(prepared, program, needed)
    remember(document, prepared.texts)
    name, root = module_name(document.path)
    module = ModuleType(name)
    module.__file__ = document.path
    module.__package__ = name.rpartition(".")[0]
    module.__dict__[RUNTIME_NAME] = celltask
    failures = Failures(prepared, program, collects=names is None or execute_all, demonstrates=execute_all)
    with registered(module, document.path, root), Executor(document, module, failures) as executor:
        prepared.left_out.extend(executor.run(kept))
    _lose_what_needs_them(failures)
    notices = (*prepared.notices, *_redefined(program, needed))
    left_out = tuple(sorted(prepared.left_out))
    return Executed(module, left_out, failures.failed, notices, failures.errors, prepared.cause(""))


def _check_names(prepared: Prepared, program: Program, names: Collection[str] | None) -> None:
    """Refuse a name that nothing binds."""
    __tracebackhide__ = True
    if _has_star(program):
        return
    for name in names or ():
        if name in program.bound_by or name in program.task_names:
            continue
        for cell in prepared.unreadable:
            if name in cell.binds:
                raise _not_to_be_had(name, cell, prepared.document) from cell.error
        known = sorted(program.entities) or sorted(program.bound_by)
        raise unknown_name(name, prepared.document.path, known, cause=prepared.cause(name))


def _check_needed(prepared: Prepared, program: Program, needed: Collection[str]) -> None:
    """Refuse to go on without a cell that cannot be read if it binds what is needed, or defines it anew."""
    __tracebackhide__ = True
    for name, cell in _lost(prepared, program, needed):
        raise _not_to_be_had(name, cell, prepared.document) from cell.error


def _lose_what_needs_them(failures: Failures) -> None:
    """Count a task among the failed ones if it would find, when it runs, that it needs a cell that cannot be read."""
    prepared, program = failures.prepared, failures.program
    if not prepared.unreadable or not failures.collects:
        return
    for entity in sorted(program.entities.difference(failures.errors)):
        statement = program.bound_by[entity][-1]
        for name, cell in _lost(prepared, program, slice_program(program, [entity]).needed):
            place = place_in(prepared.document, statement.cell, statement.line)
            what = f"{entity!r} needs {name!r}; {cell.told}"
            failures.lose(statement, DocumentError(what, place, cell.mend))
            break


def _lost(prepared: Prepared, program: Program, needed: Collection[str]) -> Iterator[tuple[str, Unreadable]]:
    """The needed names that a cell binds which cannot be read, if no other does, or defines anew."""
    for cell in prepared.unreadable:
        for name in sorted(cell.binds.intersection(needed)):
            bound = program.bound_by.get(name) or program.bound_by.get(program.task_names.get(name, ""))
            elsewhere = bound or hasattr(builtins, name) or _has_star(program)
            again = name in cell.defines and not any(item.cell.number > cell.cell.number for item in bound or ())
            if again or not elsewhere:
                yield name, cell


def _has_star(program: Program) -> bool:
    return any(statement.names.star for statement in program.statements)


def _not_to_be_had(name: str, cell: Unreadable, document: DocumentText) -> DocumentError:
    return DocumentError(f"{name!r} is needed, but {cell.told}", place_in(document, cell.cell, cell.line), cell.mend)


def _redefined(program: Program, needed: Collection[str]) -> list[Notice]:
    """What to say of needed tasks and workflows that are defined more than once."""
    found = []
    for name in sorted(program.entities.intersection(needed)):
        bound = [item for item in program.bound_by.get(name, ()) if item.is_definition]
        if len(bound) > 1:
            cells = ", ".join(str(item.cell.number) for item in bound)
            told = f"{name!r} is defined {len(bound)} times, in cells {cells}; the last definition counts"
            found.append(Notice(bound[-1].line, told))
    return found
