"""References: a value that code reaches, as a short text; what it stands for is taken into the closure."""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import TYPE_CHECKING, cast

from celltask.core.constants import is_constant, is_typing, literal_text, peek
from celltask.core.modules import origin_of
from celltask.core.nesting import functions_in_cells

if TYPE_CHECKING:
    from celltask.core.closure import Closure

__all__ = ["content", "functions_of", "refer", "wrapped_in"]

_DEEPEST = 30  # levels of containers


def refer(closure: Closure, value: object, path: str) -> str:  # noqa: C901, PLR0911 - one line a kind of value
    """`value` as text: ``"function clean"``, ``"class Model"``, ``"numpy.linalg.norm"``; data by its class only.

    Args:
        closure: Takes in what `value` stands for.
        value: Whatever code can reach.
        path: Name that it was reached by; used for what has no name of its own.
    """
    if isinstance(value, FunctionType):
        return _function(closure, value, path)
    if isinstance(value, type) and not is_typing(value):
        return _class(closure, value)
    if isinstance(value, ModuleType):
        return closure.module_reference(value)
    if is_typing(value):
        return _typing(closure, value, path)
    if isinstance(value, MethodType):
        return f"{refer(closure, value.__func__, path)} of {refer(closure, type(value.__self__), path)}"
    if isinstance(value, functools.partial):
        return _partial(closure, value, path)
    if type(value).__module__.startswith("celltask.") and hasattr(value, "interface"):
        function = peek(value, "function", None)
        return f"task {refer(closure, function, path) if function else peek(value, 'digest', path)}"
    wrapped = wrapped_in(value)
    if wrapped:
        around = ", ".join(refer(closure, inner, path) for inner in wrapped)
        return f"{refer(closure, type(value), path)} around {around}"
    if is_constant(value, mutable=True):
        return literal_text(value, lambda inner: refer(closure, inner, path))
    name = peek(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        return _foreign(closure, _module_of(value), str(peek(value, "__qualname__", name)))
    return refer(closure, type(value), path)


def content(closure: Closure, value: object, path: str) -> str:
    """As `refer`, but data by its content: for what is fixed in the code itself (defaults, closures, attributes)."""
    try:
        return _content(closure, value, path, ())
    except Exception:  # noqa: BLE001 - border: attributes of a foreign object are its own code
        return refer(closure, type(value), path)


def _content(closure: Closure, value: object, path: str, around: tuple[int, ...]) -> str:  # noqa: PLR0911 - as above
    if is_constant(value, mutable=True):
        return literal_text(value, lambda inner: refer(closure, inner, path))
    if id(value) in around or len(around) > _DEEPEST:
        return "..."
    around = (*around, id(value))
    if isinstance(value, MappingProxyType):
        value = dict(value)
    if type(value) in (list, tuple, dict, set, frozenset):
        return _items(closure, value, path, around)
    text, kind = refer(closure, value, path), refer(closure, type(value), path)
    if text != kind or isinstance(value, type):  # code, not data
        return text
    if closure.is_followed(type(value).__module__):
        return f"{text}({_state(closure, value, path, around)})"
    from celltask.core.types.base import Mismatch  # noqa: PLC0415 - only data needs it
    from celltask.core.types.digest import digest_value  # noqa: PLC0415 - only data needs it

    try:
        return f"{text} {digest_value(value, code_digest=lambda code: refer(closure, code, path))[:32]}"
    except Mismatch:
        return text


def _items(closure: Closure, value: object, path: str, around: tuple[int, ...]) -> str:
    if isinstance(value, dict):
        told = [_content(closure, part, path, around) for pair in value.items() for part in pair]
    else:
        told = [_content(closure, item, path, around) for item in cast("Iterable[object]", value)]
    if isinstance(value, set | frozenset):
        told.sort()
    return f"{type(value).__name__}({', '.join(told)})"


def _state(closure: Closure, value: object, path: str, around: tuple[int, ...]) -> str:
    """What an instance of a class of the project holds; its module, which digests of values tell, does not count."""
    slots = {name for base in type(value).__mro__ for name in vars(base).get("__slots__", ())}
    names = sorted({*(peek(value, "__dict__") or ()), *slots} - {"__dict__", "__weakref__"})  # type: ignore[misc]  # names
    told = [f"{name}={_content(closure, peek(value, name), path, around)}" for name in names]
    if isinstance(value, dict):
        told.append(_items(closure, dict(value), path, around))
    elif isinstance(value, list | tuple | set | frozenset):
        told.append(
            _items(closure, frozenset(value) if isinstance(value, set | frozenset) else list(value), path, around)
        )
    elif isinstance(value, str | int | float | bytes):
        scalar = next(kind for kind in (str, int, float, bytes) if isinstance(value, kind))
        told.append(scalar.__repr__(value))
    return ", ".join(told)


def wrapped_in(value: object) -> list[object]:
    """The functions that a callable was made around and says so: `functools.wraps`, `lru_cache`, `singledispatch`."""
    if not callable(value) or isinstance(value, type):
        return []
    attributes = peek(value, "__dict__")
    if not isinstance(attributes, Mapping):
        return []
    found = [attributes["__wrapped__"]] if "__wrapped__" in attributes else []
    registry = attributes.get("registry")
    if isinstance(registry, Mapping) and "dispatch" in attributes:
        found += [registry[kind] for kind in sorted(registry, key=lambda kind: kind.__qualname__)]
    return found


def functions_of(member: object) -> list[tuple[str, FunctionType]]:
    """The functions behind an attribute of a class (method, property, classmethod, cached property), with role."""
    if isinstance(member, FunctionType):
        return [("", member)]
    found = [(role, peek(member, role, None)) for role in ("__func__", "fget", "fset", "fdel", "func")]
    return [(role, function) for role, function in found if isinstance(function, FunctionType)]


def _function(closure: Closure, function: FunctionType, path: str) -> str:
    code, namespace = function.__code__, function.__globals__
    module = str(namespace.get("__name__"))
    if function is closure.root:
        return "itself"
    if not closure.is_followed(module, namespace):
        text = _foreign(closure, module, code.co_qualname)
        inner = [*wrapped_in(function), *functions_in_cells(function)]
        own = [refer(closure, item, path) for item in inner if isinstance(item, FunctionType)]
        own = [item for item in own if item.startswith(("function ", "itself"))]
        return f"{text} around {', '.join(dict.fromkeys(own))}" if own else text
    label = closure.placed(code.co_qualname, module, namespace)
    if code.co_name == "<lambda>":
        label = path
    elif "<locals>" in code.co_qualname:
        label = f"{path}:{label}"
    return "function " + closure.claimed(label, function, lambda free: closure.take_in_function(function, free))


def _class(closure: Closure, kind: type) -> str:
    if kind.__module__ == "builtins":
        return kind.__qualname__
    if not closure.is_followed(kind.__module__):
        return _foreign(closure, kind.__module__, kind.__qualname__)
    label = closure.placed(kind.__qualname__, kind.__module__)
    return "class " + closure.claimed(label, kind, lambda free: closure.take_in_class(kind, free))


def _typing(closure: Closure, value: object, path: str) -> str:
    origin, arguments = typing.get_origin(value), typing.get_args(value)
    if origin is not None:
        inner = ", ".join(content(closure, item, path) for item in arguments)
        return f"{refer(closure, origin, path) if origin is not value else 'Generic'}[{inner}]"
    if hasattr(value, "__value__"):  # `type Tree = dict[str, Tree]` may hold itself
        label = closure.placed(str(peek(value, "__name__", path)), str(peek(value, "__module__", "")))
        return "type " + closure.claimed(label, value, lambda free: _take_in_alias(closure, value, free))
    name = str(peek(value, "__forward_arg__", None) or peek(value, "__name__", None) or repr(value))
    behind = [peek(value, key, None) for key in ("__supertype__", "__bound__")]
    behind += getattr(value, "__constraints__", ())
    told = [content(closure, item, path) for item in behind if item is not None]
    return f"typing {name}({', '.join(told)})" if told else f"typing {name}"


def _take_in_alias(closure: Closure, value: object, label: str) -> None:
    closure.parts[f"helper {label}"] = content(closure, peek(value, "__value__", None), label)


def _partial(closure: Closure, value: functools.partial[object], path: str) -> str:
    parts = [refer(closure, value.func, path)]
    parts += [content(closure, item, path) for item in value.args]
    parts += [f"{name}={content(closure, item, path)}" for name, item in value.keywords.items()]
    return f"partial({', '.join(parts)})"


def _foreign(closure: Closure, module: str, qualname: str) -> str:
    """An object that is not taken in by content: its name, and its package by version."""
    origin = origin_of(module)
    if origin == "celltask":
        return f"celltask {qualname}"
    if origin == "installed":
        closure.note_package(module)
    return f"{module}.{qualname}"


def _module_of(value: object) -> str:
    owner = peek(value, "__self__", None)
    if isinstance(value, BuiltinFunctionType) and isinstance(owner, ModuleType):
        return owner.__name__
    for holder in (
        value,
        peek(value, "__objclass__", None),
        owner if isinstance(owner, type) else type(owner),
        type(value),
    ):
        module = peek(holder, "__module__", None)
        if isinstance(module, str) and module != "builtins":
            return module
    return "builtins"
