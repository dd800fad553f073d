"""Constants of a graph as JSON data and back.

What JSON has no word for is an object with one key that begins with ``$``: a tuple, a set, a date. Objects that have
no such form (a table, a model) go as their repr and come back as a `Told`, which prints like them.
"""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import math
import pathlib
import uuid
from typing import NamedTuple, cast

from celltask.core.types.base import Mismatch
from celltask.core.types.lookup import handler_for
from celltask.errors import GraphError

__all__ = ["Told", "constant_from_json", "constant_to_json", "text_of", "unfit"]

_DEEPEST = 200


def _name_of(cls: type) -> str:
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


_SCALARS = {
    _name_of(cls): cls
    for cls in (
        complex, dt.date, dt.datetime, dt.time, dt.timedelta, decimal.Decimal,
        fractions.Fraction, uuid.UUID, pathlib.PosixPath, pathlib.PurePosixPath, pathlib.WindowsPath,
        pathlib.PureWindowsPath,
    )
}  # fmt: skip
"""Values whose handler gives a JSON form that holds them exactly."""


class Told(NamedTuple):
    """Stands for a constant that has no JSON form: how it prints."""

    text: str

    def __repr__(self) -> str:
        return self.text


def constant_to_json(value: object, depth: int = 0) -> object:  # noqa: C901, PLR0911 - a branch per kind
    """A constant as JSON data; what JSON lacks is an object with one key that begins with ``$``."""
    if value is None or type(value) in (bool, int) or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is str and _encodes(value):
        return value
    if depth < _DEEPEST:
        if type(value) is float:
            return {"$float": repr(value)}
        if type(value) is bytes:
            return {"$bytes": value.hex()}
        if type(value) is list:
            return [constant_to_json(item, depth + 1) for item in value]
        if type(value) is tuple:
            return {"$tuple": [constant_to_json(item, depth + 1) for item in value]}
        if type(value) is dict:
            return {"$dict": [[constant_to_json(part, depth + 1) for part in pair] for pair in value.items()]}
        if type(value) in (set, frozenset):
            items = sorted((constant_to_json(item, depth + 1) for item in cast("set[object]", value)), key=repr)
            return {f"${type(value).__name__}": items}
        if type(value) in _SCALARS.values():
            return {"$scalar": [_name_of(type(value)), handler_for(type(value)).to_json(value)]}
    return {"$told": text_of(value)}


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_of(value: object) -> str:
    """The repr of `value`, or its class where that fails, as text that can be encoded."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - border: the repr is the user's code
        text = f"<{type(value).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode()


def constant_from_json(data: object, at: str, depth: int = 0) -> object:  # noqa: C901, PLR0911, PLR0912 - a branch per kind
    """The constant that `constant_to_json` made `data` of; `at` is its place, for errors.

    Raises:
        GraphError: If it made it of none.
    """
    if depth > _DEEPEST + 1:
        raise unfit(at, "a constant nested less deep", "a deeper one")
    if isinstance(data, list):
        return [constant_from_json(item, at, depth + 1) for item in data]
    if not isinstance(data, dict):
        return data
    match data:
        case {"$tuple": list(items), **rest} if not rest:
            return tuple(constant_from_json(item, at, depth + 1) for item in items)
        case {"$dict": list(pairs), **rest} if not rest:
            return _read_dict(pairs, at, depth)
        case {"$float": "nan" | "inf" | "-inf" as text, **rest} if not rest:
            return float(text)
        case {"$bytes": str(text), **rest} if not rest:
            try:
                return bytes.fromhex(text)
            except ValueError:
                raise unfit(at, "bytes as hexadecimal digits", text) from None
        case {"$set": list(items), **rest} if not rest:
            return _read_set(set, items, at, depth)
        case {"$frozenset": list(items), **rest} if not rest:
            return _read_set(frozenset, items, at, depth)
        case {"$scalar": [str(name), value], **rest} if not rest and name in _SCALARS:
            try:
                return handler_for(_SCALARS[name]).from_json(value)
            except Mismatch as error:
                raise unfit(at, error.expected, value) from None
        case {"$told": str(text), **rest} if not rest:
            return Told(text)
    raise unfit(at, "a constant", data)


def _read_set(cls: type[set[object] | frozenset[object]], items: list[object], at: str, depth: int) -> object:
    try:
        return cls(constant_from_json(item, at, depth + 1) for item in items)
    except TypeError:
        raise unfit(at, "items that can be hashed", items) from None


def _read_dict(pairs: list[object], at: str, depth: int) -> dict[object, object]:
    made: dict[object, object] = {}
    for pair in pairs:
        match pair:
            case [key, item]:
                try:
                    made[constant_from_json(key, at, depth + 1)] = constant_from_json(item, at, depth + 1)
                except TypeError:
                    raise unfit(at, "a key that can be hashed", key) from None
            case _:
                raise unfit(at, "a key and a value", pair)
    return made


def unfit(at: str, expected: str, received: object) -> GraphError:
    """The error for JSON data that is not what a graph wants at this place."""
    text = text_of(received)
    short = text if len(text) <= 60 else f"{text[:59]}…"  # noqa: PLR2004 - a line of an error stays readable
    return GraphError(f"this is no graph: {expected} is wanted, not {short}", at, "give what Graph.to_json made")
