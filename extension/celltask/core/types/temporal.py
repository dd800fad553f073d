"""Dates, times and durations. What is naive stays naive: no time zone is ever added or taken away."""

from __future__ import annotations

import datetime as dt
import re
import typing

from celltask.core.types.base import TypeHandler, Valid
from celltask.core.types.naming import library_of
from celltask.core.types.scalars import ScalarHandler, plain_scalar

if typing.TYPE_CHECKING:
    from celltask.core.types.base import TypeHandler, Valid

__all__ = ["TemporalHandler", "parse_duration"]

_UNITS_S = {
    **dict.fromkeys(("us", "µs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604800.0),
}
_PART = re.compile(r"\s*(?:,|and\b)?\s*(\d+(?:\.\d+)?)\s*([a-zµ]+)")
_CLOCK = re.compile(r"(?:(\d+)\s+days?,?\s+)?(\d+):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?")
_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def parse_duration(text: str) -> dt.timedelta:
    """The duration that `text` says, negative after a minus.

    Args:
        text: Like ``"10m"``, ``"1h 30m"``, ``"1:24"`` (hours and minutes), ``"1 day, 2:03:04"``, ``"P1DT2H"``.

    Raises:
        ValueError: If it says none; a bare number is refused, since nobody can see its unit.

    >>> parse_duration("1h 30m")
    datetime.timedelta(seconds=5400)
    """
    body = text.strip()
    sign = -1 if body.startswith("-") else 1
    body = body.lstrip("+-").strip() if body[:1] in "+-" else body
    try:
        for read in (_from_iso, _from_clock):
            found = read(body)
            if found is not None:
                return sign * found
        return sign * _from_units(body)
    except OverflowError:
        raise ValueError(f"the duration {text!r} is too long") from None


def _from_iso(text: str) -> dt.timedelta | None:
    found = _ISO.fullmatch(text.upper())
    if found is None or not any(found.groups()):
        return None
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[:4])
    return dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=float(found[5] or 0))


def _from_clock(text: str) -> dt.timedelta | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups()[:3])
    return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=float(found[4] or 0))


def _from_units(text: str) -> dt.timedelta:
    end, total = 0, dt.timedelta(0)
    lowered = text.lower()
    while end < len(lowered):
        found = _PART.match(lowered, end)
        unit = _UNITS_S.get(found[2]) if found else None
        if found is None or unit is None:
            raise ValueError(f"{text!r} is no duration")
        total += dt.timedelta(seconds=float(found[1]) * unit)
        end = found.end()
    if not end:
        raise ValueError("an empty text is no duration")
    return total


class TemporalHandler(ScalarHandler):
    """`date`, `datetime`, `time`, `timedelta` (and `tzinfo` classes, which pass by `isinstance` elsewhere)."""

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of one of the four classes."""
        if annotation in (dt.date, dt.datetime, dt.time, dt.timedelta):
            return cls(typing.cast("type", annotation))
        return None

    def convert(self, plain: object, value: object) -> object:
        """What pandas or NumPy say the same with, as long as nothing finer than microseconds is lost."""
        del plain
        library = library_of(type(value)) in ("pandas", "numpy")
        made = self._without_library(value) if library else value
        if self.cls is dt.date and isinstance(made, dt.datetime):
            raise self.mismatch(value, hint="the time of day would be lost; pass .date()")
        if isinstance(made, self.cls) and (made is not value or not library):
            return made
        finer = library and (isinstance(value, self.cls) or isinstance(made, int))
        raise self.mismatch(value, hint="it is finer than microseconds" if finer else "")

    def _without_library(self, value: object) -> object:
        for name in ("to_pydatetime", "to_pytimedelta"):
            if hasattr(value, name) and not getattr(value, "nanosecond", getattr(value, "nanoseconds", 1)):
                found: object = getattr(value, name)()
                return found
        return plain_scalar(value)

    def to_json(self, value: Valid) -> object:
        """ISO 8601; a duration as ``"P1DT2H3M4.5S"``."""
        return _iso_duration(value) if isinstance(value, dt.timedelta) else value.isoformat()

    def from_json(self, data: object) -> object:
        """From ISO 8601; durations also as `parse_duration` reads them."""
        if not isinstance(data, str):
            return self.validate(data)
        try:
            if self.cls is dt.timedelta:
                return parse_duration(data)
            return self.cls.fromisoformat(data.strip())  # type: ignore[attr-defined]  # the other three have it
        except ValueError:
            raise self.mismatch(data, hint=f"write it like {_EXAMPLES[self.cls]}") from None

    def describe(self) -> dict[str, object]:
        """JSON Schema."""
        return {"type": "string", "format": _FORMATS[self.cls]}


_EXAMPLES: dict[type, str] = {
    dt.date: "2026-01-31",
    dt.datetime: "2026-01-31T09:30:00",
    dt.time: "09:30:00",
    dt.timedelta: "10m, 1h 30m, 1:24 or 1 day",
}
_FORMATS: dict[type, str] = {
    dt.date: "date",
    dt.datetime: "date-time",
    dt.time: "time",
    dt.timedelta: "duration",
}


def _iso_duration(value: dt.timedelta) -> str:
    sign = "-" if value < dt.timedelta(0) else ""
    value = abs(value)
    seconds = (
        f"{value.seconds}.{value.microseconds:06d}".rstrip("0").rstrip(".")
        if value.microseconds
        else f"{value.seconds}"
    )
    return f"{sign}P{value.days}DT{seconds}S"
