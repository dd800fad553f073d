"""Tracebacks that travel: told as plain rows in one process, and raised again from the same lines in another.

A traceback cannot be pickled. Here its frames go as rows of file, function and position; on the other side a chain
of small functions is compiled whose syntax trees bear those positions, so that Python itself makes a traceback with
the true names, lines and carets. (tblib rebuilds frames so too, by line; positions within a line come with PEP 657.)
"""

from __future__ import annotations

import ast
from itertools import islice
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FunctionType, TracebackType

__all__ = ["BEFORE", "Row", "raise_again", "rows_of", "with_rows"]

BEFORE = "_celltask_before"
"""Where an error that travels has the one before it: whether that is its cause, the error, and its rows."""

_MOST_ROWS = 100
_RAISING = "def _ct_frame():\n    raise _ct_next"
_CALLING = "def _ct_frame():\n    _ct_next()"


class Row(NamedTuple):
    """One frame: where it was when the error passed through it; lines from 1, columns from 0 in UTF-8 bytes."""

    filename: str
    function: str
    line: int
    last_line: int
    column: int
    last_column: int


def rows_of(traceback: TracebackType | None) -> list[Row]:
    """The frames of a traceback from the outermost in, without those that hide themselves.

    Of one deeper than a hundred frames, the first and last fifty are told.
    """
    rows = []
    for frame, line in walk_tb(traceback):
        if not frame.f_locals.get("__tracebackhide__"):
            rows.append((frame.f_code, frame, line))
    if len(rows) > _MOST_ROWS:
        rows = rows[: _MOST_ROWS // 2] + rows[-_MOST_ROWS // 2 :]
    lasti = {id(step.tb_frame): step.tb_lasti for step in _steps(traceback)}
    return [_row(code, lasti[id(frame)], line) for code, frame, line in rows]


def _steps(traceback: TracebackType | None) -> list[TracebackType]:
    found = []
    while traceback is not None:
        found.append(traceback)
        traceback = traceback.tb_next
    return found


def _row(code: CodeType, lasti: int, line: int) -> Row:
    positions = next(islice(code.co_positions(), lasti // 2, None), (None,) * 4)
    first, last, column, last_column = positions
    if first != line or None in positions:
        return Row(code.co_filename, code.co_name, line, line, 0, 0)
    return Row(code.co_filename, code.co_name, line, last or line, column or 0, last_column or 0)


def raise_again(error: BaseException, rows: list[Row]) -> NoReturn:
    """Raise `error` with a traceback that goes through `rows`, and with the errors before it.

    Raises:
        BaseException: `error`, always.
    """
    __tracebackhide__ = True
    before = error.__dict__.pop(BEFORE, None)
    if before is not None:
        is_cause, *told = before
        error.__context__ = with_rows(*told)
        error.__cause__ = error.__context__ if is_cause else None
        error.__suppress_context__ = is_cause

    if not rows:
        raise error.with_traceback(None)
    step = _frame(rows[-1], error)
    for row in reversed(rows[:-1]):
        step = _frame(row, step)
    error.__traceback__ = None
    step()
    raise error  # never reached: the innermost step has raised it


def with_rows(error: BaseException, rows: list[Row]) -> BaseException:
    """`error` with a traceback that goes through `rows`."""
    try:
        raise_again(error, rows)
    except BaseException as raised:  # noqa: BLE001 - raised for its traceback only
        return raised


def _frame(row: Row, inner: BaseException | Callable[[], None]) -> Callable[[], None]:
    """A function at the place of `row` that raises, or calls the next one further in."""
    tree = ast.parse(_RAISING if isinstance(inner, BaseException) else _CALLING)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno, node.end_lineno = row.line, row.last_line
            node.col_offset, node.end_col_offset = row.column, row.last_column
    space: dict[str, Any] = {"_ct_next": inner}
    exec(compile(tree, row.filename, "exec"), space)  # noqa: S102 - the tree made above
    made: FunctionType = space["_ct_frame"]
    made.__code__ = made.__code__.replace(co_name=row.function, co_qualname=row.function)
    return made
