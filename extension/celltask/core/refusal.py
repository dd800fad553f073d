"""Refusal: telling people what a function reads besides its inputs, and what to do about each name."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING

from celltask.errors import PurityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from celltask.core.purity import Capture

__all__ = ["mend_of", "refusal", "size_of", "size_text", "type_name_of"]

_LOOKED_AT = 100  # items of a collection that are looked at to tell the type of all
_PLAIN_TYPES = (bool, int, float, str, bytes)
_KILO = 1000

_SAYINGS = {
    "constant": "counts in the version",
    "frozen": "counts in the version; do not change it in place",
    "function": "goes along; its code counts in the version",
    "class": "goes along; its code counts in the version",
    "module": "is imported where the task runs",
    "task": "runs inside; its code counts in the version",
    "unbound": "is not bound yet",
}


def refusal(
    function: Callable[..., object], data: Sequence[Capture], where: Callable[[str, int], str] | None
) -> PurityError:
    """The error for a function that reads data which is not an input."""
    name = getattr(function, "__name__", repr(function))
    names = ", ".join(found.name for found in data)
    inputs = [found.mend.partition(": ")[2] for found in data if found.mend.startswith("make it an input: ")]
    allowed = "".join(f'"{found.name}", ' for found in data)
    allowed = f"allow_globals=({allowed.rstrip() if len(data) == 1 else allowed[:-2]})"
    allowed += f" (on a magic line: --allow-globals {','.join(found.name for found in data)})"
    if inputs:
        code = getattr(function, "__code__", None)
        has_parameters = code is not None and bool(code.co_argcount + code.co_kwonlyargcount)
        signature = ", ".join(["…"] * has_parameters + inputs)
        those = "it an input" if len(inputs) == 1 else "them inputs"
        mend = f"make {those}: def {name}({signature}), or let {'it' if len(data) == 1 else 'them'} pass: {allowed}"
    else:
        mend = f"do as the table says, or let {'it' if len(data) == 1 else 'them'} pass: {allowed}"
    first = data[0]
    place = where(first.filename, first.line) if where else f"{first.filename}, line {first.line}"
    return PurityError(
        f"{name!r} reads data that is not one of its inputs: {names}", place, f"{mend}\n\n{_table(data, where)}"
    )


def _table(data: Sequence[Capture], where: Callable[[str, int], str] | None) -> str:
    rows = [("name", "type", "size", "line", "what to do")]
    for found in data:
        elsewhere = found.filename != data[0].filename and where is not None
        line = where(found.filename, found.line) if elsewhere and where else str(found.line)
        rows.append((found.name, found.type_name, size_text(found.size_bytes), line, found.mend))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def size_text(size_bytes: int | None) -> str:
    """A size for people; ``""`` for one that is not known.

    >>> size_text(12), size_text(3_400_000)
    ('12 B', '3.4 MB')
    """
    if size_bytes is None:
        return ""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < _KILO:
            break
        size, unit = size / _KILO, larger
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def size_of(value: object) -> int | None:
    """Bytes that `value` takes in memory, as it says itself; ``None`` if it does not.

    >>> size_of(b"") == sys.getsizeof(b"")
    True
    """
    kind = type(value)
    try:
        if hasattr(kind, "memory_usage"):  # pandas
            used = value.memory_usage(deep=False)  # type: ignore[attr-defined]  # as asked
            return int(used.sum() if hasattr(used, "sum") else used)
        if hasattr(kind, "estimated_size"):  # polars
            return int(value.estimated_size())  # type: ignore[attr-defined]  # as asked
        if hasattr(kind, "nbytes"):  # arrays of all sorts
            return int(value.nbytes)  # type: ignore[attr-defined]  # as asked
        return sys.getsizeof(value) if kind.__module__ == "builtins" else None
    except Exception:  # noqa: BLE001 - a foreign object's own code; a message without a size is better than none
        return None


def type_name_of(kind: type, namespace: Mapping[str, object]) -> str:
    """A class as users write it: ``"pandas.DataFrame"``, not where it is hidden inside the package.

    >>> import collections
    >>> type_name_of(collections.OrderedDict, {})
    'collections.OrderedDict'
    """
    if kind.__module__ in ("builtins", "__main__", namespace.get("__name__")):
        return kind.__qualname__
    for module in _modules_around(kind):
        return f"{module.__name__}.{kind.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def _modules_around(kind: type) -> Iterator[ModuleType]:
    """The modules above a class that offer it, the outermost first."""
    steps = kind.__module__.split(".")
    for count in range(1, len(steps) + 1):
        module = sys.modules.get(".".join(steps[:count]))
        if module is not None and vars(module).get(kind.__qualname__) is kind:
            yield module


def annotation_of(value: object, namespace: Mapping[str, object]) -> str:
    """The annotation that an input for `value` would have, in the words of the cell: ``"pd.DataFrame"``.

    >>> annotation_of([1, 2], {}), annotation_of({"a": 0.5}, {}), annotation_of([], {})
    ('list[int]', 'dict[str, float]', 'list')
    """
    kind = type(value)
    if isinstance(value, list | set | frozenset | tuple) and kind in (list, set, frozenset, tuple):
        inner = _one_type(value)
        rest = ", ..." if kind is tuple else ""
        return f"{kind.__name__}[{inner}{rest}]" if inner else kind.__name__
    if isinstance(value, dict) and kind is dict:
        key, item = _one_type(value), _one_type(value.values())
        return f"dict[{key}, {item}]" if key and item else "dict"
    if namespace.get(kind.__name__) is kind:
        return kind.__name__
    offering = list(_modules_around(kind))
    for name, found in namespace.items():
        if isinstance(found, ModuleType) and found in offering and not name.startswith("_"):
            return f"{name}.{kind.__qualname__}"
    return type_name_of(kind, namespace)


def _one_type(items: object) -> str:
    kinds = set()
    for place, item in enumerate(items):  # type: ignore[var-annotated,arg-type]  # the caller gives a collection
        if place == _LOOKED_AT:
            break
        kinds.add(type(item))
    only = kinds.pop() if len(kinds) == 1 else None
    return only.__name__ if only in _PLAIN_TYPES else ""


def mend_of(name: str, value: object, what: str, namespace: Mapping[str, object]) -> str:  # noqa: PLR0911 - one line a kind
    """What to do about one name, or what becomes of it.

    >>> mend_of("rows", [1, 2], "data", {})
    'make it an input: rows: list[int]'
    """
    if what != "data":
        return _SAYINGS[what]
    if isinstance(value, MethodType | BuiltinFunctionType):
        return "make the object it belongs to an input"
    names = {f"{base.__module__}.{base.__qualname__}" for base in type(value).__mro__}
    if not names.isdisjoint({"_io._IOBase", "io.IOBase", "socket.socket", "sqlite3.Connection"}):
        return "open it inside the task"
    if not names.isdisjoint({"random.Random", "_random.Random", "numpy.random._generator.Generator"}):
        return "make it inside the task, from a seed that is an input"
    if not names.isdisjoint({"builtins.generator", "builtins.coroutine", "_thread.lock", "_thread.RLock"}):
        return "make it inside the task"
    if "functools.partial" in names:
        return "make what it holds an input"
    return f"make it an input: {name}: {annotation_of(value, namespace)}"
