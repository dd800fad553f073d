"""Digests of large buffers: hashed in pieces, on as many processors as there are, with the same result everywhere."""

from __future__ import annotations

import hashlib
import os
import sys
import typing
from contextlib import contextmanager
from contextvars import ContextVar

if typing.TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["LARGE", "digest_of_large", "each_once"]

LARGE = 1 << 20
"""Bytes from which on a buffer is hashed in pieces."""

_PIECE = 1 << 21  # bytes; part of what a digest means
_MOST_THREADS = 8

Buffer = bytes | bytearray | memoryview
Seen = dict[tuple[int, int], tuple[bytes, memoryview]]
"""Digests by address and size, each with its buffer: kept, so that no other one comes to lie where it was."""

_seen: ContextVar[Seen | None] = ContextVar("celltask_large_seen", default=None)


def digest_of_large(data: Buffer) -> bytes:
    """SHA-256 over the SHA-256 of each 2 MiB of `data`, 32 bytes.

    One SHA-256 over all would keep one processor busy and leave the others idle.

    >>> digest_of_large(b"x" * 5_000_000) == digest_of_large(memoryview(b"x" * 5_000_000))
    True
    """
    view = memoryview(data).cast("B")
    seen, place = _seen.get(), None
    if seen is not None:
        place = _place_of(view)
        if place is not None and place in seen:
            return seen[place][0]
    pieces = [view[start : start + _PIECE] for start in range(0, len(view), _PIECE)]
    digests = map(_sha256, pieces) if _threads() == 1 or len(pieces) == 1 else _pool().map(_sha256, pieces)
    told = hashlib.sha256(b"large %d\0" % len(view) + b"".join(digests)).digest()
    if seen is not None and place is not None:
        seen[place] = told, view
    return told


@contextmanager
def each_once() -> Iterator[None]:
    """While it lasts, a buffer that is hashed a second time is not read again; nothing may change it meanwhile."""
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


def _sha256(data: memoryview) -> bytes:
    return hashlib.sha256(data).digest()


def _place_of(view: memoryview) -> tuple[int, int] | None:
    """Address and size, if NumPy is there to tell them."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    return numpy.frombuffer(view, numpy.uint8).__array_interface__["data"][0], len(view)


def _threads() -> int:
    return min(os.cpu_count() or 1, _MOST_THREADS)


_pools: dict[int, ThreadPoolExecutor] = {}


def _pool() -> ThreadPoolExecutor:
    """The threads that hash in this process; a forked child makes its own."""
    pool = _pools.get(os.getpid())
    if pool is None:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only for large values

        _pools.clear()
        pool = _pools[os.getpid()] = ThreadPoolExecutor(_threads(), thread_name_prefix="celltask digest")
    return pool
