"""Values as buffers, for a store: what `encoding` does, without a copy of what is large.

The first byte of the first piece says what follows, so that a reader can tell buffers that are safe to parse from
those that are code. Arrays, and the arrays within objects that are pickled, are pieces of their own: written from
where they lie, and read by mapping the file into memory.
"""

from __future__ import annotations

import io
import struct
import typing

from celltask.core.types.base import Mismatch, TypeHandler, Valid
from celltask.core.types.encoding import (
    declared_pickler,
    declared_unpickler,
    decode_value,
    encode_value,
    is_json,
    is_pickle,
)
from celltask.core.types.naming import place_in_library

if typing.TYPE_CHECKING:
    import pickle
    from collections.abc import Sequence

__all__ = ["Buffer", "are_code", "pieces_of", "value_of"]

Buffer = bytes | bytearray | memoryview

_ARRAY, _FRAME, _TENSOR, _OBJECT, _OWN = b"n", b"w", b"t", b"p", b"o"
_SAFE = frozenset((b"J", b"N", b"L", b"A", _ARRAY, _FRAME, _TENSOR))  # not files, which are written where they say
_FEWEST = 1 << 16  # bytes; smaller buffers of a pickle stay in it


def are_code(pieces: Sequence[Buffer]) -> bool:
    """Whether making a value of `pieces` could do more than that: a pickle, a file, or a handler's own format.

    >>> from celltask.core.types.lookup import handler_for
    >>> are_code(pieces_of([1], handler_for(list[int]))), are_code(pieces_of({1}, handler_for(set[int])))
    (False, True)
    """
    return not pieces or bytes(pieces[0][:1]) not in _SAFE


def pieces_of(value: object, handler: TypeHandler) -> list[Buffer]:
    """`value` as buffers; some may lie in its own memory, so it must not change until they are written.

    Raises:
        Mismatch: If the value cannot leave the process (a lock, a generator, an open file).
    """
    handler = _plain(handler)
    if type(handler).encode is not TypeHandler.encode:
        return [_OWN, handler.encode(value)]
    if is_json(value):
        return [encode_value(value, handler.annotation)]
    place = place_in_library(type(value))
    if place == "numpy.ndarray":
        found = _array_pieces(value)
        if found is not None:
            return found
    if place == "pandas.DataFrame":
        found = _frame_pieces(value, handler)
        if found is not None:
            return found
    if place == "torch.Tensor":
        from celltask.core.types.tensors import tensor_pieces  # noqa: PLC0415 - only where there is a tensor

        found = tensor_pieces(typing.cast("typing.Any", value))
        if found is not None:
            return [_TENSOR, *found]
    return _other_pieces(value, handler)


def value_of(pieces: Sequence[Buffer], handler: TypeHandler) -> object:
    """The value that `pieces_of` made `pieces` of; an array in it lies where the pieces do.

    Raises:
        ValueError: If the first byte is no known mark.
    """
    handler = _plain(handler)
    mark = bytes(pieces[0][:1])
    if mark == _OWN:
        return handler.decode(bytes(pieces[1]))
    if mark == _ARRAY:
        return _array_of(pieces)
    if mark == _FRAME:
        return _frame_of(pieces)
    if mark == _TENSOR:
        from celltask.core.types.tensors import tensor_of  # noqa: PLC0415 - only where there is a tensor

        return tensor_of(pieces[1:])
    if mark == _OBJECT:
        file = io.BytesIO(pieces[1])
        return declared_unpickler(file, handler.annotation, pieces[2:]).load()
    return decode_value(memoryview(pieces[0]), handler.annotation)


def _plain(handler: TypeHandler) -> TypeHandler:
    """The handler of the type alone, without the constraints on its values."""
    inner: object = handler
    while type(inner).__name__ == "ConstrainedHandler" and hasattr(inner, "inner"):
        inner = inner.inner
    return typing.cast("TypeHandler", inner)


def _array_pieces(value: Valid) -> list[Buffer] | None:
    """Element type, order and shape, and the elements as they lie; None where they are not only numbers or text."""
    if value.dtype.hasobject or value.dtype.kind in "TV" or value.dtype.names is not None:
        return None
    order = "C" if value.flags.c_contiguous else "F" if value.flags.f_contiguous else ""
    whole = value if order else value.copy(order="C")
    head = struct.pack("<c8sB", order.encode() or b"C", value.dtype.str.encode().ljust(8), value.ndim)
    head += struct.pack(f"<{value.ndim}q", *value.shape)
    if not value.size or len(value.dtype.str) > 8:  # noqa: PLR2004 - as packed above
        return None
    return [_ARRAY + head, memoryview(whole.reshape(-1, order="A").view("u1"))]


def _array_of(pieces: Sequence[Buffer]) -> object:
    import numpy as np  # noqa: PLC0415 - only where an array is read

    head = bytes(pieces[0])[1:]
    order, kind, dimensions = struct.unpack_from("<c8sB", head)
    shape = struct.unpack_from(f"<{dimensions}q", head, struct.calcsize("<c8sB"))
    flat = np.frombuffer(pieces[1], np.dtype(kind.decode().strip()))
    return flat.reshape(shape, order=order.decode())


def _frame_pieces(value: Valid, handler: TypeHandler) -> list[Buffer] | None:
    """A pandas frame as an Arrow stream; None where that would not give back the very same frame."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - only where a frame is stored
    except ImportError:
        return None
    try:
        table = pa.Table.from_pandas(value)
        file = pa.BufferOutputStream()
        with pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
        pieces: list[Buffer] = [_FRAME, memoryview(file.getvalue())]
        if handler.digest(_frame_of(pieces)) != handler.digest(value):
            return None
    except (pa.ArrowException, ValueError, TypeError, KeyError, Mismatch):
        return None
    return pieces


def _frame_of(pieces: Sequence[Buffer]) -> object:
    import pyarrow as pa  # noqa: PLC0415 - only where a frame is read

    return pa.ipc.open_stream(pa.py_buffer(pieces[1])).read_all().to_pandas()


def _other_pieces(value: object, handler: TypeHandler) -> list[Buffer]:
    """A pickle with its large buffers beside it, or the family's own format."""
    whole = encode_value(value, handler.annotation) if place_in_library(type(value)) in _FAMILIES else b""
    if whole and not is_pickle(whole):
        return [whole]
    buffers: list[Buffer] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        """Whether the buffer stays in the pickle."""
        try:
            view = buffer.raw()
        except BufferError:  # not in one piece
            return True
        if view.nbytes < _FEWEST:
            return True
        buffers.append(view)
        return False

    file = io.BytesIO()
    declared_pickler(file, value, handler.annotation, keep)
    return [_OBJECT, file.getvalue(), *buffers]


_FAMILIES = frozenset(
    ("numpy.ndarray", "polars.DataFrame", "pyarrow.Table", "celltask.File", "celltask.Directory"),
)
