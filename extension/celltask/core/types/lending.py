"""Which memory was lent to tasks: what a table built on it must not be handed out over.

A task receives an array as a read-only view, and Arrow, polars and pandas can build tables on such memory without
a copy. Handed out, that table would change whenever the giver of the array changes it. So every array lent is noted
by a weak reference, for as long as anything may still lie on its memory.
"""

from __future__ import annotations

import typing
import weakref

if typing.TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

__all__ = ["is_lent", "lend"]

_lent: dict[int, tuple[weakref.ref[typing.Any], bool]] = {}


def lend(array: np.ndarray[typing.Any, typing.Any], *, of_table: bool = False) -> None:
    """Note that a task sees the memory of `array`.

    Args:
        array: The giver's array, or one on the same memory.
        of_table: Whether it is a column of a table that watches its own memory, as those of pandas do.
    """
    root = array
    while isinstance(root.base, type(root)):
        root = root.base
    key = id(root)
    known = _lent.get(key)
    if known is None or known[0]() is None:
        _lent[key] = (weakref.ref(root, lambda _: _lent.pop(key, None)), of_table)
    elif known[1] and not of_table:
        _lent[key] = (known[0], False)


def is_lent(regions: Iterable[tuple[int, int]], *, tables_too: bool = True) -> bool:
    """Whether one of the `regions` of memory (first address, size in bytes) lies on memory that is lent.

    Args:
        regions: What a value lies on.
        tables_too: Whether the memory of tables counts as well as that of arrays.
    """
    if not _lent:
        return False
    from numpy.lib.array_utils import byte_bounds  # noqa: PLC0415 - loaded already: something was lent

    bounds = []
    for reference, of_table in list(_lent.values()):
        root = reference()
        if root is not None and (tables_too or not of_table):
            bounds.append(byte_bounds(root))
    return any(low < start + size and start < high for start, size in regions if size for low, high in bounds)
