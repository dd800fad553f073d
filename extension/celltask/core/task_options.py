"""The options of a task: how it wishes to be run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, cast

from celltask.errors import InterfaceError

if TYPE_CHECKING:
    from celltask.core.resources import Resources

__all__ = ["Options", "normal_options"]

_LONGEST_TIMEOUT_S = 1e9  # thirty years; a thread can be waited for no longer than ten times that


@dataclass(frozen=True, slots=True)
class Options:
    """How a task wishes to be run; see `task` for what each means."""

    cache: bool = False
    cache_version: str = ""
    cache_ignore: tuple[str, ...] = ()
    cache_ttl: float | None = None
    retries: int = 0
    retry_on: tuple[str, ...] = ()
    retry_delay: float = 0.2
    concurrency: tuple[tuple[str, int], ...] = ()
    timeout: float | None = None
    environment: tuple[tuple[str, str], ...] = ()
    resources: Resources | None = None
    share: tuple[str, ...] = ()
    allow_globals: tuple[str, ...] = ()
    card: bool = True
    docs: str = ""

    @property
    def plain(self) -> bool:
        """Whether a call of the task is just a call of its body."""
        return not (self.cache or self.retries or self.timeout is not None or self.environment)

    @property
    def is_asking(self) -> bool:
        """Whether the task asks for something of the machine, so that it may have to wait."""
        return self.resources is not None or bool(self.concurrency)

    def told(self) -> dict[str, str]:
        """The options that differ from their defaults, as text."""
        shown = [item for item in fields(self) if item.name not in ("docs", "card")]
        return {item.name: f"{getattr(self, item.name)}" for item in shown if getattr(self, item.name) != item.default}


def normal_options(given: Mapping[str, object]) -> dict[str, object]:
    """Options in the form `Options` keeps them.

    Raises:
        InterfaceError: If a value makes no sense.
    """
    return {key: _READERS[key](key, value) if key in _READERS else value for key, value in given.items()}


def _timeout(key: str, given: object) -> float | None:
    if given is None:
        return None
    seconds = given.total_seconds() if hasattr(given, "total_seconds") else given
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 < cast("float", seconds) <= _LONGEST_TIMEOUT_S:
        raise InterfaceError(f"{key} {given!r} is not a time", mend="give seconds above 0, or a timedelta")
    return float(cast("float", seconds))


def _retries(key: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise InterfaceError(f"{key} {given!r} is not a number of retries", mend="give a whole number, 0 or more")
    return given


def _switch(key: str, given: object) -> bool:
    if not isinstance(given, bool):
        raise InterfaceError(f"{key} {given!r} is neither on nor off", mend=f"write {key}=True or {key}=False")
    return given


def _text(key: str, given: object) -> str:
    if not isinstance(given, str):
        raise InterfaceError(f"{key} {given!r} is not text", mend=f'write {key}="{given}"')
    return given


def _names(key: str, given: object) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else given
    found = tuple(names) if isinstance(names, Iterable) else (None,)
    if not all(isinstance(name, str) for name in found):
        raise InterfaceError(f"{key} {given!r} is not a list of names", mend=f'write {key}=["x"]')
    return cast("tuple[str, ...]", found)


def _resources(key: str, given: object) -> Resources | None:
    from celltask.core.resources import Resources  # noqa: PLC0415 - few tasks ask for any

    if given is None or isinstance(given, Resources):
        return given
    try:
        return Resources(**cast("Mapping[str, int]", given))
    except TypeError:
        raise InterfaceError(
            f"{key} {given!r} are no resources", mend='write Resources(cpu=2, memory="8GiB")'
        ) from None


def _variables(_key: str, given: object) -> tuple[tuple[str, str], ...]:
    given = given or {}
    pairs = [(str(key), str(value)) for key, value in given.items()] if isinstance(given, Mapping) else [("", "")]
    for key, value in pairs:
        if not key or "=" in key or "\0" in key + value:
            told = f"{key}={value}" if isinstance(given, Mapping) else given
            raise InterfaceError(
                f"environment {told!r} is not a variable with its value", mend='write for example {"MODE": "fast"}'
            )
    return tuple(pairs)


def _delay(key: str, given: object) -> float:
    return 0.0 if given == 0 and not isinstance(given, bool) else cast("float", _timeout(key, given))


def _errors(key: str, given: object) -> tuple[str, ...]:
    """Names of classes of errors: as they are written, or with their modules where the classes themselves are given."""
    told: list[str] = []
    for one in given if isinstance(given, tuple | list) else (given,):
        if isinstance(one, type) and issubclass(one, Exception):
            told.append(one.__name__ if one.__module__ == "builtins" else f"{one.__module__}.{one.__qualname__}")
        elif isinstance(one, str) and all(part.isidentifier() for part in one.split(".")):
            told.append(one)
        else:
            raise InterfaceError(
                f"{key} {one!r} is no class of errors", mend="write for example (OSError, TimeoutError)"
            )
    return tuple(told)


def _places(key: str, given: object) -> tuple[tuple[str, int], ...]:
    pairs = {"": given} if isinstance(given, int) else given
    if not isinstance(pairs, Mapping):
        raise InterfaceError(f"{key} {given!r} is not a number", mend='write 2, or {"database": 2}')
    for name, count in pairs.items():
        if not isinstance(name, str) or not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise InterfaceError(f"{key} {given!r} is not a number above 0", mend='write 2, or {"database": 2}')
    return tuple(pairs.items())


_READERS: dict[str, Callable[[str, object], object]] = {
    "cache": _switch,
    "card": _switch,
    "cache_version": _text,
    "cache_ignore": _names,
    "cache_ttl": _timeout,
    "docs": _text,
    "retries": _retries,
    "retry_on": _errors,
    "retry_delay": _delay,
    "concurrency": _places,
    "timeout": _timeout,
    "environment": _variables,
    "resources": _resources,
    "share": _names,
    "allow_globals": _names,
}
