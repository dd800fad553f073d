"""Constants: what a name may be bound to without being data, and constants as text.

A constant is an immutable literal tree: numbers, strings, dates, paths, Enum members, tuples and frozensets of
such, and what users write like them (a compiled pattern, a dtype). Kinds are told by the names of classes, so that
no package has to be imported to recognise its values.
"""

from __future__ import annotations

import sys
from types import (
    BuiltinFunctionType,
    EllipsisType,
    FunctionType,
    GenericAlias,
    MethodType,
    ModuleType,
    NoneType,
    NotImplementedType,
    UnionType,
)
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AMBIENT", "LONGEST_PLAIN_INT", "Kind", "is_constant", "is_typing", "kind_of", "literal_text", "peek"]

Kind = Literal["data", "constant", "frozen", "function", "class", "module", "task"]
"""What a name is bound to; ``"frozen"`` is an upper-case list, dict or set, ``"data"`` is all that is not allowed."""

AMBIENT = frozenset({"display", "exit", "get_ipython", "quit"})
"""Names that a notebook provides to every cell, as Python provides `print`."""

_ATOMS: frozenset[type] = frozenset(
    {int, float, complex, bool, str, bytes, range, object, NoneType, EllipsisType, NotImplementedType}
)
_FUNCTIONS: frozenset[type] = frozenset(
    {FunctionType, type(str.upper), type(str.__add__), type("".__add__), type(dict.__dict__["fromkeys"])}
)
_IMMUTABLE = frozenset(
    {
        *("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "datetime.timezone"),
        *("decimal.Decimal", "fractions.Fraction", "uuid.UUID", "zoneinfo.ZoneInfo"),
        *("ipaddress.IPv4Address", "ipaddress.IPv6Address", "ipaddress.IPv4Network", "ipaddress.IPv6Network"),
        *("torch.dtype", "torch.device"),
    }
)
_IMMUTABLE_BASES = frozenset({"enum.Enum", "numpy.generic", "numpy.dtype", "pathlib.PurePath", "polars.DataType"})
_HARMLESS = frozenset({"logging.Logger", "logging.LoggerAdapter", "_contextvars.ContextVar"})
_CALLABLES = frozenset({"numpy.ufunc", "operator.itemgetter", "operator.attrgetter", "operator.methodcaller"})
_DEEPEST = 30  # levels; deeper literals are data, as are containers that hold themselves
LONGEST_PLAIN_INT = 10_000
"""Bits of an integer that is told in decimal digits: `repr` refuses more than 4300 digits."""


def kind_of(name: str, value: object) -> Kind:
    """What `value`, bound to the global `name`, is to a function that reads it.

    >>> kind_of("rate", 0.1), kind_of("RATES", [0.1]), kind_of("rates", [0.1]), kind_of("len", len)
    ('constant', 'frozen', 'data', 'function')
    """
    try:
        return _kind_of(name, value)
    except Exception:  # noqa: BLE001 - border: attributes of a foreign object are its own code (proxies raise anything)
        return "data"


def peek(value: object, name: str, default: object = None) -> object:
    """An attribute of a foreign object, or `default` if it has none or its own code fails.

    >>> peek(1, "real"), peek(1, "unreal")
    (1, None)
    """
    try:
        return getattr(value, name, default)
    except Exception:  # noqa: BLE001 - border: `__getattr__` and properties of foreign objects
        return default


def _kind_of(name: str, value: object) -> Kind:
    kind = _kind_of_code(value)
    if kind is not None:
        return kind
    if is_constant(value):
        return "constant"
    if type(value) in (list, dict, set) and name.isupper() and is_constant(value, mutable=True):
        return "frozen"
    if not _HARMLESS.isdisjoint(_names_of_bases(type(value))):
        return "constant"
    if _is_offered(name, value):
        return "function" if callable(value) else "constant"
    return "data"


def is_constant(value: object, *, mutable: bool = False, _level: int = 0) -> bool:  # noqa: PLR0911 - one line a kind
    """Whether `value` is a literal tree: atoms, in tuples and frozensets, with functions and classes among them.

    Args:
        value: What a name is bound to.
        mutable: Whether lists, dicts and sets count as well.

    >>> is_constant((1, "a", None)), is_constant(([],)), is_constant(([],), mutable=True)
    (True, False, True)
    """
    kind = type(value)
    if kind in _ATOMS:
        return True
    if _level > _DEEPEST:
        return False
    if isinstance(value, tuple | frozenset) and (kind in (tuple, frozenset) or hasattr(kind, "_fields")):
        return _all_constant(value, mutable, _level)
    if isinstance(value, slice):
        return _all_constant((value.start, value.stop, value.step), mutable, _level)
    if mutable and isinstance(value, list | set) and kind in (list, set):
        return _all_constant(value, mutable, _level)
    if mutable and isinstance(value, dict) and kind is dict:
        return _all_constant(value, mutable, _level) and _all_constant(value.values(), mutable, _level)
    names = _names_of_bases(kind)
    return names[0] in _IMMUTABLE or names[0] == "re.Pattern" or not _IMMUTABLE_BASES.isdisjoint(names)


def _all_constant(items: object, mutable: bool, level: int) -> bool:  # noqa: FBT001 - is_constant's own, passed on
    return all(
        is_constant(item, mutable=mutable, _level=level + 1) or _kind_of_code(item) is not None
        for item in items  # type: ignore[attr-defined]  # the caller gives a container
    )


def is_typing(value: object) -> bool:
    """Whether `value` is a typing construct: ``list[int]``, ``int | None``, a TypeVar, a NewType.

    >>> is_typing(list[int]), is_typing(int | None), is_typing(int)
    (True, True, False)
    """
    if isinstance(value, GenericAlias | UnionType):
        return True
    # A Protocol or a TypedDict is made by a class of `typing`, too, and is a class.
    return type(value).__module__ in ("typing", "typing_extensions") and not isinstance(value, type)


def _kind_of_code(value: object) -> Kind | None:  # noqa: PLR0911 - one line a kind
    kind = type(value)
    if kind in _FUNCTIONS:
        return "function"
    if isinstance(value, type) or is_typing(value):
        return "class"
    if isinstance(value, ModuleType):
        return "module"
    if isinstance(value, BuiltinFunctionType | MethodType):
        # A bound method carries its object along: `append = rows.append` reads the list `rows`.
        owner = getattr(value, "__self__", None)
        free = owner is None or isinstance(owner, type | ModuleType) or _is_offered(value.__name__, value)
        return "function" if free else None
    if kind.__module__.startswith("celltask.") and hasattr(value, "interface"):
        return "task"
    if not callable(value):
        return None
    names = _names_of_bases(kind)
    if "functools.partial" in names:
        parts = (value.func, *value.args, *value.keywords.values())  # type: ignore[attr-defined]  # a partial has them
        return "function" if _all_constant(parts, mutable=False, level=0) else None
    if names[0] in _CALLABLES or isinstance(getattr(value, "__wrapped__", None), FunctionType | type):
        return "function"
    return None


def _is_offered(name: str, value: object) -> bool:
    """Whether an imported package has this very object under this name, as `from tqdm import tqdm` gives it."""
    homes = {getattr(value, "__module__", None), type(getattr(value, "__self__", value)).__module__}
    for home in homes:
        if not isinstance(home, str) or home in ("__main__", "builtins"):
            continue
        top = home.partition(".")[0]
        for module in (sys.modules.get(home), sys.modules.get(top)):
            file = getattr(module, "__file__", None) or ""
            installed = top in sys.stdlib_module_names or "site-packages" in file or "dist-packages" in file
            offered = vars(module).get(name) if module is not None and installed else None
            if offered is value or (
                isinstance(offered, MethodType) and isinstance(value, MethodType) and offered == value
            ):
                return True
    return False


def _names_of_bases(kind: type) -> list[str]:
    """``"package.Class"`` for the class and its bases, without inner modules (``pathlib._local``)."""
    return [f"{base.__module__.partition('.')[0]}.{base.__qualname__}" for base in kind.__mro__]


def literal_text(value: object, refer: Callable[[object], str]) -> str:  # noqa: PLR0911 - one line a kind
    """A constant as text that is the same in every process, and readable.

    Args:
        value: A literal tree, see `is_constant`.
        refer: Gives the text of what is not literal: classes (of Enum members too), functions.

    >>> literal_text({"b": (1, 2.0), "a": {3, 1}}, refer=repr)
    "{'b': (1, 2.0), 'a': {1, 3}}"
    """
    kind = type(value)
    if isinstance(value, int) and kind is int and value.bit_length() > LONGEST_PLAIN_INT:
        return hex(value)
    if kind is object:
        return "object()"
    if kind in _ATOMS or isinstance(value, type):
        return repr(value) if kind in _ATOMS else refer(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal_text(k, refer)}: {literal_text(v, refer)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(kind, "__members__"):
        return _collection_text(value, refer)
    if isinstance(value, slice):
        return f"slice{literal_text((value.start, value.stop, value.step), refer)}"
    return _scalar_text(value, refer)


def _collection_text(
    value: list[object] | tuple[object, ...] | set[object] | frozenset[object], refer: Callable[[object], str]
) -> str:
    items = [literal_text(item, refer) for item in value]
    if isinstance(value, list):
        return f"[{', '.join(items)}]"
    if isinstance(value, tuple):
        inner = ", ".join(items) + ("," if len(items) == 1 else "")
        return f"({inner})" if type(value) is tuple else f"{refer(type(value))}({inner})"
    inner = ", ".join(sorted(items))  # the order of a set depends on the hash seed
    if isinstance(value, frozenset):
        return f"frozenset({{{inner}}})"
    return f"{{{inner}}}" if items else "set()"


def _scalar_text(value: object, refer: Callable[[object], str]) -> str:
    kind = type(value)
    names = _names_of_bases(kind)
    if "enum.Enum" in names:
        name = getattr(value, "_name_", None) or repr(getattr(value, "_value_", None))
        return f"{refer(kind)}.{name}"
    if "pathlib.PurePath" in names:
        return f"Path({str(value)!r})"
    if names[0] == "re.Pattern":
        return f"re.compile({value.pattern!r}, {value.flags})"  # type: ignore[attr-defined]  # a pattern has them
    if "numpy.generic" in names:
        # repr() of a numpy scalar differs between numpy's versions.
        return f"numpy {value.dtype.str} {value.item()!r}"  # type: ignore[attr-defined]  # a numpy scalar has them
    if "numpy.dtype" in names:
        return f"numpy dtype {value!s}"
    return repr(value) if names[0] in _IMMUTABLE or "polars.DataType" in names else refer(value)
