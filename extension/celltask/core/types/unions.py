"""`Union`, `Optional` and `A | B`: the member that fits exactly wins.

Where two members would change the value differently, both are told and neither is taken.
"""

from __future__ import annotations

import typing

from celltask.core.types.alike import is_alike
from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler
from celltask.core.types.copying import isolated
from celltask.core.types.lookup import handler_for
from celltask.core.types.masking import holds_secrets
from celltask.core.types.scalars import plain_scalar

if typing.TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["UnionHandler"]


class UnionHandler(BuiltInHandler):
    """One of several types."""

    members: tuple[TypeHandler, ...] = ()

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a union."""
        return cls(annotation)

    def settle(self) -> None:
        """Look up the handlers of the members."""
        self.members = tuple(handler_for(one) for one in typing.get_args(self.annotation))
        self.accepts = frozenset().union(*(member.accepts for member in self.members))
        self.copied_by_value = all(member.copied_by_value for member in self.members)

    def validate(self, value: object) -> object:
        """`value` as the member has it that it fits.

        Raises:
            Mismatch: If it fits none, or could become two different values.
        """
        if type(value) in self.accepts:
            return value
        return self.member_of(value)[1]

    def member_of(self, value: object) -> tuple[TypeHandler, object]:
        """The member that `value` belongs to, and what it makes of it."""
        plain = plain_scalar(value)
        for member in self.members:
            if type(plain) in member.accepts:
                return member, plain
        fitting, refusals = self._tried(lambda member: member.validate(value))
        for member, made in fitting:
            if made is value:
                return member, value
        return self._only(fitting, refusals, value)

    def _tried(self, act: Callable[[TypeHandler], object]) -> tuple[list[tuple[TypeHandler, object]], list[Mismatch]]:
        fitting, refusals = [], []
        for member in self.members:
            try:
                fitting.append((member, act(member)))
            except Mismatch as mismatch:
                refusals.append(mismatch)
        return fitting, refusals

    def _only(
        self, fitting: list[tuple[TypeHandler, object]], refusals: list[Mismatch], value: object
    ) -> tuple[TypeHandler, object]:
        """The one reading of `value` that is left."""
        if not fitting:
            raise self._refusal(refusals, value)
        first, made = fitting[0]
        for rival, other in fitting[1:]:
            if not is_alike(made, other):
                hint = f"it could be {first.name} or {rival.name}; pass a value that is one of them exactly"
                raise Mismatch(self.name, value, hint=hint)
        return first, made

    def _refusal(self, refusals: list[Mismatch], value: object) -> Mismatch:
        """The refusal of the only member that `value` resembles, else one for the whole union."""
        deep = [one for one in refusals if one.path]
        if len(deep) == 1:
            return deep[0]
        told = [one for one in refusals if one.hint]
        return Mismatch(self.name, value, hint=told[0].hint if len(told) == 1 else "")

    def isolate(self, value: object) -> object:
        """`value` isolated as its member would."""
        if type(value) in self.accepts:
            return value
        return isolated(value) if self.copied_by_value else self.member_of(value)[0].isolate(value)

    def receive(self, value: object) -> object:
        """`value` validated and isolated."""
        if type(value) in self.accepts:
            return value
        member, made = self.member_of(value)
        return member.isolate(made)

    def release(self, value: object) -> object:
        """`value` validated and detached."""
        if type(value) in self.accepts:
            return value
        member, made = self.member_of(value)
        return member.release(made)

    def to_json(self, value: object) -> object:
        """The JSON of its member; with the member's name beside it where another member would read it otherwise."""
        member = self.member_of(value)[0]
        data = member.to_json(value)
        try:
            if is_alike(self.from_json(data), value):
                return data
        except Mismatch:
            pass
        return {"type": member.name, "value": data}

    def from_json(self, data: object) -> object:
        """The value of the only member that can read `data`; a member that has it exactly wins."""
        if isinstance(data, dict) and set(data) == {"type", "value"}:
            for member in self.members:
                if member.name == data["type"]:
                    return member.from_json(data["value"])
        for member in self.members:
            if type(data) in member.accepts:
                return data
        fitting, refusals = self._tried(lambda member: member.from_json(data))
        return self._only(fitting, refusals, data)[1]

    def parse(self, text: str) -> object:
        """The value that `text` says: a string only where no other member can read it."""
        import json  # noqa: PLC0415 - only the command line needs it

        strings = [member for member in self.members if member.exact is str]
        fitting, refusals = self._tried(lambda member: _parsed(member, text, skip=member in strings))
        if not fitting and strings:
            return text
        exact = []
        for member, made in fitting:
            data = member.to_json(made)
            if text.strip() in (data, json.dumps(data), str(made)):
                exact.append((member, made))
        return self._only(exact or fitting, refusals, text)[1]

    def describe(self) -> dict[str, object]:
        """JSON Schema; ``x-members`` are the names by which `from_json` tells the members apart."""
        members = self.members
        return {"anyOf": [member.describe() for member in members], "x-members": [member.name for member in members]}

    def within(self) -> dict[str, TypeHandler]:
        """The members."""
        return {f"|{at}": member for at, member in enumerate(self.members)}

    def shown_as(self, value: object) -> TypeHandler:
        """The member by which `value` is shown: of those that it fits as it is, the one that has secrets.

        Raises:
            Mismatch: If it fits none, or several that have secrets in different places.
        """
        first = self.member_of(value)[0]
        if not holds_secrets(self):
            return first
        fitting, _ = self._tried(lambda member: member.validate(value))
        wary = [member for member, made in fitting if made is value and holds_secrets(member)]
        if len(wary) > 1:
            raise Mismatch(self.name, value)
        return wary[0] if wary else first

    def masked_within(self, value: object) -> object:
        """As the member has it that shows least."""
        return self.shown_as(value).masked(value)

    def preview(self, value: object) -> str:
        """As the member has it that shows least."""
        try:
            return self.shown_as(value).preview(value)
        except Mismatch:
            return super().preview(value)


def _parsed(member: TypeHandler, text: str, *, skip: bool) -> object:
    if skip or (member.exact is type(None) and not text.strip()):
        raise Mismatch(member.name, text)
    return member.parse(text)
