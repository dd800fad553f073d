"""Watch: whether the names that a function reaches still mean what they meant when its digest was derived.

Deriving a digest costs half a millisecond; asking whether it still holds costs some microseconds. So a cached task
in a loop is as right as it is quick when the loop binds a constant or a helper again.
"""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from celltask.core.modules import origin_of
from celltask.core.nesting import nested_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType

__all__ = ["Watch"]

_ABSENT = object()


class Watch:
    """The objects behind the names that `function` and its helpers read, as they are now.

    Args:
        function: Where to begin; functions, tasks and classes of the same project that it reads are followed.

    >>> rate = 1
    >>> def taxed(price: float) -> float:
    ...     return price * rate
    >>> watch = Watch(taxed)
    >>> watch.holds()
    True
    >>> rate = 2
    >>> watch.holds()
    False
    """

    def __init__(self, function: object) -> None:
        self._bound: list[tuple[Mapping[str, object], str, object]] = []
        self._contents: list[tuple[object, str]] = []
        self._seen: set[int] = set()
        self._root = function
        todo = [function]
        while todo:
            todo.extend(self._visit(todo.pop()))

    def holds(self) -> bool:
        """Whether every name is bound to what it was, and every upper-case list, dict or set has not changed."""
        return all(space.get(name, _ABSENT) is value for space, name, value in self._bound) and all(
            repr(value) == text for value, text in self._contents
        )

    def _visit(self, found: object) -> list[object]:
        """Note what `found` reads; the objects to go on with."""
        if isinstance(getattr(type(found), "kind", None), str) and type(found).__module__.startswith("celltask."):
            found = getattr(found, "function", None)  # of a task or workflow
        if id(found) in self._seen:
            return []
        self._seen.add(id(found))
        is_own = found is self._root or origin_of(getattr(found, "__module__", None) or "__main__") == "project"
        if isinstance(found, FunctionType) and is_own:
            cells = [cell.cell_contents for cell in found.__closure__ or () if _is_filled(cell)]
            return [*self._reads(found.__code__, found.__globals__), *cells, getattr(found, "__wrapped__", None)]
        if isinstance(found, type) and is_own:
            own = {name: item for name, item in vars(found).items() if not name.startswith("__") or callable(item)}
            self._bound.extend((vars(found), name, item) for name, item in own.items())
            return [getattr(item, "__func__", getattr(item, "fget", item)) for item in own.values()]
        return []

    def _reads(self, code: CodeType, space: dict[str, object]) -> Iterator[object]:
        """The values of the globals that `code` may read, and of the attributes it may read of project modules."""
        names = {name for each in nested_codes(code) for name in each.co_names}
        for name in sorted(names):
            value = space.get(name, _ABSENT)
            self._bound.append((space, name, value))
            if name.isupper() and isinstance(value, list | dict | set):
                self._contents.append((value, repr(value)))
            yield value
            if isinstance(value, ModuleType) and origin_of(value.__name__) == "project":
                for attribute in sorted(names & vars(value).keys()):
                    self._bound.append((vars(value), attribute, vars(value)[attribute]))
                    yield vars(value)[attribute]


def _is_filled(cell: object) -> bool:
    try:
        _ = cell.cell_contents  # type: ignore[attr-defined]  # a closure's cell
    except ValueError:
        return False
    return True
