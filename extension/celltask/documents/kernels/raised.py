"""Exceptions in the kernel of a tested document as plain data, whatever they are made of.

Like `in_kernel`, this is executed in the kernel as text, and needs nothing but the standard library.
"""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import FrameType, TracebackType

__all__ = ["cleaned", "is_unwieldy", "stand_in", "text_of", "told", "walk"]

_HIDDEN = ("IPython", "ipykernel", "celltask", "asyncio", "decorator")
_MOST_FRAMES = 30
_MOST_TEXT = 20_000
_MOST_CAUSES = 5
_MANY_CAUSES = 50
"""Of so many causes, IPython takes seconds to show the tracebacks."""


def told(error: BaseException, files: Collection[str], depth: int = 0) -> dict[str, object]:
    """`error` as `report` and `verdict` read it.

    Args:
        error: As caught.
        files: Names that cells are compiled under; a traceback is told from the first of them on.
        depth: How many errors led from the first to this one.
    """
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    syntax = error if isinstance(error, SyntaxError) else None
    notes = getattr(error, "__notes__", ())
    return {
        "names": [name for kind in type(error).__mro__ for name in _names(kind)],
        "message": (str(syntax.msg) if syntax else text_of(error))[:_MOST_TEXT],
        "notes": [str(note)[:_MOST_TEXT] for note in notes] if isinstance(notes, (list, tuple)) else [],
        "frames": _frames(error.__traceback__, files),
        "syntax": syntax and [syntax.filename, syntax.lineno, syntax.offset, syntax.end_offset],
        "how": "cause" if error.__cause__ else "context",
        "cause": told(cause, files, depth + 1) if cause is not None and depth < _MOST_CAUSES else None,
    }


def text_of(error: BaseException) -> str:
    """The message of `error`, of which its own class may make nothing."""
    try:
        return str(error)
    except BaseException as second:  # noqa: BLE001 - border: the error's own __str__ is the user's code
        return f"<its message cannot be shown: {type(second).__name__}>"


def is_unwieldy(error: BaseException) -> bool:
    """Whether to show `error` would fail, or take a kernel seconds."""
    text = text_of(error)
    notes = getattr(error, "__notes__", [])
    plain = notes == [] or (isinstance(notes, list) and all(isinstance(note, str) for note in notes))
    if len(text) > _MOST_TEXT or text != cleaned(text) or not plain or text.startswith("<its message"):
        return True
    causes, cause = 0, error.__cause__ or error.__context__
    while cause is not None and causes < _MANY_CAUSES:
        causes, cause = causes + 1, cause.__cause__ or cause.__context__
    return causes == _MANY_CAUSES


def stand_in(error: BaseException) -> Exception:
    """An exception of the same name that can be shown."""
    kind = type(type(error).__name__, (Exception,), {})
    return kind(cleaned(text_of(error)[:_MOST_TEXT]))  # type: ignore[no-any-return]  # made a line above


def cleaned(data: object) -> object:
    r"""`data` with halves of surrogate pairs shown as such: no message can carry them.

    >>> cleaned({"text": ["a\ud800b"]})
    {'text': ['a\\ud800b']}
    """
    if isinstance(data, str):
        return data if data.isascii() else data.encode("utf-8", "backslashreplace").decode()
    if isinstance(data, dict):
        return {key: cleaned(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [cleaned(value) for value in data]
    return data


def _frames(traceback: TracebackType | None, files: Collection[str]) -> list[list[object]]:
    walked = list(walk(traceback))
    first = next((at for at, (frame, _, _) in enumerate(walked) if frame.f_code.co_filename in files), None)
    if first is None:
        return []
    shown = [item for item in walked[first:] if not _is_hidden(item[0])]
    if len(shown) > _MOST_FRAMES:
        shown = [*shown[: _MOST_FRAMES // 2], *shown[-_MOST_FRAMES // 2 :]]
    return [_frame(*item) for item in shown]


def _frame(frame: FrameType, line: int, instruction: int) -> list[object]:
    code = frame.f_code
    end_line = column = end_column = None
    if hasattr(code, "co_positions"):
        at, end_line, column, end_column = list(code.co_positions())[instruction // 2]
        if at != line or end_line != line:
            end_line = column = end_column = None
    text = linecache.getline(code.co_filename, line, frame.f_globals).rstrip("\n")
    return [code.co_filename, line, code.co_name, text, column, end_column]


def walk(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int, int]]:
    """The frames of `traceback`, outermost first, each with its line and the instruction in it."""
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno, traceback.tb_lasti
        traceback = traceback.tb_next


def _is_hidden(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return module in _HIDDEN or frame.f_code.co_filename.startswith("<celltask")


def _names(kind: type) -> list[str]:
    return [kind.__name__, f"{kind.__module__}.{kind.__qualname__}"]
