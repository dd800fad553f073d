"""Dicts and their kin, with every key and value checked."""

from __future__ import annotations

import collections
import collections.abc
import typing

from celltask.core.types.base import Mismatch, TypeHandler, Valid
from celltask.core.types.containers import ContainerHandler, checked, told

if typing.TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DictHandler"]

_MAPPINGS = (
    *(dict, collections.OrderedDict, collections.defaultdict, collections.Counter, collections.ChainMap),
    *(collections.abc.Mapping, collections.abc.MutableMapping),
)


class DictHandler(ContainerHandler):
    """`dict[K, V]`, its subclasses in `collections`, and the abstract mappings."""

    def __init__(self, annotation: object, origin: type) -> None:
        super().__init__(annotation, origin)
        self.built = dict if origin in (collections.abc.Mapping, collections.abc.MutableMapping) else origin
        self._takes_dicts = issubclass(dict, origin)

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a mapping class, bare or with the types of keys and values."""
        origin = typing.get_origin(annotation) or annotation
        return cls(annotation, origin) if isinstance(origin, type) and origin in _MAPPINGS else None

    def _element_types(self) -> tuple[object, ...]:
        arguments = typing.get_args(self.annotation)
        if self.origin is collections.Counter:
            return (*(arguments or (typing.Any,)), int)
        return arguments or (typing.Any, typing.Any)

    def within(self) -> dict[str, TypeHandler]:
        """The handlers of keys and values."""
        keys, items = self.parts
        return {"*": items, "key": keys}

    def validate(self, value: object) -> object:
        """`value`, or a new dict if a key or a value had to be converted."""
        self._check_class(value)
        pairs = typing.cast("collections.abc.Mapping[object, object]", value)
        keys, items = self.parts
        if keys.accepts.issuperset(map(type, pairs)) and items.accepts.issuperset(map(type, pairs.values())):
            return value
        names = list(pairs)
        new_keys = _checked_keys(names, keys)
        new_items = checked(pairs.values(), items, lambda at: f"[{names[at]!r}]")
        if new_keys is None and new_items is None:
            return value
        made = list(zip(new_keys or names, new_items or pairs.values(), strict=True))
        if len(dict(made)) < len(made):
            raise Mismatch(f"{self.name} with each key once", value)
        return _rebuilt(value, made, self.built)

    def receive(self, value: object) -> object:
        """Checked and copied, in one pass in C where the elements allow it."""
        if type(value) is dict and self._takes_dicts:
            keys, items = self.parts
            if keys.accepts.issuperset(map(type, value)) and items.accepts.issuperset(map(type, value.values())):
                return value.copy()
        return self.isolate(self.validate(value))

    def _each(self, value: Valid, method: str) -> object:
        on_key, on_item = (getattr(part, method) for part in self.parts)
        pairs = [(on_key(key), on_item(item)) for key, item in value.items()]
        return _rebuilt(value, pairs, self.built)

    def to_json(self, value: Valid) -> object:
        """A JSON object if the keys are strings, else an array of pairs."""
        keys, items = self.parts
        pairs: list[tuple[object, object]] = []
        for key, item in value.items():
            step = f"[{key!r}]"
            pairs.append((told(keys.to_json, key, step), told(items.to_json, item, step)))
        return dict(pairs) if all(isinstance(key, str) for key, _ in pairs) else [list(pair) for pair in pairs]

    def from_json(self, data: object) -> object:
        """From a JSON object, or from an array of pairs."""
        keys, items = self.parts
        if isinstance(data, dict):
            # JSON has no keys but strings, so `{"1": …}` stands for the integer key 1, and `{"": …}` for no key 0.
            read = keys.from_json if keys.accepts.intersection({str}) else _text_key(keys)
            listed = [
                (read(key) if isinstance(key, str) else keys.from_json(key), key, item) for key, item in data.items()
            ]
        elif isinstance(data, list) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in data):  # noqa: PLR2004 - a pair
            listed = [(keys.from_json(pair[0]), pair[0], pair[1]) for pair in data]
        else:
            raise Mismatch(self.name, data)
        made = {key: told(items.from_json, item, f"[{name!r}]") for key, name, item in listed}
        if len(made) < len(listed):
            raise Mismatch(f"{self.name} with each key once", data)
        return _built(self.built, made)

    def describe(self) -> dict[str, object]:
        """JSON Schema; ``x-pairs`` says that keys are no strings, and that JSON has an array of pairs."""
        keys, items = self.parts
        told: dict[str, object] = {"type": "object", "additionalProperties": items.describe()}
        return told if keys.exact is str else told | {"propertyNames": keys.describe(), "x-pairs": True}


def _checked_keys(keys: list[object], handler: TypeHandler) -> list[object] | None:
    try:
        return checked(keys, handler, lambda at: f"[{keys[at]!r}]")
    except Mismatch as mismatch:
        hint = f"this is a key{'; ' if mismatch.hint else ''}{mismatch.hint}"
        raise Mismatch(mismatch.expected, mismatch.value, mismatch.path, hint) from None


def _text_key(handler: TypeHandler) -> Callable[[object], object]:
    return lambda key: handler.parse(typing.cast("str", key))


def _rebuilt(value: Valid, pairs: list[tuple[object, object]], built: Valid) -> object:
    """A mapping of the class of `value` with other `pairs` in it; of class `built` where that cannot be made."""
    if isinstance(value, collections.defaultdict):
        return collections.defaultdict(value.default_factory, pairs)
    cls = type(value)
    own = cls in (dict, collections.OrderedDict, collections.Counter, collections.ChainMap)
    return _built(cls if own else built, dict(pairs))


def _built(built: Valid, made: dict[object, object]) -> object:
    if built is dict:
        return made
    return collections.defaultdict(None, made) if built is collections.defaultdict else built(made)
