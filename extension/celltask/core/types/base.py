"""The contract of a type handler: what celltask must be able to do with the values of one declared type.

To add one:

1. Write a subclass of `TypeHandler` in a module of its own, with a `for_annotation` class method that returns a
   handler for the annotations it knows and ``None`` for all others.
2. Give it at least `validate`; override `isolate` unless copying at every level is right.
3. Register it: `celltask.register_type(YourHandler)`, or an entry point in the group ``celltask.types``.
4. Prove it: `celltask.testing.check_type_handler(annotation, values=[…], wrong=[…])`.
"""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from itertools import islice

if typing.TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BuiltInHandler", "Mismatch", "TypeHandler", "Valid", "beginning"]

Valid = typing.Any
"""A value that `validate` has let through: of the declared type, which no checker of this code can know."""


class Mismatch(Exception):  # noqa: N818 - a signal between handlers; users meet ValueMismatchError
    """A value does not fit: raised by handlers, told to users as `ValueMismatchError` with the task's name.

    Args:
        expected: What would have fitted, in the words of the annotation: ``"int"``, ``"one of 'a', 'b'"``.
        value: The value received.
        path: Way from the argument to the value: ``("[3]", ".name")``; outermost first.
        hint: What to change, if there is more to say than the expected type.
    """

    def __init__(self, expected: str, value: object, path: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(expected, value, path, hint)
        self.expected, self.value, self.path, self.hint = expected, value, path, hint

    def __str__(self) -> str:
        where = f" at {''.join(self.path)}" if self.path else ""
        return f"expected {self.expected}{where}" + (f" ({self.hint})" if self.hint else "")

    def inside(self, step: str) -> Mismatch:
        """The same mismatch seen from one container further out."""
        return Mismatch(self.expected, self.value, (step, *self.path), self.hint)


class TypeHandler(ABC):
    """One declared type, ready for use; instances hold no values and are shared between threads."""

    annotation: object
    """The annotation as declared, e.g. ``list[int]``."""

    name: str
    """The annotation as users read it, e.g. ``"list[int]"``."""

    exact: type | None = None
    """A class whose own instances (not those of subclasses) are valid and immutable as they are, or ``None``.
    The generated call path skips every method of the handler for them."""

    accepts: frozenset[type] = frozenset()
    """Every class like `exact`; a container that holds nothing else is checked and copied without a look at each
    item."""

    copied_by_value: bool = False
    """Whether `isolate` and `release` do what `celltask.core.types.copying` does by looking at the value alone, so
    that a container may copy all its items in one go."""

    is_secret: bool = False
    """Whether nobody should read the values over a shoulder: whatever shows one shows dots."""

    @classmethod
    @abstractmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """A handler for `annotation`, or ``None`` if it belongs to another family."""

    def settle(self) -> None:  # noqa: B027 - most types contain no others
        """Look up the handlers of inner types: called once, after the handler is known by its annotation.

        A type that contains itself finds its own handler then.

        Raises:
            InterfaceError: If an inner type cannot be used.
        """

    @abstractmethod
    def validate(self, value: object) -> object:
        """`value`, exactly converted where the type allows it (``1`` for ``float``); may be the same object.

        Raises:
            Mismatch: If it does not fit.
        """

    def isolate(self, value: object) -> object:
        """A valid `value` that the receiver may change without the giver seeing it, copied as little as possible."""
        from celltask.core.types.copying import isolated  # noqa: PLC0415 - the copier's tables, only when something is copied

        return isolated(value)

    def receive(self, value: object) -> object:
        """`value` validated and isolated, as a task's body receives it. Override to do both in one pass."""
        return self.isolate(self.validate(value))

    def release(self, value: object) -> object:
        """`value` validated and detached from everything the task may keep, as the caller receives it."""
        return self.receive(value)

    def to_json(self, value: object) -> object:
        """Plain JSON data from which `from_json` makes an equal value.

        Raises:
            Mismatch: If the value has no JSON form.
        """
        raise Mismatch("a value with a JSON form", value, hint=f"{self.name} has none")

    def from_json(self, data: object) -> object:
        """The value that plain JSON `data` stands for; more fits here than in `validate` (an Enum's name).

        Raises:
            Mismatch: If the data does not fit.
        """
        return self.validate(data)

    def parse(self, text: str) -> object:
        """The value that `text` on a command line stands for: JSON unless the type has a plainer form.

        Raises:
            Mismatch: If the text does not fit.
        """
        import json  # noqa: PLC0415 - 3 ms at start-up, and only the command line needs it

        try:
            data = json.loads(text)
        except ValueError:
            raise Mismatch(f"{self.name} as JSON", text) from None
        return self.from_json(data)

    def encode(self, value: object) -> bytes:
        """The value as bytes, for a store: JSON if that is exact, else the family's own format, else a pickle.

        Raises:
            Mismatch: If the value cannot leave the process (a lock, a generator, an open file).
        """
        from celltask.core.types.encoding import encode_value  # noqa: PLC0415 - pickle, only when something is stored

        return encode_value(value, self.annotation)

    def decode(self, data: bytes) -> object:
        """The value that `encode` made `data` of."""
        from celltask.core.types.encoding import decode_value  # noqa: PLC0415 - pickle, only when something is stored

        return decode_value(data, self.annotation)

    def digest(self, value: object) -> str:
        """Hex digest of the content: equal values, in whatever process, have equal digests.

        Raises:
            Mismatch: If the content cannot be told (a lock, a generator, an open file).
        """
        from celltask.core.types.digest import digest_value  # noqa: PLC0415 - hashlib only when something is hashed

        return digest_value(value)

    def describe(self) -> dict[str, object]:
        """JSON Schema of the values, for forms and help; ``{"x-python": name}`` where JSON has no word for them."""
        return {"x-python": self.name}

    def within(self) -> Mapping[str, TypeHandler]:
        """The handlers of what values are made of, by the step that the path of a `Mismatch` has for them.

        ``"*"`` is any step, ``"key"`` what the steps themselves are of; no step leads to what ``""`` and ``"|0"``,
        ``"|1"``, … name: the type without its constraints, and the members of a union.
        """
        return {}

    def masked(self, value: object) -> object:
        """`value` as it may be shown: with dots in the place of each secret in it, and itself where there is none."""
        from celltask.core.types.masking import Hidden, holds_secrets, is_secret  # noqa: PLC0415 - only what is shown

        if not holds_secrets(self):
            return value
        if is_secret(self):
            return Hidden(type(value))
        try:
            return self.masked_within(value)
        except Exception:  # noqa: BLE001 - border: a value that does not fit, or its own code; better hidden than told
            return Hidden(type(value))

    def masked_within(self, value: object) -> object:
        """`value` rebuilt with each part as that part's handler masks it; asked only where parts can be secret."""
        from celltask.core.types.masking import Hidden  # noqa: PLC0415 - as above

        return Hidden(type(value))

    def preview(self, value: object) -> str:
        """One line of at most 80 characters that tells a person what the value is."""
        try:
            text = " ".join(repr(self.masked(beginning(value, 80, cut=(list,)))).split())
        except Exception:  # noqa: BLE001 - border: a value's own code; what it is must still be told
            text = f"a {type(value).__name__} without a repr"
        return text if len(text) <= 80 else text[:79] + "…"  # noqa: PLR2004 - as promised above

    def __repr__(self) -> str:
        return f"<handler of {self.name}>"


def beginning(value: object, most: int, *, cut: tuple[type, ...] = (list, tuple, str, bytes)) -> object:
    """As much of a long value as so many characters can show: each item takes one at least.

    Args:
        value: Anything; a dict is always cut, and no subclass ever.
        most: Items that are kept.
        cut: The sequences that are cut.

    >>> beginning([1, 2, 3], 2), beginning({"a": 1, "b": 2}, 1), beginning((1, 2), 1, cut=(list,))
    ([1, 2], {'a': 1}, (1, 2))
    """
    if type(value) in cut:
        return value[:most]  # type: ignore[index]  # one of the sequences
    return dict(islice(value.items(), most)) if isinstance(value, dict) and type(value) is dict else value


class BuiltInHandler(TypeHandler):
    """What the families that come with celltask share: how a value is copied is read off the value itself."""

    copied_by_value = True

    def __init__(self, annotation: object, name: str = "") -> None:
        from celltask.core.types.naming import type_name  # noqa: PLC0415 - naming stands above this module

        self.annotation = annotation
        self.name = name or type_name(annotation)

    def release(self, value: object) -> object:
        """`value` validated and detached: containers rebuilt, and every array that is a view of an input copied."""
        from celltask.core.types.copying import released  # noqa: PLC0415 - the copier's tables, only when something is copied

        return released(self.validate(value))
