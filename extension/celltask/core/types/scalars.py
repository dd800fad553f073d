"""Numbers, strings, bytes, None, identifiers, and the annotations that allow anything.

A value of exactly the declared class passes as it is. Beyond that only exact conversions are made: an `int` for a
`float` that holds it, a NumPy scalar for the Python number it stands for; never a string, and never a bool for a
number.
"""

from __future__ import annotations

import math
import typing

from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler, Valid
from celltask.core.types.copying import SHARED, isolated, released

__all__ = ["AnyHandler", "ScalarHandler", "plain_scalar"]

_TRUE, _FALSE = ("true", "yes", "1", "on"), ("false", "no", "0", "off")


def plain_scalar(value: object) -> object:
    """The Python number, string or date that a NumPy scalar stands for; any other value as it is."""
    cls = type(value)
    if cls.__module__ == "numpy" and any(base.__name__ == "generic" for base in cls.__mro__):
        return value.item()  # type: ignore[attr-defined]  # every numpy.generic has it
    return value


class ScalarHandler(BuiltInHandler):
    """One class of immutable values; the families below say what else they take."""

    cls: type

    def __init__(self, annotation: type) -> None:
        super().__init__(annotation)
        self.cls = self.exact = annotation
        self.accepts = frozenset({annotation})

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a scalar class, or of `Any` and `object`."""
        if annotation is typing.Any or annotation is object:
            return AnyHandler(annotation)
        made = _HANDLERS.get(getattr(annotation, "__qualname__", ""))
        return made(annotation) if made and isinstance(annotation, type) else None

    def validate(self, value: object) -> object:
        """`value`, converted only where nothing is lost."""
        if type(value) is self.cls:
            return value
        plain = plain_scalar(value)
        if type(plain) is self.cls:
            return plain
        return self.convert(plain, value)

    def convert(self, plain: object, value: object) -> object:
        """What a value of another class becomes; `plain` is `value` without NumPy's wrapping."""
        if isinstance(plain, self.cls) and not isinstance(plain, bool):
            return plain
        raise self.mismatch(value)

    def mismatch(self, value: object, hint: str = "") -> Mismatch:
        """That `value` is not of this type."""
        return Mismatch(self.name, value, hint=hint)

    def isolate(self, value: object) -> object:
        """The value itself; only a subclass of the declared class can hold anything mutable."""
        return value if type(value) is self.cls else isolated(value)

    def receive(self, value: object) -> object:
        """The value validated, and isolated only if it is of a subclass."""
        if type(value) is self.cls:
            return value
        return self.isolate(self.validate(value))

    def release(self, value: object) -> object:
        """As `receive`: there is nothing to detach."""
        return self.receive(value)

    def to_json(self, value: object) -> object:
        """The value itself; JSON has it."""
        return value

    def parse(self, text: str) -> object:
        """What `text` says, as JSON would have it; for all but strings, blanks around it do not count."""
        return self.from_json(text.strip())


class IntHandler(ScalarHandler):
    """Whole numbers of any size."""

    def from_json(self, data: object) -> object:
        """An integer; ``2.0`` and ``"2"`` are not."""
        return self.validate(data)

    def parse(self, text: str) -> object:
        """An integer as Python writes it: ``"42"``, ``"-1"``, ``"1_000"``, ``"0x1f"``."""
        try:
            return int(text.strip(), 10)
        except ValueError:
            pass
        try:
            return int(text.strip(), 0)
        except ValueError:
            raise self.mismatch(text) from None

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "integer"}


class FloatHandler(ScalarHandler):
    """Floating-point numbers of double precision."""

    def convert(self, plain: object, value: object) -> object:
        """An `int` that a float holds exactly, or another float."""
        if isinstance(plain, int) and not isinstance(plain, bool):
            try:
                held = float(plain)
            except OverflowError:
                held = math.inf
            if held == plain:
                return held
            raise self.mismatch(value, hint="a float cannot hold this integer exactly")
        if type(plain).__module__ == "numpy":  # longdouble, whose `item` gives itself
            held = float(plain)  # type: ignore[arg-type]  # NumPy's scalars that end up here are real numbers
            if held == plain or plain != plain:  # noqa: PLR0124 - not-a-number
                return held
            raise self.mismatch(value, hint="a float cannot hold this number exactly")
        return super().convert(plain, value)

    def to_json(self, value: Valid) -> object:
        """The number, or ``"nan"``, ``"inf"``, ``"-inf"``, for which JSON has no word."""
        number = float(value)
        return number if math.isfinite(number) else repr(number)

    def from_json(self, data: object) -> object:
        """A number, or one of the three words above."""
        if data in ("nan", "inf", "-inf"):
            return float(data)
        return self.validate(data)

    def parse(self, text: str) -> object:
        """A number as Python writes it: ``"0.2"``, ``"1e-3"``, ``"inf"``."""
        try:
            return float(text)
        except ValueError:
            raise self.mismatch(text) from None

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "number"}


class BoolHandler(ScalarHandler):
    """True and False; ``1`` and ``0`` only where text is all there is."""

    def from_json(self, data: object) -> object:
        """A boolean, or one of the words that `parse` knows."""
        if isinstance(data, str):
            word = data.strip().lower()
            if word in _TRUE or word in _FALSE:
                return word in _TRUE
        return self.validate(data)

    def parse(self, text: str) -> object:
        """``true``, ``yes``, ``on``, ``1`` or ``false``, ``no``, ``off``, ``0``, in any case."""
        try:
            return self.from_json(text)
        except Mismatch:
            raise self.mismatch(text, hint="write true or false") from None

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "boolean"}


class StrHandler(ScalarHandler):
    """Text."""

    def parse(self, text: str) -> object:
        """The text as it is, blanks included."""
        return text

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "string"}


class BytesHandler(ScalarHandler):
    """Bytes; base64 where only text can stand."""

    def to_json(self, value: Valid) -> object:
        """Base64."""
        from base64 import b64encode  # noqa: PLC0415 - only where bytes become text

        return b64encode(value).decode("ascii")

    def from_json(self, data: object) -> object:
        """Bytes from base64."""
        from base64 import b64decode  # noqa: PLC0415 - only where bytes become text

        if not isinstance(data, str):
            return self.validate(data)
        try:
            return b64decode(data, validate=True)
        except ValueError:
            raise self.mismatch(data, hint="write it in base64") from None

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "string", "contentEncoding": "base64"}


class NoneHandler(ScalarHandler):
    """Nothing but None."""

    def parse(self, text: str) -> object:
        """``none`` or ``null``, in any case, or nothing at all."""
        if text.strip().lower() in ("none", "null", ""):
            return None
        raise self.mismatch(text)

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "null"}


class TextualHandler(ScalarHandler):
    """Classes whose `str` says all there is, and whose constructor reads it: complex, Decimal, Fraction, UUID."""

    def convert(self, plain: object, value: object) -> object:
        """A number that goes over exactly: an int for a Decimal, a float for a complex."""
        if isinstance(plain, (int, float) if self.cls is complex else int) and not isinstance(plain, bool):
            if self.name == "UUID":
                raise self.mismatch(value)
            made = self.cls(plain)
            if made == plain or plain != plain:  # noqa: PLR0124 - not-a-number
                return made
            raise self.mismatch(value, hint=f"a {self.name} cannot hold this integer exactly")
        return super().convert(plain, value)

    def to_json(self, value: object) -> object:
        """Its `str`."""
        return str(value)

    def from_json(self, data: object) -> object:
        """From its `str`."""
        if not isinstance(data, str):
            return self.validate(data)
        try:
            return self.cls(data.strip())
        except (ValueError, ArithmeticError):
            raise self.mismatch(data) from None

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "string", "format": self.name.lower()}


class AnyHandler(BuiltInHandler):
    """`Any` and `object`: every value fits, and is isolated like any other."""

    def __init__(self, annotation: object) -> None:
        super().__init__(annotation)
        self.accepts = frozenset(SHARED)

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of `Any` or `object`."""
        return cls(annotation) if annotation is typing.Any or annotation is object else None

    def validate(self, value: object) -> object:
        """The value."""
        return value

    def release(self, value: object) -> object:
        """The value detached."""
        return released(value)

    def to_json(self, value: object) -> object:
        """The value, if it is JSON data already.

        Raises:
            Mismatch: If it is not.
        """
        from celltask.core.types.encoding import is_json  # noqa: PLC0415 - pickle, only where values become JSON

        if is_json(value):
            return value
        raise Mismatch("a value with a JSON form", value, hint="declare a narrower type than Any")

    def from_json(self, data: object) -> object:
        """The data."""
        return data

    def parse(self, text: str) -> object:
        """JSON if it is that, else the text."""
        import json  # noqa: PLC0415 - only the command line needs it

        try:
            return json.loads(text)
        except ValueError:
            return text

    def describe(self) -> dict[str, object]:
        """JSON Schema: anything."""
        return {}


_HANDLERS: dict[str, type[ScalarHandler]] = {
    "int": IntHandler,
    "float": FloatHandler,
    "bool": BoolHandler,
    "str": StrHandler,
    "bytes": BytesHandler,
    "NoneType": NoneHandler,
    "complex": TextualHandler,
    "Decimal": TextualHandler,
    "Fraction": TextualHandler,
    "UUID": TextualHandler,
}
