"""The shell examples of one document, run one after the other in one scratch folder and one shell."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from celltask.documents.expected.promote import Replaced
from celltask.documents.settings import document_settings
from celltask.documents.shell.commands import can_show
from celltask.documents.shell.judging import Comparing, ShellFailure, Transcript, judge_command
from celltask.documents.shell.process import ShellProcess
from celltask.documents.shell.scratch import Scratch
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.documents.outline import DocumentText
    from celltask.documents.settings import Folder
    from celltask.documents.shell.blocks import ShellBlock
    from celltask.documents.shell.commands import Command
    from celltask.documents.shell.process import Outcome

__all__ = ["DEPTH", "ShellSession", "Verdict", "find_shell"]

DEPTH = "CELLTASK_SHELL_DEPTH"
"""Environment variable that tells a program how many shell examples it runs within."""

_ENVIRONMENT = {"COLUMNS": "80", "LINES": "24", "NO_COLOR": "1", "TERM": "dumb"}
_TAKEN_OUT = ("PYTEST_", "COV_CORE_")
_NOT_KEPT = frozenset({"BASH_ENV", "CLICOLOR_FORCE", "ENV", "FORCE_COLOR", "PY_COLORS"})
_STRICT = 'set -e; set -o pipefail; trap \'printf "line %s\\n" "$LINENO" >&9\' DEBUG'


class Verdict(NamedTuple):
    """What became of one shell example."""

    failure: ShellFailure | None
    """Why it failed; None if it did what the document says."""
    output: str
    """What its commands printed, each below its own text."""


def find_shell() -> list[str]:
    """The command that starts bash or, without it, sh; empty where there is none, and on Windows."""
    if sys.platform == "win32":
        return []
    bash = shutil.which("bash")
    if bash:
        return [bash, "--noprofile", "--norc"]
    sh = shutil.which("sh")
    return [sh] if sh else []


class ShellSession:
    """Runs the shell examples of one document; holds a shell and a folder until it is closed.

    Args:
        document: The document.
        root: The project's folder: relative paths may lead through it, and ``cwd: root`` begins there.
        folder: Where the examples begin, if the header does not say so.
        comparing: How outputs are compared.

    Raises:
        DocumentError: If there is no shell, or the header cannot be read.
    """

    def __init__(
        self,
        document: DocumentText,
        root: Path | None = None,
        *,
        folder: Folder = "document",
        comparing: Comparing | None = None,
    ) -> None:
        self._document, self._comparing = document, comparing or Comparing()
        self._shell = find_shell()
        if not self._shell:
            raise DocumentError("shell examples need bash or sh", document.path, "run them where there is one")
        settings = document_settings(document)
        self._environment = _environment(self._shell[0]) | dict(settings.environment)
        self._scratch = Scratch(document, root, from_root=(settings.folder or folder) == "root")
        self._folder = self._scratch.start
        self._state = self._scratch.place / "state"
        self._process: ShellProcess | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self, block: ShellBlock, timeout_s: float = 300.0, *, accept: Callable[[Replaced], bool] | None = None
    ) -> Verdict:
        """Run the commands of `block` up to the first that does not do what the document says.

        Args:
            block: Of this document.
            timeout_s: Seconds that it may take, if it has no option of its own.
            accept: Is asked where a command only prints something else; if it does, that is no failure.
        """
        limit_s = block.timeout_s or timeout_s
        deadline = time.monotonic() + limit_s
        transcript = Transcript(self._document, limit_s, self._comparing)
        for command in block.commands:
            if self._is_over:
                break
            outcome = self._run(command, deadline)
            transcript.add(command, outcome)
            failure = judge_command(transcript, command, outcome, self._scratch.written)
            if failure is not None:
                if accept is not None and can_show(command, failure.accepted) and accept(_replaced(command, failure)):
                    continue
                return Verdict(failure, transcript.text)
        return Verdict(None, transcript.text)

    def interrupt(self) -> None:
        """End the shell, and the example that another thread runs in it; no other is run."""
        self._is_over = True
        if self._process is not None:
            self._process.interrupt()

    def close(self) -> None:
        """End the shell with all that it started, and remove the folder; a second call does nothing."""
        if self._process is not None:
            self._process.close()
            self._process = None
        self._scratch.close()

    def _run(self, command: Command, deadline: float) -> Outcome:
        self._scratch.prepare(command.text, self._folder)
        if self._process is None or not self._process.is_open:
            folder = self._folder if self._folder.is_dir() else self._scratch.start
            folder.mkdir(parents=True, exist_ok=True)
            self._process = ShellProcess(self._shell, folder, self._environment, self._state)
            if self._is_over:  # meanwhile
                self._process.interrupt()
        # Empty lines in front give the shell's messages, and what it tells while it runs, the lines of the document.
        file = self._scratch.place / self._document.name
        strict = (_STRICT if "bash" in self._shell[0] else "set -e") if command.is_script else ""
        below = "\nset +e; set +o pipefail" if strict == _STRICT else "\nset +e" if strict else ""
        above = strict + "\n" * (command.line - 1)
        file.write_text(f"{above}{command.text}{below}\n", encoding="utf-8")
        lines = range(command.line, command.last_line + 1)
        outcome = self._process.run(file, deadline=deadline, lines=lines)
        self._folder = self._process.folder
        told = f"{self._document.name}: line " if command.is_script else "bash: line "
        printed = outcome.output.replace(f"{file}: line ", told)
        return outcome._replace(output=printed, line=outcome.line if command.is_script else command.line)


def _replaced(command: Command, failure: ShellFailure) -> Replaced:
    start = command.expected_line
    return Replaced(start, start + len(command.expected), failure.accepted)


def _environment(shell: str) -> dict[str, str]:
    """The user's, less what concerns the test process, with the programs of this Python first."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(_TAKEN_OUT) and name not in _NOT_KEPT
    }
    programs = [str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]
    depth = int(kept.get(DEPTH, "0")) + 1
    return kept | _ENVIRONMENT | {"PATH": os.pathsep.join(programs), DEPTH: str(depth), "SHELL": shell}
