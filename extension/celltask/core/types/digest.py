"""Digests of values: what a value contains, told in 64 hex digits, the same in every process.

Every container, array, table and object is one SHA-256 over its class and the tokens of its parts; scalars are
tokens themselves. Nothing depends on hash seeds, memory addresses, what happens to share memory, or which optional
packages are installed. What is equal but behaves differently has different digests: ``1``, ``True`` and ``1.0``;
``0.0`` and ``-0.0``; two dicts whose order differs, since a table made of them differs too.
"""

from __future__ import annotations

import copyreg
import hashlib
import math
import struct
import types
import typing
from collections.abc import Callable, Iterable
from enum import Enum
from importlib import import_module

from celltask.core.types.base import Mismatch
from celltask.core.types.large import LARGE, digest_of_large
from celltask.core.types.naming import class_name, is_importable, place_in_library

__all__ = ["Hasher", "digest_value", "tell_object"]

CodeDigest = Callable[[object], str]
"""Tells the digest of a function's or class's code."""

_HERE = "celltask.core.types."
_FAMILIES = {
    "numpy.ndarray": _HERE + "arrays:digest_array",
    "numpy.generic": _HERE + "arrays:digest_scalar",
    "numpy.dtype": _HERE + "arrays:digest_dtype",
    "pandas.DataFrame": _HERE + "tabledigest:digest_frame",
    "pandas.Series": _HERE + "tabledigest:digest_series",
    "pandas.Index": _HERE + "tabledigest:digest_index",
    "polars.DataFrame": _HERE + "tabledigest:digest_polars",
    "polars.Series": _HERE + "tabledigest:digest_polars_series",
    "pyarrow.Table": _HERE + "tabledigest:digest_arrow_table",
    "pyarrow.RecordBatch": _HERE + "tabledigest:digest_arrow_table",
    "pyarrow.ChunkedArray": _HERE + "tabledigest:digest_arrow_array",
    "pyarrow.Array": _HERE + "tabledigest:digest_arrow_array",
    "pydantic.BaseModel": _HERE + "models:digest_model",
    "torch.Tensor": _HERE + "tensors:digest_tensor",
    "pathlib.PurePath": _HERE + "files:digest_path",
    "celltask.File": _HERE + "files:digest_file",
    "celltask.Directory": _HERE + "files:digest_directory",
}
"""How instances of a library's classes are told, by root package and class name: a function of the value and the
hasher that gives tokens."""


def digest_value(value: object, *, code_digest: CodeDigest | None = None) -> str:
    """Hex digest of the content of `value`.

    Args:
        value: Anything with a content.
        code_digest: Asked for the digest of a function, or of a class that no import would find, that is part of
            the value; without it such a value is refused, since two functions may share a name and not their code.

    Raises:
        Mismatch: If the content cannot be told (a lock, a generator, an open file, a bare ``object()``).

    >>> digest_value([1, 2]) == digest_value([1, 2]), digest_value([1]) == digest_value([True])
    (True, False)
    """
    plain = _SCALARS.get(type(value))
    if plain is not None:
        return hashlib.sha256(plain(value)).hexdigest()
    try:
        token = Hasher(code_digest).token(value)
    except RecursionError:
        raise Mismatch("a value whose content can be told", value, hint="it is nested too deeply") from None
    return hashlib.sha256(token).hexdigest()


def _leaf(tag: bytes, data: bytes) -> bytes:
    return b"%b%d:%b" % (tag, len(data), data)


class Hasher:
    """One telling of one value; holds what was told so far, so that shared parts are told once."""

    def __init__(self, code_digest: CodeDigest | None = None) -> None:
        self.code_digest = code_digest
        self._told: dict[int, bytes] = {}
        self._kept: list[object] = []
        self._open: dict[int, int] = {}
        self._lowest = 0

    def token(self, value: object) -> bytes:
        """Bytes that tell `value`, and no other value begins with them."""
        plain = _SCALARS.get(type(value))
        if plain is not None:
            return plain(value)
        key = id(value)
        told = self._told.get(key)
        if told is not None:
            return told
        depth = self._open.get(key)
        if depth is not None:  # it contains itself: told by how far out it begins
            self._lowest = min(self._lowest, depth)
            return b"^%d;" % (len(self._open) - depth)
        return self._compound(value, key)

    def _compound(self, value: object, key: int) -> bytes:
        outer, depth = self._lowest, len(self._open)
        self._open[key], self._lowest = depth, depth
        try:
            told = self._told_of(value)
        finally:
            del self._open[key]
        inner, self._lowest = self._lowest, min(outer, self._lowest)
        if inner >= depth:  # what points further out means something else elsewhere
            self._told[key] = told
            self._kept.append(value)  # so that no other object gets its id
        return told

    def _told_of(self, value: object) -> bytes:
        cls = type(value)
        teller = _TELLERS.get(cls) or _teller_of(cls)
        return teller(self, value)

    def node(self, tag: str, parts: Iterable[bytes | memoryview]) -> bytes:
        """One digest over `parts`, which must be tokens, or have lengths that `tag` or a token before them tells."""
        digest = hashlib.sha256(tag.encode("utf-8", "surrogatepass") + b"\0")
        for part in parts:
            digest.update(part if len(part) < LARGE else digest_of_large(part))
        return b"h" + digest.digest()

    def items(self, values: Iterable[object]) -> list[bytes]:
        """The token of each value, with its place in the path if its content cannot be told."""
        told = []
        at = 0
        try:
            for at, value in enumerate(values):  # noqa: B007 - told if one of them raises
                told.append(self.token(value))
        except Mismatch as mismatch:
            raise mismatch.inside(f"[{at}]") from None
        return told

    def pairs(self, values: typing.Mapping[typing.Any, object], *, attributes: bool = False) -> list[bytes]:
        """The tokens of keys and values in turn; with `attributes`, by name, since their order is no content."""
        keys = sorted(values) if attributes else list(values)
        told, key = [], None
        try:
            for key in keys:
                told.append(self.token(key))
                told.append(self.token(values[key]))
        except Mismatch as mismatch:
            raise mismatch.inside(f".{key}" if attributes else f"[{key!r}]") from None
        return told


def _float_token(value: float) -> bytes:
    return b"f" + (b"not-a-nr" if math.isnan(value) else struct.pack("<d", value))


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


_SCALARS: dict[type, Callable[[typing.Any], bytes]] = {
    type(None): lambda _: b"N",
    type(...): lambda _: b"E",
    type(NotImplemented): lambda _: b"M",
    bool: lambda value: b"T" if value else b"F",
    int: lambda value: b"i%x;" % value,
    float: _float_token,
    complex: lambda value: b"c" + _float_token(value.real) + _float_token(value.imag),
    str: lambda value: _leaf(b"s", _text(value)),
    bytes: lambda value: _leaf(b"b", value),
}


def _tell_row(hasher: Hasher, value: list[typing.Any] | tuple[typing.Any, ...]) -> bytes:
    kinds = set(map(type, value))
    tag = type(value).__name__
    if len(kinds) == 1:  # a long row of one scalar class is told in one go
        kind = kinds.pop()
        if kind is int:
            return hasher.node(f"{tag} int {len(value)}", [",".join(map(str, map(hex, value))).encode()])
        if kind is float:
            numbers = [math.nan if math.isnan(one) else one for one in value]
            return hasher.node(f"{tag} float {len(value)}", [struct.pack(f"<{len(value)}d", *numbers)])
        if kind is str:
            lengths = ",".join(map(str, map(len, value)))
            return hasher.node(f"{tag} str {len(value)} {lengths}", [_text("".join(value))])
    return hasher.node(f"{tag} {len(value)}", hasher.items(value))


def _tell_dict(hasher: Hasher, value: dict[object, object]) -> bytes:
    return hasher.node(f"dict {len(value)}", hasher.pairs(value))


def _tell_set(hasher: Hasher, value: set[object] | frozenset[object]) -> bytes:
    return hasher.node(f"{type(value).__name__} {len(value)}", sorted(map(hasher.token, value)))


def _tell_bytearray(hasher: Hasher, value: bytearray) -> bytes:
    return hasher.node("bytearray", [bytes(value)])


def _tell_enum(hasher: Hasher, value: Enum) -> bytes:
    name = value.name or repr(value.value)  # several flags together may have no name
    return hasher.node("enum", [_leaf(b"s", _text(place_of_class(type(value)))), _leaf(b"s", _text(str(name)))])


def _tell_class(hasher: Hasher, value: type) -> bytes:
    parts = [_leaf(b"s", _text(place_of_class(value)))]
    if hasher.code_digest is not None:
        parts.append(_leaf(b"s", hasher.code_digest(value).encode()))
    elif not is_importable(value):
        hint = f"the code of class {class_name(value)} may change, and its name not; pass what the class computes"
        raise Mismatch("a value whose content can be told", value, hint=hint)
    return hasher.node("class", parts)


def _tell_function(hasher: Hasher, value: types.FunctionType) -> bytes:
    if hasher.code_digest is None:
        hint = "a function is code, and its content cannot be told from here"
        raise Mismatch("a value whose content can be told", value, hint=hint)
    return hasher.node("function", [_leaf(b"s", hasher.code_digest(value).encode())])


def _tell_module(hasher: Hasher, value: types.ModuleType) -> bytes:
    version = str(getattr(value, "__version__", ""))
    return hasher.node("module", [_leaf(b"s", value.__name__.encode()), _leaf(b"s", version.encode())])


def tell_object(hasher: Hasher, value: object) -> bytes:
    """An object by its class and by what it would be rebuilt from."""
    cls = type(value)
    if cls is object:
        raise Mismatch("a value whose content can be told", value, hint="a bare object() has an identity, no content")
    reduce = copyreg.dispatch_table.get(cls)
    try:
        recipe: typing.Any = reduce(value) if reduce else value.__reduce_ex__(4)
    except Exception as error:  # noqa: BLE001 - border: `__reduce_ex__` is code of users
        hint = f"the content of a {class_name(cls)} cannot be told: {error}"
        raise Mismatch("a value whose content can be told", value, hint=hint) from None
    head = _leaf(b"s", _text(place_of_class(cls)))
    if isinstance(recipe, str):
        return hasher.node("global", [head, _leaf(b"s", _text(recipe))])
    make, arguments, state, items, pairs = (*recipe, None, None, None)[:5]
    parts = [head, _called(hasher, make)]
    parts.append(hasher.node("arguments", [_called(hasher, part) for part in arguments]))
    parts.append(_state_token(hasher, state))
    parts.append(hasher.node("items", hasher.items(items or ())))
    parts.extend(hasher.token(part) for pair in pairs or () for part in pair)
    return hasher.node("object", parts)


def _called(hasher: Hasher, part: object) -> bytes:
    """What a recipe calls: named, not told, since it belongs to how the class is rebuilt and not to the value."""
    if isinstance(part, type):
        return _leaf(b"C", _text(place_of_class(part)))
    if isinstance(part, types.FunctionType) and "<lambda>" not in part.__qualname__:
        return _leaf(b"C", _text(f"{part.__module__}.{part.__qualname__}"))
    return hasher.token(part)


def _state_token(hasher: Hasher, state: object) -> bytes:
    if type(state) is tuple and len(state) == 2 and all(one is None or type(one) is dict for one in state):  # noqa: PLR2004 - a pair
        return hasher.node("slots", [_state_token(hasher, one) for one in state])
    if type(state) is dict and all(type(key) is str for key in state):
        return hasher.node(f"state {len(state)}", hasher.pairs(state, attributes=True))
    return hasher.token(state)


def place_of_class(cls: type) -> str:
    """Module and qualified name of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"


_Teller = Callable[[Hasher, typing.Any], bytes]
_TELLERS: dict[type, _Teller] = {
    list: _tell_row,
    tuple: _tell_row,
    dict: _tell_dict,
    set: _tell_set,
    frozenset: _tell_set,
    bytearray: _tell_bytearray,
    types.FunctionType: _tell_function,
    types.ModuleType: _tell_module,
}


def _teller_of(cls: type) -> _Teller:
    """How instances of `cls` are told, remembered for the next one."""
    if issubclass(cls, type):
        found: _Teller = _tell_class
    elif issubclass(cls, Enum):
        found = _tell_enum
    else:
        found = _family_teller(cls) or tell_object
    _TELLERS[cls] = found
    return found


def _family_teller(cls: type) -> _Teller | None:
    for base in cls.__mro__:
        place = _FAMILIES.get(place_in_library(base))
        if place:
            module, _, attribute = place.partition(":")
            tell: Callable[[object, Hasher], bytes] = getattr(import_module(module), attribute)
            return lambda hasher, value: tell(value, hasher)
    return None
