"""Whether two values are of one class and have one content, where `==` would not do."""

from __future__ import annotations

from celltask.core.types.base import Mismatch

__all__ = ["is_alike"]


def is_alike(one: object, other: object) -> bool:
    """Whether the two could be told apart; `==` takes 1 for True, and gives arrays for arrays.

    >>> is_alike([1], [1]), is_alike([1], [True])
    (True, False)
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    from celltask.core.types.digest import digest_value  # noqa: PLC0415 - hashlib only when something is hashed

    try:
        return digest_value(one) == digest_value(other)
    except Mismatch:
        return False
