"""What a person is told of an exception in a task: the message, the node, and the user's own lines; none of ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.origin import place_of

if TYPE_CHECKING:
    from types import TracebackType

    from celltask.core.run import Run

__all__ = ["Frame", "class_and_message", "failure_text", "user_frames"]

_OURS = Path(__file__).resolve().parent.parent
_LIBRARY = Path(os.__file__).resolve().parent
_INSTALLED = {"site-packages", "dist-packages"}
_MOST_FRAMES = 12


class Frame(NamedTuple):
    """One line of the user's own code that an exception passed through."""

    place: str
    """``"tutorial.md, cell 4, line 101"``."""
    function: str
    text: str
    """The line itself, without the blanks around it."""


def user_frames(error: BaseException) -> list[Frame]:
    """The lines of the user's own that `error` passed through, the outermost first.

    Left out are celltask, the standard library and installed packages.
    """
    import linecache  # noqa: PLC0415 - only for a failure

    found = []
    at: TracebackType | None = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if _is_users(code.co_filename):
            text = linecache.getline(code.co_filename, at.tb_lineno, at.tb_frame.f_globals).strip()
            found.append(Frame(place_of(code.co_filename, at.tb_lineno), code.co_name, text))
        at = at.tb_next
    return found


def _is_users(filename: str) -> bool:
    if filename.startswith(("<celltask", "<frozen", "<string>", "<__array_function__")):
        return False
    path = Path(filename).resolve()
    if _OURS in path.parents or _INSTALLED.intersection(path.parts):
        return False
    return _LIBRARY not in path.parents


def class_and_message(error: BaseException) -> str:
    """``"ValueError: empty table"``, as Python's last line of a traceback has it."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    from traceback import format_exception_only  # noqa: PLC0415 - only for a failure

    bare = [line.rstrip("\n") for line in format_exception_only(type(error), error)]
    notes = "\n".join(getattr(error, "__notes__", ())).split("\n")
    kept = bare[: len(bare) - len(notes)] if bare[-len(notes) :] == notes else bare
    return "\n".join(kept).removeprefix("celltask.errors.")


def failure_text(run: Run) -> str:
    """The first error of `run`, the node it came from, the user's lines, and what else failed."""
    error = run.error
    if error is None:
        return ""
    return error_text(error, node_of(run, error))


def node_of(run: Run, error: BaseException) -> str:
    """Where in the run `error` came up: ``"node n1 (clean) of prices"``."""
    failed = [node for node in run.nodes if node.error is error]
    if not failed or (len(run.ledger.states) == 1 and failed[0].task == run.name):
        return run.name
    deepest = max(failed, key=lambda node: node.id.count("/"))
    return f"node {deepest.id} ({deepest.label}) of {run.name}"


def error_text(error: BaseException, node: str) -> str:
    """`error` and whatever it came from, each with the user's own lines."""
    lines = [class_and_message(error), f"  in: {node}", *_frames_told(error), *_notes_told(error), *_mend_told(error)]
    seen = {id(error)}
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while before is not None and id(before) not in seen:
        seen.add(id(before))
        lines += [f"  after {class_and_message(before)}", *_frames_told(before), *_notes_told(before)]
        before = before.__cause__ or (None if before.__suppress_context__ else before.__context__)
    return "\n".join(lines)


def _frames_told(error: BaseException) -> list[str]:
    frames = user_frames(error)
    lines = []
    for number, frame in enumerate(frames):
        if len(frames) > _MOST_FRAMES and _MOST_FRAMES // 2 <= number < len(frames) - _MOST_FRAMES // 2:
            if number == _MOST_FRAMES // 2:
                lines.append(f"  … {len(frames) - _MOST_FRAMES} lines more …")
            continue
        lines.append(f"  at: {frame.place}, in {frame.function}")
        if frame.text:
            lines.append(f"        {frame.text}")
    return lines


def _mend_told(error: BaseException) -> list[str]:
    """Where a file that is missing was looked for."""
    from celltask.cli.paths import looked_in, missing_file  # noqa: PLC0415 - only for a failure

    path = missing_file(error)
    return [f"  mend: {looked_in(path)}"] if path else []


def _notes_told(error: BaseException) -> list[str]:
    """The notes that say more than the lines above them do."""
    own = ("in node ", "in task ", "while loading ")
    notes = [str(note) for note in getattr(error, "__notes__", ()) if not str(note).startswith(own)]
    return [f"  {line}" for note in notes for line in note.split("\n")]
