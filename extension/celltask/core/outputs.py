"""Outputs: what a call gives for several outputs that were given names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Outputs"]


class Outputs(tuple):  # type: ignore[type-arg]  # noqa: SLOT001 - a tuple with the names of its items
    """Several outputs: a tuple whose items can also be taken by the names that the task gave them.

    >>> Outputs((0.9, 12), ("accuracy", "rows")).accuracy
    0.9
    """

    _fields: tuple[str, ...]

    def __new__(cls, values: Iterable[object], names: tuple[str, ...]) -> Self:
        """A tuple of `values` with as many `names`."""
        made = super().__new__(cls, values)
        made._fields = names
        return made

    def __getattr__(self, name: str) -> object:
        if name == "_fields" or name not in self._fields:
            raise AttributeError(f"no output {name!r}; there are {', '.join(self.__dict__.get('_fields', ()))}")
        return self[self._fields.index(name)]

    def __reduce__(self) -> tuple[type[Outputs], tuple[tuple[object, ...], tuple[str, ...]]]:
        return type(self), (tuple(self), self._fields)

    def __repr__(self) -> str:
        return f"({', '.join(f'{name}={value!r}' for name, value in zip(self._fields, self, strict=True))})"
