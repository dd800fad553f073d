"""Values between two processes: pickled with protocol 5, so that large buffers go as they are, without a copy.

What the other process cannot import goes by value; plain scalars take pickle's own quick way.
"""

from __future__ import annotations

import pickle
import struct
from typing import TYPE_CHECKING

from celltask.core.pickling import dumps

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from typing import TypeAlias

    Wire: TypeAlias = Connection[bytes, bytes]

__all__ = ["Packed", "packed", "receive", "send", "unpacked"]

_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})
_WHOLE, _PARTS = b"W", b"P"

Packed = tuple[bytes, list[pickle.PickleBuffer]]
"""A pickle, and the buffers that it speaks of."""


def packed(value: object) -> Packed:
    """`value` ready to be sent.

    Raises:
        Exception: Whatever pickling it raises.
    """
    if type(value) is tuple and all(type(item) in _PLAIN for item in value):
        return pickle.dumps(value, 5), []
    buffers: list[pickle.PickleBuffer] = []
    return dumps(value, on_buffer=buffers.append), buffers


def send(wire: Wire, given: Packed) -> None:
    """Send what `packed` made.

    Raises:
        OSError: If nobody is there to read it.
    """
    head, buffers = given
    if not buffers:
        wire.send_bytes(_WHOLE + head)
        return
    raw = [buffer.raw() for buffer in buffers]
    wire.send_bytes(_PARTS + struct.pack(f"<{len(raw)}Q", *(part.nbytes for part in raw)))
    wire.send_bytes(head)
    for part in raw:
        wire.send_bytes(part)


def receive(wire: Wire) -> Packed:
    """What the other side sent; the value itself is made by `unpacked`.

    Raises:
        EOFError: If the other side is gone.
    """
    first = wire.recv_bytes()
    if first[:1] == _WHOLE:
        return first[1:], []
    sizes = struct.unpack(f"<{(len(first) - 1) // 8}Q", first[1:])
    head = wire.recv_bytes()
    buffers = []
    for size in sizes:
        room = bytearray(size)
        wire.recv_bytes_into(room)
        buffers.append(pickle.PickleBuffer(room))
    return head, buffers


def unpacked(received: Packed) -> object:
    """The value that was sent.

    Raises:
        Exception: Whatever unpickling it raises.
    """
    head, buffers = received
    return pickle.loads(head, buffers=buffers)  # noqa: S301 - from a process of ours
