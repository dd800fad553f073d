"""Dataclasses, `NamedTuple` and `TypedDict`: values with named fields, each of a type of its own."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import inspect
import sys
import typing
from contextlib import suppress
from functools import partial

from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler, Valid
from celltask.core.types.copying import isolated
from celltask.core.types.fit import required_keys, substituted
from celltask.core.types.lookup import handler_for
from celltask.core.types.masking import Hidden, holds_secrets
from celltask.core.types.naming import MADE_AGAIN, class_name
from celltask.errors import InterfaceError

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["StructuredHandler"]

_WRAPPERS = ("Required", "NotRequired", "ReadOnly")


class StructuredHandler(BuiltInHandler):
    """Handlers of the fields, and how a value is taken apart and put together."""

    cls: type
    fields: Mapping[str, TypeHandler]

    def __init__(self, annotation: object) -> None:
        super().__init__(annotation)
        self.cls = typing.cast("type", typing.get_origin(annotation) or annotation)
        self.fields = {}

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a dataclass (generic too), a `NamedTuple` or a `TypedDict`."""
        plain = typing.get_origin(annotation) or annotation
        if not isinstance(plain, type):
            return None
        if typing.is_typeddict(plain):
            return TypedDictHandler(annotation)
        if issubclass(plain, tuple) and hasattr(plain, "_fields"):
            return NamedTupleHandler(annotation)
        return DataclassHandler(annotation) if dataclasses.is_dataclass(plain) else None

    def settle(self) -> None:
        """Look up the handlers of the fields."""
        found = {}
        for name, hint in field_types(self.cls).items():
            try:
                found[name] = handler_for(substituted(hint, self.cls, self.annotation))
            except InterfaceError as error:
                raise InterfaceError(f"field {name!r} of {self.name}: {error.what}", error.where, error.mend) from None
        self.fields = found
        self.copied_by_value = all(handler.copied_by_value for handler in found.values())

    def _parts(self, value: Valid) -> dict[str, object]:
        """The fields of `value` by name."""
        raise NotImplementedError

    def _with(self, value: Valid, changed: dict[str, object]) -> object:
        """A copy of `value` with some fields changed."""
        raise NotImplementedError

    def _check_class(self, value: object) -> None:
        if not isinstance(value, self.cls):
            again = type(value).__qualname__ == self.cls.__qualname__
            plain = f"make one with {self.cls.__name__}(…)" if isinstance(value, dict | tuple) else ""
            raise Mismatch(self.name, value, hint=MADE_AGAIN if again else plain)

    def _handlers(self, value: object) -> Mapping[str, TypeHandler]:
        """The handlers of the fields that `value` has, which may be of a subclass with more of them."""
        if type(value) is self.cls:
            return self.fields
        own = handler_for(type(value))
        return {**own.fields, **self.fields} if isinstance(own, StructuredHandler) else self.fields

    def _each(self, value: object, act: Callable[[TypeHandler, object], object]) -> object:
        """`value` with `act` done to every field; the same object if none is changed by it."""
        parts, changed = self._parts(value), {}
        for name, handler in self._handlers(value).items():
            if name in parts:
                new = _told(partial(act, handler), parts[name], self._step(name))
                if new is not parts[name]:
                    changed[name] = new
        return self._with(value, changed) if changed else value

    def _step(self, name: str) -> str:
        return f".{name}"

    def within(self) -> Mapping[str, TypeHandler]:
        """The handlers of the fields."""
        return {self._step(name): handler for name, handler in self.fields.items()}

    def masked_within(self, value: object) -> object:
        """`value` rebuilt, every field masked."""
        return self._each(value, lambda handler, part: handler.masked(part))

    def validate(self, value: object) -> object:
        """`value`, every field of which fits; a copy if a field had to be converted."""
        self._check_class(value)
        return self._each(value, lambda handler, part: handler.validate(part))

    def isolate(self, value: object) -> object:
        """`value` rebuilt, every field isolated."""
        if self.copied_by_value:
            return isolated(value)
        return self._each(value, lambda handler, part: handler.isolate(part))

    def release(self, value: object) -> object:
        """`value` rebuilt, every field detached."""
        if self.copied_by_value:
            return super().release(value)
        return self._each(self.validate(value), lambda handler, part: handler.release(part))

    def to_json(self, value: object) -> object:
        """A JSON object.

        Raises:
            Mismatch: If `value` is of a subclass, which JSON would cut down to the declared class.
        """
        if type(value) is not self.cls and not isinstance(value, dict):
            hint = f"as JSON, this {class_name(type(value))} would be cut down to a {self.name}"
            raise Mismatch(f"a {self.name} itself", value, hint=hint)
        parts = self._parts(value)
        return {
            name: _told(handler.to_json, parts[name], self._step(name))
            for name, handler in self.fields.items()
            if name in parts
        }

    def from_json(self, data: object) -> object:
        """From a JSON object with the fields as keys."""
        if not isinstance(data, dict):
            return self.validate(data)
        unknown = [name for name in data if name not in self.fields and name not in self._also()]
        if unknown:
            near = difflib.get_close_matches(str(unknown[0]), self.fields, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(self.fields) or 'no fields'}"
            raise Mismatch(f"{self.name}, which has no field {unknown[0]!r}", data, hint=hint)
        missing = [name for name in self._required() if name not in data]
        if missing:
            raise Mismatch(f"{self.name} with {', '.join(map(repr, missing))}", data)
        parts = {}
        for name, part in data.items():
            handler = self.fields.get(name)
            parts[name] = _told(handler.from_json, part, self._step(name)) if handler else part
        return self._made(parts)

    def _also(self) -> tuple[str, ...]:
        """Names that JSON may have beside the fields."""
        return ()

    def _required(self) -> list[str]:
        raise NotImplementedError

    def _defaults(self) -> dict[str, object]:
        """Defaults of the fields that have one."""
        return {}

    def _made(self, parts: dict[str, object]) -> object:
        raise NotImplementedError

    def describe(self) -> dict[str, object]:
        """JSON Schema; a type that contains itself is told once."""
        with _Describing(self) as known:
            if known:
                return {"type": "object", "title": self.name, "x-python": self.name}
            properties = {name: handler.describe() for name, handler in self.fields.items()}
        for name, default in self._defaults().items():
            if holds_secrets(self.fields[name]):
                continue  # what is told of a type is for everybody
            with suppress(Mismatch):  # a default without a JSON form is told by its absence from `required`
                properties[name] = properties[name] | {"default": self.fields[name].to_json(default)}
        return {
            "type": "object",
            "title": self.name,
            "properties": properties,
            "required": self._required(),
            "additionalProperties": False,
        }


class _Describing:
    """Which types are being described, so that one that contains itself comes to an end."""

    _open: typing.ClassVar[set[int]] = set()

    def __init__(self, handler: TypeHandler) -> None:
        self._key = id(handler)
        self._known = self._key in self._open

    def __enter__(self) -> bool:
        self._open.add(self._key)
        return self._known

    def __exit__(self, *_: object) -> None:
        if not self._known:
            self._open.discard(self._key)


def _told(act: Callable[[object], object], value: object, step: str) -> object:
    try:
        return act(value)
    except Mismatch as mismatch:
        raise mismatch.inside(step) from None


def field_types(cls: type) -> dict[str, object]:
    """The annotation of each field; `Any` where it names something that cannot be found at run time."""
    names = _field_names(cls)
    here = {cls.__name__: cls}
    try:
        hints = typing.get_type_hints(cls, localns=here, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError):
        hints = {}
        for base in reversed(cls.__mro__):
            scope = vars(sys.modules.get(base.__module__, typing))
            for name, text in inspect.get_annotations(base).items():
                hints[name] = _evaluated(text, scope, here)
    return {name: _with_constraints(cls, name, _unwrapped(hints.get(name, typing.Any))) for name in names}


def _field_names(cls: type) -> list[str]:
    if dataclasses.is_dataclass(cls):
        return [field.name for field in dataclasses.fields(cls)]
    return list(getattr(cls, "_fields", None) or typing.get_type_hints(cls))


def _evaluated(text: object, scope: dict[str, object], here: dict[str, type]) -> object:
    if not isinstance(text, str):
        return text
    try:
        return eval(text, dict(scope), here)  # noqa: S307 - annotations of users' own classes, as `typing` reads them
    except Exception:  # noqa: BLE001 - border: annotations and `__init__` are code of users
        return typing.Any


def _unwrapped(hint: object) -> object:
    while getattr(typing.get_origin(hint), "_name", "") in _WRAPPERS:
        hint = typing.get_args(hint)[0]
    return hint


def _with_constraints(cls: type, name: str, hint: object) -> object:
    """`hint` with what ``x: int = Field(ge=0)`` of a pydantic dataclass says about it."""
    if hasattr(cls, "__pydantic_fields__"):
        info = cls.__pydantic_fields__.get(name)
        if info is not None and info.metadata:
            return typing.Annotated[(hint, *info.metadata)]
    return hint


class DataclassHandler(StructuredHandler):
    """Instances of a dataclass; one of a subclass is kept whole."""

    def _parts(self, value: Valid) -> dict[str, object]:
        parts = {}
        for field in dataclasses.fields(value):
            if not hasattr(value, field.name):
                raise Mismatch(f"{self.name} with a value for {field.name!r}", value)
            parts[field.name] = getattr(value, field.name)
        return parts

    def masked_within(self, value: object) -> object:
        """As ever; cached properties, and what else no field says the type of, may be made of secrets."""
        new = super().masked_within(value)
        for name in (getattr(value, "__dict__", {}).keys() - self._parts(value).keys()) if new is not value else ():
            object.__setattr__(new, name, Hidden(type(getattr(value, name))))
        return new

    def _with(self, value: Valid, changed: dict[str, object]) -> object:
        new = copy.copy(value)
        for name, part in changed.items():
            object.__setattr__(new, name, part)  # frozen ones too
        return new

    def _also(self) -> tuple[str, ...]:
        pseudo = getattr(self.cls, "__dataclass_fields__", {})
        return tuple(name for name in pseudo if name not in self.fields)  # InitVar: taken, and not kept

    def _required(self) -> list[str]:
        unset = dataclasses.MISSING
        return [
            field.name
            for field in dataclasses.fields(self.cls)
            if field.init and field.default is unset and field.default_factory is unset
        ]

    def _defaults(self) -> dict[str, object]:
        unset = dataclasses.MISSING
        fields = [field for field in dataclasses.fields(self.cls) if field.name in self.fields]
        found = {field.name: field.default for field in fields if field.default is not unset}
        for field in fields:
            if field.default_factory is not unset:
                with suppress(Exception):  # border: a factory is code of users
                    found[field.name] = field.default_factory()
        return found

    def _made(self, parts: dict[str, object]) -> object:
        later = {field.name for field in dataclasses.fields(self.cls) if not field.init}
        try:
            made = self.cls(**{name: part for name, part in parts.items() if name not in later})
        except Exception as error:
            raise Mismatch(self.name, parts, hint=str(error)) from error
        for name in later & parts.keys():
            object.__setattr__(made, name, parts[name])
        return made


class NamedTupleHandler(StructuredHandler):
    """Instances of a `NamedTuple`."""

    def _parts(self, value: Valid) -> dict[str, object]:
        return dict(zip(type(value)._fields, value, strict=True))

    def _with(self, value: Valid, changed: dict[str, object]) -> object:
        return value._replace(**changed)

    def _required(self) -> list[str]:
        defaults = self.cls._field_defaults  # type: ignore[attr-defined]  # a named tuple
        return [name for name in self.fields if name not in defaults]

    def _defaults(self) -> dict[str, object]:
        return dict(self.cls._field_defaults)  # type: ignore[attr-defined]  # as above

    def _made(self, parts: dict[str, object]) -> object:
        return self.cls(**parts)

    def from_json(self, data: object) -> object:
        """From a JSON object, or from an array with every field in its place."""
        if isinstance(data, list) and len(data) == len(self.fields):
            data = dict(zip(self.fields, data, strict=True))
        return super().from_json(data)


class TypedDictHandler(StructuredHandler):
    """Dicts with the keys of a `TypedDict`; further keys are allowed in a call, as type checkers allow them."""

    def _check_class(self, value: object) -> None:
        if not isinstance(value, dict):
            raise Mismatch(self.name, value, hint="it is a dict")
        missing = [name for name in self._required() if name not in value]
        if missing:
            raise Mismatch(f"{self.name} with {', '.join(map(repr, missing))}", value)

    def _handlers(self, value: object) -> Mapping[str, TypeHandler]:
        del value
        return self.fields

    def _parts(self, value: Valid) -> dict[str, object]:
        parts: dict[str, object] = value
        return parts

    def _with(self, value: Valid, changed: dict[str, object]) -> object:
        return {**value, **changed}

    def _step(self, name: str) -> str:
        return f"[{name!r}]"

    def _required(self) -> list[str]:
        required = required_keys(self.cls)
        return [name for name in self.fields if name in required]

    def _made(self, parts: dict[str, object]) -> object:
        return parts

    def to_json(self, value: object) -> object:
        """A JSON object.

        Raises:
            Mismatch: If there are keys that the type does not name.
        """
        unknown = [name for name in typing.cast("dict[str, object]", value) if name not in self.fields]
        if unknown:
            raise Mismatch(f"{self.name} without {unknown[0]!r}", value, hint="only the keys it names have a JSON form")
        return super().to_json(value)

    def from_json(self, data: object) -> object:
        """From a JSON object with no keys but those named."""
        if not isinstance(data, dict):
            raise Mismatch(self.name, data)
        return super().from_json(data)
