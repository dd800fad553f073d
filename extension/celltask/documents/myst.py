"""MyST pages into cells, with exact lines, on the block parser of markdown-it.

Other readers leave out a code cell that stands inside a directive, a list or a quotation, and some swallow the rest of
a page after a badly closed fence. Here the content of every directive that holds Markdown is parsed again, so its cells
are found and counted; what must be wrong is a `DocumentError`, what may be meant is a `Notice`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt

from celltask.documents.cell_options import split_options
from celltask.documents.outline import PYTHON_NAMES, Cell, DocumentText, Notice
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

__all__ = ["read_myst"]

_VERBATIM = frozenset(
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

_DIRECTIVE = re.compile(r"\s*\{([^}\s]+)\}\s*(.*)")
_OPENER = re.compile(r"(?P<before>[\s>*+\-0-9.)]*)(?P<marks>`{3,}|~{3,}|:{3,})(?P<info>[^`]*)$")
_ALMOST_CELL = re.compile(r"\s*\{?\s*(code[-_ ]?cel{1,2}s?|codecell|code-ce)\s*\}?(\s|$)", re.IGNORECASE)
_HEADER_END = re.compile(r"(---|\.\.\.)\s*$")
_LANGUAGE = re.compile(r"\s+(?:main_language|language):\s*['\"]?([\w+#-]+)")


class _Found(NamedTuple):
    """A fence that may hold cells."""

    line: int
    """Of the opening fence, from 1."""
    marks: str
    info: str
    content: str
    closed: bool
    nested: bool


def read_myst(text: str, path: str) -> DocumentText:
    """The code cells of the MyST page `text`; `path` is for messages and for the cells' file name.

    Raises:
        DocumentError: If a code cell is not closed, its options cannot be read, or the page is not about Python.
    """
    return _Page(text, path).read()


class _Page:
    """One page while it is read: gathers cells and notices."""

    def __init__(self, text: str, path: str) -> None:
        self.text, self.path = text, path
        self.lines = text.split("\n")
        self.cells: list[Cell] = []
        self.notices: list[Notice] = []
        self.accounted: set[int] = set()
        """Lines of fences that were read as cells, or stand in text that is shown as it is."""
        self.parser = _parser()

    def read(self) -> DocumentText:
        header = _header_length(self.lines)
        language = _language_of(self.lines[:header])
        body = "\n" * header + "\n".join(self.lines[header:])
        self._read_block(body, first_line=1, depth=0, language=language)
        self.cells.sort(key=lambda cell: cell.marker_line)
        cells = tuple(cell._replace(number=number) for number, cell in enumerate(self.cells, 1))
        self._notice_what_was_passed_over(header)
        if language not in PYTHON_NAMES and not any(cell.is_python for cell in cells):
            raise DocumentError(
                f"this is a page of {language}, not of Python", self.path, "set `language: python` in its header"
            )
        notices = tuple(sorted(self.notices))
        return DocumentText(self.path, "myst", cells, self.text, notices)

    def _read_block(self, text: str, *, first_line: int, depth: int, language: str) -> None:
        if depth > _DEEPEST:
            where = f"{self.path}, line {first_line}"
            raise DocumentError(f"directives stand in each other more than {_DEEPEST} deep", where, "close them")
        for found in _fences(self.parser, text, first_line, nested=depth > 0):
            directive = _DIRECTIVE.match(found.info)
            if directive and directive[1] == "code-cell":
                self._add_cell(found, directive[2], language)
            elif (directive and directive[1] not in _VERBATIM) or self._swallows_cells(found):
                self._read_block(found.content, first_line=found.line + 1, depth=depth + 1, language=language)
            else:
                self.accounted.update(range(found.line + 1, found.line + found.content.count("\n") + 1))

    def _swallows_cells(self, found: _Found) -> bool:
        """Whether text shown as it is holds a cell only because a fence before it was closed wrongly.

        A shown code cell needs a longer fence around it, else its own end would close the outer one.
        """
        for number, line in enumerate(found.content.split("\n"), found.line + 1):
            opener = _OPENER.match(line)
            if opener and _is_code_cell(opener["info"]) and opener["marks"].startswith(found.marks):
                self.notices.append(
                    Notice(
                        found.line,
                        f"the fence opened here runs over the code cell at line {number}",
                        f"close it with {found.marks} before line {number}",
                    )
                )
                return True
        return False

    def _add_cell(self, found: _Found, argument: str, language: str) -> None:
        self._check_closed(found)
        where = f"{self.path}, line {found.line}"
        options = split_options(found.content, found.line + 1, where=where)
        word = argument.split(maxsplit=1)[0].lower() if argument.strip() else language
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
            )
        )
        self.accounted.update(range(found.line, found.line + found.content.count("\n") + 1))

    def _check_closed(self, found: _Found) -> None:
        """Refuse a cell that runs on into what follows it."""
        mark = found.marks[0]
        for number, line in enumerate(found.content.split("\n"), found.line + 1):
            opener = _OPENER.match(line)
            if opener is None or opener["marks"][0] != mark:
                continue
            if opener["info"].strip() and opener["marks"].startswith(found.marks) and _DIRECTIVE.match(opener["info"]):
                raise DocumentError(
                    f"this code cell is not closed before the next fence opens at line {number}",
                    f"{self.path}, line {found.line}",
                    f"end it with a line {found.marks}",
                )
            if not found.closed and not opener["info"].strip():
                raise DocumentError(
                    f"this code cell opens with {found.marks} but line {number} would close it with {opener['marks']}, "
                    "so it runs on to the end",
                    f"{self.path}, line {found.line}",
                    f"write {found.marks} at line {number}",
                )

    def _notice_what_was_passed_over(self, header: int) -> None:
        for number, line in enumerate(self.lines[header:], header + 1):
            if number in self.accounted:
                continue
            opener = _OPENER.match(line)
            if opener is None or not (_is_code_cell(opener["info"]) or _ALMOST_CELL.match(opener["info"])):
                continue
            if _is_code_cell(opener["info"]):
                what = "this code cell is not read: it stands in a comment, in HTML or in an indented block"
                mend = "put an empty line before it, and indent it by less than 4 spaces"
            else:
                what, mend = f"{opener['info'].strip()!r} is not read as a code cell", "write {code-cell}"
            self.notices.append(Notice(number, what, mend))


def _is_code_cell(info: str) -> bool:
    directive = _DIRECTIVE.match(info)
    return directive is not None and directive[1] == "code-cell"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 100}).disable("inline")
    parser.block.ruler.before(
        "fence", "colon_fence", _colon_fence, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    return parser


def _colon_fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's signature
    """Block rule for ``:::{name}`` … ``:::``; it leaves a token like that of a fence of backticks."""
    marks = _colons(state, start)
    if not marks or state.is_code_block(start):
        return False
    if silent:
        return True
    line = start + 1
    closed = False
    while line < end and not closed:
        begin = state.bMarks[line] + state.tShift[line]
        if begin < state.eMarks[line] and state.sCount[line] < state.blkIndent:
            break  # a list item or quotation ends here, and the fence with it
        found = _colons(state, line)
        rest = state.src[begin + len(found) : state.eMarks[line]]
        closed = len(found) >= len(marks) and not rest.strip() and not state.is_code_block(line)
        line += 1
    token = state.push("fence", "code", 0)
    token.markup = marks
    token.info = state.src[state.bMarks[start] + state.tShift[start] + len(marks) : state.eMarks[start]]
    token.content = state.getLines(start + 1, line - 1 if closed else line, state.sCount[start], True)  # noqa: FBT003 - as above
    token.map = [start, line]
    state.line = line
    return True


def _colons(state: StateBlock, line: int) -> str:
    """The three or more colons that the line begins with, or nothing."""
    text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
    count = len(text) - len(text.lstrip(":"))
    return ":" * count if count >= 3 else ""  # noqa: PLR2004 - three marks make a fence


def _fences(parser: MarkdownIt, text: str, first_line: int, *, nested: bool) -> Iterator[_Found]:
    lines = text.split("\n")
    for token in parser.parse(text):
        if token.type == "fence" and token.map is not None:
            yield _Found(
                line=first_line + token.map[0],
                marks=token.markup,
                info=token.info,
                content=token.content,
                closed=_is_closed(token, lines),
                nested=nested or token.level > 0,
            )


def _is_closed(token: Token, lines: list[str]) -> bool:
    """Whether the fence ends with a line of its own marks rather than with the text around it."""
    if token.map is None or token.map[1] - token.map[0] < 2:  # noqa: PLR2004 - one line opens, another closes
        return False
    last = lines[min(token.map[1], len(lines)) - 1].lstrip("> \t").rstrip()
    return last.startswith(token.markup) and not last.strip(token.markup[0])


def _header_length(lines: list[str]) -> int:
    """Number of lines of the YAML header, its rulers included; 0 if there is none."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    for number, line in enumerate(lines[1:], 2):
        if _HEADER_END.match(line):
            return number
    return 0


def _language_of(header: list[str]) -> str:
    """The language that the header names, in lower case; empty if none."""
    for line in header:
        named = _LANGUAGE.match(line)
        if named:
            return named[1].lower()
    return ""
