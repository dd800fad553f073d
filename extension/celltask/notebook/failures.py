"""How failures are told in a cell: ours in three lines, the user's own without our frames in between."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import IPython

import celltask
from celltask.core.origin import place_of
from celltask.errors import CallError, CelltaskError, ValueMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from types import TracebackType

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["install_failures", "is_own_file", "told_lines", "without_own_frames"]

_OWN = celltask.__file__.removesuffix("__init__.py")
_GENERATED = "<celltask "
_SHELL = IPython.__file__.removesuffix("__init__.py")
_WAITING = (f"concurrent{os.sep}futures{os.sep}", f"{os.sep}threading.py", f"{os.sep}asyncio{os.sep}")


def install_failures(shell: InteractiveShell, undo: ExitStack) -> None:
    """Let `shell` show failures in this way until `undo` is closed."""
    _override(shell, "showtraceback", _telling, undo)
    _override(shell, "_showtraceback", _noting, undo)


def _override(
    shell: InteractiveShell, name: str, made: Callable[[Callable[..., None]], Callable[..., None]], undo: ExitStack
) -> None:
    """Put what `made` makes of the method `name` in its place until `undo` is closed."""
    theirs: Callable[..., None] = getattr(shell, name)
    ours = made(theirs)
    before = shell.__dict__.get(name)
    active = True

    def method(*args: object, **kwargs: object) -> None:
        (ours if active else theirs)(*args, **kwargs)

    def restore() -> None:
        nonlocal active
        active = False  # another extension may have wrapped this function, and keeps it alive
        if shell.__dict__.get(name) is method:
            if before is None:
                del shell.__dict__[name]
            else:
                shell.__dict__[name] = before

    shell.__dict__[name] = method
    undo.callback(restore)


def _telling(shown: Callable[..., None]) -> Callable[..., None]:
    """`showtraceback` with errors of ours told in three lines, and all others without our frames."""

    def showtraceback(exc_tuple: object = None, *args: object, **kwargs: object) -> None:
        found = exc_tuple if isinstance(exc_tuple, tuple) else sys.exc_info()
        value = found[1] if len(found) == 3 else None  # noqa: PLR2004 - class, object, traceback
        if not isinstance(value, BaseException):
            shown(exc_tuple, *args, **kwargs)
            return
        if isinstance(value, CelltaskError):
            lines = told_lines(value)
            value._render_traceback_ = lambda: lines  # type: ignore[attr-defined]  # how IPython lets errors draw themselves
            value.__traceback__ = without_own_frames(value.__traceback__, ours=True)  # `%debug` begins in the cell
        else:
            _relink(value, set())
        shown((type(value), value, value.__traceback__), *args, **kwargs)

    return showtraceback


def _noting(shown: Callable[..., None]) -> Callable[..., None]:
    """`_showtraceback` with the notes of the error as its last lines, which IPython 7 and early 8 leave out."""

    def showtraceback(kind: object, value: object, lines: object) -> None:
        if isinstance(lines, list):
            told = set(re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(map(str, lines))).splitlines())
            notes = [note for note in getattr(value, "__notes__", ()) if not told.issuperset(str(note).splitlines())]
            lines = [*lines, *map(str, notes)]
        shown(kind, value, lines)

    return showtraceback


def told_lines(error: CelltaskError) -> list[str]:
    """What happened, where, and how to mend it, one line each, with the error's class and notes."""
    where = error.where
    called = _called_from(error) if not where or isinstance(error, CallError | ValueMismatchError) else ""
    if called and not called.startswith(where or "\0"):
        where = f"{where} (called from {called})" if where else called
    told = [f"{type(error).__name__}: {error.what}"]
    told += [f"  at: {where}"] if where else []
    told += [f"  mend: {error.mend}"] if error.mend else []
    return told + list(getattr(error, "__notes__", ()))


def _called_from(error: CelltaskError) -> str:
    """Place of the innermost line of the user's own code that the error passed through."""
    place = ""
    frames = error.__traceback__.tb_next if error.__traceback__ is not None else None  # the first is IPython's
    while frames is not None:
        if not _is_own(frames) and not _is_shell(frames):
            place = place_of(frames.tb_frame.f_code.co_filename, frames.tb_lineno)
        frames = frames.tb_next
    return place


def without_own_frames(traceback: TracebackType | None, *, ours: bool = False) -> TracebackType | None:
    """The traceback without the frames of celltask and of the pools it waits for.

    A traceback that ends in a frame of celltask is left whole, unless the error is one of `ours`: it is a fault of
    celltask, to be seen.
    """
    frames = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    if not frames or (_is_own(frames[-1]) and not ours):
        return frames[0] if frames else None
    kept: list[TracebackType] = []
    hiding = False
    for frame in frames:
        hiding = _is_own(frame) or (hiding and _is_waiting(frame))
        if hiding:
            while len(kept) > 1 and _is_shell(kept[-1]):  # IPython's own between a magic's line and the magic
                kept.pop()
        else:
            kept.append(frame)
    if not kept:
        return frames[0]
    for place, frame in enumerate(kept):
        frame.tb_next = kept[place + 1] if place + 1 < len(kept) else None
    return kept[0]


def _relink(error: BaseException, seen: set[int]) -> None:
    """Take our frames out of the traceback of `error`, and of all that it came from."""
    if id(error) in seen:
        return
    seen.add(id(error))
    error.__traceback__ = without_own_frames(error.__traceback__)
    for earlier in (error.__cause__, error.__context__):
        if earlier is not None:
            _relink(earlier, seen)


def is_own_file(filename: str) -> bool:
    """Whether code of that file is of celltask, or made by it."""
    return filename.startswith((_OWN, _GENERATED))


def _is_own(frame: TracebackType) -> bool:
    return is_own_file(frame.tb_frame.f_code.co_filename)


def _is_shell(frame: TracebackType) -> bool:
    """Whether it is a frame of IPython, or of the package by which IPython 7 decorates its magics."""
    code, names = frame.tb_frame.f_code, frame.tb_frame.f_globals
    return code.co_filename.startswith((_SHELL, "<decorator-gen")) or names.get("__name__") == "decorator"


def _is_waiting(frame: TracebackType) -> bool:
    filename = frame.tb_frame.f_code.co_filename
    return any(part in filename for part in _WAITING)
