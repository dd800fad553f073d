"""Cache: the key of one call, and the store that results are looked up in.

Key = name, interface, code digest (or `cache_version`), `environment`, and the content of each input. Where the
task is defined is no part of it, so a task keeps its results when its document moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from celltask.core.stores.memory import MISS, MemoryStore
from celltask.core.types.base import Mismatch
from celltask.errors import RunError

if TYPE_CHECKING:
    from celltask.core.task import Task

__all__ = ["MISS", "cache_key", "store"]

store: Final = MemoryStore()
"""Results of cached tasks, for the life of this process."""


def cache_key(task: Task[..., object], args: tuple[object, ...]) -> str:
    """The key of a call of `task` with validated `args`, one per input: hex SHA-256.

    Raises:
        RunError: If the content of an input cannot be told, naming the input.
        PurityError: If a name that the code reads is bound to data by now.
    """
    from hashlib import sha256  # noqa: PLC0415 - only cached tasks need it

    if not task.is_derived:
        task.check_names()  # a constant may have been bound to data since
    code = task.options.cache_version or task.digest
    parts = [task.name, str(task.interface), code, repr(task.options.environment)]
    for port, value in zip(task.interface.inputs, args, strict=True):
        try:
            parts.append(f"{port.name}={port.handler.digest(value)}")
        except Mismatch as error:
            raise RunError(
                f"input {port.name!r} of cached task {task.name!r} has content that cannot be told: {error.expected}",
                task.place,
                "give another type, or leave cache off",
            ) from None
    return sha256("\0".join(parts).encode()).hexdigest()
