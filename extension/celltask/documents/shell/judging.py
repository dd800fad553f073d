"""Whether a command did what its document shows, and if not, what to tell: in lines of the document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.expected.compare import compare
from celltask.documents.expected.rules import Rules, rules_of
from celltask.documents.report import relative
from celltask.documents.shell.page_module import has_same_lines
from celltask.documents.shell.process import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from celltask.documents.expected.sanitise import Sanitiser
    from celltask.documents.outline import DocumentText
    from celltask.documents.shell.commands import Command
    from celltask.documents.shell.process import Outcome

__all__ = ["Comparing", "ShellFailure", "Transcript", "judge_command"]

_SHOWN_LINES = 40
_SHELL_LINE = re.compile(r"^bash: line \d+: ", re.MULTILINE)


class ShellFailure(NamedTuple):
    """Why a shell example failed."""

    line: int
    """Line of the document: of the command, or of the first line of output that differs."""
    what: str
    """One line: ``"exit code 2: celltask run task.py train"``."""
    text: str
    """All that is to be told, ending with the place."""
    differs: bool = False
    """Whether the command ended as it should, and only printed something else."""
    accepted: tuple[str, ...] = ()
    """Lines that would do then."""


class Comparing(NamedTuple):
    """How a document has outputs compared, where a fence does not say so."""

    rules: Rules = Rules()
    known: tuple[Sanitiser, ...] = ()
    """Sanitisers that a fence may name, if those are more than the rules have."""


class Transcript:
    """What the commands of one example printed. Holds text, and grows."""

    def __init__(self, document: DocumentText, limit_s: float, comparing: Comparing) -> None:
        self.document, self.limit_s, self.comparing = document, limit_s, comparing
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """Each command, and what it printed."""
        return "".join(self._parts)

    def add(self, command: Command, outcome: Outcome) -> None:
        """Take in a command that was run."""
        ended = "" if outcome.output.endswith("\n") or not outcome.output else "\n"
        self._parts.append(f"{prompted(command)}\n{_tail(outcome.output)}{ended}")


def prompted(command: Command) -> str:
    """The command as a console shows it; a script as it stands."""
    return command.text if command.is_script else "$ " + command.text.replace("\n", "\n> ")


def judge_command(
    transcript: Transcript, command: Command, outcome: Outcome, written: Collection[Path]
) -> ShellFailure | None:
    """What is wrong with a command that was run; None if nothing is.

    Args:
        transcript: Of its example.
        command: As the document has it.
        outcome: How it ended.
        written: Modules made of the page's own cells.

    Raises:
        DocumentError: If an option of the fence that shows its output cannot be read.
    """
    document = transcript.document
    line = outcome.line or command.line
    what = _wrong(command, outcome, transcript.limit_s)
    if what:
        shown = command.text.split("\n")[line - command.line].strip() if command.is_script else command.text
        what = f"{what}: {' '.join(shown.split())}"
        notes = list(_notes(document, outcome.output, written))
        return ShellFailure(line, what, _told(document, line, what, [transcript.text.rstrip("\n"), *notes]))
    if not command.expected:
        return None
    printed = outcome.output if command.is_script else _SHELL_LINE.sub("bash: ", outcome.output)
    where = f"{relative(document.path)}:{command.expected_line}"
    rules, known = transcript.comparing
    found = compare("\n".join(command.expected), printed, rules_of(command.options, rules, known=known, where=where))
    if found is None:
        return None
    diff = [*found.diff(command.expected_line, name=relative(document.path)), *found.notes]
    at = command.expected_line + found.line
    text = _told(document, at, found.what, [prompted(command), *diff])
    return ShellFailure(at, found.what, text, differs=True, accepted=found.accepted)


def _wrong(command: Command, outcome: Outcome, limit_s: float) -> str:
    if outcome.how == "timeout":
        return f"took longer than {limit_s:g} s, and was killed"
    if outcome.how == "flood":
        return f"printed more than {MOST_BYTES // 1_000_000} MB, and was killed"
    if command.exit_code is None or outcome.exit_code == command.exit_code:
        return ""
    meant = f", not {command.exit_code}" if command.exit_code else ""
    return f"exit code {outcome.exit_code}{meant}"


def _told(document: DocumentText, line: int, what: str, parts: list[str]) -> str:
    place = f"{relative(document.path)}:{line}"
    return "\n".join([place, *parts, "", f"{place}: {what}"]) + "\n"


def _tail(output: str) -> str:
    lines = output.split("\n")
    if len(lines) <= _SHOWN_LINES + 1:
        return output
    return "\n".join([f"[{len(lines) - 1 - _SHOWN_LINES} lines]", *lines[-_SHOWN_LINES - 1 :]])


def _notes(document: DocumentText, output: str, written: Collection[Path]) -> Iterator[str]:
    """Where in the document the lines stand that the output names of a module made of the page."""
    lines = document.text.split("\n")
    for module in sorted(written):
        if not has_same_lines(document, module.suffix):
            continue
        named = re.compile(rf"{re.escape(module.name)}(?:\"?, (?:cell \d+, )?line |:)(\d+)")
        for number in dict.fromkeys(int(found[1]) for found in named.finditer(output)):
            if 0 < number <= len(lines):
                place = f"{relative(document.path)}:{number}"
                yield f"note: {module.name}:{number} is {place}: {lines[number - 1].strip()}"
