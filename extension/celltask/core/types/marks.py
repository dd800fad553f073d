"""What `Annotated` can say of a text beside its type: that it is a secret, or that it has many lines."""

from __future__ import annotations

import typing

from celltask.core.types.base import Mismatch
from celltask.core.types.objects import ObjectHandler

if typing.TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.types.base import TypeHandler, Valid

__all__ = ["HIDDEN", "Mark", "MultiLine", "Secret", "SecretHandler"]

HIDDEN = "••••••••"
"""What is shown in the place of a secret, whatever its length."""


class Mark:
    """Base of the marks; `schema` is what `describe` says of a value so marked."""

    schema: typing.ClassVar[dict[str, object]] = {}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, made: Callable[[object], dict[str, object]]) -> object:
        """What `describe` says, in the fields of pydantic models as well."""
        return made(schema) | cls.schema


class Secret(Mark):
    """Marks a value that nobody should read over a shoulder: ``token: Annotated[str, Secret]``.

    Forms, previews and errors show dots in its place, also where it is a part of another value; code and command lines
    made by forms ask for it. It is not encrypted.

    >>> from celltask.core.types.lookup import handler_for
    >>> handler_for(typing.Annotated[str, Secret]).preview("abc")
    '••••••••'
    """

    schema: typing.ClassVar[dict[str, object]] = {"format": "password", "writeOnly": True}


class MultiLine(Mark):
    """Marks a text of many lines, for which forms have an area: ``query: Annotated[str, MultiLine]``.

    >>> from celltask.core.types.lookup import handler_for
    >>> handler_for(typing.Annotated[str, MultiLine]).describe()
    {'type': 'string', 'format': 'multi-line'}
    """

    schema: typing.ClassVar[dict[str, object]] = {"format": "multi-line"}


class SecretHandler(ObjectHandler):
    """`pydantic.SecretStr` and `SecretBytes`; at the edges they are made of text, and no text is made of them."""

    is_secret = True

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of one of the two classes."""
        named = getattr(annotation, "__name__", "") in ("SecretStr", "SecretBytes")
        return cls(annotation) if named and isinstance(annotation, type) else None

    def from_json(self, data: object) -> object:
        """The secret that is the text `data`."""
        if not isinstance(data, str):
            return self.validate(data)
        made: typing.Any = self.cls
        return made(data.encode() if self.cls.__name__ == "SecretBytes" else data)

    def parse(self, text: str) -> object:
        """The secret that is `text`."""
        return self.from_json(text)

    def to_json(self, value: Valid) -> object:
        """Nothing.

        Raises:
            Mismatch: Always: a secret is not written down.
        """
        raise Mismatch("a value with a JSON form", value, hint="a secret is not written down")

    def describe(self) -> dict[str, object]:
        """JSON Schema, as pydantic has it."""
        return {"type": "string", **Secret.schema}

    def preview(self, value: object) -> str:
        """Dots, as many for every secret."""
        del value
        return HIDDEN
