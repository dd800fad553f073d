"""The shell examples of a document, run in their order: what became of each, and what that means for those below."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.expected.project import project_rules
from celltask.documents.shell.judging import Comparing
from celltask.documents.shell.session import DEPTH, ShellSession, find_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from celltask.documents.expected.promote import Replaced
    from celltask.documents.outline import DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.shell.asking import Choice
    from celltask.documents.shell.blocks import ShellBlock
    from celltask.documents.shell.judging import ShellFailure
    from celltask.documents.shell.session import Verdict

__all__ = ["Broken", "ShellRun", "reason_not_to_run", "told_before"]


class Broken(NamedTuple):
    """An example that did not end as it should, for which those below it are not run."""

    block: ShellBlock
    failure: ShellFailure | None
    """None if it was told already."""


class ShellRun:
    """The shell examples of a document. Holds their session, and what became of those run so far.

    Args:
        document: The document.
        blocks: All its examples, in their order.
        settings: Of the project.
        accept: Is asked where an example that is asked for prints something else than the document says; if it does,
            that is no failure.
    """

    def __init__(
        self,
        document: DocumentText,
        blocks: Sequence[ShellBlock],
        settings: Settings,
        accept: Callable[[Replaced], bool],
    ) -> None:
        self._document, self._settings, self._accept = document, settings, accept
        self._blocks = blocks
        self._session: ShellSession | None = None
        self._verdicts: dict[str, Verdict] = {}
        self._broken: ShellBlock | None = None
        self._is_told = False

    def broken_above(self, block: ShellBlock) -> Broken | None:
        """Why `block` is not to be run: the examples above it are run, if they were not yet, and one is broken.

        What they print is not judged here, but where they are asked for themselves.
        """
        for earlier in self._blocks[: self._blocks.index(block)]:
            if self._broken is None and earlier.runs:
                self.verdict_on(earlier)
        if self._broken is None or block.name in self._verdicts:
            return None
        failure = None if self._is_told else self._verdicts[self._broken.name].failure
        self._is_told = True
        return Broken(self._broken, failure)

    def verdict_on(self, block: ShellBlock, *, tells: bool = False) -> Verdict:
        """What became of `block`, which is run if it was not yet.

        Args:
            block: One of the examples.
            tells: Whether its failure is told now, so that it need not be for those below.

        Raises:
            DocumentError: If an option of a fence or of the project cannot be read.
        """
        if block.name not in self._verdicts:
            if self._session is None:
                self._session = self._begun()
            accept = self._accept if tells else None
            verdict = self._session.run(block, self._settings.timeout_s, accept=accept)
            self._verdicts[block.name] = verdict
            if verdict.failure is not None and not verdict.failure.differs:
                self._broken = block
        if tells and self._broken is block:
            self._is_told = True
        return self._verdicts[block.name]

    def _begun(self) -> ShellSession:
        settings = self._settings
        known, rules = project_rules(self._document, settings.sanitize, settings.expected_rtol)
        return ShellSession(self._document, settings.root, folder=settings.folder, comparing=Comparing(rules, known))

    def interrupt(self) -> None:
        """Have the example that another thread runs end now."""
        if self._session is not None:
            self._session.interrupt()

    def close(self) -> None:
        """End the session; an example asked for later begins with a fresh one."""
        session, self._session = self._session, None
        self._verdicts.clear()
        self._broken, self._is_told = None, False
        if session is not None:
            session.close()


def reason_not_to_run(block: ShellBlock, choice: Choice) -> str:
    """Why an example is skipped: by its option, or since there is no shell, or since this runs within another one.

    One level more is allowed to who asks for all examples.
    """
    if block.reason:
        return block.reason
    if not find_shell():
        return "shell examples need bash or sh"
    is_too_deep = int(os.environ.get(DEPTH, "0")) > (choice == "run")
    return "it is within a shell example itself" if is_too_deep else ""


def told_before(name: str, block: ShellBlock, failure: ShellFailure) -> str:
    """The failure of `block`, which was run for the sake of the example called `name`."""
    return f"{name} needs the shell examples above it, and {block.name} failed\n\n{failure.text}"
