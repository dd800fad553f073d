"""What a form stands for, as text: the Python that makes a value, and the word that says it to the shell."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import keyword
import math
import pathlib
from decimal import Decimal
from enum import Enum, Flag
from fractions import Fraction
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from celltask.core.types.masking import Hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from celltask.core.types.base import TypeHandler

__all__ = ["Source", "shell_word_of", "source_of"]

_DEEPEST = 60


class Source(NamedTuple):
    """Python text, and the import lines that it needs beside what the notebook knows."""

    text: str
    imports: tuple[str, ...] = ()


class _Untold(Exception):  # noqa: N818 - a signal within this module
    """No Python text makes this value."""


def source_of(value: object, namespace: Mapping[str, object], name: str = "") -> Source | None:
    """The Python that makes an equal value where `namespace` are the variables; None if no text does.

    A secret that was masked is asked for, by its place in the value, which is called `name`.

    >>> source_of([1, float("inf")], {})
    Source(text='[1, float("inf")]', imports=())
    >>> source_of(pathlib.Path("a.csv"), {})
    Source(text="Path('a.csv')", imports=('from pathlib import Path',))
    """
    writer = _Writer(namespace, name)
    try:
        text = writer.told(value, 0)
    except (_Untold, RecursionError):
        return None
    except Exception:  # noqa: BLE001 - border: attributes of users' values
        return None
    return Source(text, tuple(sorted(writer.imports)))


class _Writer:
    """Writes one value. It holds the imports met on the way, and the way to what is written now."""

    def __init__(self, namespace: Mapping[str, object], name: str) -> None:
        self.namespace = namespace
        self.way = [name]
        self.imports: set[str] = set()

    def told(self, value: object, depth: int) -> str:  # noqa: PLR0911 - one return for each kind of value
        """The text of `value`."""
        if depth > _DEEPEST:
            raise _Untold
        cls = type(value)
        if isinstance(value, Enum):
            return self._member(value)
        if isinstance(value, Hidden):
            return self._asked(value.kind)
        if cls in _AS_IT_IS:
            return repr(value)
        if isinstance(value, float) and cls is float:
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        if cls in _SEQUENCES:
            return self._sequence(value, depth)  # type: ignore[arg-type]  # one of them
        if cls is dict:
            return f"{{{', '.join(self._pair(key, item, depth) for key, item in value.items())}}}"  # type: ignore[attr-defined]  # a dict
        if cls in _CALLED:
            return f"{self._name(cls)}({', '.join(self._argument(*one, depth) for one in _CALLED[cls](value))})"
        if isinstance(value, pathlib.PurePath):
            return self._path(value)
        return self._object(value, depth)

    def _within(self, step: str, value: object, depth: int) -> str:
        self.way.append(step)
        told = self.told(value, depth + 1)
        self.way.pop()
        return told

    def _pair(self, key: object, value: object, depth: int) -> str:
        told = self.told(key, depth + 1)
        return f"{told}: {self._within(f'[{key!r}]', value, depth)}"

    def _argument(self, name: str, value: object, depth: int) -> str:
        told = self._within(f".{name}" if name else "", value, depth)
        return f"{name}={told}" if name else told

    def _asked(self, kind: type) -> str:
        """A question for a secret; its class, if it is made of text."""
        if kind not in _MADE_OF_TEXT and kind.__name__ not in ("SecretStr", "SecretBytes"):
            raise _Untold
        self.imports.add("from getpass import getpass")
        text = f"getpass({_quoted(''.join(self.way) + ': ')})"
        text += ".encode()" if kind is bytes or kind.__name__ == "SecretBytes" else ""
        return text if kind in (str, bytes) else f"{self._name(kind)}({text})"

    def _sequence(self, value: Iterable[object], depth: int) -> str:
        left, right, empty = _SEQUENCES[type(value)]
        parts = [self._within(f"[{at}]", one, depth) for at, one in enumerate(value)]
        if not parts:
            return empty
        return f"{left}{', '.join(parts)}{',' if isinstance(value, tuple) and len(parts) == 1 else ''}{right}"

    def _member(self, value: Enum) -> str:
        cls = self._name(type(value))
        if isinstance(value, Flag):
            return " | ".join(f"{cls}.{one.name}" for one in value) or f"{cls}(0)"
        return f"{cls}.{value.name}" if value.name.isidentifier() else f"{cls}[{value.name!r}]"

    def _path(self, value: pathlib.PurePath) -> str:
        cls = type(value)
        public = pathlib.Path if isinstance(value, pathlib.Path) and isinstance(pathlib.Path(), cls) else cls
        return f"{self._name(public)}({str(value)!r})"

    def _object(self, value: object, depth: int) -> str:
        cls = type(value)
        fields = _fields_of(value)
        if fields is None:
            raise _Untold
        arguments = [self._argument(name, part, depth) for name, part in fields.items()]
        return f"{self._name(cls)}({', '.join(arguments)})"

    def _name(self, cls: type) -> str:
        """How the notebook calls `cls`, or will after an import."""
        module, inner = cls.__module__, cls.__qualname__
        if "<locals>" in inner:
            return self._bound(cls)
        known = self.namespace.get(inner)
        if known is cls or (module == "builtins"):
            return inner
        for alias, held in self.namespace.items():
            if isinstance(held, ModuleType) and held.__name__ == module and getattr(held, inner, None) is cls:
                return f"{alias}.{inner}"
        if module == "__main__" or known is not None:
            return self._bound(cls)
        module = "pathlib" if module.startswith("pathlib") else module
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in module.split(".")):
            raise _Untold
        outer = inner.partition(".")[0]
        place = _PUBLIC.get(module, module)
        self.imports.add(f"from {place} import {outer}")
        return inner

    def _bound(self, cls: type) -> str:
        """The variable that is bound to `cls`, or to the class around it."""
        outer, dot, rest = cls.__qualname__.rpartition("<locals>.")[2].partition(".")
        for name, known in self.namespace.items():
            if known is cls and name.isidentifier():
                return name
            if dot and name == outer and getattr(known, rest, None) is cls:
                return f"{outer}.{rest}"
        raise _Untold


def _quoted(text: str) -> str:
    """`text` in double quotes, as formatters have it."""
    return json.dumps(text, ensure_ascii=False)


def _fields_of(value: object) -> dict[str, object] | None:
    """What the class is to be called with to make an equal instance; None if that is not known."""
    cls = type(value)
    if isinstance(value, tuple) and hasattr(cls, "_fields"):
        return dict(zip(cls._fields, value, strict=True))
    if cls.__module__ == "celltask.core.types.files" and not getattr(value, "format", True):
        return {"path": value.path}  # type: ignore[attr-defined]  # a place
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.init]
        return {name: getattr(value, name) for name in names} if _is_made_of(value, names) else None
    named = getattr(cls, "model_fields", None)
    if isinstance(named, dict) and hasattr(value, "model_fields_set"):
        aliases = {name: getattr(info, "alias", None) or name for name, info in named.items()}
        given = {aliases[name]: getattr(value, name) for name in named if name in value.model_fields_set}
        return given if all(name.isidentifier() for name in given) and not getattr(value, "model_extra", None) else None
    return None


def _is_made_of(value: object, names: list[str]) -> bool:
    """Whether what the fields say is all there is."""
    later = [field for field in dataclasses.fields(value) if not field.init]  # type: ignore[arg-type]  # a dataclass
    return not later and set(getattr(value, "__dict__", {})) <= set(names)


def _parts_of_duration(value: dt.timedelta) -> list[tuple[str, object]]:
    parts = [("days", value.days), ("seconds", value.seconds), ("microseconds", value.microseconds)]
    return [(name, part) for name, part in parts if part]


def _parts_of_moment(value: dt.datetime | dt.time) -> list[tuple[str, object]]:
    if value.tzinfo is not None and type(value.tzinfo) is not dt.timezone:
        raise _Untold
    names = ("hour", "minute", "second", "microsecond")
    first = ("year", "month", "day") if isinstance(value, dt.datetime) else ()
    clock = [getattr(value, name) for name in names]
    while len(clock) > 2 and not clock[-1]:  # noqa: PLR2004 - hours and minutes are always told
        clock.pop()
    parts: list[tuple[str, object]] = [("", getattr(value, name)) for name in first] + [("", part) for part in clock]
    parts += [("tzinfo", value.tzinfo)] if value.tzinfo is not None else []
    return parts + ([("fold", 1)] if value.fold else [])


def _parts_of_zone(value: dt.timezone) -> list[tuple[str, object]]:
    if value.tzname(None) != dt.timezone(value.utcoffset(None)).tzname(None):
        raise _Untold
    return [("", value.utcoffset(None))]


_AS_IT_IS = frozenset({int, str, bool, bytes, complex, type(None), type(...)})
_SEQUENCES: dict[type, tuple[str, str, str]] = {
    list: ("[", "]", "[]"),
    tuple: ("(", ")", "()"),
    set: ("{", "}", "set()"),
    frozenset: ("frozenset({", "})", "frozenset()"),
}
_CALLED: dict[type, Callable[..., list[tuple[str, object]]]] = {
    dt.date: lambda value: [("", value.year), ("", value.month), ("", value.day)],
    dt.datetime: _parts_of_moment,
    dt.time: _parts_of_moment,
    dt.timedelta: _parts_of_duration,
    dt.timezone: _parts_of_zone,
    Decimal: lambda value: [("", str(value))],
    Fraction: lambda value: [("", str(value))],
    UUID: lambda value: [("", str(value))],
}
_PUBLIC = {"celltask.core.types.files": "celltask", "pydantic.types": "pydantic"}
_MADE_OF_TEXT = frozenset({str, bytes, int, float, Decimal, Fraction, UUID})


def shell_word_of(handler: TypeHandler, value: object) -> str | None:
    """The word of a command line that the handler reads `value` from; None if there is none.

    >>> from celltask.core.types.lookup import handler_for
    >>> shell_word_of(handler_for(list[int]), [1, 2]), shell_word_of(handler_for(str), "@home")
    ('[1, 2]', '@@home')
    """
    from celltask.core.types.alike import is_alike  # noqa: PLC0415 - as above

    try:
        data = handler.to_json(value)
        words = ([data] if isinstance(data, str) else []) + [json.dumps(data, ensure_ascii=False)]
    except Exception:  # noqa: BLE001 - border: types of users
        return None
    for word in words:
        try:
            if "\0" not in word and is_alike(handler.parse(word), value):
                names_a_file = "path" in str(handler.describe().get("format", ""))
                return f"@{word}" if word.startswith("@") and not names_a_file else word
        except Exception:  # noqa: BLE001, S112 - as above: no such word then
            continue
    return None
