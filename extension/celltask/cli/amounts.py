"""Sizes and ages on the command line: as people write them, and as they read them."""

from __future__ import annotations

import re

from celltask.errors import CelltaskError

__all__ = ["age", "read_age", "read_size", "size"]

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_STEP = 1000


def read_age(text: str, where: str) -> float:
    """Seconds that `text` says: ``"90s"``, ``"15m"``, ``"12h"``, ``"30d"``, ``"4w"``.

    Raises:
        CelltaskError: If it says no age.

    >>> read_age("2h", "")
    7200.0
    """
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhdw])", text.strip())
    if found is None:
        raise CelltaskError(f"{text!r} is no age", where, "write for example 12h, 30d or 4w")
    return float(found[1]) * _SECONDS[found[2]]


def read_size(text: str, where: str) -> int:
    """Bytes that `text` says: ``"500MB"``, ``"2GiB"``.

    Raises:
        CelltaskError: If it says no size.

    >>> read_size("1.5 GB", "")
    1500000000
    """
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)", text.strip())
    if found is None or found[2].upper() not in _BYTES:
        raise CelltaskError(f"{text!r} is no size", where, "write for example 500MB or 2GiB")
    return int(float(found[1]) * _BYTES[found[2].upper()])


def age(seconds: float) -> str:
    """A time that has passed, roughly.

    >>> age(5), age(100), age(7300), age(200000)
    ('5 s ago', '1 min ago', '2 h ago', '2 days ago')
    """
    if seconds < _SECONDS["m"]:
        return f"{max(seconds, 0):.0f} s ago"
    if seconds < _SECONDS["h"]:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 2 * _SECONDS["d"]:
        return f"{seconds // 3600:.0f} h ago"
    return f"{seconds // 86400:.0f} days ago"


def size(count: float) -> str:
    """Bytes for people.

    >>> size(12), size(3_400_000)
    ('12 B', '3.4 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < _STEP:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} TB"
