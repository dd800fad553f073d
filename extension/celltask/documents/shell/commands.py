"""The text of a shell example into commands, each with its line and with what the document shows of its output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.shell.unfinished import is_unfinished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Command", "can_show", "commands_in", "has_prompts"]

_PROMPT = re.compile(r"(?:\([\w.-]+\) )?[$%](?: (?P<command>.*))?$")
_MORE = re.compile(r">(?: (?P<more>.*))?$")
_EXIT_CODE = re.compile(r"\[(\d{1,3})\]$")
_ASKS = re.compile(r"echo \$\?\s*$")


class Command(NamedTuple):
    """What is run at once: one command of a console, or a whole script.

    >>> Command("ls", line=12, last_line=12).exit_code
    0
    """

    text: str
    line: int
    """Line of the document where it begins, from 1."""
    last_line: int
    expected: tuple[str, ...] = ()
    """The lines of output that the document shows; none if it shows nothing, which is not compared."""
    expected_line: int = 0
    """Line of the first of them."""
    exit_code: int | None = 0
    """What the document says; None if the next command shows it, with ``echo $?``."""
    is_script: bool = False
    """Whether it ends at the first command that fails."""
    options: Mapping[str, object] = {}
    """Of the fence that shows its output: how that is compared."""


def has_prompts(source: str) -> bool:
    r"""Whether an example shows a console: its first line, comments aside, begins with a prompt.

    >>> has_prompts("# list\n$ ls\n"), has_prompts("ls\n")
    (True, False)
    """
    written = (line for line in source.split("\n") if line.strip() and not line.startswith("#"))
    return _PROMPT.match(next(written, "")) is not None


def commands_in(source: str, first_line: int, *, exit_code: int = 0) -> tuple[Command, ...]:
    r"""The commands of an example whose first line is `first_line` of the document.

    Args:
        source: The content of the fence.
        first_line: Its line, from 1.
        exit_code: What the option of the block says, of a script or of the last command of a console.

    >>> [(one.text, one.line, one.expected) for one in commands_in("$ cd x\n$ ls\na.md\n", 8)]
    [('cd x', 8, ()), ('ls', 9, ('a.md',))]
    """
    lines = source.split("\n")
    if not has_prompts(source):
        first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
        text = "\n".join(lines[first:]).rstrip()
        line = first_line + first
        script = Command(text, line, line + text.count("\n"), exit_code=exit_code, is_script=True)
        return (script,) if _is_code(text) else ()
    found = _entries(lines, first_line)
    if found and exit_code and found[-1].exit_code == 0:
        found[-1] = found[-1]._replace(exit_code=exit_code)
    return tuple(
        one._replace(exit_code=None) if later is not None and _shows_code(later) and one.exit_code == 0 else one
        for one, later in zip(found, [*found[1:], None], strict=True)
    )


def can_show(command: Command, lines: Sequence[str]) -> bool:
    """Whether a document can show `lines` below `command`, so that they are read as its output and as nothing else."""
    if not lines or command.is_script:
        return bool(lines)
    code = [f"[{command.exit_code}]"] if command.exit_code else []
    shown = ["$ x", *lines, *code]
    return [one.expected for one in commands_in("\n".join(shown), 1)] == [tuple(lines)]


def _is_code(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n"))


def _shows_code(command: Command) -> bool:
    return _ASKS.match(command.text) is not None and bool(command.expected)


def _entries(lines: list[str], first_line: int) -> list[Command]:
    found: list[Command] = []
    number = 0
    while number < len(lines):
        prompt = _PROMPT.match(lines[number])
        if prompt is None:  # a comment or an empty line above the first prompt
            number += 1
            continue
        text, end = _continued(lines, number, prompt["command"] or "")
        after = end
        while after < len(lines) and not _PROMPT.match(lines[after]):
            after += 1
        if text.strip() and _is_code(text):
            shown = Command(text, first_line + number, first_line + end - 1)
            found.append(_with_output(shown, lines[end:after], first_line + end, is_last=after == len(lines)))
        number = after
    return found


def _continued(lines: list[str], start: int, text: str) -> tuple[str, int]:
    """The command that begins at line `start`, and the number of the line below it."""
    end = start + 1
    while end < len(lines):
        more = _MORE.match(lines[end])
        if more:
            text += "\n" + (more["more"] or "")
        elif is_unfinished(text) and (not _PROMPT.match(lines[end]) or _is_open_below(text, lines[end:])):
            text += "\n" + lines[end]
        else:
            break
        end += 1
    return text, end


def _is_open_below(text: str, below: list[str]) -> bool:
    """Whether what is open in `text` is closed further down, so that a line like a prompt belongs to it."""
    for line in below:
        text += "\n" + line
        if not is_unfinished(text):
            return True
    return False


def _with_output(command: Command, below: list[str], line: int, *, is_last: bool) -> Command:
    """The command with the output shown below it; comments right above the next prompt belong to that."""
    shown = list(below)
    while shown and (not shown[-1].strip() or (not is_last and shown[-1].startswith("# "))):
        shown.pop()
    exit_code = 0
    if shown and (code := _EXIT_CODE.match(shown[-1])):
        exit_code = int(code[1])
        shown.pop()
    return command._replace(expected=tuple(shown), expected_line=line, exit_code=exit_code)
