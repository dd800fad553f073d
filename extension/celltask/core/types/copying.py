"""The copier: how a value is handed over so that giver and receiver cannot change each other's.

What is immutable is shared. Lists, dicts, sets, tuples, dataclasses and pydantic models are rebuilt at every level;
arrays become read-only views, tables copies that share memory until written to; every other object is rebuilt the
way `copy.deepcopy` does it, from what its `__reduce_ex__` tells. One memo serves a whole value, so that what is one
object before is one object after, and a value may contain itself.

`copy.deepcopy` itself is not used: it copies arrays and tables whole, and yet shares the Python objects that lie in
the cells of a table.
"""

from __future__ import annotations

import copyreg
import types
from collections.abc import Callable
from enum import Enum
from importlib import import_module
from typing import TypeVar

from celltask.core.types.base import Mismatch, Valid
from celltask.core.types.naming import class_name, place_in_library

__all__ = ["SHARED", "Copier", "isolated", "released"]

SHARED: set[type] = {
    *(int, float, complex, bool, str, bytes, range, type(None), type(...), type(NotImplemented)),
    *(types.FunctionType, types.BuiltinFunctionType, types.CodeType, types.ModuleType, types.GenericAlias),
    *(type, TypeVar),
}
"""Classes whose own instances are never copied; grows as more such classes are met."""

_SHARED_BY_NAME = frozenset(
    {
        *("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "datetime.timezone"),
        *("zoneinfo.ZoneInfo", "decimal.Decimal", "fractions.Fraction", "uuid.UUID", "re.Pattern"),
        *("pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath"),
        *("pathlib._local.PosixPath", "pathlib._local.WindowsPath"),
        *("pandas.Timestamp", "pandas.Timedelta", "pandas.Period", "pandas.Interval"),
        *("pandas.api.typing.NaTType", "pandas.api.typing.NAType"),
        *("pathlib._local.PurePosixPath", "pathlib._local.PureWindowsPath"),
        *("weakref.ReferenceType", "builtins.wrapper_descriptor", "builtins.method_descriptor"),
        *("celltask.core.types.files.File", "celltask.core.types.files.Directory"),
    }
)

_HERE = "celltask.core.types."
_FAMILIES = {
    "numpy.ndarray": _HERE + "arrays:copy_array",
    "numpy.generic": _HERE + "arrays:copy_scalar",
    "numpy.dtype": _HERE + "arrays:copy_scalar",
    "pandas.DataFrame": _HERE + "tables:copy_frame",
    "pandas.Series": _HERE + "tables:copy_frame",
    "pandas.Index": _HERE + "tables:copy_frame",
    "polars.DataFrame": _HERE + "tables:copy_polars",
    "polars.Series": _HERE + "tables:copy_polars",
    "polars.LazyFrame": _HERE + "tables:copy_polars",
    "pyarrow._Weakrefable": _HERE + "tables:copy_arrow",
    "pydantic.BaseModel": _HERE + "models:copy_model",
    "torch.Tensor": _HERE + "tensors:copy_tensor",
}
"""How instances of a library's classes (and of their subclasses) are copied, by root package and class name."""


def isolated(value: object) -> object:
    """`value` as a task may receive it: whatever is done to it, the giver's stays as it is.

    Raises:
        Mismatch: If something in it cannot be copied (a lock, a generator, an open file); it is named.

    >>> mine = [[1], [2]]
    >>> isolated(mine)[0].append(9)
    >>> mine
    [[1], [2]]
    """
    return value if type(value) in SHARED else Copier(releasing=False).root(value)


def released(value: object) -> object:
    """`value` as a task may hand it out: rebuilt, and every array in it that is only a view copied.

    An object that cannot be copied is handed out as it is: the task made it, so there is nobody to protect.

    >>> released({"a": [1]})
    {'a': [1]}
    """
    return value if type(value) in SHARED else Copier(releasing=True).root(value)


class Copier:
    """One copying of one value; holds what was copied so far.

    Args:
        releasing: Whether the value leaves a task, rather than enters one.
    """

    __slots__ = ("_kept", "inside_object", "memo", "releasing")

    def __init__(self, *, releasing: bool) -> None:
        self.releasing = releasing
        self.memo: dict[int, object] = {}
        self._kept: list[object] = []
        self.inside_object = 0
        """Above 0 in the state of an object of a class of its own: its methods may write to arrays that it holds,
        so those are copied instead of being shown read-only."""

    def root(self, value: object) -> object:
        """The copy of the whole value.

        Raises:
            Mismatch: As `isolated`.
        """
        try:
            return self.copy(value)
        except RecursionError:
            raise Mismatch("a value that can be copied", value, hint="it is nested too deeply") from None

    def copy(self, value: object) -> object:
        """The copy of one part of the value."""
        cls = type(value)
        if cls in SHARED:
            return value
        done = self.memo.get(id(value))
        if done is not None:
            return done
        copy_one = _COPIERS.get(cls) or _copier_of(cls)
        return copy_one(value, self)

    def remember(self, value: object, copied: object) -> None:
        """Let `copied` stand for every further mention of `value`; call it before copying what `value` contains."""
        self.memo[id(value)] = copied
        self._kept.append(
            value
        )  # what `__reduce_ex__` makes would be gone, and its id given to another, before the end


_Copy = Callable[..., object]


def _share(value: object, _: Copier) -> object:
    return value


def _copy_list(value: list[object], copier: Copier) -> object:
    if SHARED.issuperset(map(type, value)):
        new = value[:]
        copier.remember(value, new)
        return new
    new = []
    copier.remember(value, new)
    copy, at = copier.copy, 0
    try:
        for at, item in enumerate(value):  # noqa: B007 - told if one of them raises
            new.append(copy(item))
    except Mismatch as mismatch:
        raise mismatch.inside(f"[{at}]") from None
    return new


def _copy_dict(value: dict[object, object], copier: Copier) -> object:
    if SHARED.issuperset(map(type, value)) and SHARED.issuperset(map(type, value.values())):
        new = value.copy()
        copier.remember(value, new)
        return new
    new = {}
    copier.remember(value, new)
    copy, key = copier.copy, None
    try:
        for key, item in value.items():
            new[copy(key)] = copy(item)
    except Mismatch as mismatch:
        raise mismatch.inside(f"[{key!r}]") from None
    return new


def _copy_tuple(value: tuple[object, ...], copier: Copier) -> object:
    if SHARED.issuperset(map(type, value)):
        return value
    items = []
    for at, item in enumerate(value):
        try:
            items.append(copier.copy(item))
        except Mismatch as mismatch:
            raise mismatch.inside(f"[{at}]") from None
    if id(value) in copier.memo:  # a tuple that contains itself by way of a list was copied on the way
        return copier.memo[id(value)]
    if all(old is new for old, new in zip(value, items, strict=True)):
        return value
    new = tuple.__new__(type(value), items)
    copier.remember(value, new)
    return new


def _copy_set(value: set[object], copier: Copier) -> object:
    new = value.copy() if SHARED.issuperset(map(type, value)) else {copier.copy(item) for item in value}
    copier.remember(value, new)
    return new


def _copy_frozenset(value: frozenset[object], copier: Copier) -> object:
    if SHARED.issuperset(map(type, value)):
        return value
    new = frozenset(copier.copy(item) for item in value)
    copier.remember(value, new)
    return new


def _copy_bytearray(value: bytearray, copier: Copier) -> object:
    new = value[:]
    copier.remember(value, new)
    return new


def _copy_mapping_proxy(value: types.MappingProxyType[object, object], copier: Copier) -> object:
    return types.MappingProxyType({copier.copy(key): copier.copy(item) for key, item in value.items()})


def _copy_method(value: types.MethodType, copier: Copier) -> object:
    return types.MethodType(value.__func__, copier.copy(value.__self__))


def _copy_dataclass(value: object, copier: Copier) -> object:
    """Rebuild field by field, without running `__init__`; what a class keeps beside its fields is kept too."""
    cls = type(value)
    new = object.__new__(cls)
    copier.remember(value, new)
    same = True
    for name, old in _state_of(value):
        try:
            part = copier.copy(old)
        except Mismatch as mismatch:
            raise mismatch.inside(f".{name}") from None
        same = same and part is old
        object.__setattr__(new, name, part)
    frozen = cls.__dataclass_params__.frozen  # type: ignore[attr-defined]  # every dataclass has it
    if same and frozen:
        copier.remember(value, value)
        return value
    return new


def _state_of(value: object) -> list[tuple[str, object]]:
    found = list(getattr(value, "__dict__", {}).items())
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            private = slot.startswith("__") and not slot.endswith("__")
            name = f"_{base.__name__.lstrip('_')}{slot}" if private else slot
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found.append((name, getattr(value, name)))
    return found


def _copy_object(value: object, copier: Copier) -> object:
    """Rebuild an object of any other class as `copy.deepcopy` would, with this copier for what it holds."""
    copier.inside_object += 1
    try:
        new = _rebuild(value, copier)
    except Mismatch:
        if not copier.releasing:
            raise
        new = value
    finally:
        copier.inside_object -= 1
    copier.remember(value, new)
    return new


def _rebuild(value: object, copier: Copier) -> object:
    cls = type(value)
    try:
        deep = getattr(cls, "__deepcopy__", None)
        if deep is not None:
            return deep(value, copier.memo)
        reduce = copyreg.dispatch_table.get(cls)
        recipe = reduce(value) if reduce else value.__reduce_ex__(4)
        if isinstance(recipe, str):
            return value
        return _follow(value, recipe, copier)
    except (Mismatch, RecursionError):
        raise
    except Exception as error:  # border: `__reduce_ex__`, `__deepcopy__`, `__setstate__` are code of users
        hint = f"a {class_name(cls)} cannot be copied ({error}); `share=(…)` hands an input over uncopied"
        raise Mismatch("a value that can be copied", value, hint=hint) from error


def _follow(value: object, recipe: tuple[object, ...], copier: Copier) -> object:
    make, arguments, state, items, pairs, set_state = (*recipe, None, None, None, None)[:6]
    parts = [copier.copy(part) for part in arguments]  # type: ignore[attr-defined]  # a tuple, says the protocol
    new = make(*parts)  # type: ignore[operator]  # a callable, says the protocol
    copier.remember(value, new)
    if state is not None:
        _restore(new, _copied_state(state, copier), set_state)
    for item in items or ():  # type: ignore[attr-defined]  # an iterator, says the protocol
        new.append(copier.copy(item))
    for key, item in pairs or ():  # type: ignore[attr-defined]  # likewise
        new[copier.copy(key)] = copier.copy(item)
    return new


def _copied_state(state: object, copier: Copier) -> object:
    if type(state) is not dict:
        return copier.copy(state)
    new = {}
    for name, part in state.items():
        try:
            new[name] = copier.copy(part)
        except Mismatch as mismatch:
            raise mismatch.inside(f".{name}") from None
    return new


def _restore(new: Valid, state: Valid, set_state: object) -> None:
    if callable(set_state):
        set_state(new, state)
    elif hasattr(new, "__setstate__"):
        new.__setstate__(state)
    else:
        slots = None
        if isinstance(state, tuple) and len(state) == 2:  # noqa: PLR2004 - a pair
            state, slots = state
        if state:
            new.__dict__.update(state)
        for name, part in (slots or {}).items():
            setattr(new, name, part)


_COPIERS: dict[type, _Copy] = {
    list: _copy_list,
    dict: _copy_dict,
    tuple: _copy_tuple,
    set: _copy_set,
    frozenset: _copy_frozenset,
    bytearray: _copy_bytearray,
    types.MappingProxyType: _copy_mapping_proxy,
    types.MethodType: _copy_method,
}

_OWN_WAY = ("__deepcopy__", "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__")


def _copier_of(cls: type) -> _Copy:
    """How instances of `cls` are copied, remembered for the next one."""
    if f"{cls.__module__}.{cls.__qualname__}" in _SHARED_BY_NAME or issubclass(cls, Enum | type):
        SHARED.add(cls)
        return _share
    found = _family_copier(cls) or _copy_object
    if found is _copy_object and not any(_overrides(cls, name) for name in _OWN_WAY):
        if issubclass(cls, tuple):
            found = _copy_tuple if hasattr(cls, "_fields") and not cls.__dictoffset__ else found
        elif hasattr(cls, "__dataclass_fields__") and cls.__new__ is object.__new__:
            found = _copy_dataclass
    _COPIERS[cls] = found
    return found


def _overrides(cls: type, name: str) -> bool:
    """Whether users wrote how instances of `cls` are copied; what `dataclass(slots=True)` adds is not of them."""
    found = getattr(cls, name, None)
    plain = getattr(tuple if issubclass(cls, tuple) else object, name, None)
    return found is not plain and getattr(found, "__module__", "") != "dataclasses"


def _family_copier(cls: type) -> _Copy | None:
    for base in cls.__mro__:
        place = _FAMILIES.get(place_in_library(base))
        if place:
            module, _, attribute = place.partition(":")
            found: _Copy = getattr(import_module(module), attribute)
            return found
    return None
