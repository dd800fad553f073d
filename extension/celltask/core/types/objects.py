"""Instances of any other class: checked by `isinstance`, copied as `copy.deepcopy` would, stored as pickles."""

from __future__ import annotations

import typing

from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler
from celltask.core.types.fit import protocol_members
from celltask.core.types.naming import MADE_AGAIN, type_name

__all__ = ["ObjectHandler"]


class ObjectHandler(BuiltInHandler):
    """A class, a protocol, `Callable[…]` or `type[…]`."""

    cls: type

    def __init__(self, annotation: object) -> None:
        super().__init__(annotation)
        self.cls = typing.cast("type", typing.get_origin(annotation) or annotation)

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of any class, or of a generic alias of one, whose arguments only type checkers read."""
        plain = typing.get_origin(annotation) or annotation
        if not isinstance(plain, type) or plain in (typing.Generic, typing.Protocol):
            return None
        if plain is type:
            return ClassHandler(annotation)
        if getattr(plain, "_is_protocol", False) and not getattr(plain, "_is_runtime_protocol", False):
            return ProtocolHandler(annotation)
        return cls(annotation)

    def validate(self, value: object) -> object:
        """`value`, if it is an instance."""
        if self._fits(value):
            return value
        again = type(value).__qualname__ == getattr(self.cls, "__qualname__", "")
        raise Mismatch(self.name, value, hint=MADE_AGAIN if again else "")

    def _fits(self, value: object) -> bool:
        return isinstance(value, self.cls)

    def to_json(self, value: object) -> object:
        """Nothing.

        Raises:
            Mismatch: Always: such a value has no JSON form.
        """
        raise Mismatch("a value with a JSON form", value, hint=f"a {self.name} has none")

    def parse(self, text: str) -> object:
        """Nothing.

        Raises:
            Mismatch: Always: no text stands for such a value.
        """
        raise Mismatch(self.name, text, hint=f"a {self.name} cannot be written as text")


class ProtocolHandler(ObjectHandler):
    """A `Protocol` that is not for runtime: a value fits if it has every member that the protocol names."""

    def _fits(self, value: object) -> bool:
        return all(hasattr(value, name) for name in protocol_members(self.cls))


class ClassHandler(ObjectHandler):
    """`type` and `type[C]`: classes themselves."""

    def validate(self, value: object) -> object:
        """`value`, if it is a class, and a subclass of the one declared."""
        wanted = typing.get_args(self.annotation)
        if isinstance(value, type) and all(one is typing.Any or _is_subclass(value, one) for one in wanted):
            return value
        raise Mismatch(f"a subclass of {type_name(wanted[0])}" if wanted else "a class", value)

    def isolate(self, value: object) -> object:
        """The class itself."""
        return value


def _is_subclass(cls: type, wanted: object) -> bool:
    origin = typing.get_origin(wanted) or wanted
    if origin is typing.Union or type(wanted).__name__ == "UnionType":
        return any(_is_subclass(cls, one) for one in typing.get_args(wanted))
    return not isinstance(origin, type) or issubclass(cls, origin)
