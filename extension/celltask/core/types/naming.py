"""How types are written in messages, cards and graphs: short, the same however they were spelt."""

from __future__ import annotations

import sys
import types
import typing

__all__ = ["MADE_AGAIN", "class_name", "is_importable", "kind_of", "library_of", "place_in_library", "type_name"]

MADE_AGAIN = (
    "two classes of that name are in use, as one was defined again; run the cells of the task and of the value again"
)
"""Said where a cell that defines a class was run again, and a value of the class before is passed."""

_UNION_ORIGINS = (typing.Union, types.UnionType)


def class_name(cls: type) -> str:
    """The name of a class as its users write it, without the module and without `<locals>`.

    >>> class_name(int), class_name(type(None))
    ('int', 'None')
    """
    if cls is type(None):
        return "None"
    return cls.__qualname__.rpartition("<locals>.")[2]


def library_of(cls: type) -> str:
    """The root package that defines `cls`: ``"pandas"`` for a data frame.

    >>> library_of(int)
    'builtins'
    """
    module: object = cls.__module__
    return module.partition(".")[0] if isinstance(module, str) else ""  # some compiled classes have another thing there


def place_in_library(cls: type) -> str:
    """Root package and name of `cls`, wherever in the package it lies: ``"pandas.DataFrame"``.

    >>> place_in_library(int)
    'builtins.int'
    """
    return f"{library_of(cls)}.{cls.__name__}"


def kind_of(value: object) -> str:
    """The class of `value`, as it is told beside a value that does not fit.

    >>> kind_of(3.5)
    'float'
    """
    return class_name(type(value))


def is_importable(cls: type) -> bool:
    """Whether another process would find `cls` by its module and name.

    >>> is_importable(int), is_importable(type("Local", (), {}))
    (True, False)
    """
    module = sys.modules.get(cls.__module__)
    if module is None or getattr(module, "__spec__", None) is None:
        return False
    found: object = module
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


def type_name(annotation: object) -> str:  # noqa: PLR0911 - one return for each way to write a type
    """`annotation` as it is shown to users.

    >>> import typing
    >>> type_name(typing.Optional[typing.List[int]])
    'list[int] | None'
    >>> type_name(typing.Literal["a", 3])
    "Literal['a', 3]"
    """
    if annotation is None:
        return "None"
    if annotation is ...:
        return "..."
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, list):
        return f"[{', '.join(map(type_name, annotation))}]"
    origin = typing.get_origin(annotation)
    if origin is None:
        return _plain_name(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_name(arguments[0])
    if origin in _UNION_ORIGINS:
        return " | ".join(type_name(argument) for argument in _none_last(arguments))
    if origin is typing.Literal:
        return f"Literal[{', '.join(_literal_text(argument) for argument in arguments)}]"
    inner = ", ".join(map(type_name, arguments)) or ("()" if annotation == tuple[()] else "")
    return f"{_plain_name(origin)}[{inner}]" if inner else _plain_name(origin)


def _plain_name(annotation: object) -> str:
    if isinstance(annotation, type):
        return class_name(annotation)
    if isinstance(annotation, typing.ForwardRef):
        return annotation.__forward_arg__
    name = getattr(annotation, "__name__", None) or getattr(annotation, "_name", None)
    return name if isinstance(name, str) else repr(annotation).removeprefix("typing.")


def _none_last(arguments: tuple[object, ...]) -> list[object]:
    none = type(None)
    return [one for one in arguments if one is not none] + [one for one in arguments if one is none]


def _literal_text(value: object) -> str:
    from enum import Enum  # noqa: PLC0415 - most literals hold none

    return f"{class_name(type(value))}.{value.name}" if isinstance(value, Enum) else repr(value)
