"""MyST pages into cells, with exact lines, on the block parser of markdown-it.

Other readers leave out a code cell that stands inside a directive, a list or a quotation, and some swallow the rest of
a page after a badly closed fence. Here the content of every directive that holds Markdown is parsed again, so its cells
are found and counted; what must be wrong is a `DocumentError`, what may be meant is a `Notice`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.documents.cell_options import block_options, split_options
from celltask.documents.fences import OPENER, Fence, check_closed, fence_parser, fences_in, left_out
from celltask.documents.header import OTHER_LANGUAGES, header_of
from celltask.documents.outline import PYTHON_NAMES, Block, Cell, DocumentText, Notice
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from celltask.documents.outline import Nested

__all__ = ["VERBATIM", "blocks_in", "read_myst"]

VERBATIM = frozenset(
    [
        "code",
        "code-block",
        "sourcecode",
        "parsed-literal",
        "literalinclude",
        "highlight",
        "prompt",
        "output",
        "raw",
        "raw-cell",
        "math",
        "eval-rst",
        "mermaid",
        "graphviz",
        "doctest",
        "testcode",
        "testsetup",
        "testcleanup",
        "testoutput",
        "csv-table",
        "bibtex",
        "include",
        "autodoc",
        "comment",
        "myst",
        "example",
    ]
)
"""Directives whose content is shown as it is, or is not Markdown."""

_DEEPEST = 40
"""Directives within directives; more are unclosed fences, each of which would read the rest of the page again."""

_DIRECTIVE = re.compile(r"\s*\{([^}\s]+)\}")
_ALMOST_CELL = re.compile(r"\s*\{?\s*(code[-_ ]?cel{1,2}s?|codecell|code-ce)\s*\}?(\s|$)", re.IGNORECASE)


def read_myst(text: str, path: str, *, nested: Nested = "run", any_language: bool = False) -> DocumentText:
    """The code cells of the MyST page `text`; `path` is for messages and for the cells' file name.

    Raises:
        DocumentError: If a code cell is not closed, its options cannot be read, it is nested and shall not be, or the
            page is not about Python.
    """
    return _Page(text.split("\n"), path, nested=nested).read(text, any_language=any_language)


def blocks_in(text: str, path: str, *, first_line: int, page: list[str]) -> list[Block]:
    """The fences of Markdown that holds no cells of its own, such as a comment in a script.

    Args:
        text: Each of its lines is a line of the document less what stands before it.
        path: For messages.
        first_line: Line of its first line in the document, from 1.
        page: Lines of the whole document.

    Raises:
        DocumentError: If directives stand in each other without end.
    """
    found = _Page(page, path, has_cells=False)
    found.read_block(text, first_line=first_line, depth=0, language="")
    return sorted(found.blocks, key=lambda block: block.line)


class _Page:
    """One page while it is read: gathers cells, other fences and notices."""

    def __init__(self, lines: list[str], path: str, *, has_cells: bool = True, nested: Nested = "run") -> None:
        self.lines, self.path, self.has_cells, self.nested = lines, path, has_cells, nested
        self.cells: list[Cell] = []
        self.blocks: list[Block] = []
        self.notices: list[Notice] = []
        self.accounted: set[int] = set()
        """Lines of fences that were read as cells, or stand in text that is shown as it is."""
        self.parser = fence_parser()

    def read(self, text: str, *, any_language: bool) -> DocumentText:
        """The whole page; its lines are those of `text`."""
        header = header_of(self.lines, self.path)
        body = "\n" * header.length + "\n".join(self.lines[header.length :])
        language = header.language or (OTHER_LANGUAGES.get(header.kernel, "") if any_language else "")
        self.read_block(body, first_line=1, depth=0, language=language)
        self.cells.sort(key=lambda cell: cell.marker_line)
        cells = tuple(cell._replace(number=number) for number, cell in enumerate(self.cells, 1))
        self._notice_what_was_passed_over(header.length)
        is_python = language in PYTHON_NAMES or any(cell.is_python for cell in cells)
        if not is_python and not any_language:
            raise DocumentError(
                f"this is a page of {language}, not of Python", self.path, "set `language: python` in its header"
            )
        notices = tuple(sorted([*header.notices, *self.notices]))
        blocks = tuple(sorted(self.blocks, key=lambda block: block.line))
        own = language if any_language and language not in PYTHON_NAMES else "python"
        return DocumentText(self.path, "myst", cells, text, notices, blocks, language=own, kernel=header.kernel)

    def read_block(self, text: str, *, first_line: int, depth: int, language: str) -> None:
        """Gather what stands in `text`, and in the directives in it."""
        if depth > _DEEPEST:
            where = f"{self.path}, line {first_line}"
            raise DocumentError(f"directives stand in each other more than {_DEEPEST} deep", where, "close them")
        for found in fences_in(self.parser, text, first_line, page=self.lines, nested=depth > 0):
            if found.directive == "code-cell" and self.has_cells:
                self._add_cell(found, language)
                continue
            self.blocks.append(_block(found))
            if (found.directive and found.directive not in VERBATIM) or self._swallows_cells(found):
                self.read_block(found.content, first_line=found.line + 1, depth=depth + 1, language=language)
            else:
                self.accounted.update(range(found.line + 1, found.line + found.content.count("\n") + 1))

    def _swallows_cells(self, found: Fence) -> bool:
        """Whether text shown as it is holds a cell only because a fence before it was closed wrongly.

        A shown code cell needs a longer fence around it, else its own end would close the outer one.
        """
        for number, line in enumerate(found.content.split("\n"), found.line + 1):
            opener = OPENER.match(line)
            if opener and _is_code_cell(opener["info"]) and opener["marks"].startswith(found.marks):
                self.notices.append(
                    Notice(
                        found.line,
                        f"the fence opened here runs over the code cell at line {number}",
                        f"close it with {found.marks} before line {number}",
                        "swallowed-cell",
                    )
                )
                return True
        return False

    def _add_cell(self, found: Fence, language: str) -> None:
        check_closed(found, self.path)
        self.accounted.update(range(found.line, found.line + found.content.count("\n") + 1))
        if found.nested and self.nested != "run":
            self.notices.append(left_out(found, self.path, self.nested))
            return
        where = f"{self.path}, line {found.line}"
        options = split_options(found.content, found.line + 1, where=where)
        word = found.argument.split(maxsplit=1)[0].lower() if found.argument else language
        self.cells.append(
            Cell(
                number=0,
                source=options.source,
                first_line=options.first_line,
                language="python" if word in PYTHON_NAMES else word,
                options=options.options,
                tags=options.tags,
                nested=found.nested,
                filename=self.path,
                marker_line=found.line,
                column=found.column,
            )
        )

    def _notice_what_was_passed_over(self, header: int) -> None:
        for number, line in enumerate(self.lines[header:], header + 1):
            if number in self.accounted or "code" not in line.lower():
                continue
            opener = OPENER.match(line)
            if opener is None or not (_is_code_cell(opener["info"]) or _ALMOST_CELL.match(opener["info"])):
                continue
            if _is_code_cell(opener["info"]):
                what = "this code cell is not read: it stands in a comment, in HTML or in an indented block"
                mend, rule = "put an empty line before it, and indent it by less than 4 spaces", "hidden-cell"
            else:
                what, mend = f"{opener['info'].strip()!r} is not read as a code cell", "write {code-cell}"
                rule = "misspelt-cell"
            self.notices.append(Notice(number, what, mend, rule))


def _block(found: Fence) -> Block:
    options, skipped = block_options(found.content) if found.directive else ({}, 0)
    lines = found.content.removesuffix("\n").split("\n")
    return Block(
        directive=found.directive,
        argument=found.argument,
        source="\n".join(lines[skipped:]),
        line=found.line,
        first_line=found.line + 1 + skipped,
        last_line=found.last_line,
        column=found.column,
        marks=found.marks,
        options=options,
        nested=found.nested,
        prefix=found.prefix,
        closed=found.closed,
    )


def _is_code_cell(info: str) -> bool:
    directive = _DIRECTIVE.match(info)
    return directive is not None and directive[1] == "code-cell"
