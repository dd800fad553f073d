"""What pytest collects of a document's shell examples: one item a block, all in one shell session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import pytest
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from celltask.documents.report import relative
from celltask.documents.shell.blocks import shell_blocks
from celltask.documents.shell.session import DEPTH, ShellSession, find_shell

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from _pytest._code.code import TerminalRepr, TracebackStyle

    from celltask.documents.items import DocumentFile
    from celltask.documents.shell.asking import Choice
    from celltask.documents.shell.blocks import ShellBlock
    from celltask.documents.shell.judging import ShellFailure
    from celltask.documents.shell.session import Verdict

__all__ = ["ShellItem", "ShellRun", "shell_items"]


class ShellFailedError(Exception):
    """A shell example failed; `before` is the one for which it was run as set-up, if any."""

    def __init__(self, item: ShellItem, failure: ShellFailure, before: ShellItem | None = None) -> None:
        super().__init__(failure.what)
        self.item, self.failure, self.before = item, failure, before


class ShellRun:
    """The shell examples of a document. Holds their session, and what became of those run so far."""

    def __init__(self, document: DocumentFile) -> None:
        self._document = document
        self.items: list[ShellItem] = []
        self._session: ShellSession | None = None
        self._verdicts: dict[ShellItem, Verdict] = {}
        self._broken_by: ShellItem | None = None
        self._is_told = False

    def prepare(self, item: ShellItem) -> None:
        """Run the examples above `item` that were not run yet; what they print is judged in their own items.

        Raises:
            ShellFailedError: If one of them does not end as it should, and that is not told yet.
            Skipped: If one of them did not, and that was told.
        """
        for earlier in self.items[: self.items.index(item)]:
            if self._broken_by is None and earlier.block.runs:
                self.verdict_on(earlier)
        broken = self._broken_by
        if broken is None or item in self._verdicts:
            return
        failure = self._verdicts[broken].failure
        if failure is None or self._is_told:
            place = f"{relative(str(self._document.path))}:{broken.block.line}"
            raise pytest.skip.Exception(f"{broken.name} above failed ({place})", _use_item_location=True)
        self._is_told = True
        raise ShellFailedError(broken, failure, before=item)

    def verdict_on(self, item: ShellItem, *, tells: bool = False) -> Verdict:
        """What became of the example of `item`, which is run if it was not yet."""
        if item not in self._verdicts:
            config = self._document.config
            if self._session is None:
                folder = config.getini("celltask_cwd")
                self._session = ShellSession(self._document.document, config.rootpath, folder=folder)
            verdict = self._session.run(item.block, float(config.getini("celltask_timeout")))
            self._verdicts[item] = verdict
            if verdict.failure is not None and not verdict.failure.differs:
                self._broken_by = item
        if tells and self._broken_by is item:
            self._is_told = True
        return self._verdicts[item]

    def close(self) -> None:
        """End the session; an example asked for later begins with a fresh one."""
        session, self._session = self._session, None
        self._verdicts.clear()
        self._broken_by, self._is_told = None, False
        if session is not None:
            session.close()


class ShellItem(pytest.Item):
    """One shell example."""

    parent: DocumentFile

    def __init__(self, *, block: ShellBlock, run: ShellRun, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # pytest's own, handed through
        self.block, self.run = block, run
        self.user_properties.append(("celltask_line", block.line))
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(self.parent.nodeid))

    def __repr__(self) -> str:
        return f"<Shell {self.name} line {self.block.line}>"

    def setup(self) -> None:
        """Have the examples above run."""
        reason = self.block.reason or ("" if find_shell() else "shell examples need bash or sh")
        if not reason and _is_too_deep(self.config):
            reason = "it is within a shell example itself"
        if reason:
            raise pytest.skip.Exception(f"the example is not run: {reason}", _use_item_location=True)
        self.run.prepare(self)

    def runtest(self) -> None:
        """Run the commands of the example.

        Raises:
            ShellFailedError: If they do not do what the document says.
        """
        verdict = self.run.verdict_on(self, tells=True)
        if verdict.failure is not None:
            raise ShellFailedError(self, verdict.failure)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Path, line in that file from 0, and name."""
        return self.path, self.block.line - 1, self.name

    def _repr_failure_py(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> TerminalRepr:
        """The failure in the document's coordinates."""
        error = excinfo.value
        if not isinstance(error, ShellFailedError):
            return super()._repr_failure_py(excinfo, style)
        what, text = error.failure.what, error.failure.text
        if error.before is not None:
            text = f"{error.before.name} needs the shell examples above it, and {error.item.name} failed\n\n{text}"
        traceback = ReprTraceback([ReprEntryNative([text])], None, style="native")
        place = ReprFileLocation(relative(str(self.path)), error.failure.line, what)
        return ReprExceptionInfo(traceback, place)


def shell_items(document: DocumentFile, taken: Collection[str]) -> list[ShellItem]:
    """Items for the shell examples of `document` that are to be run, or of which it is said that they are not.

    Raises:
        DocumentError: If an option of a block or of the header cannot be read.
    """
    choice = cast("Choice", document.config.getoption("celltask_shell"))
    blocks = shell_blocks(document.document, choice=choice, taken=taken)
    run = ShellRun(document)
    asked = any(block.runs for block in blocks)
    run.items = [
        ShellItem.from_parent(document, name=block.name, block=block, run=run)
        for block in blocks
        if block.runs or (asked and block.reason)
    ]
    return run.items


def _is_too_deep(config: pytest.Config) -> bool:
    """Whether pytest is run by a shell example; one level more is allowed to who asks for it by the option."""
    allowed = 1 if config.getoption("celltask_shell") == "run" else 0
    return int(os.environ.get(DEPTH, "0")) > allowed
