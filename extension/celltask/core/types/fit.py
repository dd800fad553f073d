"""Whether a value of one declared type may be wired to an input of another, told from the types alone.

The answer is no only where it could not go well: an `int` for a `str`, a `list[int]` for a `list[str]`. A base
class fits its subclass and `float | None` fits `float`, since the value itself is checked when it arrives.
"""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing

from celltask.core.types.naming import type_name

__all__ = ["field_type", "fits", "item_type", "protocol_members", "required_keys", "substituted"]

_UNIONS = (typing.Union, types.UnionType)
_WIDER = {
    "float": ("int",),
    "complex": ("int", "float"),
    "Decimal": ("int",),
    "Fraction": ("int",),
}
"""Scalar class, to the ones whose values it takes over exactly."""
_PATHS = ("Path", "PosixPath", "WindowsPath", "PurePath", "File", "Directory")
_FINAL = (bool, int, float, str, bytes, complex, type(None), list, dict, tuple, set, frozenset)
_NUMBERS = (int, float, complex, bool, str, bytes)


def fits(source: object, target: object) -> bool:
    """Whether a value declared as `source` may be one that an input declared as `target` takes.

    >>> fits(int, float), fits(float, int), fits(int | None, int), fits(list[int], list[str])
    (True, False, True, False)
    """
    source, target = _bare(source), _bare(target)
    if source is target or typing.Any in (source, target) or object in (source, target):
        return True
    if typing.get_origin(source) in _UNIONS:
        return any(fits(one, target) for one in typing.get_args(source))
    if typing.get_origin(target) in _UNIONS:
        return any(fits(source, one) for one in typing.get_args(target))
    if typing.get_origin(source) is typing.Literal:
        return any(_literal_fits(value, target) for value in typing.get_args(source))
    if typing.get_origin(target) is typing.Literal:
        return any(fits(type(value), source) or fits(source, type(value)) for value in typing.get_args(target))
    return _classes_fit(source, target)


def _bare(annotation: object) -> object:  # noqa: PLR0911 - one return for each way to write a type
    """`annotation` without what only narrows it: metadata, the name of a NewType, a type variable."""
    if annotation is None:
        return type(None)
    if typing.get_origin(annotation) is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if isinstance(annotation, typing.NewType):
        return _bare(annotation.__supertype__)
    if isinstance(annotation, typing.TypeVar):
        if annotation.__constraints__:
            return typing.Union[annotation.__constraints__]  # noqa: UP007 - made from a tuple
        return _bare(annotation.__bound__) if annotation.__bound__ is not None else typing.Any
    if type(annotation).__name__ == "TypeAliasType":
        return _bare(annotation.__value__)  # type: ignore[attr-defined]  # Python 3.12: `type X = …`
    return annotation


def _literal_fits(value: object, target: object) -> bool:
    if typing.get_origin(target) is typing.Literal:
        return any(type(value) is type(one) and value == one for one in typing.get_args(target))
    return fits(type(value), target)


def _classes_fit(source: object, target: object) -> bool:
    one, other = typing.get_origin(source) or source, typing.get_origin(target) or target
    if not (isinstance(one, type) and isinstance(other, type)):
        return True  # a form this module does not know: the value will be checked
    if one is not other and not _class_fits(one, other):
        return False
    return _arguments_fit(source, target, one, other)


def _class_fits(source: type, target: type) -> bool:
    if typing.is_typeddict(source) or typing.is_typeddict(target):
        return _typed_dict_fits(source, target)
    if source in _NUMBERS or target in _NUMBERS or source.__module__ == target.__module__ == "datetime":
        return _scalar_fits(source, target)
    if target.__name__ in _PATHS and source.__name__ in _PATHS:
        return True
    return _related(source, target)


def _scalar_fits(source: type, target: type) -> bool:
    """For the classes whose handlers take exactly one class, and what goes over into it exactly."""
    if source in _NUMBERS and source.__name__ in _WIDER.get(target.__name__, ()):
        return True
    if (_is_numpy(source) and target in _NUMBERS) or (_is_numpy(target) and source in _NUMBERS):
        return True
    if source.__module__ == target.__module__ == "datetime" or bool in (source, target):
        return False
    if source is str and target.__name__ in _PATHS:
        return True
    return _related(source, target)


def _related(source: type, target: type) -> bool:
    """Whether a value may be of both classes."""
    try:
        if issubclass(source, target) or issubclass(target, source):
            return True
    except TypeError:  # a Protocol that is not for runtime
        return source not in _FINAL or all(hasattr(source, name) for name in protocol_members(target))
    open_ended = inspect.isabstract(target) or inspect.isabstract(source) or getattr(target, "_is_protocol", False)
    return source not in _FINAL and open_ended


def protocol_members(protocol: type) -> list[str]:
    """What a `Protocol` asks of a value, its attributes too.

    >>> class Sized(typing.Protocol):
    ...     def __len__(self) -> int: ...
    ...     size: int
    >>> protocol_members(Sized)
    ['size', '__len__']
    """
    found: dict[str, None] = {}
    for base in protocol.__mro__:
        if getattr(base, "_is_protocol", False) and base is not typing.Protocol:
            names = [*inspect.get_annotations(base), *base.__dict__]
            found.update((name, None) for name in names if name not in _NO_MEMBERS and not name.startswith("_abc"))
    return list(found)


_NO_MEMBERS = frozenset(
    {
        *("__module__", "__doc__", "__dict__", "__weakref__", "__slots__", "__annotations__", "__parameters__"),
        *("__init__", "__new__", "__subclasshook__", "__abstractmethods__", "__orig_bases__", "__class_getitem__"),
        *("_is_protocol", "_is_runtime_protocol", "__protocol_attrs__", "__non_callable_proto_members__"),
        *("__callable_proto_members_only__", "__static_attributes__", "__firstlineno__", "__match_args__"),
        *("__type_params__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
    }
)


def _is_numpy(cls: type) -> bool:
    return any(base.__module__ == "numpy" and base.__name__ == "generic" for base in cls.__mro__)


def _typed_dict_fits(source: type, target: type) -> bool:
    if not (typing.is_typeddict(source) and typing.is_typeddict(target)):
        plain = target if typing.is_typeddict(source) else source
        return issubclass(dict, plain)
    have, want = typing.get_type_hints(source), typing.get_type_hints(target)
    if not required_keys(target) <= have.keys():
        return False
    return all(fits(have[name], want[name]) for name in want if name in have)


def required_keys(cls: type) -> set[str]:
    """The keys that a `TypedDict` must have.

    Its own `__required_keys__` are wrong where annotations are strings, as they are in many modules.
    """
    required: set[str] = set(cls.__required_keys__)  # type: ignore[attr-defined]  # a TypedDict
    for name, hint in _hints(cls).items():
        word = getattr(typing.get_origin(hint), "_name", "")
        if word == "NotRequired":
            required.discard(name)
        elif word == "Required":
            required.add(name)
    return required


def _arguments_fit(source: object, target: object, one: type, other: type) -> bool:
    have, want = typing.get_args(source), typing.get_args(target)
    if not have or not want or not _is_container(one) or not _is_container(other):
        return True
    if one is tuple and other is tuple:
        return _tuples_fit(have, want)
    if one is tuple:
        items = have[:1] if len(have) == 2 and have[1] is ... else have  # noqa: PLR2004 - a pair
        return all(fits(item, want[0]) for item in items)
    if other is tuple:
        return all(fits(have[0], item) for item in want if item is not ...)
    return all(fits(mine, yours) for mine, yours in zip(have, want, strict=False))


def _tuples_fit(have: tuple[object, ...], want: tuple[object, ...]) -> bool:
    if have[-1] is ...:
        return all(fits(have[0], item) for item in want if item is not ...)
    if want[-1] is ...:
        return all(fits(item, want[0]) for item in have)
    return len(have) == len(want) and all(map(fits, have, want))


def _is_container(cls: type) -> bool:
    return cls.__module__ in ("builtins", "collections", "collections.abc") and issubclass(
        cls, collections.abc.Iterable
    )


def field_type(annotation: object, name: str) -> object:
    """The declared type of attribute `name` of a value of type `annotation`; `Any` if that cannot be told.

    Raises:
        LookupError: If such a value has no such attribute.

    >>> field_type(complex, "real")
    typing.Any
    """
    bare = _bare(annotation)
    if typing.get_origin(bare) in _UNIONS:
        return _of_any(typing.get_args(bare), lambda member: field_type(member, name))
    cls = typing.get_origin(bare) or bare
    if not isinstance(cls, type) or cls is object:
        return typing.Any
    hints = _hints(cls)
    if name in hints:
        return substituted(hints[name], cls, bare)
    found = inspect.getattr_static(cls, name, None)
    if isinstance(found, property) and found.fget is not None:
        return _hints(found.fget).get("return", typing.Any)
    if found is not None or not _fields_are_known(cls):
        return typing.Any
    known = ", ".join(hints) or "none"
    raise LookupError(f"{type_name(annotation)} has no field {name!r} (it has: {known})")


def item_type(annotation: object, key: object) -> object:
    """The declared type of ``value[key]`` for a value of type `annotation`; `Any` if that cannot be told.

    Raises:
        LookupError: If no such value has such an item.

    >>> item_type(dict[str, int], "a"), item_type(tuple[int, str], 1), item_type(list[float], 0)
    (<class 'int'>, <class 'str'>, <class 'float'>)
    """
    bare = _bare(annotation)
    if typing.get_origin(bare) in _UNIONS:
        return _of_any(typing.get_args(bare), lambda member: item_type(member, key))
    cls, arguments = typing.get_origin(bare) or bare, typing.get_args(bare)
    if not isinstance(cls, type) or cls in (object, typing.Any):  # from 3.11 on, Any is a class
        return typing.Any
    if typing.is_typeddict(cls) or issubclass(cls, collections.abc.Mapping):
        return _value_type(annotation, cls, arguments, key)
    if issubclass(cls, collections.abc.Sequence):
        return _element_type(annotation, cls, arguments, key)
    if not hasattr(cls, "__getitem__"):
        raise LookupError(f"{type_name(annotation)} has no items")
    return typing.Any


def _value_type(annotation: object, cls: type, arguments: tuple[object, ...], key: object) -> object:
    """The type of a value in a mapping."""
    if typing.is_typeddict(cls):
        hints: dict[typing.Any, object] = dict(_hints(cls))
        if key not in hints:
            raise LookupError(f"{type_name(annotation)} has no key {key!r} (it has: {', '.join(map(str, hints))})")
        return hints[key]
    if len(arguments) == 2:  # noqa: PLR2004 - key and value
        if not fits(type(key), arguments[0]):
            raise LookupError(f"the keys of {type_name(annotation)} are not {type_name(type(key))}")
        return arguments[1]
    return typing.Any


def _element_type(annotation: object, cls: type, arguments: tuple[object, ...], key: object) -> object:
    """The type of an element in a row, or of a part of the row."""
    if not isinstance(key, int | slice):
        raise LookupError(f"the items of {type_name(annotation)} have numbers, not {key!r}")  # noqa: TRY004 - as `field_type`
    if issubclass(cls, tuple):
        return _tuple_item(annotation, cls, arguments, key)
    if isinstance(key, slice):
        return _bare(annotation)
    if issubclass(cls, str | bytes):
        return str if issubclass(cls, str) else int
    return arguments[0] if arguments else typing.Any


def _tuple_item(annotation: object, cls: type, arguments: tuple[object, ...], key: int | slice) -> object:
    if isinstance(key, slice):
        return typing.Any
    names = getattr(cls, "_fields", None)
    if names is not None:
        hints = _hints(cls)
        arguments = tuple(hints.get(name, typing.Any) for name in names)
    if not arguments:
        return typing.Any
    if arguments[-1] is ...:
        return arguments[0]
    if not -len(arguments) <= key < len(arguments):
        raise LookupError(f"{type_name(annotation)} has {len(arguments)} items, so none has the number {key}")
    return arguments[key]


def _of_any(members: tuple[object, ...], ask: typing.Callable[[object], object]) -> object:
    """What `ask` says of the members of a union that have an answer."""
    found, refusal = [], None
    for member in members:
        if member is type(None):
            continue
        try:
            answer = ask(member)
        except LookupError as error:
            refusal = error
        else:
            found.append(answer)
    if not found:
        raise refusal or LookupError("None has neither fields nor items")
    return typing.Union[tuple(found)]  # noqa: UP007 - made from a tuple


def _hints(holder: object) -> dict[str, object]:
    """Resolved annotations; raw text that cannot be resolved counts as `Any`."""
    try:
        return dict(typing.get_type_hints(holder, include_extras=True))
    except (NameError, TypeError, AttributeError):
        return dict.fromkeys(getattr(holder, "__annotations__", {}), typing.Any)


def _fields_are_known(cls: type) -> bool:
    """Whether the annotations of `cls` name all that its instances have."""
    if cls in _FINAL:
        return True
    own = [base for base in cls.__mro__ if base.__module__ != "builtins"]
    dynamic = any("__getattr__" in base.__dict__ or "__getattribute__" in base.__dict__ for base in own)
    declared = hasattr(cls, "__dataclass_fields__") or (issubclass(cls, tuple) and hasattr(cls, "_fields"))
    model = hasattr(cls, "model_fields") and getattr(cls, "model_config", {}).get("extra") != "allow"
    return model or (declared and not dynamic)


def substituted(hint: object, cls: type, annotation: object) -> object:
    """`hint` with the type variables of a generic class put in: `T` of `Box[int]` is `int`."""
    arguments = typing.get_args(annotation)
    variables = getattr(cls, "__parameters__", ())
    if isinstance(hint, typing.TypeVar):
        return dict(zip(variables, arguments, strict=False)).get(hint, typing.Any)
    free = getattr(hint, "__parameters__", ())
    if free and arguments:
        known = dict(zip(variables, arguments, strict=False))
        return hint[tuple(known.get(one, typing.Any) for one in free)]  # type: ignore[index]  # a generic alias
    return hint
