"""References: a value that code reaches, as a short text; what it stands for is taken into the closure."""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import TYPE_CHECKING

from celltask.core.constants import is_constant, is_typing, literal_text
from celltask.core.modules import origin_of

if TYPE_CHECKING:
    from celltask.core.closure import Closure

__all__ = ["content", "functions_in_cells", "functions_of", "refer", "wrapped_in"]

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
        function = getattr(value, "function", None)
        return f"task {refer(closure, function, path) if function else getattr(value, 'digest', path)}"
    wrapped = wrapped_in(value)
    if wrapped:
        around = ", ".join(refer(closure, inner, path) for inner in wrapped)
        return f"{refer(closure, type(value), path)} around {around}"
    if is_constant(value, mutable=True):
        return literal_text(value, lambda inner: refer(closure, inner, path))
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        return _foreign(closure, _module_of(value), str(getattr(value, "__qualname__", name)))
    return refer(closure, type(value), path)


def content(closure: Closure, value: object, path: str, level: int = 0) -> str:
    """As `refer`, but data by its content: for what is fixed in the code itself (defaults, closures, attributes)."""
    if is_constant(value, mutable=True):
        return literal_text(value, lambda inner: refer(closure, inner, path))
    if isinstance(value, MappingProxyType):
        value = dict(value)
    if isinstance(value, list | tuple | dict) and type(value) in (list, tuple, dict) and level < _DEEPEST:
        items = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
        inner = ", ".join(content(closure, item, path, level + 1) for item in items)
        return f"{type(value).__name__}({inner})"
    text = refer(closure, value, path)
    if isinstance(value, FunctionType | type | ModuleType | functools.partial) or is_typing(value) or wrapped_in(value):
        return text
    if text != refer(closure, type(value), path):
        return text
    from celltask.core.types.base import Mismatch  # noqa: PLC0415 - only data needs it
    from celltask.core.types.digest import digest_value  # noqa: PLC0415 - only data needs it

    try:
        return f"{text} {digest_value(value)[:32]}"
    except (Mismatch, RecursionError):
        return text


def wrapped_in(value: object) -> list[object]:
    """The functions that a callable was made around and says so: `functools.wraps`, `lru_cache`, `singledispatch`."""
    if not callable(value) or isinstance(value, type):
        return []
    attributes = getattr(value, "__dict__", {})
    found = [attributes["__wrapped__"]] if "__wrapped__" in attributes else []
    registry = attributes.get("registry")
    if isinstance(registry, Mapping) and "dispatch" in attributes:
        found += [registry[kind] for kind in sorted(registry, key=lambda kind: kind.__qualname__)]
    return found


def functions_of(member: object) -> list[tuple[str, FunctionType]]:
    """The functions behind an attribute of a class (method, property, classmethod, cached property), with role."""
    if isinstance(member, FunctionType):
        return [("", member)]
    found = [(role, getattr(member, role, None)) for role in ("__func__", "fget", "fset", "fdel", "func")]
    return [(role, function) for role, function in found if isinstance(function, FunctionType)]


def functions_in_cells(function: FunctionType) -> Iterator[FunctionType]:
    """The functions that `function` holds in its closure, as a decorator's wrapper holds what it wraps."""
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not bound yet
            continue
        if isinstance(value, FunctionType):
            yield value


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
        label = closure.placed(str(getattr(value, "__name__", path)), str(getattr(value, "__module__", "")))
        return "type " + closure.claimed(label, value, lambda free: _take_in_alias(closure, value, free))
    name = str(getattr(value, "__forward_arg__", None) or getattr(value, "__name__", None) or repr(value))
    behind = [getattr(value, key, None) for key in ("__supertype__", "__bound__")]
    behind += getattr(value, "__constraints__", ())
    told = [content(closure, item, path) for item in behind if item is not None]
    return f"typing {name}({', '.join(told)})" if told else f"typing {name}"


def _take_in_alias(closure: Closure, value: object, label: str) -> None:
    closure.parts[f"helper {label}"] = content(closure, getattr(value, "__value__", None), label)


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
    owner = getattr(value, "__self__", None)
    if isinstance(value, BuiltinFunctionType) and isinstance(owner, ModuleType):
        return owner.__name__
    for holder in (
        value,
        getattr(value, "__objclass__", None),
        owner if isinstance(owner, type) else type(owner),
        type(value),
    ):
        module = getattr(holder, "__module__", None)
        if isinstance(module, str) and module != "builtins":
            return module
    return "builtins"
