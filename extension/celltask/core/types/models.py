"""pydantic models: pydantic reads and writes their JSON, and what they hold is checked as any other field.

A model is not built again to check it: that would run validators that may not bear a second run.
"""

from __future__ import annotations

import json
import typing
from contextlib import suppress

from pydantic import BaseModel, RootModel, ValidationError

from celltask.core.types.alike import is_alike
from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler, Valid
from celltask.core.types.constrained import sort_metadata
from celltask.core.types.lookup import handler_for
from celltask.core.types.marks import Mark, Secret
from celltask.core.types.masking import Hidden, holds_secrets
from celltask.core.types.naming import MADE_AGAIN, class_name
from celltask.errors import InterfaceError

if typing.TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from celltask.core.types.copying import Copier
    from celltask.core.types.digest import Hasher

__all__ = ["ModelHandler", "copy_model", "digest_model"]


class ModelHandler(BuiltInHandler):
    """Instances of a pydantic model; one of a submodel is kept whole."""

    cls: type[BaseModel]

    def __init__(self, annotation: type[BaseModel]) -> None:
        super().__init__(annotation)
        self.cls = annotation
        self._fields: dict[str, TypeHandler] = {}
        self._shown: dict[str, TypeHandler] | None = None

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a subclass of `pydantic.BaseModel`; other classes of pydantic are objects like any."""
        return cls(annotation) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None

    def settle(self) -> None:
        """Look up the handlers of the fields whose values are what their annotations say."""
        self._fields = _field_handlers(self.cls)

    def validate(self, value: object) -> object:
        """`value`, if every field that was set holds what its annotation says.

        Defaults are believed, as pydantic does, and so are fields with validators of their own.
        """
        if not isinstance(value, self.cls):
            again = type(value).__qualname__ == self.cls.__qualname__
            hint = f"make one with {self.cls.__name__}(**…)" if isinstance(value, dict) else ""
            raise Mismatch(self.name, value, hint=MADE_AGAIN if again else hint)
        own = self._fields if type(value) is self.cls else _field_handlers(type(value))
        held = value.__dict__
        for name in value.model_fields_set:
            if name in own and name in held:
                try:
                    own[name].validate(held[name])
                except Mismatch as mismatch:
                    raise mismatch.inside(f".{name}") from None
        missing = [name for name, info in type(value).model_fields.items() if info.is_required() and name not in held]
        if missing:
            raise Mismatch(f"{self.name} with {', '.join(map(repr, missing))}", value)
        return value

    def to_json(self, value: Valid) -> object:
        """What `model_dump(mode="json")` gives, without computed fields.

        Raises:
            Mismatch: If pydantic cannot write it or would read it otherwise, or it is of a submodel, which JSON
                would cut down.
        """
        if type(value) is not self.cls:
            hint = f"as JSON, this {class_name(type(value))} would be cut down to a {self.name}"
            raise Mismatch(f"a {self.name} itself", value, hint=hint)
        for only_set in (False, True):  # a default that does not fit its own type is better left out
            try:
                data = value.model_dump(mode="json", round_trip=True, by_alias=True, exclude_unset=only_set)
            except Exception as error:
                raise Mismatch("a value with a JSON form", value, hint=str(error).splitlines()[0]) from error
            try:
                if is_alike(self.from_json(data), value):
                    return data
            except Mismatch:
                continue
        raise Mismatch("a value with a JSON form", value, hint="read back from JSON, it would be another value")

    def from_json(self, data: object) -> object:
        """What the model makes of `data`."""
        if isinstance(data, self.cls):
            return self.validate(data)
        try:
            return self.cls.model_validate_json(json.dumps(data, default=_revealed))
        except ValidationError as error:
            raise from_pydantic(error, self.name, data) from None
        except Exception as error:
            raise Mismatch(self.name, data, hint=str(error)) from error

    def describe(self) -> dict[str, object]:
        """JSON Schema, as pydantic writes it."""
        try:
            told = self.cls.model_json_schema()
        except Exception:  # noqa: BLE001 - border: serialisers, validators and schemas are code of users
            return super().describe()
        return _without_secrets(told, told) if holds_secrets(self) else told

    @property
    def shown(self) -> dict[str, TypeHandler]:
        """The handlers that say which fields are secret: of all fields whose annotation is a type that is known here.

        Looked up at the first use, when a model that contains itself is known.
        """
        if self._shown is None or not self.cls.__pydantic_complete__:
            self._shown = _shown_fields(self.cls)
        return self._shown

    def within(self) -> dict[str, TypeHandler]:
        """The handlers of the fields, by name and by alias."""
        aliases = {name: self.cls.model_fields[name].alias or name for name in self.shown}
        return {f".{step}": made for name, made in self.shown.items() for step in (name, aliases[name])}

    def masked_within(self, value: Valid) -> object:
        """A copy with every field masked, made without a look at its validators.

        What no field says the type of (cached properties, extra fields, private attributes) may be made of secrets.
        """
        own = self if type(value) is self.cls else handler_for(type(value))
        held, shown = value.__dict__, own.shown if isinstance(own, ModelHandler) else {}
        masked = {name: shown[name].masked(part) if name in shown else part for name, part in held.items()}
        fields = type(value).model_fields
        copy = value.model_copy(update={name: part for name, part in masked.items() if name in fields})
        copy.__dict__.update({name: Hidden(type(part)) for name, part in held.items() if name not in fields})
        for kept in ("__pydantic_extra__", "__pydantic_private__"):
            if untyped := getattr(copy, kept):
                object.__setattr__(copy, kept, {name: Hidden(type(part)) for name, part in untyped.items()})
        return copy


def _revealed(part: object) -> object:
    """The text of a secret, which stands in what a form gives as it is."""
    if type(part).__name__ not in ("SecretStr", "SecretBytes"):
        raise TypeError(f"a {type(part).__name__} has no JSON form")
    text = part.get_secret_value()  # type: ignore[attr-defined]  # one of the two
    return text.decode() if isinstance(text, bytes) else text


def _shown_fields(cls: type[BaseModel]) -> dict[str, TypeHandler]:
    found = {}
    for name, info in cls.model_fields.items():
        marks = [one for one in info.metadata if isinstance(one, type) and issubclass(one, Mark)]
        if _extra_schema(info).get("format") == "password":
            marks.append(Secret)
        base = typing.cast("object", info.annotation)
        with suppress(InterfaceError):
            found[name] = handler_for(typing.Annotated[(base, *marks)] if marks else base)
    return found


def _extra_schema(info: FieldInfo) -> dict[str, typing.Any]:
    """What a field adds to its JSON Schema."""
    if not callable(info.json_schema_extra):
        return info.json_schema_extra or {}
    told: dict[str, typing.Any] = {}
    with suppress(Exception):  # border: a function of users, which may want more than there is
        info.json_schema_extra(told)
    return told


def _without_secrets(told: typing.Any, whole: typing.Any) -> typing.Any:  # noqa: ANN401 - JSON
    """A schema without the defaults of what is, or holds, a secret."""
    if isinstance(told, list):
        return [_without_secrets(one, whole) for one in told]
    if not isinstance(told, dict):
        return told
    kept = {key: _without_secrets(one, whole) for key, one in told.items()}
    if "default" in kept and _tells_secret(told, whole, set()):
        del kept["default"]
    return kept


def _tells_secret(told: typing.Any, whole: typing.Any, seen: set[str]) -> bool:  # noqa: ANN401 - as above
    if isinstance(told, list):
        return any(_tells_secret(one, whole, seen) for one in told)
    if not isinstance(told, dict):
        return False
    name = str(told.get("$ref", "")).rpartition("/")[2]
    if name and name not in seen:
        seen.add(name)
        if _tells_secret(whole.get("$defs", {}).get(name), whole, seen):
            return True
    return told.get("format") == "password" or any(_tells_secret(one, whole, seen) for one in told.values())


def _field_handlers(cls: type[BaseModel]) -> dict[str, TypeHandler]:
    validated = {
        name for decorator in cls.__pydantic_decorators__.field_validators.values() for name in decorator.info.fields
    }
    if cls.__pydantic_decorators__.model_validators or "*" in validated:
        return {}
    found = {}
    for name, info in cls.model_fields.items():
        functions = any(hasattr(one, "func") and type(one).__module__.startswith("pydantic") for one in info.metadata)
        if name in validated or functions or info.annotation is None:
            continue
        try:
            found[name] = handler_for(_constrained(info.annotation, info.metadata))
        except InterfaceError:
            continue  # a type that only pydantic knows: it has checked the value
    return found


def _constrained(annotation: object, metadata: list[object]) -> object:
    """`annotation` with the constraints that can be checked without pydantic."""
    known = [one for one in metadata if sort_metadata([one])[0]]
    return typing.Annotated[(annotation, *known)] if known else annotation


def from_pydantic(error: typing.Any, name: str, data: object) -> Mismatch:  # noqa: ANN401 - a class or value of a library that is not imported here
    """The first fault that pydantic found, as ours; within `data` it says what belongs there, not the `name` of all."""
    faults = error.errors(include_url=False)
    first, told, left = faults[0], faults[0]["msg"], len(faults) - 1
    steps = first["loc"]
    if first["type"] == "missing":  # the value is the object that lacks it
        steps = steps[:-1]
        lacking = [one["loc"][-1] for one in faults if one["type"] == "missing" and one["loc"][:-1] == steps]
        name = f"{'an object' if steps else name} with {', '.join(map(repr, lacking))}"
        told, left = "", len(faults) - len(lacking)
    path = tuple(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    if path and told.startswith(_WANTED):
        name, told = told.removeprefix(_WANTED), ""
    more = f"and {left} more" if left else ""
    hint = f"{told} ({more})" if told and more else told or more
    return Mismatch(name, first.get("input", data), path, hint)


_WANTED = "Input should be "


def copy_model(value: BaseModel, copier: Copier) -> object:
    """A copy of a model at every level, without running its validators."""
    cls = type(value)
    if cls.__deepcopy__ not in (BaseModel.__deepcopy__, RootModel.__deepcopy__):
        new: object = cls.__deepcopy__(value, typing.cast("dict[int, typing.Any]", copier.memo))
        copier.remember(value, new)
        return new
    shallow = cls.__copy__(value)
    copier.remember(value, shallow)
    for holder in ("__dict__", "__pydantic_extra__", "__pydantic_private__"):
        parts: dict[str, object] | None = getattr(shallow, holder, None)
        for name, part in list((parts or {}).items()):
            try:
                parts[name] = copier.copy(part)  # type: ignore[index]  # there is a name, so there is a dict
            except Mismatch as mismatch:
                raise mismatch.inside(f".{name}") from None
    return shallow


def digest_model(value: BaseModel, hasher: Hasher) -> bytes:
    """A model by its class and all that it holds; which fields were set by hand does not count, as in ``==``."""
    cls = type(value)
    parts = [hasher.token(f"{cls.__module__}.{cls.__qualname__}")]
    parts.append(hasher.node("fields", hasher.pairs(value.__dict__, attributes=True)))
    parts.append(hasher.token(value.__pydantic_extra__))
    private = value.__pydantic_private__
    parts.append(hasher.node("private", hasher.pairs(private or {}, attributes=True)))
    return hasher.node("model", parts)
