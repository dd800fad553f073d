"""The plugin for coverage.py that measures cells: ``plugins = celltask.documents.coverage_plugin`` in its settings.

The code of a cell is compiled under the name of its document and at its lines, so what was executed is recorded as for
any file; this tells which lines there are. How such plugins work is from
https://coverage.readthedocs.io/en/latest/api_plugin.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coverage import CoveragePlugin, FileReporter, FileTracer
from coverage.parser import PythonParser

from celltask.documents.magics import without_magics
from celltask.documents.places import masked_text
from celltask.documents.reader import MYST_SUFFIXES, read_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coverage.plugin_support import Plugins
    from coverage.types import TConfigurable, TLineNo

__all__ = ["coverage_init"]


class _Cells(CoveragePlugin):
    """Claims the pages whose cells are executed; percent scripts are Python already."""

    def file_tracer(self, filename: str) -> FileTracer | None:
        """What tells coverage that code of `filename` belongs to that very file."""
        return _Page(filename) if filename.endswith(MYST_SUFFIXES) else None

    def file_reporter(self, filename: str) -> FileReporter:
        """The lines of the page."""
        return _PageLines(filename)

    def find_executable_files(self, src_dir: str) -> Iterable[str]:
        """None: a page that no test has executed is not measured."""
        del src_dir
        return ()


class _Page(FileTracer):
    def __init__(self, filename: str) -> None:
        self._filename = filename

    def source_filename(self) -> str:
        """The page."""
        return self._filename


class _PageLines(FileReporter):
    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        document = read_document(filename)
        texts = {cell.number: without_magics(cell.source)[0] for cell in document.cells if cell.is_python}
        self._text = document.text
        self._parser = PythonParser(
            text="".join(masked_text(document.cells, texts)), filename=filename, exclude="#.*pragma:.*no.*cover"
        )
        self._parser.parse_source()

    def source(self) -> str:
        """The page as it stands, for reports that show it."""
        return self._text

    def lines(self) -> set[TLineNo]:
        """Lines at which statements of cells begin."""
        return self._parser.statements

    def excluded_lines(self) -> set[TLineNo]:
        """Those marked ``# pragma: no cover``."""
        return self._parser.excluded

    def translate_lines(self, lines: Iterable[TLineNo]) -> set[TLineNo]:
        """First lines of the statements that `lines` belong to."""
        return self._parser.translate_lines(lines)

    def source_token_lines(self) -> Iterable[list[tuple[str, str]]]:
        """The page without colours: most of it is no Python."""
        for line in self._text.splitlines():
            yield [("txt", line)]


def coverage_init(reg: Plugins, options: TConfigurable) -> None:
    """Called by coverage.py."""
    del options
    reg.add_file_tracer(_Cells())
