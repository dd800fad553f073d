"""Travel: a task as bytes for another process, with the text of its cells, so that errors there read as here."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.pickling import dumps
from celltask.core.registry import registry
from celltask.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FunctionType

    from celltask.core.task import Task

__all__ = ["LARGEST", "Luggage", "captured_by", "captured_told", "luggage_of", "unpack"]

LARGEST = 1 << 20
"""How many bytes of notebook data a task may take with it."""

_WORTH_TELLING = 1 << 12


class Luggage(NamedTuple):
    """A task ready to travel.

    `blob` is made once and sent once to each process that runs it; `digest` names its content; `captured` tells the
    names of notebook data that go with it, with their sizes in bytes, of those above 4 KiB.
    """

    digest: str
    blob: bytes
    captured: Mapping[str, int]


def luggage_of(task: Task[..., object]) -> Luggage:
    """`task` ready to travel; made again only when names may mean something else by now.

    Raises:
        RunError: If it cannot be pickled, or would take more than 1 MiB of notebook data with it.
    """
    if task.luggage is not None and task.told_digest:
        return task.luggage[1]  # as it came here
    if task.luggage is None or task.luggage[0] != registry.epoch or not task.is_derived:
        task.luggage = (registry.epoch, _pack(task))
    return task.luggage[1]


def _pack(task: Task[..., object]) -> Luggage:
    from hashlib import sha256  # noqa: PLC0415 - only what travels needs it

    by_value: list[FunctionType] = []
    try:
        body = dumps(task, by_value=by_value)
    except Exception as error:  # noqa: BLE001 - border: pickling runs code of users' classes
        raise RunError(
            f"task {task.name!r} cannot travel to another process: {type(error).__name__}: {error}",
            task.place,
            "make what it names inside the body, or run it with engine='threads'",
        ) from None
    captured = _captured(by_value) if len(body) > _WORTH_TELLING else {}
    if len(body) > LARGEST:
        raise _too_large(task, len(body), captured)
    texts = {function.__code__.co_filename for function in by_value}
    sources = {name: text for name in texts if (text := "".join(linecache.getlines(name)))}
    blob = dumps((body, task.digest, sources))
    return Luggage(sha256(blob).hexdigest(), blob, captured)


def _captured(functions: list[FunctionType]) -> dict[str, int]:
    """Names of data that the functions read from outside, with the size of their pickles."""
    found: dict[str, int] = {}
    for function in functions:
        for name in function.__code__.co_names:
            value = function.__globals__.get(name, function)
            if name not in found and not callable(value) and type(value).__name__ != "module":
                size = len(dumps(value))
                if size > _WORTH_TELLING:
                    found[name] = size
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def captured_by(task: Task[..., object]) -> dict[str, int]:
    """Bytes of what a task and its helpers read from outside, by name, largest first: see `Task.captured`."""
    if task.function is None:
        return {}
    from celltask.core.purity import captured  # noqa: PLC0415 - only for people

    space = getattr(task.function, "__globals__", {})
    found = {
        one.name: _size(space.get(one.name), one.size_bytes)
        for one in captured(task.function)
        if one.what in ("data", "frozen")
    }
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _size(value: object, in_memory: int | None) -> int:
    """Bytes that a value takes with it; what says itself that it is large is not pickled to know more exactly."""
    if in_memory is not None and in_memory > LARGEST:
        return in_memory
    try:
        return len(dumps(value))
    except Exception:  # noqa: BLE001 - border: pickling runs code of users' classes
        return in_memory or 0


def captured_told(task: Task[..., object]) -> str:
    """What a task captures, for people: ``"ROWS (1.2 MB), LIMITS (12 B)"``; ``""`` if nothing."""
    from celltask.core.refusal import size_text  # noqa: PLC0415 - only for people

    found = captured_by(task)
    told = ", ".join(f"{name} ({size_text(size)})" for name, size in found.items())
    return told + ("; too much for another process" if sum(found.values()) > LARGEST else "")


def _too_large(task: Task[..., object], size: int, captured: Mapping[str, int]) -> RunError:
    told = ", ".join(f"`{name}` ({size / 1e6:.1f} MB)" for name, size in captured.items())
    return RunError(
        f"task {task.name!r} would take {size / 1e6:.1f} MB with it to another process"
        + (f": {told}" if told else ", more than 1 MiB"),
        task.place,
        f"make {next(iter(captured), 'the data')} an input of the task, or load it inside the body",
    )


def unpack(blob: bytes) -> Task[..., object]:
    """The task that travelled; the lines of its cells are known here from now on."""
    import pickle  # noqa: PLC0415 - only where tasks arrive
    from hashlib import sha256  # noqa: PLC0415 - as above

    body, digest, sources = pickle.loads(blob)  # noqa: S301 - made by `luggage_of` in a process of ours
    for name, text in sources.items():
        if not linecache.getlines(name):
            # None for the time: checkcache() keeps entries that have none (CPython, Lib/linecache.py).
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    task: Task[..., object] = pickle.loads(body)  # noqa: S301 - as above
    task.told_digest = digest
    task.luggage = (registry.epoch, Luggage(sha256(blob).hexdigest(), blob, {}))
    return task
