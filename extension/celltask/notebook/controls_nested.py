"""Places of a form that hold others: lists, tuples, mappings, groups of fields, and one of several types."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from celltask.core.types.base import Mismatch
from celltask.notebook.controls import Entry, Held, Unfillable, make_entry

if TYPE_CHECKING:
    from celltask.notebook.controls import Description, Scope

__all__ = ["ABSENT", "GroupEntry", "ListEntry", "PairsEntry", "PlacesEntry", "UnionEntry"]

ABSENT = object()
"""Read where a field is left out."""


def _described(description: Description, word: str) -> Description:
    return cast("Description", description.get(word) or {})


class ListEntry(Entry):
    """As many places as one likes, all alike."""

    noun = "item"

    def __init__(self, description: Description, scope: Scope, label: str) -> None:
        super().__init__(description, scope, label)
        self.items: list[Entry] = []

    def _new(self) -> Entry:
        made = make_entry(_described(self.description, "items"), self.scope, f"{self.label} {self.noun}".strip())
        made.is_labelled = False
        return made

    def add(self) -> None:
        """One more place, empty."""
        self.items.append(self._new())
        self.shown()
        self.scope.changed()

    def remove(self, item: Entry) -> None:
        """One place less."""
        self.items = [one for one in self.items if one is not item]
        self.shown()
        self.scope.changed()

    def fill(self, data: object) -> None:
        """One place for each item."""
        if not isinstance(data, list | tuple):
            raise Unfillable
        items = []
        for part in data:
            items.append(self._new())
            items[-1].fill(part)
        self.items = items
        self.shown()

    def read(self) -> object:
        """The list."""
        return [_read(item, f"[{at}]") for at, item in enumerate(self.items)]

    def children(self) -> dict[str, Entry]:
        """By place, counted from 0."""
        return {str(at): item for at, item in enumerate(self.items)}


class PairEntry(Entry):
    """A key and what belongs to it."""

    def __init__(self, description: Description, scope: Scope, label: str) -> None:
        super().__init__(description, scope, label)
        self.key = make_entry(_described(description, "propertyNames") or {"type": "string"}, scope, f"{label} key")
        self.value = make_entry(_described(description, "additionalProperties"), scope, f"{label} value")
        self.key.is_labelled = self.value.is_labelled = False

    def fill(self, data: object) -> None:
        """Both."""
        key, value = cast("tuple[object, object]", data)
        self.key.fill(key)
        self.value.fill(value)

    def read(self) -> object:
        """Both."""
        key = self.key.read()
        return key, _read(self.value, f"[{key!r}]")

    def children(self) -> dict[str, Entry]:
        """Both."""
        return {"key": self.key, "value": self.value}


class PairsEntry(ListEntry):
    """A mapping: rows of key and value."""

    noun = "pair"

    def _new(self) -> Entry:
        return PairEntry(self.description, self.scope, self.label)

    def fill(self, data: object) -> None:
        """One row for each pair, of a dict or of a list of pairs."""
        super().fill(list(data.items()) if isinstance(data, dict) else data)

    def read(self) -> object:
        """A dict, or a list of pairs where keys are no strings."""
        pairs = [cast("tuple[object, object]", item.read()) for item in self.items]
        if self.description.get("x-pairs"):
            return [list(pair) for pair in pairs]
        made = {str(key): value for key, value in pairs}
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise Mismatch("a mapping with each key once", twice)
        return made

    def children(self) -> dict[str, Entry]:
        """Values by their keys, as errors name them."""
        found: dict[str, Entry] = {}
        for at, item in enumerate(self.items):
            pair = cast("PairEntry", item)
            try:
                name = str(pair.key.read())
            except Mismatch:
                name = f"pair {at}"
            found[name if name not in found else f"pair {at}"] = pair.value
            found[f"key {at}"] = pair.key
        return found


class PlacesEntry(Entry):
    """A tuple: a fixed number of places, each of a type of its own."""

    def __init__(self, description: Description, scope: Scope, label: str) -> None:
        super().__init__(description, scope, label)
        parts = cast("list[Description]", description["prefixItems"])
        self.fields = {str(at): make_entry(part, scope, str(at + 1)) for at, part in enumerate(parts)}

    def fill(self, data: object) -> None:
        """Each place."""
        if not isinstance(data, list | tuple) or len(data) != len(self.fields):
            raise Unfillable
        for entry, part in zip(self.fields.values(), data, strict=True):
            entry.fill(part)

    def read(self) -> object:
        """A list."""
        return [_read(entry, f"[{at}]") for at, entry in self.fields.items()]

    def children(self) -> dict[str, Entry]:
        """By place."""
        return self.fields


class GroupEntry(Entry):
    """Named fields; one that may be left out says so."""

    def __init__(self, description: Description, scope: Scope, label: str) -> None:
        super().__init__(description, scope, label)
        required = cast("list[str]", description.get("required", []))
        self.fields: dict[str, Entry] = {}
        for name, part in cast("dict[str, Description]", description["properties"]).items():
            known = "default" in part and part.get("format") != "password"
            told = part if name in required or known else _or_absent(part)
            self.fields[name] = make_entry(told, scope, name)

    def fill(self, data: object) -> None:
        """Each field; those that `data` has not are left out."""
        if not isinstance(data, dict) or data.keys() - self.fields.keys():
            raise Unfillable
        for name, entry in self.fields.items():
            if name in data:
                entry.fill(data[name])
            elif isinstance(entry, UnionEntry):
                entry.fill(ABSENT)

    def read(self) -> object:
        """A dict of the fields that are not left out."""
        read = {name: _read(entry, f".{name}") for name, entry in self.fields.items()}
        return {name: data for name, data in read.items() if data is not ABSENT}

    def children(self) -> dict[str, Entry]:
        """By name."""
        return self.fields


def _or_absent(part: Description) -> Description:
    return {"anyOf": [{"x-absent": True, "type": "null"}, part], "description": part.get("description", "")}


class UnionEntry(Entry):
    """One of several types, chosen by its name; places for the others are made when they are chosen."""

    def __init__(self, description: Description, scope: Scope, label: str) -> None:
        super().__init__(description, scope, label)
        self.kinds = cast("list[Description]", description.get("anyOf") or description["oneOf"])
        self.members = cast("list[str]", description.get("x-members", []))
        self.names = _names(self.kinds, self.members)
        self.made: dict[int, Entry] = {}
        self.at = 0
        self._go(0)

    def _go(self, at: int) -> Entry:
        self.at = at
        self.entered = self.names[at]
        if at not in self.made:
            self.made[at] = make_entry(self.kinds[at], self.scope, self.label)
            self.made[at].is_labelled = False
        return self.made[at]

    def enter(self, entered: object) -> None:
        """Choose the type of that name."""
        self._go(self.names.index(cast("str", entered)))
        self.shown()
        self.scope.changed()

    def fill(self, data: object) -> None:
        """Choose the type that `data` is of, and fill its place."""
        if self.members and isinstance(data, dict) and set(data) == {"type", "value"} and data["type"] in self.members:
            self._go(self.members.index(data["type"])).fill(data["value"])
        elif data is ABSENT:
            self._go(0)
        else:
            self._fill_first(data)
        self.shown()

    def _fill_first(self, data: object) -> None:
        for at, kind in enumerate(self.kinds):
            if fits(kind, data, self.scope):
                try:
                    self._go(at).fill(data)
                except Unfillable:
                    continue
                return
        raise Unfillable

    @property
    def chosen(self) -> Entry:
        """The place of the type that is chosen."""
        return self.made[self.at]

    def read(self) -> object:
        """The data, with the name of its type where that is needed to tell."""
        if self.kinds[self.at].get("x-absent"):
            return ABSENT
        data = self.chosen.read()
        return {"type": self.members[self.at], "value": data} if self.members else data

    def children(self) -> dict[str, Entry]:
        """What is within the chosen place; errors do not name the choice itself."""
        return {"": self.chosen}


def _names(kinds: list[Description], members: list[str]) -> list[str]:
    """What people choose from, each once."""
    names: list[str] = []
    for at, kind in enumerate(kinds):
        name = "left out" if kind.get("x-absent") else members[at] if members else _name(kind)
        name = "none" if name == "None" else name
        names.append(name if name not in names else f"{name} ({at + 1})")
    return names


def _name(kind: Description) -> str:
    if kind.get("type") == "null":
        return "none"
    told = kind.get("title") or kind.get("format") or kind.get("type") or kind.get("x-python")
    name = str(told or str(kind.get("$ref", "value")).rpartition("/")[2])
    return _PYTHON.get(name, name)


_PYTHON = {
    "integer": "int", "number": "float", "string": "str", "boolean": "bool", "array": "list", "object": "dict",
}  # fmt: skip


_CLASSES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list, tuple),
    "object": (dict,),
}


def fits(kind: Description, data: object, scope: Scope) -> bool:
    """Whether `data` looks like what `kind` describes, as far as its outermost level tells."""
    while "$ref" in kind:
        kind = scope.defs.get(str(kind["$ref"]).rpartition("/")[2], {})
    if isinstance(data, Held) and kind.get("format") == "password":
        return True
    if "enum" in kind or "const" in kind:
        listed = cast("list[object]", kind.get("enum") or [kind.get("const")])
        return any(type(one) is type(data) and one == data for one in listed)
    classes = _CLASSES.get(str(kind.get("type", "")))
    if classes is None or kind.get("x-absent"):
        return not kind.get("x-absent") and (isinstance(data, Held) or kind.get("type") is None)
    if not isinstance(data, classes) or (isinstance(data, bool) and bool not in classes):
        return False
    names = cast("dict[str, object]", kind.get("properties"))
    if isinstance(data, dict) and names is not None:
        return not data.keys() - names.keys() and set(cast("list[str]", kind.get("required", []))) <= data.keys()
    return True


def _read(entry: Entry, step: str) -> object:
    try:
        return entry.read()
    except Mismatch as mismatch:
        inside = type(mismatch)(mismatch.expected, mismatch.value, (step, *mismatch.path), mismatch.hint)
        raise inside from None
