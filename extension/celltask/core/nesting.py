"""Nesting: the code and the functions that a function holds inside."""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["functions_in_cells", "nested_codes"]


def functions_in_cells(function: FunctionType) -> Iterator[FunctionType]:
    """The functions that `function` holds in its closure, as a decorator's wrapper holds what it wraps."""
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not bound yet
            continue
        if type(value) is FunctionType:  # isinstance would run code of a foreign object (`__class__`)
            yield value


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """`code`, and that of every function, class and comprehension written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested_codes(constant)
