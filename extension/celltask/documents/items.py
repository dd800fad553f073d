"""What pytest collects of a document: the document, with one fresh kernel, and its cells in order."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import pytest
from _pytest._code.code import (
    ReprEntryNative,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
)
from _pytest.fixtures import TopRequest

from celltask.documents.cell_names import cell_names
from celltask.documents.expected.doctests import doctest_blocks
from celltask.documents.expected.fences import stray_fences
from celltask.documents.expected.outputs import Outputs
from celltask.documents.project_of_pytest import settings_of
from celltask.documents.pytest_plugin import DIFFS
from celltask.documents.reader import read_document
from celltask.documents.report import relative, tell
from celltask.documents.runs import CellFailedError, Run
from celltask.documents.set_up import DocumentSetUp
from celltask.documents.settings import parameter_sets
from celltask.documents.shell.items import ShellItem, shell_items
from celltask.documents.verdict import skip_reason, tags_of
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest._code.code import TerminalRepr, TracebackStyle

    from celltask.documents.expected.doctests import DoctestBlock
    from celltask.documents.outline import Cell, DocumentText

__all__ = ["CellItem", "DoctestItem", "DocumentFile", "UnreadItem"]


_SET_UP = "celltask_setup"
_CODE_CELL = re.compile(r'(?<!\\)"cell_type":\s*"code"')


class DocumentFile(pytest.Module):
    """A document; holds its session, in which the cells are executed.

    It is a module to pytest, so that fixtures of the scope "module" are made once a document.
    """

    obj = None

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # pytest's own, handed through
        self._document: DocumentText | None = None
        self._runs: list[Run] = []
        self._outputs: Outputs | None = None
        self._examples: list[DoctestBlock] = []
        self._shell_items: list[ShellItem] = []
        self.set_up = DocumentSetUp(self.path)
        self._json_lines: list[int] | None = None

    @property
    def document(self) -> DocumentText:
        """The document as read when it was collected."""
        if self._document is None:
            self._document = self.read()
        return self._document

    def read(self) -> DocumentText:
        """The document as it is now.

        Raises:
            DocumentError: If it cannot be read.
        """
        return read_document(self.path, nested=self.config.getini("celltask_nested"), any_language=True)

    @property
    def is_plain(self) -> bool:
        """Whether it is a module without cells, which is no document to test."""
        try:
            return self.document.format == "python"
        except DocumentError:
            return False

    def collect(self) -> Iterator[CellItem | ShellItem | UnreadItem]:
        """One item a cell, then one a shell example that is to be run; if the document cannot be read, that error."""
        try:
            document = self.document
            self._examples = doctest_blocks(document)
            sets = parameter_sets(document, settings_of(self.config))
            names = cell_names(document.cells)
            self._shell_items = shell_items(self, names)
        except DocumentError as error:
            yield UnreadItem.from_parent(self, name="document", error=error)
            return
        for notice in (*document.notices, *stray_fences(document)):
            text = f"{notice.what}; {notice.mend}" if notice.mend else notice.what
            warning = pytest.PytestCollectionWarning(text)
            warnings.warn_explicit(warning, None, str(self.path), notice.line)
        self._runs = [Run(self, parameters) for parameters in sets]
        for run in self._runs:
            run.items = [
                CellItem.from_parent(self, name=f"{name}{run.name}", cell=cell, run=run)
                for name, cell in zip(names, document.cells, strict=True)
            ]
            yield from self._in_order(run)
        yield from self._shell_items

    def _in_order(self, run: Run) -> Iterator[CellItem]:
        """The cells of a run, each followed by the examples below it."""
        for number in range(len(run.items) + 1):
            yield from run.items[max(number - 1, 0) : number]
            for block in self._examples:
                if block.after == number:
                    yield DoctestItem.from_parent(self, name=f"{block.name}{run.name}", block=block, run=run)

    @property
    def outputs(self) -> Outputs:
        """What it must show; holds what is to be promoted of it."""
        if self._outputs is None:
            promotes = bool(self.config.getoption("celltask_promote"))
            self._outputs = Outputs(self.document, settings_of(self.config), promotes=promotes)
        return self._outputs

    @property
    def has_examples(self) -> bool:
        """Whether there are items of it that are no cells."""
        return bool(self._shell_items or self._examples)

    def line_of(self, cell: Cell) -> int:
        """Line of the file where `cell` begins; in a notebook that of its JSON, and 1 if that cannot be told."""
        if self.document.format != "ipynb":
            return cell.line
        if self._json_lines is None:
            text = self.path.read_text(encoding="utf-8")
            found = [text.count("\n", 0, match.start()) + 1 for match in _CODE_CELL.finditer(text)]
            self._json_lines = found if len(found) == len(self.document.cells) else [1] * len(self.document.cells)
        return self._json_lines[cell.number - 1]

    def close_runs(self, *, but: Run | None = None) -> None:
        """End the kernels of all runs, or of all `but` one."""
        for run in self._runs:
            if run is not but:
                run.close()

    def teardown(self) -> None:
        """End the kernel and the shell, write what is promoted, and forget what a fixture has set up."""
        self.close_runs()
        for item in self._shell_items[:1]:
            item.run.close()
        self.set_up = DocumentSetUp(self.path)
        outputs, self._outputs = self._outputs, None
        diff = outputs.promote(writes=self.config.getoption("celltask_promote") == "write") if outputs else ""
        self.config.stash.setdefault(DIFFS, []).extend([diff] if diff else [])


class CellItem(pytest.Item):
    """One code cell."""

    parent: DocumentFile

    def __init__(self, *, cell: Cell, run: Run, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # pytest's own, handed through
        self.cell, self.run = cell, run
        self.user_properties.append(("celltask_line", cell.line))
        if "slow" in tags_of(cell):
            self.add_marker("slow")
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(self.parent.nodeid))

    def __repr__(self) -> str:
        return f"<Cell {self.name} line {self.cell.line}>"

    @property
    def where(self) -> str:
        """Its place: ``"docs/tutorial.md:101"``."""
        return f"{relative(self.cell.filename)}:{self.cell.line}"

    def setup(self) -> None:
        """Have the fixture ``celltask_setup`` made, if there is one, and the cells above executed.

        Raises:
            UsageError: If that fixture is made anew for each test.
        """
        document = self.parent.document
        reason = skip_reason(self.cell, document.language)
        if not reason and document.language != "python":
            from celltask.documents.kernels.other import reason_without_kernel  # noqa: PLC0415 - few need it

            reason = reason_without_kernel(document)
        if reason:
            raise pytest.skip.Exception(f"the cell {reason}", _use_item_location=True)
        self._make_set_up()
        self.run.prepare(self)

    def _make_set_up(self) -> None:
        """Ask for the one fixture that documents have; those that are used by all tests are for functions."""
        fixtures = self.session._fixturemanager  # noqa: SLF001 - pytest has no public way for items of other kinds
        defined = fixtures.getfixturedefs(_SET_UP, self)
        if not defined:
            return
        if defined[-1].scope in {"function", "class"}:
            raise pytest.UsageError(f'the fixture {_SET_UP} is made once a document: give it scope="module"')
        self._fixtureinfo = fixtures.getfixtureinfo(self, None, None)  # its request looks for these
        self.fixturenames: list[str] = []
        self.funcargs: dict[str, object] = {}
        self.obj = None
        self.parent.set_up.is_made = True
        TopRequest(self, _ispytest=True).getfixturevalue(_SET_UP)  # type: ignore[arg-type]  # typed for functions

    def runtest(self) -> None:
        """Execute the cell.

        Raises:
            CellFailedError: If it does not do what the document says.
        """
        failure = self.run.execute(self)
        if failure is not None:
            raise CellFailedError(self, failure)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Path, line in that file from 0, and name."""
        return self.path, self.parent.line_of(self.cell) - 1, self.name

    def _repr_failure_py(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> TerminalRepr:
        """The failure in the document's coordinates; `repr_failure` is only asked for the cell's own."""
        error = excinfo.value
        if isinstance(error, CellFailedError):
            told = tell(error.failure, self.parent.document, error.item.cell)
            text, what = told.text, told.what
            if error.before is not None:
                what = f"set-up cell {error.item.name} ({error.item.where}) failed: {what}"
                text = f"{error.before.name} needs the cells above it, and {what}\n\n{text}"
            traceback = ReprTraceback([ReprEntryNative([text])], None, style="native")
            return ReprExceptionInfo(traceback, ReprFileLocation(told.filename, told.line, what))
        if isinstance(error, CelltaskError):
            traceback = ReprTraceback([ReprEntryNative([f"{error}\n"])], None, style="native")
            return ReprExceptionInfo(traceback, ReprFileLocation(relative(str(self.path)), self.cell.line, error.what))
        return super()._repr_failure_py(excinfo, style)


class UnreadItem(pytest.Item):
    """A document that cannot be read: an error of its own, so that all others are tested."""

    def __init__(self, *, error: DocumentError, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # pytest's own, handed through
        self.error = error

    @property
    def line(self) -> int:
        """The line that the error tells; 1 if it tells none."""
        found = re.search(r", line (\d+)", self.error.where)
        return int(found[1]) if found else 1

    def setup(self) -> None:
        """Tell the error.

        Raises:
            DocumentError: That one.
        """
        raise self.error

    def runtest(self) -> None:
        """Nothing: it was told already."""

    def reportinfo(self) -> tuple[Path, int, str]:
        """Path, line in that file from 0, and name."""
        return self.path, self.line - 1, self.name

    def _repr_failure_py(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> TerminalRepr:
        del excinfo, style
        return _told_alone(self.error, ReprFileLocation(relative(str(self.path)), self.line, self.error.what))


class DoctestItem(CellItem):
    """The `>>>` examples of one fence or docstring; to the cells above it is as the next cell."""

    def __init__(self, *, block: DoctestBlock, run: Run, **kwargs: object) -> None:
        self.block = block
        cell = block.cell._replace(number=block.after + 1, first_line=block.line, marker_line=0)
        super().__init__(cell=cell, run=run, **kwargs)

    def __repr__(self) -> str:
        return f"<Doctest {self.name} line {self.block.line}>"

    def runtest(self) -> None:
        """Execute the examples.

        Raises:
            CellFailedError: If one of them does not show what it says.
        """
        reason = skip_reason(self.block.cell) if self.block.is_docstring else ""
        if reason:
            raise pytest.skip.Exception(f"its cell {reason}", _use_item_location=True)
        failure = self.run.try_examples(self.block)
        if failure is not None:
            raise CellFailedError(self, failure)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Path, line of the first example in that file from 0, and name; for a notebook, the line of its cell."""
        is_notebook = self.parent.document.format == "ipynb" and self.block.is_docstring
        return self.path, (self.parent.line_of(self.block.cell) if is_notebook else self.block.line) - 1, self.name


def _told_alone(error: CelltaskError, place: ReprFileLocation) -> TerminalRepr:
    """The error in its own words, without a traceback."""
    return ReprExceptionInfo(ReprTraceback([ReprEntryNative([f"{error}\n"])], None, style="native"), place)
