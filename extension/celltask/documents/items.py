"""What pytest collects of a document: the document, with one fresh kernel, and its cells in order."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

import pytest
from _pytest._code.code import (
    ReprEntryNative,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
)

from celltask.documents.cell_names import cell_names
from celltask.documents.kernel import Kernel
from celltask.documents.reader import read_document
from celltask.documents.report import relative, tell
from celltask.documents.verdict import judge, must_raise, skip_reason, timeout_of
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest._code.code import TerminalRepr, TracebackStyle

    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.verdict import Failure, Raises

__all__ = ["CellItem", "DocumentFile"]


_CODE_CELL = re.compile(r'(?<!\\)"cell_type":\s*"code"')


class CellFailedError(Exception):
    """A cell failed; `before` is the cell for which it was executed as set-up, if any."""

    def __init__(self, item: CellItem, failure: Failure, before: CellItem | None = None) -> None:
        super().__init__(failure.what)
        self.item, self.failure, self.before = item, failure, before


class _Result(NamedTuple):
    failure: Failure | None
    streams: dict[str, str]


class DocumentFile(pytest.File):
    """A document; holds its kernel, and what became of the cells executed so far."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # pytest's own, handed through
        self._document: DocumentText | None = None
        self._items: list[CellItem] = []
        self._kernel: Kernel | None = None
        self._results: dict[CellItem, _Result] = {}
        self._broken_by: CellItem | None = None
        self._is_told = False
        self._json_lines: list[int] | None = None

    @property
    def document(self) -> DocumentText:
        """The document as read when it was collected."""
        if self._document is None:
            self._document = read_document(self.path)
        return self._document

    @property
    def is_plain(self) -> bool:
        """Whether it is a module without cells, which is no document to test."""
        try:
            return self.document.format == "python"
        except DocumentError:
            return False

    def collect(self) -> Iterator[CellItem]:
        """One item a cell.

        Raises:
            CollectError: If the document cannot be read.
        """
        try:
            document = self.document
        except DocumentError as error:
            raise self.CollectError(str(error)) from None
        for notice in document.notices:
            text = f"{notice.what}; {notice.mend}" if notice.mend else notice.what
            warning = pytest.PytestCollectionWarning(text)
            warnings.warn_explicit(warning, None, str(self.path), notice.line)
        names = cell_names(document.cells)
        self._items = [
            CellItem.from_parent(self, name=name, cell=cell) for name, cell in zip(names, document.cells, strict=True)
        ]
        yield from self._items

    def line_of(self, cell: Cell) -> int:
        """Line of the file where `cell` begins; in a notebook that of its JSON, and 1 if that cannot be told."""
        if self.document.format != "ipynb":
            return cell.first_line
        if self._json_lines is None:
            text = self.path.read_text(encoding="utf-8")
            found = [text.count("\n", 0, match.start()) + 1 for match in _CODE_CELL.finditer(text)]
            self._json_lines = found if len(found) == len(self._items) else [1] * len(self._items)
        return self._json_lines[cell.number - 1]

    def prepare(self, item: CellItem) -> None:
        """Have all executed that stands above `item`.

        Raises:
            CellFailedError: If one of those fails, and that is not told yet.
            Skipped: If one of those failed, and that was told.
        """
        if not self._results:
            self._started()
        for earlier in self._items[: self._items.index(item)]:
            if self._broken_by is None and not skip_reason(earlier.cell):
                self.result_of(earlier)
        broken = self._broken_by
        if broken is None or item in self._results:
            return
        failure = self._results[broken].failure
        if failure is None or self._is_told:
            reason = f"cell {broken.name} above failed ({broken.where})"
            raise pytest.skip.Exception(reason, _use_item_location=True)
        self._is_told = True
        raise CellFailedError(broken, failure, before=item)

    def result_of(self, item: CellItem, *, tells: bool = False) -> _Result:
        """What became of `item`, which is executed if it was not yet."""
        if item not in self._results:
            raises, timeout_s = item.expectations()
            reply = self._started().run(item.cell, timeout_s=timeout_s)
            failure = judge(reply, raises, timeout_s=timeout_s)
            self._results[item] = _Result(failure, reply.streams)
            if failure is not None:
                self._broken_by = item
        if tells and self._broken_by is item:
            self._is_told = True
        return self._results[item]

    def _started(self) -> Kernel:
        if self._kernel is None:
            kernel = Kernel(str(self.path.parent))
            kernel.start()
            self._kernel = kernel
        return self._kernel

    def teardown(self) -> None:
        """End the kernel; a cell asked for later begins with a fresh one."""
        kernel, self._kernel = self._kernel, None
        self._results.clear()
        self._broken_by, self._is_told = None, False
        if kernel is not None:
            kernel.stop()


class CellItem(pytest.Item):
    """One code cell."""

    parent: DocumentFile

    def __init__(self, *, cell: Cell, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # pytest's own, handed through
        self.cell = cell
        self.user_properties.append(("celltask_line", cell.first_line))
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(self.parent.nodeid))

    def __repr__(self) -> str:
        return f"<Cell {self.name} line {self.cell.first_line}>"

    @property
    def where(self) -> str:
        """Its place: ``"docs/tutorial.md:101"``."""
        return f"{relative(self.cell.filename)}:{self.cell.first_line}"

    def expectations(self) -> tuple[Raises | None, float]:
        """What the cell must raise, and the seconds it may take."""
        default_s = float(self.config.getini("celltask_timeout"))
        return must_raise(self.cell, where=self.where), timeout_of(self.cell, default_s, where=self.where)

    def setup(self) -> None:
        """Have the cells above executed."""
        reason = skip_reason(self.cell)
        if reason:
            raise pytest.skip.Exception(f"the cell {reason}", _use_item_location=True)
        self.parent.prepare(self)

    def runtest(self) -> None:
        """Execute the cell.

        Raises:
            CellFailedError: If it does not do what the document says.
        """
        result = self.parent.result_of(self, tells=True)
        for stream, text in result.streams.items():
            self.add_report_section("call", stream, text)
        if result.failure is not None:
            raise CellFailedError(self, result.failure)

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
            return ReprExceptionInfo(
                traceback, ReprFileLocation(relative(str(self.path)), self.cell.first_line, error.what)
            )
        return super()._repr_failure_py(excinfo, style)
