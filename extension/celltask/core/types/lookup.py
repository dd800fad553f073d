"""From an annotation to its handler.

Asked in this order: handlers that users registered, the built-in family that the shape of the annotation points
to, packages that add handlers by entry point, and last the family of any class. A family is imported when the
first annotation of it is met; libraries such as NumPy and pandas are recognised by the name of the annotation's
module, and never imported on a guess.
"""

from __future__ import annotations

import _thread
import types
import typing
from collections.abc import Mapping
from enum import Enum

from celltask.core.types.base import TypeHandler
from celltask.core.types.naming import library_of, type_name
from celltask.errors import InterfaceError, PluginError
from celltask.plugins import Shelf

__all__ = ["handler_for", "register_type"]

_HERE = "celltask.core.types."
_BUILT_IN = {
    "choices": _HERE + "choices:ChoiceHandler",
    "constrained": _HERE + "constrained:ConstrainedHandler",
    "containers": _HERE + "containers:ContainerHandler",
    "structured": _HERE + "structured:StructuredHandler",
    "models": _HERE + "models:ModelHandler",
    "mappings": _HERE + "mappings:DictHandler",
    "files": _HERE + "files:FileHandler",
    "arrays": _HERE + "arrays:ArrayHandler",
    "tables": _HERE + "tables:TableHandler",
    "temporal": _HERE + "temporal:TemporalHandler",
    "scalars": _HERE + "scalars:ScalarHandler",
    "unions": _HERE + "unions:UnionHandler",
    "secrets": _HERE + "marks:SecretHandler",
    "objects": _HERE + "objects:ObjectHandler",
}
_SHELF = Shelf("celltask.types", _BUILT_IN)

_BY_MODULE = {
    "datetime": "temporal",
    "decimal": "scalars",
    "fractions": "scalars",
    "uuid": "scalars",
    "pathlib": "files",
    "pathlib._local": "files",
    "celltask.core.types.files": "files",
    "pydantic.types": "secrets",
}
_BY_LIBRARY = {
    "numpy": "arrays",
    "pandas": "tables",
    "polars": "tables",
    "pyarrow": "tables",
    "pydantic": "models",
}
_SCALARS = frozenset({int, float, str, bool, bytes, complex, type(None), object})
_CONTAINERS = frozenset({list, dict, tuple, set, frozenset})

_known: dict[object, TypeHandler] = {}
_unsettled: dict[object, TypeHandler] = {}
_making = _thread.RLock()
_registered: list[type[TypeHandler]] = []


def handler_for(annotation: object) -> TypeHandler:
    """The handler of `annotation`, made once and shared.

    Raises:
        InterfaceError: If no value of that type could be an input or output (`Iterator[int]`, `ClassVar[int]`).

    >>> handler_for(list[int]).receive([1, 2])
    [1, 2]
    """
    if annotation is None:
        annotation = type(None)
    # Unions compare equal in any order, and their names do not; so the name is part of the key.
    key: object = annotation if isinstance(annotation, type) else (annotation, type_name(annotation))
    try:
        found = _known.get(key)
    except TypeError:  # metadata such as `Annotated[int, []]` has no hash, so it is looked up each time
        made = _make(annotation)
        made.settle()
        return made
    return found if found is not None else _made_once(annotation, key)


def _made_once(annotation: object, key: object) -> TypeHandler:
    """A new handler, known to other threads only when it and all within it are settled."""
    with _making:
        found = _known.get(key) or _unsettled.get(key)
        if found is not None:
            return found
        before = list(_unsettled)
        made = _make(annotation)
        _unsettled[key] = made
        try:
            made.settle()
        except BaseException:
            for later in _unsettled.keys() - before:  # those that were made for it may refer to it
                del _unsettled[later]
            raise
        if not before:
            _known.update(_unsettled)
            _unsettled.clear()
        return made


def register_type(handler_class: type[TypeHandler]) -> type[TypeHandler]:
    """Let `handler_class` claim annotations before every built-in family; usable as a class decorator.

    A class of the same name that was registered before, in an earlier run of the same cell, is replaced.

    Args:
        handler_class: Its `for_annotation` says which annotations it knows.

    Raises:
        PluginError: If it is not a `TypeHandler`.

    >>> from celltask.core.types.base import TypeHandler
    >>> class Money: ...
    >>> class MoneyHandler(TypeHandler):
    ...     annotation, name = Money, "Money"
    ...     @classmethod
    ...     def for_annotation(cls, annotation):
    ...         return cls() if annotation is Money else None
    ...     def validate(self, value):
    ...         return value
    >>> register_type(MoneyHandler).__name__
    'MoneyHandler'
    >>> handler_for(Money)
    <handler of Money>
    """
    given: object = handler_class
    if not (isinstance(given, type) and issubclass(given, TypeHandler)):
        raise PluginError(
            f"register_type takes a subclass of TypeHandler, not {handler_class!r}",
            mend="write a class that extends celltask.core.types.base.TypeHandler",
        )
    place = (handler_class.__module__, handler_class.__qualname__)
    _registered[:] = [one for one in _registered if (one.__module__, one.__qualname__) != place]
    _registered.append(handler_class)
    _known.clear()
    return handler_class


def family_of(annotation: object) -> str:
    """Name of the built-in family that the shape of `annotation` points to.

    >>> family_of(list[int]), family_of(int | None)
    ('containers', 'unions')
    """
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return "constrained"
    if origin is typing.Union or origin is types.UnionType:
        return "unions"
    if origin is typing.Literal:
        return "choices"
    base = origin or annotation
    if base is typing.Any:
        return "scalars"
    if isinstance(base, type):
        return _family_of_class(base)
    return "constrained"


def _family_of_class(cls: type) -> str:  # noqa: PLR0911 - one return for each shape of a class
    if cls in _SCALARS:
        return "scalars"
    if cls in _CONTAINERS or cls.__module__ in ("collections", "collections.abc"):
        return "mappings" if issubclass(cls, Mapping) else "containers"
    if issubclass(cls, Enum):
        return "choices"
    by_module = _BY_MODULE.get(cls.__module__)
    if by_module:
        return by_module
    if typing.is_typeddict(cls) or (issubclass(cls, tuple) and hasattr(cls, "_fields")):
        return "structured"
    for base in cls.__mro__:
        family = _BY_LIBRARY.get(library_of(base))
        if family:
            return family
    return "structured" if hasattr(cls, "__dataclass_fields__") else "objects"


def _make(annotation: object) -> TypeHandler:
    claims = [(one, made) for one in _registered if (made := one.for_annotation(annotation)) is not None]
    if len(claims) > 1:
        rivals = " and ".join(one.__qualname__ for one, _ in claims)
        raise InterfaceError(
            f"{rivals} both claim the type {type_name(annotation)}",
            mend="let `for_annotation` of one of them return None for it",
        )
    if claims:
        return claims[0][1]
    family = family_of(annotation)
    if family != "objects":
        made = _family(family).for_annotation(annotation)
        if made is not None:
            return made
    for name in _SHELF.names():
        if name not in _BUILT_IN:
            made = _family(name).for_annotation(annotation)
            if made is not None:
                return made
    made = _family("objects").for_annotation(annotation)
    if made is None:
        raise InterfaceError(
            f"{type_name(annotation)} is not a type that a value can be checked against",
            mend="write a class, or a type such as list[int], int | None or Literal['a', 'b']",
        )
    return made


def _family(name: str) -> type[TypeHandler]:
    found = _SHELF.get(name)
    if isinstance(found, type) and issubclass(found, TypeHandler):
        return found
    raise PluginError(
        f"the type handler {name!r} is not a subclass of TypeHandler",
        mend="let its entry point in the group celltask.types name such a class",
    )
