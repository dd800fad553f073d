"""From a value to the data that its place in a form is filled with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from celltask.core.types.alike import is_alike
from celltask.core.types.masking import holds_secrets, is_secret
from celltask.notebook.controls import Held, control_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.core.types.base import TypeHandler
    from celltask.core.types.unions import UnionHandler

__all__ = ["data_of"]


def data_of(handler: TypeHandler, value: object) -> object:
    """JSON data as `from_json` takes it; what has no JSON form, or is told by an expression, is held as it is.

    >>> from celltask.core.types.lookup import handler_for
    >>> data_of(handler_for(dict[str, int | None]), {"a": 1})
    {'a': {'type': 'int', 'value': 1}}
    """
    if is_secret(handler) or control_for(handler.describe()).name in ("open", "expression"):
        return Held(value)
    from celltask.core.types.constrained import ConstrainedHandler  # noqa: PLC0415 - families load when they are used

    while isinstance(handler, ConstrainedHandler):
        handler = handler.inner
    try:
        parts = _parts(handler, value)
        if parts is None:
            parts = str(value) if isinstance(value, timedelta) else handler.to_json(value)  # 1:30:00 reads better
            return parts if is_alike(handler.from_json(parts), value) else Held(value)
    except Exception:  # noqa: BLE001 - border: serialisers and validators are code of users; data is not all there is
        return Held(value)
    return parts


def _parts(handler: TypeHandler, value: object) -> object:  # noqa: PLR0911 - one return for each family
    """The data of what `value` is made of, part by part; None if it is told as a whole."""
    from celltask.core.types.containers import ContainerHandler, TupleHandler  # noqa: PLC0415 - as above
    from celltask.core.types.mappings import DictHandler  # noqa: PLC0415 - as above
    from celltask.core.types.structured import StructuredHandler  # noqa: PLC0415 - as above
    from celltask.core.types.unions import UnionHandler  # noqa: PLC0415 - as above

    if isinstance(handler, UnionHandler):
        member, made = handler.member_of(value)
        if handler.shown_as(value) is not member:
            return Held(value)
        return {"type": member.name, "value": data_of(member, made)}
    if isinstance(handler, DictHandler):
        keys, items = handler.parts
        listed = cast("Mapping[object, object]", value).items()
        pairs = [(data_of(keys, key), data_of(items, item)) for key, item in listed]
        return dict(pairs) if keys.exact is str else [list(pair) for pair in pairs]
    if isinstance(handler, TupleHandler) and not (handler.many or handler.bare):
        return [data_of(part, one) for part, one in zip(handler.parts, cast("Sequence[object]", value), strict=True)]
    if isinstance(handler, ContainerHandler):
        return [data_of(handler.parts[0], one) for one in cast("Sequence[object]", value)]
    if isinstance(handler, StructuredHandler):
        if type(value) is not handler.cls and not isinstance(value, dict):
            return Held(value)  # of a subclass, which has more to it
        parts = value if isinstance(value, dict) else {name: getattr(value, name) for name in handler.fields}
        return {name: data_of(part, parts[name]) for name, part in handler.fields.items() if name in parts}
    return _of_model(handler, value) if holds_secrets(handler) and hasattr(value, "model_fields_set") else None


def _of_model(handler: TypeHandler, value: Any) -> object:  # noqa: ANN401 - a pydantic model, which is not imported here
    """What a model says of itself as JSON, with its secrets held: of those, JSON has only dots."""
    if type(value) is not getattr(handler, "cls", None):
        return Held(value)  # as above
    within = handler.within()
    if "root" in type(value).model_fields:
        return data_of(within[".root"], value.root)
    told: dict[str, object] = value.model_dump(mode="json", round_trip=True, by_alias=True)
    data = {}
    for name, info in type(value).model_fields.items():
        read, written = _read_as(name, info), info.serialization_alias or info.alias or name
        part = within.get(f".{name}")
        if read is None:
            return Held(value)
        if part is None or not holds_secrets(part):
            data[read] = told.pop(written)
            continue
        told.pop(written, None)
        held = getattr(value, name)
        while isinstance(part, _union()):  # pydantic names no members
            part = part.member_of(held)[0]
        data[read] = data_of(part, held)
    return told | data


def _read_as(name: str, info: Any) -> str | None:  # noqa: ANN401 - of pydantic, as above
    """The key of a field in what its model reads, as the model's JSON Schema has it; None if it lies deeper."""
    wanted = info.validation_alias or info.alias or name
    ways = getattr(wanted, "choices", [wanted])
    texts = [one.path[0] if len(getattr(one, "path", ())) == 1 else one for one in ways]
    return next((one for one in texts if isinstance(one, str)), None)


def _union() -> type[UnionHandler]:
    from celltask.core.types.unions import UnionHandler  # noqa: PLC0415 - families load when they are used

    return UnionHandler
