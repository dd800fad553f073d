"""Enums and `Literal`: one of a few values."""

from __future__ import annotations

import typing
from enum import Enum, Flag

from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler, Valid
from celltask.core.types.lookup import handler_for
from celltask.core.types.naming import MADE_AGAIN
from celltask.errors import InterfaceError

__all__ = ["ChoiceHandler", "EnumHandler", "LiteralHandler"]


class ChoiceHandler(BuiltInHandler):
    """What enums and literals share: their values are immutable."""

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of an `Enum` class or of a `Literal`."""
        if typing.get_origin(annotation) is typing.Literal:
            return LiteralHandler(annotation)
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return EnumHandler(annotation)
        return None

    def isolate(self, value: object) -> object:
        """The value: there is only one of it."""
        return value

    def receive(self, value: object) -> object:
        """The value validated."""
        return self.validate(value)

    def release(self, value: object) -> object:
        """The value validated."""
        return self.validate(value)


class EnumHandler(ChoiceHandler):
    """Members of an `Enum`, with values of any kind; at the edges by name or by value."""

    def __init__(self, annotation: type[Enum]) -> None:
        super().__init__(annotation)
        self.cls = annotation
        if list(annotation):
            self.exact, self.accepts = annotation, frozenset({annotation})

    def validate(self, value: object) -> object:
        """A member."""
        if isinstance(value, self.cls):
            return value
        named = isinstance(value, str) and self._read(value) is not None
        again = type(value).__name__ == self.cls.__name__ and isinstance(value, Enum)
        hint = f"pass {self.cls.__name__}.{self._read(value).name}" if named else ""  # type: ignore[union-attr]  # just read
        raise Mismatch(self._choices(), value, hint=MADE_AGAIN if again else hint)

    def _choices(self) -> str:
        names = [f"{self.name}.{name}" for name in self.cls.__members__]
        return "one of " + ", ".join(names) if 0 < len(names) <= 12 else self.name  # noqa: PLR2004 - as many names as fit a line

    def _read(self, data: object) -> Enum | None:
        """The member that has `data` for its name, or for its value (of just that class)."""
        if isinstance(data, str):
            word = data.removeprefix(f"{self.cls.__name__}.")
            for wanted in (word, word.upper(), word.lower()):
                named = self.cls.__members__.get(wanted)
                if named is not None:
                    return named
        for member in self.cls.__members__.values():
            if type(member.value) is type(data) and member.value == data:
                return member
        return None

    def to_json(self, value: Valid) -> object:
        """The member's name; names joined by ``|`` for a flag."""
        return "|".join(one.name or "" for one in value) if isinstance(value, Flag) else value.name

    def from_json(self, data: object) -> object:
        """The member named, or of that value."""
        if isinstance(data, self.cls):
            return data
        found = self._read(data)
        if found is not None:
            return found
        if issubclass(self.cls, Flag) and isinstance(data, str):
            return self._flag(data)
        if isinstance(data, list):  # values that are tuples come back from JSON as lists
            found = self._read(tuple(data))
            if found is not None:
                return found
        raise Mismatch(self._choices(), data)

    def _flag(self, data: str) -> object:
        made = self.cls(0)
        for name in filter(None, (part.strip() for part in data.split("|"))):
            member = self._read(name)
            if member is None:
                raise Mismatch(self._choices(), data)
            made = made | member  # type: ignore[operator]  # a Flag
        return made

    def parse(self, text: str) -> object:
        """A name or value as text: ``red``, ``Color.RED``, ``3``."""
        word = text.strip()
        found = self._read(word)
        if found is not None:
            return found
        for member in self.cls.__members__.values():
            if str(member.value) == word:
                return member
        return self.from_json(word)

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"enum": list(self.cls.__members__)}

    def preview(self, value: object) -> str:
        """``Color.RED``."""
        return f"{self.name}.{getattr(value, 'name', value)}"


class LiteralHandler(ChoiceHandler):
    """The values written in a `Literal`, told apart by class too: ``1`` is not ``True``."""

    def __init__(self, annotation: object) -> None:
        super().__init__(annotation)
        self.values = typing.get_args(annotation)
        for value in self.values:
            if not isinstance(value, int | str | bytes | Enum | None):
                raise InterfaceError(
                    f"{self.name} holds {value!r}", mend="a Literal takes int, str, bytes, bool, Enum, None"
                )
        self._keys = frozenset((type(value), value) for value in self.values)

    def validate(self, value: object) -> object:
        """One of the values."""
        try:
            if (type(value), value) in self._keys:
                return value
        except TypeError:  # what has no hash is none of them
            pass
        raise Mismatch(self._choices(), value)

    def _choices(self) -> str:
        told = ", ".join(str(one) if isinstance(one, Enum) else repr(one) for one in self.values)
        return told if len(self.values) == 1 else f"one of {told}"

    def to_json(self, value: object) -> object:
        """The value, an enum member by its name, bytes in base64."""
        return handler_for(type(value)).to_json(value)

    def from_json(self, data: object) -> object:
        """The value written just so."""
        for value in self.values:
            if type(value) is type(data) and value == data:
                return value
        return self._only(data, lambda handler: handler.from_json(data))

    def parse(self, text: str) -> object:
        """The value whose text this is."""
        for value in self.values:
            if isinstance(value, str) and text == value:
                return value
        return self._only(text, lambda handler: handler.parse(text))

    def _only(self, data: object, read: typing.Callable[[TypeHandler], object]) -> object:
        found = []
        for value in self.values:
            try:
                made = read(handler_for(type(value)))
            except Mismatch:
                continue
            if type(made) is type(value) and made == value:
                found.append(value)
        if len(found) == 1:
            return found[0]
        raise Mismatch(self._choices(), data)

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"enum": [self.to_json(value) for value in self.values]}
