"""Lists, tuples, sets and their abstract kin, with every element checked.

Where all elements are of classes that pass as they are (``handler.accepts``), the check is one set of classes and
the copy one slice, both in C.
"""

from __future__ import annotations

import collections
import collections.abc
import typing

from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler, Valid
from celltask.core.types.copying import isolated
from celltask.core.types.lookup import handler_for
from celltask.core.types.naming import type_name
from celltask.errors import InterfaceError

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ContainerHandler", "ListHandler", "SetHandler", "TupleHandler", "checked", "rebuilt", "told"]

_ONCE_ONLY = (
    *(collections.abc.Iterator, collections.abc.Generator, collections.abc.AsyncIterator),
    *(collections.abc.AsyncIterable, collections.abc.AsyncGenerator, collections.abc.Awaitable),
    *(collections.abc.Coroutine,),
)
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_LISTS = (
    *(list, collections.deque, collections.abc.Sequence, collections.abc.MutableSequence),
    *(collections.abc.Collection, collections.abc.Iterable, collections.abc.Reversible),
)
_TEXT = (str, bytes, bytearray)


class ContainerHandler(BuiltInHandler):
    """One container type and the handlers of what it holds."""

    origin: type
    """The class whose instances fit."""

    built: typing.Any
    """The class that is built from JSON, and where elements had to be converted."""

    parts: tuple[TypeHandler, ...] = ()

    def __init__(self, annotation: object, origin: type) -> None:
        super().__init__(annotation)
        self.origin = origin

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a container, bare or with element types.

        Raises:
            InterfaceError: For an iterator, which can be read only once, and for a tuple with wrong arguments.
        """
        origin = typing.get_origin(annotation) or annotation
        if origin in _ONCE_ONLY:
            raise InterfaceError(
                f"{type_name(annotation)} can be read only once, so it can be neither checked nor handed over",
                mend="use list[…] and return list(…)",
            )
        for origins, made in ((_SETS, SetHandler), (_LISTS, ListHandler)):
            if origin in origins:
                return made(annotation, typing.cast("type", origin))
        return TupleHandler(annotation, tuple) if origin is tuple else None

    def settle(self) -> None:
        """Look up the handlers of the elements."""
        self.parts = tuple(handler_for(argument) for argument in self._element_types())
        self.copied_by_value = all(part.copied_by_value for part in self.parts)

    def _element_types(self) -> tuple[object, ...]:
        return typing.get_args(self.annotation) or (typing.Any,)

    def _check_class(self, value: object, hint: str = "") -> None:
        if not isinstance(value, self.origin):
            raise Mismatch(self.name, value, hint=hint or _hint_for(value, self.built))

    def within(self) -> dict[str, TypeHandler]:
        """One handler for all elements."""
        return {"*": self.parts[0]}

    def masked_within(self, value: object) -> object:
        """The container rebuilt, and every element masked."""
        return self._each(value, "masked")

    def isolate(self, value: object) -> object:
        """The container rebuilt, and every element isolated."""
        return isolated(value) if self.copied_by_value else self._each(value, "isolate")

    def release(self, value: object) -> object:
        """The container rebuilt, and every element detached."""
        return super().release(value) if self.copied_by_value else self._each(self.validate(value), "release")

    def _each(self, value: Valid, method: str) -> object:
        """`value` rebuilt with `method` of each element's handler called on it."""
        raise NotImplementedError


def _hint_for(value: object, wanted: type) -> str:
    if isinstance(value, _TEXT):
        return ""
    if isinstance(value, collections.abc.Iterator):
        return "an iterator can be read only once; pass a list"
    fits = isinstance(value, collections.abc.Iterable) and wanted in (list, tuple, set, frozenset)
    return f"convert it with {wanted.__name__}(…)" if fits and not isinstance(value, dict) else ""


def checked(values: Iterable[object], handler: TypeHandler, step: Callable[[int], str]) -> list[object] | None:
    """Every value validated; None if each is the same object after as before."""
    new, changed, at = [], False, 0
    validate = handler.validate
    try:
        for at, value in enumerate(values):  # noqa: B007 - told if one of them raises
            valid = validate(value)
            new.append(valid)
            changed = changed or valid is not value
    except Mismatch as mismatch:
        raise mismatch.inside(step(at)) from None
    return new if changed else None


def _index_step(at: int) -> str:
    return f"[{at}]"


class ListHandler(ContainerHandler):
    """`list[T]`, `deque[T]`, `Sequence[T]`, `Collection[T]`, `Iterable[T]`: elements of one type in a row."""

    def __init__(self, annotation: object, origin: type) -> None:
        super().__init__(annotation, origin)
        self.built = origin if origin in (list, collections.deque) else list
        self._takes_lists = issubclass(list, origin)

    def validate(self, value: object) -> object:
        """`value`, or a new list if an element had to be converted."""
        item = self.parts[0]
        if type(value) is not list or not self._takes_lists:
            if isinstance(value, _TEXT):
                raise Mismatch(self.name, value, hint="a string counts as one value here, not as a row of them")
            if isinstance(value, collections.abc.Iterator):
                raise Mismatch(self.name, value, hint=_hint_for(value, list))
            self._check_class(value)
        sized = typing.cast("collections.abc.Collection[object]", value)
        if item.accepts.issuperset(map(type, sized)):
            return value
        new = checked(sized, item, _index_step)
        return value if new is None else rebuilt(value, new, self.built)

    def receive(self, value: object) -> object:
        """Checked and copied, in one pass in C where the elements allow it."""
        if type(value) is list and self._takes_lists and self.parts[0].accepts.issuperset(map(type, value)):
            return value[:]
        return self.isolate(self.validate(value))

    def _each(self, value: Valid, method: str) -> object:
        act = getattr(self.parts[0], method)
        return rebuilt(value, [act(item) for item in value], self.built)

    def to_json(self, value: Valid) -> object:
        """A JSON array."""
        item = self.parts[0]
        return [told(item.to_json, one, _index_step(at)) for at, one in enumerate(value)]

    def from_json(self, data: object) -> object:
        """From a JSON array."""
        if not isinstance(data, list | tuple):
            raise Mismatch(self.name, data)
        items = [told(self.parts[0].from_json, one, _index_step(at)) for at, one in enumerate(data)]
        return items if self.built is list else self.built(items)

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "array", "items": self.parts[0].describe()}


class SetHandler(ContainerHandler):
    """`set[T]`, `frozenset[T]` and the abstract sets."""

    def __init__(self, annotation: object, origin: type) -> None:
        super().__init__(annotation, origin)
        self.built = frozenset if origin is frozenset else set

    def within(self) -> dict[str, TypeHandler]:
        """One handler for all elements, which name the steps as well."""
        return {"*": self.parts[0], "key": self.parts[0]}

    def validate(self, value: object) -> object:
        """`value`, or a new set if an element had to be converted."""
        self._check_class(value)
        items = typing.cast("collections.abc.Set[object]", value)
        if self.parts[0].accepts.issuperset(map(type, items)):
            return value
        listed = list(items)
        new = checked(listed, self.parts[0], lambda at: f"{{{listed[at]!r}}}")
        return value if new is None else rebuilt(value, new, self.built)

    def _each(self, value: Valid, method: str) -> object:
        act = getattr(self.parts[0], method)
        return rebuilt(value, [act(item) for item in value], self.built)

    def to_json(self, value: Valid) -> object:
        """A JSON array, in the order of the elements' JSON text."""
        import json  # noqa: PLC0415 - only where values become JSON

        listed = [told(self.parts[0].to_json, one, f"{{{one!r}}}") for one in value]
        return sorted(listed, key=json.dumps)

    def from_json(self, data: object) -> object:
        """From a JSON array; doubles are an error, since one of them would be lost."""
        if not isinstance(data, list | tuple | set | frozenset):
            raise Mismatch(self.name, data)
        items = [told(self.parts[0].from_json, one, _index_step(at)) for at, one in enumerate(data)]
        made = self.built(items)
        if len(made) < len(items):
            raise Mismatch(f"{self.name} with each value once", data)
        return made

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "array", "uniqueItems": True, "items": self.parts[0].describe()}


class TupleHandler(ContainerHandler):
    """`tuple[A, B]`, `tuple[T, ...]` and bare `tuple`."""

    built = tuple

    def __init__(self, annotation: object, origin: type) -> None:
        super().__init__(annotation, origin)
        arguments = typing.get_args(annotation)
        self.many = len(arguments) == 2 and arguments[1] is ...  # noqa: PLR2004 - a pair
        self.bare = not arguments and annotation != tuple[()]
        if ... in arguments and not self.many:
            raise InterfaceError(f"{self.name} is no type", mend="write tuple[T, ...] or tuple[A, B]")

    def _element_types(self) -> tuple[object, ...]:
        arguments = typing.get_args(self.annotation)
        if self.bare:
            return (typing.Any,)
        return arguments[:1] if self.many else arguments

    def within(self) -> dict[str, TypeHandler]:
        """One handler for all places, or one for each."""
        if self.many or self.bare:
            return super().within()
        return {_index_step(at): part for at, part in enumerate(self.parts)}

    def handlers_of(self, value: typing.Sized) -> tuple[TypeHandler, ...]:
        """One handler for each place of `value`.

        Raises:
            Mismatch: If it has too many or too few.
        """
        if self.many or self.bare:
            return self.parts * len(value)
        if len(value) != len(self.parts):
            count = f"{len(self.parts)} value{'' if len(self.parts) == 1 else 's'}"
            raise Mismatch(self.name, value, hint=f"it takes {count}, and this has {len(value)}")
        return self.parts

    def validate(self, value: object) -> object:
        """`value`, or a new tuple if an element had to be converted."""
        self._check_class(value)
        return self._checked(value)

    def _checked(self, value: Valid) -> object:
        if len(self.parts) == 1 and (self.many or self.bare) and self.parts[0].accepts.issuperset(map(type, value)):
            return value
        new = []
        for at, (item, handler) in enumerate(zip(value, self.handlers_of(value), strict=True)):
            new.append(told(handler.validate, item, _index_step(at)))
        if all(old is one for old, one in zip(value, new, strict=True)):
            return value
        return rebuilt(value, new, tuple)

    def _each(self, value: Valid, method: str) -> object:
        made = [getattr(part, method)(item) for item, part in zip(value, self.handlers_of(value), strict=True)]
        return rebuilt(value, made, tuple)

    def to_json(self, value: Valid) -> object:
        """A JSON array."""
        pairs = zip(value, self.handlers_of(value), strict=True)
        return [told(part.to_json, item, _index_step(at)) for at, (item, part) in enumerate(pairs)]

    def from_json(self, data: object) -> object:
        """From a JSON array."""
        if not isinstance(data, list | tuple):
            raise Mismatch(self.name, data)
        pairs = zip(data, self.handlers_of(data), strict=True)
        return tuple(told(part.from_json, item, _index_step(at)) for at, (item, part) in enumerate(pairs))

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        if self.many or self.bare:
            return {"type": "array", "items": self.parts[0].describe()}
        places: list[object] = [part.describe() for part in self.parts]
        return {"type": "array", "prefixItems": places, "minItems": len(places), "maxItems": len(places)}


def told(act: Callable[[typing.Any], object], value: object, step: str) -> object:
    """What `act(value)` gives, with `step` put before the path of a mismatch."""
    try:
        return act(value)
    except Mismatch as mismatch:
        raise mismatch.inside(step) from None


def rebuilt(value: Valid, items: list[typing.Any], built: Valid) -> object:
    """A container of the class of `value` with other `items` in it; of class `built` where that cannot be made."""
    cls = type(value)
    if cls in (list, set, frozenset, tuple):
        return cls(items)
    if isinstance(value, collections.deque):
        return collections.deque(items, value.maxlen)
    if isinstance(value, tuple) and hasattr(cls, "_fields"):
        return tuple.__new__(cls, items)
    return built(items)
