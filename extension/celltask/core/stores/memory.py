"""A store in this process's memory, gone when it ends."""

from __future__ import annotations

from celltask.core.stores.base import MISS

__all__ = ["MISS", "MemoryStore"]


class MemoryStore:
    """Values by key in a dict; whoever puts a value gives it away, whoever gets one must not change it.

    >>> store = MemoryStore()
    >>> store.put("k", 3)
    >>> store.get("k")
    3
    >>> store.get("other") is MISS
    True
    """

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def get(self, key: str) -> object:
        """The value under `key`, or `MISS`."""
        return self._values.get(key, MISS)

    def put(self, key: str, value: object) -> None:
        """Keep `value` under `key`."""
        self._values[key] = value

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
