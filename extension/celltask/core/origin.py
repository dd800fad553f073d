"""Where a line of code stands in the user's own text: the document, the cell and the line.

Code carries a file name and a line; notebooks and documents know what these mean and say so by a resolver.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import FunctionType, TracebackType

__all__ = ["RUNTIME_NAME", "Resolver", "add_resolver", "document_of", "line_in", "place_of", "place_of_function"]

RUNTIME_NAME = "__celltask__"
"""Name under which the code of cells reaches celltask; a namespace that has it holds cells."""

Resolver = Callable[[str, int], str | None]

_resolvers: list[Resolver] = []


def add_resolver(resolver: Resolver) -> Callable[[], None]:
    """Ask `resolver` first from now on; call what is returned to take it back.

    Args:
        resolver: Gets a code object's file name and a line (from 1) and gives the place in words, or ``None``
            if the file is not one of its own.
    """
    _resolvers.insert(0, resolver)

    def undo() -> None:
        if resolver in _resolvers:
            _resolvers.remove(resolver)

    return undo


def place_of(filename: str, line: int) -> str:
    """The place in words: ``"tutorial.md, cell 4, line 101"``, or ``"pipeline.py, line 12"`` for a plain file.

    >>> place_of("pipeline.py", 12)
    'pipeline.py, line 12'
    """
    for resolver in _resolvers:
        told = resolver(filename, line)
        if told is not None:
            return told
    here = os.getcwd() + os.sep  # noqa: PTH109 - pathlib costs more than the rest of this module
    return f"{filename.removeprefix(here)}, line {line}"


def place_of_function(function: object) -> str:
    """The place of the `def` (or first decorator) of `function`; empty if it has no code of its own."""
    code = getattr(function, "__code__", None)
    return place_of(code.co_filename, code.co_firstlineno) if code is not None else ""


def document_of(function: object) -> str:
    """Path of the file that holds `function`; the notebook's where the code is a cell's, empty if there is none."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    notebook, cell, _ = code.co_filename.partition(".ipynb:")
    return f"{notebook}.ipynb" if cell else str(notebook)


def line_in(function: object, traceback: TracebackType | None) -> int | None:
    """The line of the function itself that `traceback` passes through, else the last one of its file, or ``None``."""
    if not isinstance(function, FunctionType):
        return None
    code, own, line = function.__code__, None, None
    while traceback is not None:
        here = traceback.tb_frame.f_code
        if here is code:
            own = traceback.tb_lineno
        if here.co_filename == code.co_filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return own or line
