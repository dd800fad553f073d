"""The contract of a store: it keeps values under keys.

To add one: write a class with `get` and `put` as below. A store is used from several threads at once.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

__all__ = ["MISS", "Store"]


class _Miss(Enum):
    MISS = "nothing stored"


MISS = _Miss.MISS
"""What `get` gives for a key that holds nothing, since ``None`` may be stored."""


class Store(Protocol):
    """Keeps values under keys."""

    def get(self, key: str) -> object:
        """The value under `key`, or `MISS`."""
        ...

    def put(self, key: str, value: object) -> None:
        """Keep `value` under `key`; the store owns it from now on."""
        ...
