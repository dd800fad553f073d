"""What pytest collects of a document: the document, with one fresh kernel, and its cells in order."""

from __future__ import annotations

import builtins
import re
import sys
import warnings
from typing import TYPE_CHECKING, cast

import pytest
from _pytest._code.code import (
    ReprEntryNative,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
)

from celltask.documents.cell_names import cell_names
from celltask.documents.engine import engine_of
from celltask.documents.kernels.other import reason_without_kernel
from celltask.documents.reader import read_document
from celltask.documents.report import relative, tell
from celltask.documents.session import Session
from celltask.documents.verdict import Failure, skip_reason, tags_of
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest._code.code import TerminalRepr, TracebackStyle

    from celltask.documents.outline import Cell, DocumentText

__all__ = ["CellItem", "DocumentFile"]


_MOST_TEXT = 200_000
"""Characters of each stream that a report holds."""
_LASTS = pytest.StashKey[dict["pytest.Collector | None", pytest.Item]]()
_CODE_CELL = re.compile(r'(?<!\\)"cell_type":\s*"code"')


class CellFailedError(Exception):
    """A cell failed; `before` is the cell for which it was executed as set-up, if any."""

    def __init__(self, item: CellItem, failure: Failure, before: CellItem | None = None) -> None:
        super().__init__(failure.what)
        self.item, self.failure, self.before = item, failure, before


class DocumentFile(pytest.Module):
    """A document; holds its session, in which the cells are executed.

    It is a module to pytest, so that fixtures of the scope "module" are made once a document.
    """

    obj = None

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # pytest's own, handed through
        self._document: DocumentText | None = None
        self._items: list[CellItem] = []
        self._session: Session | None = None
        self._is_told = False
        self._json_lines: list[int] | None = None

    @property
    def document(self) -> DocumentText:
        """The document as read when it was collected."""
        if self._document is None:
            self._document = read_document(self.path, any_language=True)
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
        """Execute the cells above `item` that were not executed yet.

        Raises:
            CellFailedError: If one of those fails, and that is not told yet.
            Skipped: If one of those failed, and that was told.
        """
        engine = engine_of(self.config)
        session = self._session
        if session is None:
            session = self._session = Session(self.document, engine.kernels, engine.stage_of(self))
        engine.run(session.reach(item.cell))
        if session.broken is None or item.cell.number in session.results:
            return
        broken = self._items[session.broken.number - 1]
        failure = session.results[broken.cell.number].failure
        if failure is None or self._is_told:
            reason = f"cell {broken.name} above failed ({broken.where})"
            raise pytest.skip.Exception(reason, _use_item_location=True)
        self._is_told = True
        raise CellFailedError(broken, failure, before=item)

    def run(self, item: CellItem, *, is_last: bool) -> Failure | None:
        """Execute the cell of `item`, which was prepared; why it failed, if it did."""
        if self._session is None:
            return None
        engine = engine_of(self.config)
        engine.run(engine.look_ahead(self))
        result = engine.run(self._session.result_of(item.cell, is_last=is_last))
        self._is_told = result.failure is not None
        for stream, text in result.reply.streams.items():
            cut = text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}\n[and more]\n"
            item.add_report_section("call", stream, cut)
        return result.failure or _warn(result.reply.warned)

    def teardown(self) -> None:
        """End the kernel; a cell asked for later begins with a fresh one."""
        session, self._session, self._is_told = self._session, None, False
        if session is not None:
            engine_of(self.config).run(session.close())


class CellItem(pytest.Item):
    """One code cell."""

    parent: DocumentFile

    def __init__(self, *, cell: Cell, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # pytest's own, handed through
        self.cell = cell
        self.user_properties.append(("celltask_line", cell.first_line))
        if "slow" in tags_of(cell):
            self.add_marker("slow")
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(self.parent.nodeid))

    def __repr__(self) -> str:
        return f"<Cell {self.name} line {self.cell.first_line}>"

    @property
    def where(self) -> str:
        """Its place: ``"docs/tutorial.md:101"``."""
        return f"{relative(self.cell.filename)}:{self.cell.first_line}"

    def setup(self) -> None:
        """Have the cells above executed."""
        document = self.parent.document
        reason = skip_reason(self.cell, document.language)
        if not reason and document.language != "python":
            reason = reason_without_kernel(document)
        if reason:
            raise pytest.skip.Exception(f"the cell {reason}", _use_item_location=True)
        self.parent.prepare(self)

    def runtest(self) -> None:
        """Execute the cell.

        Raises:
            CellFailedError: If it does not do what the document says.
        """
        failure = self.parent.run(self, is_last=self is self._last())
        if failure is not None:
            raise CellFailedError(self, failure)

    def _last(self) -> CellItem | None:
        """The last item of the document that this run has chosen."""
        lasts = self.session.stash.get(_LASTS, None)
        if lasts is None:  # looked up once: a run has many items
            lasts = {item.parent: item for item in self.session.items}
            self.session.stash[_LASTS] = lasts
        return cast("CellItem | None", lasts.get(self.parent))

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


def _warn(warned: list[list[object]]) -> Failure | None:
    """Give pytest the warnings that a kernel has shown; the failure, if one of them is an error here."""
    for names, message, filename, line in cast("list[tuple[list[str], str, str, int]]", warned):
        try:
            warnings.warn_explicit(message, _category(names), filename, line)
        except Warning as error:
            return Failure(f"{type(error).__name__}: {message}", line=line)
    return None


def _category(names: list[str]) -> type[Warning]:
    """The class of a warning by its name, or the first of its bases that this process knows."""
    for name in names:
        module, _, last = name.rpartition(".")
        found = getattr(builtins if module == "builtins" else sys.modules.get(module), last, None)
        if isinstance(found, type) and issubclass(found, Warning):
            return found
    return UserWarning
