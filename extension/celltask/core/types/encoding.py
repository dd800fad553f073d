"""Values as bytes, for a store: JSON where that is exact, the family's own format where it has one, else a pickle.

The first byte says which, so that a reader can tell bytes that are safe to parse from pickles, which are code.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import sys
import typing
from importlib import import_module

from celltask.core.types.base import Mismatch, Valid
from celltask.core.types.naming import class_name, is_importable, place_in_library

__all__ = [
    "declared_pickler",
    "declared_unpickler",
    "decode_value",
    "encode_value",
    "is_json",
    "is_pickle",
]

_JSON, _PICKLE = b"J", b"P"
_HERE = "celltask.core.types."
_FAMILIES = {
    "numpy.ndarray": (b"N", _HERE + "arrays"),
    "polars.DataFrame": (b"L", _HERE + "tables"),
    "pyarrow.Table": (b"A", _HERE + "tables"),
    "celltask.File": (b"F", _HERE + "files"),
    "celltask.Directory": (b"D", _HERE + "files"),
}
"""Root package and name of a class, to its mark and to the module whose `encode` and `decode` know it."""


def is_json(value: object) -> bool:
    """Whether JSON gives back an equal value of the same classes: no tuples, no keys but strings, no nan.

    >>> is_json({"a": [1, None]}), is_json({1: "a"}), is_json((1, 2))
    (True, False, False)
    """
    try:
        return _is_json(value)
    except RecursionError:
        return False


def _is_json(value: Valid) -> bool:
    cls = type(value)
    if cls is str:
        return value.isascii() or _encodes(value)
    if cls in (int, bool, type(None)):
        return True
    if cls is float:
        return math.isfinite(value)
    if cls is list:
        return all(map(_is_json, value))
    if cls is dict:
        return (
            all(type(key) is str for key in value) and all(map(_is_json, value)) and all(map(_is_json, value.values()))
        )
    return False


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_as_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode  # made once; `json.dumps` makes one a call


def is_pickle(data: bytes) -> bool:
    """Whether decoding `data` would run code that it brings with it.

    >>> is_pickle(encode_value([1, 2], list[int])), is_pickle(encode_value({1, 2}, set[int]))
    (False, True)
    """
    return data[:1] == _PICKLE


def encode_value(value: object, annotation: object) -> bytes:
    """`value` as bytes.

    Args:
        value: What to encode.
        annotation: Its declared type; classes named in it that no import could find, as those defined in a
            notebook, are written as "the declared class", and so come back as it.

    Raises:
        Mismatch: If the value cannot be pickled.
    """
    if is_json(value):
        return _JSON + _as_json(value).encode()
    cls = type(value)
    for name, (mark, module) in _FAMILIES.items():
        if name == place_in_library(cls):
            data = import_module(module).encode(value)
            if data is not None:
                return mark + typing.cast("bytes", data)
    return _PICKLE + _pickled(value, annotation)


def decode_value(data: bytes | memoryview, annotation: object) -> object:
    """The value that `encode_value` made `data` of; `annotation` as it was then.

    Raises:
        ValueError: If the first byte is no known mark.
    """
    mark, body = bytes(data[:1]), memoryview(data)[1:]
    if mark == _JSON:
        return json.loads(bytes(body))
    if mark == _PICKLE:
        return declared_unpickler(io.BytesIO(body), annotation).load()
    for known, module in _FAMILIES.values():
        if mark == known:
            found: object = import_module(module).decode(mark, body)
            return found
    raise ValueError(f"these bytes begin with {mark!r}, which no encoding of celltask does")


def declared_unpickler(
    file: typing.IO[bytes], annotation: object, buffers: typing.Iterable[typing.Any] = ()
) -> pickle.Unpickler:
    """What reads a pickle of `declared_pickler`, with its buffers beside it."""
    return _Unpickler(file, declared_classes(annotation), buffers)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: typing.IO[bytes], declared: dict[str, type], buffers: typing.Iterable[typing.Any]) -> None:
        super().__init__(file, buffers=buffers)
        self._declared = declared

    def persistent_load(self, pid: object) -> object:
        try:
            return self._declared[typing.cast("str", pid)]
        except KeyError:
            raise pickle.UnpicklingError(f"the declared type has no class {pid!r} any more") from None


def _pickled(value: object, annotation: object) -> bytes:
    file = io.BytesIO()
    declared_pickler(file, value, annotation, None)
    return file.getvalue()


def declared_pickler(
    file: typing.IO[bytes],
    value: object,
    annotation: object,
    keep: typing.Callable[[pickle.PickleBuffer], bool] | None,
) -> None:
    """Write a pickle of `value` to `file`; `keep` tells of each large buffer whether it stays in the pickle.

    Raises:
        Mismatch: If the value cannot be pickled.
    """
    import cloudpickle  # noqa: PLC0415 - 30 ms, and only for values that JSON does not hold

    names = {cls: name for name, cls in declared_classes(annotation).items()}

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle is untyped
        def persistent_id(self, part: object) -> str | None:
            return names.get(part) if isinstance(part, type) else None

        def reducer_override(self, part: object) -> object:
            reduced = _reduced_tensor(part) if "torch" in sys.modules else None
            return super().reducer_override(part) if reduced is None else reduced

    try:
        Pickler(file, protocol=5, buffer_callback=keep).dump(value)
    except Exception as error:
        hint = f"a {class_name(type(value))} cannot be stored: {error}"
        raise Mismatch("a value that can be pickled", value, hint=hint) from error


def _reduced_tensor(part: object) -> tuple[object, ...] | None:
    if place_in_library(type(part)) not in {"torch.Tensor", "torch.Parameter"}:
        return None
    from celltask.core.types.tensors import reduced_tensor  # noqa: PLC0415 - only where there is a tensor

    return reduced_tensor(typing.cast("typing.Any", part))


def declared_classes(annotation: object) -> dict[str, type]:
    """Classes that `annotation` names, by name, as far as no import would find them."""
    found: dict[str, type] = {}
    todo, seen = [annotation], set()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, type) and not typing.get_args(one):
            if is_importable(one):
                continue
            found.setdefault(f"{len(found)}:{one.__qualname__}", one)
            todo.extend(_types_of_fields(one))
        else:
            todo.extend(reversed(typing.get_args(one)))
            todo.append(typing.get_origin(one))
    return found


def _types_of_fields(cls: type) -> list[object]:
    """Field types, in order; strings that cannot be resolved say nothing."""
    try:
        return list(typing.get_type_hints(cls).values())
    except (NameError, TypeError):
        return []
