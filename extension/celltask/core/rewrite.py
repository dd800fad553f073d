"""A cell's text with its header lines turned into Python, line for line.

Where one public `def` follows a header, the header becomes the decorator on its own line, so that tracebacks,
`inspect.getsource`, SyntaxErrors, `await`, debuggers and other extensions see ordinary Python with the cell's own line
numbers. Above a body it becomes the first line of a function, and the lines below are indented into it. In every
other case it becomes a marker, an annotation that does nothing. `decorate_tree` acts upon both.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from celltask.core.header import HEADER, RUNTIME_NAME, Header, decorator_source, joined, parse_header
from celltask.errors import HeaderError

__all__ = ["OWN_DECORATOR", "has_header", "rewrite_source"]

_PYTHON_MAGICS = frozenset({"capture", "debug", "ipytest", "memit", "mprun", "prun", "time", "timeit"})
"""Cell magics whose cell is Python run in the notebook; the cell of any other is left alone."""

_COMMENT_HEADER = re.compile(r"#[ \t]?(?=%%?(?:task|workflow)(?:\s|$))")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_CELL_MAGIC = re.compile(r"%%(\w+)")
_DEF = re.compile(r"(?:async[ \t]+)?def[ \t]+(\w+)")
_CODE = re.compile(r"@|(?:async[ \t]+)?def[ \t]|class[ \t]")
"""A line that a header never continues on, whatever the line before it ends in."""
OWN_DECORATOR = re.compile(r"(?:\w+\.)*(?:task|workflow|dynamic|map_task)\Z")
"""The dotted name of a decorator that makes a task or workflow already."""
_DECORATOR_NAME = re.compile(r"@[ \t]*([\w. \t]+)")
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\r\n]*)
    |(?P<quote>\"\"\"|'''|"|')
    |(?P<open>[(\[{])|(?P<close>[)\]}])
    |(?P<goes_on>\\(?:\r\n|\r|\n))
    |[^\#"'()\[\]{}\\]+|\\""",
    re.VERBOSE,
)
_REST = {
    **{
        quote: re.compile(rf"(?:\\(?:\r\n|.)|(?!{quote})[^\\])*(?P<closed>{quote})?(?P<goes_on>)", re.DOTALL)
        for quote in ('"""', "'''")
    },
    **{
        quote: re.compile(rf"(?:\\[^\r\n]|[^{quote}\\\r\n])*(?:(?P<closed>{quote})|(?P<goes_on>\\(?:\r\n|\r|\n)))?")
        for quote in ('"', "'")
    },
}
"""What ends a string that one of these quotes began."""


class _Statement(NamedTuple):
    """The first line of a statement at the left edge, or a header."""

    line: int  # from 0
    kind: str  # "header", "def", "decorator", "other"
    name: str = ""  # of a def, or of a decorator
    last: int = -1  # of a header: its last line, with what it continues on
    text: str = ""  # of a header


class _Scan(NamedTuple):
    """What is known of the lines of a cell."""

    statements: list[_Statement]
    in_strings: set[int]  # numbers from 0 of the lines that begin inside a string


def has_header(text: str) -> bool:
    """Whether `text` may hold a header line; quick, and wrong only on the safe side."""
    return "%task" in text or "%workflow" in text


def rewrite_source(text: str, *, where: str = "", commented: bool = False) -> str:
    r"""The text of a cell as Python, with the same number of lines.

    Lines that cannot be read as a header become markers too: `decorate_tree` raises for them. A header with
    ``--help`` is left alone, as is the cell of another cell magic (``%%bash``, ``%%writefile``, …).

    Args:
        text: The cell, magics of other kinds included.
        where: Not used here; taken so that all three functions of this room are called alike.
        commented: Whether headers may also be written as comments (``# %%task --cache``), as in percent scripts.

    >>> rewrite_source("%%task --cache\ndef f(x: int) -> int:\n    return x\n").splitlines()[0]
    '@__celltask__.task(cache=True)'
    """
    del where
    if not has_header(text):
        return text
    lines = _LINE.findall(text)
    scan = _scan(lines, commented=commented)
    headers = [place for place, statement in enumerate(scan.statements) if statement.kind == "header"]
    for place, following in itertools.pairwise([*headers, len(scan.statements)]):
        _rewrite_header(lines, scan, place, following)
    return "".join(lines)


def _rewrite_header(lines: list[str], scan: _Scan, place: int, following: int) -> None:
    """Replace the lines of the header at `place`, which applies to the statements from there to `following`."""
    statement, region = scan.statements[place], scan.statements[place + 1 : following]
    end = scan.statements[following].line if following < len(scan.statements) else len(lines)
    try:
        header = parse_header(statement.text)
    except HeaderError:
        header = None
    if header is not None and header.help:
        if not any(
            line.strip() for line in lines[statement.last + 1 :]
        ):  # notebooks refuse a cell magic without a cell
            lines[statement.line] = lines[statement.line].replace("%%", "%", 1)
        return
    if header is not None and header.is_body and region:
        waits = header.run and any(re.search(r"\b(await|async)\b", line) for line in lines[statement.line : end])
        code = _body_marker(header, waits=waits)
        for number in range(statement.last + 1, end):
            if number not in scan.in_strings and lines[number].strip():
                lines[number] = f"    {lines[number]}"
    elif header is not None and not header.is_body and not header.run and _is_one_def(region):
        code = f"@{decorator_source(header)}"
    else:
        waits = header is not None and header.run and any(item.text == "async" for item in region)
        code = f"{RUNTIME_NAME}: {joined(statement.text)!r}" + ("; () and await ()" if waits else "")
    for number in range(statement.line, statement.last + 1):
        ending = lines[number][len(lines[number].rstrip("\r\n")) :]
        lines[number] = (code if number == statement.line else "") + ending


def _body_marker(header: Header, *, waits: bool) -> str:
    """The first line of the function that the lines of a body cell are indented into."""
    # Notebooks decide by the text whether a cell needs an event loop, and the call that `--run` adds is not in it.
    head, loop = ("async def", ", _=() and await ()") if waits else ("def", "")
    return f"{head} {header.name}({RUNTIME_NAME}={header.text!r}{loop}):"


def _is_one_def(region: list[_Statement]) -> bool:
    """Whether the region opens with its only public def, not made a task by a decorator of its own."""
    defs = [item for item in region if item.kind == "def" and not item.name.startswith("_")]
    if len(defs) != 1:
        return False
    before = region[: region.index(defs[0])]
    return all(item.kind == "decorator" and not OWN_DECORATOR.match(item.name) for item in before)


def _scan(lines: list[str], *, commented: bool) -> _Scan:
    """Every statement at the left edge, headers among them; none where the cell is no Python."""
    found: list[_Statement] = []
    in_strings: set[int] = set()
    number, state = 0, _Lexer()
    while number < len(lines):
        line = lines[number]
        if not state.is_clean:
            if state.in_string:
                in_strings.add(number)
            state.feed(line)
            number += 1
            continue
        begin = 0
        if commented and (match := _COMMENT_HEADER.match(line)):
            begin = match.end()
        if HEADER.match(line, begin):
            last, text = _continued(lines, number, commented=begin > 0)
            found.append(_Statement(number, "header", last=last, text=text))
            number = last + 1
            continue
        if (match := _CELL_MAGIC.match(line)) and match[1] not in _PYTHON_MAGICS:
            return _Scan([], in_strings)
        if line[:1] in ("%", "!", "?"):
            found.append(_Statement(number, "other"))
        else:
            _add_statement(found, number, line)
            state.feed(line)
        number += 1
    return _Scan(found, in_strings)


def _add_statement(found: list[_Statement], number: int, line: str) -> None:
    if not line.strip() or line[0].isspace() or line[0] == "#":
        return
    if match := _DEF.match(line):
        found.append(_Statement(number, "def", match[1], text="async" if line.startswith("async") else ""))
    elif match := _DECORATOR_NAME.match(line):
        found.append(_Statement(number, "decorator", match[1].replace(" ", "").replace("\t", "")))
    else:
        found.append(_Statement(number, "other"))


def _continued(lines: list[str], number: int, *, commented: bool) -> tuple[int, str]:
    """The last line of the header that begins on line `number`, and its whole text."""
    parts: list[str] = []
    while True:
        line = lines[number]
        bare = line.rstrip("\r\n")
        parts.append(re.sub(r"^#[ \t]?", "", line) if commented else line)
        goes_on = (len(bare) - len(bare.rstrip("\\"))) % 2 == 1
        if not goes_on or number + 1 == len(lines) or _CODE.match(lines[number + 1]):
            return number, "".join(parts).rstrip("\r\n")
        number += 1


class _Lexer:
    """Follows strings and brackets over the lines of a cell, valid Python or not, and never fails.

    `tokenize` stops at the first thing it does not know (`!ls`, an open bracket), and differently in each Python.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""  # of the string that the next line begins in
        self._goes_on = False

    @property
    def in_string(self) -> bool:
        """Whether the next line begins inside a string."""
        return bool(self._quote)

    @property
    def is_clean(self) -> bool:
        """Whether the next line begins a statement or a block."""
        return not (self._depth or self._quote or self._goes_on)

    def feed(self, line: str) -> None:
        """Go over one line, with its line ending."""
        self._goes_on = False
        position = self._rest_of_string(line, 0) if self._quote else 0
        while position < len(line):
            match = _TOKEN.match(line, position)
            if match is None:  # cannot be: the last branches take every character
                return
            position = match.end()
            match match.lastgroup:
                case "quote":
                    self._quote = match[0]
                    position = self._rest_of_string(line, position)
                case "open":
                    self._depth += 1
                case "close":
                    self._depth = max(0, self._depth - 1)
                case "goes_on":
                    self._goes_on = True

    def _rest_of_string(self, line: str, position: int) -> int:
        """Where the string that `position` stands in ends, or the line does."""
        match = _REST[self._quote].match(line, position)
        end = match.end() if match is not None else len(line)
        if match is None or match["closed"] or (len(self._quote) == 1 and not match["goes_on"]):
            self._quote = ""
        return end
