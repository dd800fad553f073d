"""What pytest collects of a document's shell examples: one item a block, all in one shell session."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from celltask.documents.project_of_pytest import settings_of
from celltask.documents.report import relative
from celltask.documents.shell.blocks import asked_blocks
from celltask.documents.shell.run import ShellRun, reason_not_to_run, told_before

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from _pytest._code.code import TerminalRepr, TracebackStyle

    from celltask.documents.expected.promote import Replaced
    from celltask.documents.items import DocumentFile
    from celltask.documents.shell.asking import Choice
    from celltask.documents.shell.blocks import ShellBlock
    from celltask.documents.shell.judging import ShellFailure

__all__ = ["ShellItem", "shell_items"]


class ShellFailedError(Exception):
    """A shell example failed; `before` is the name of the one for which it was run as set-up, if any."""

    def __init__(self, block: ShellBlock, failure: ShellFailure, before: str = "") -> None:
        super().__init__(failure.what)
        self.failure = failure
        self.text = told_before(before, block, failure) if before else failure.text


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
        """Have the examples above run.

        Raises:
            ShellFailedError: If one of them does not end as it should, and that is not told yet.
        """
        reason = reason_not_to_run(self.block, _choice(self.config))
        if reason:
            raise pytest.skip.Exception(f"the example is not run: {reason}", _use_item_location=True)
        broken = self.run.broken_above(self.block)
        if broken is None:
            return
        if broken.failure is None:
            place = f"{relative(str(self.path))}:{broken.block.line}"
            raise pytest.skip.Exception(f"{broken.block.name} above failed ({place})", _use_item_location=True)
        raise ShellFailedError(broken.block, broken.failure, before=self.name)

    def runtest(self) -> None:
        """Run the commands of the example.

        Raises:
            ShellFailedError: If they do not do what the document says.
        """
        verdict = self.run.verdict_on(self.block, tells=True)
        if verdict.failure is not None:
            raise ShellFailedError(self.block, verdict.failure)

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
        what, text = error.failure.what, error.text
        traceback = ReprTraceback([ReprEntryNative([text])], None, style="native")
        place = ReprFileLocation(relative(str(self.path)), error.failure.line, what)
        return ReprExceptionInfo(traceback, place)


def shell_items(document: DocumentFile, taken: Collection[str]) -> list[ShellItem]:
    """Items for the shell examples of `document` that are to be run, or of which it is said that they are not.

    Raises:
        DocumentError: If an option of a block or of the header cannot be read.
    """
    blocks = asked_blocks(document.document, choice=_choice(document.config), taken=taken)

    def accept(replaced: Replaced) -> bool:
        return document.outputs.accept(replaced)

    run = ShellRun(document.document, blocks, settings_of(document.config), accept)
    return [ShellItem.from_parent(document, name=block.name, block=block, run=run) for block in blocks]


def _choice(config: pytest.Config) -> Choice:
    return cast("Choice", config.getoption("celltask_shell"))
