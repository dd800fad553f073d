"""The fences of Markdown text, by the block parser of markdown-it with a rule more, each with its exact place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt

from celltask.documents.outline import Notice
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

    from celltask.documents.outline import Nested

__all__ = ["OPENER", "Fence", "check_closed", "fence_parser", "fences_in", "left_out"]

OPENER = re.compile(r"(?P<before>[\s>*+\-0-9.)]*)(?P<marks>`{3,}|~{3,}|:{3,})(?P<info>[^`]*)$")
"""A line that looks as if it opened or closed a fence, wherever it stands."""

_DIRECTIVE = re.compile(r"\s*\{([^}\s]+)\}\s*(.*)")
_ENDS_PARAGRAPH = frozenset("`~:>*+-_#<0123456789")
"""What a line begins with that is not prose though it follows on prose."""
_NO_QUOTE = re.compile(r"[^\s>#]")


class Fence(NamedTuple):
    """A fence in a document, of whatever kind."""

    line: int
    """Of the opening fence, from 1."""
    last_line: int
    """Of the closing fence; of the last line of the content if it has none."""
    column: int
    marks: str
    info: str
    content: str
    closed: bool
    nested: bool
    prefix: str
    """What stands before each line of the content."""

    @property
    def directive(self) -> str:
        """``"note"`` of ```` ```{note} ````; empty if it has none."""
        found = _DIRECTIVE.match(self.info)
        return found[1] if found else ""

    @property
    def argument(self) -> str:
        """What stands after the directive, or after the marks."""
        found = _DIRECTIVE.match(self.info)
        return found[2].strip() if found else self.info.strip()


def fence_parser() -> MarkdownIt:
    """A parser of blocks alone, which also knows fences of colons."""
    # Headings by underline and link definitions make no difference to fences, and each reads every paragraph once more.
    parser = MarkdownIt("commonmark", {"maxNesting": 100}).disable(["inline", "lheading", "reference"])
    parser.block.ruler.before(
        "fence", "colon_fence", _colon_fence, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    parser.block.ruler.at("paragraph", _paragraph)
    return parser


def fences_in(
    parser: MarkdownIt, text: str, first_line: int, *, page: Sequence[str], nested: bool = False
) -> Iterator[Fence]:
    """The outermost fences of `text`, in their order.

    Args:
        parser: From `fence_parser`.
        text: Markdown, each of its lines a line of the document less what stands before it.
        first_line: Line of its first line in the document, from 1.
        page: Lines of the whole document.
        nested: Whether `text` stands inside of something.
    """
    lines = text.split("\n")
    # With an end to its last line: markdown-it reads past an empty one (StateBlock.getLines).
    for token in parser.parse(text if text.endswith("\n") else text + "\n"):
        if token.type == "fence" and token.map is not None:
            line = first_line + token.map[0]
            before = page[line - 1].partition(token.markup)[0]
            yield Fence(
                line=line,
                last_line=first_line + token.map[1] - 1,
                column=len(before) + 1,
                marks=token.markup,
                info=token.info,
                content=token.content,
                closed=_is_closed(token, lines),
                nested=nested or token.level > 0,
                prefix=_NO_QUOTE.sub(" ", before),  # the mark of a list stands on the first line of its item alone
            )


def check_closed(found: Fence, path: str) -> None:
    """Refuse a code cell that runs on into what follows it.

    Raises:
        DocumentError: If it does; `path` is for its message.
    """
    mark = found.marks[0]
    for number, line in enumerate(found.content.split("\n"), found.line + 1):
        opener = OPENER.match(line)
        if opener is None or opener["marks"][0] != mark:
            continue
        if opener["info"].strip() and opener["marks"].startswith(found.marks) and _DIRECTIVE.match(opener["info"]):
            raise DocumentError(
                f"this code cell is not closed before the next fence opens at line {number}",
                f"{path}, line {found.line}",
                f"end it with a line {found.marks}",
            )
        if not found.closed and not opener["info"].strip():
            raise DocumentError(
                f"this code cell opens with {found.marks} but line {number} would close it with {opener['marks']}, "
                "so it runs on to the end",
                f"{path}, line {found.line}",
                f"write {found.marks} at line {number}",
            )


def left_out(found: Fence, path: str, nested: Nested) -> Notice:
    """What is said of a code cell that stands in something and is not to be run.

    Raises:
        DocumentError: If `nested` is ``"refuse"``.
    """
    what = "this code cell stands inside a directive, a list or a quotation"
    mend = "move it to the left edge, outside of all others"
    if nested == "refuse":
        raise DocumentError(what, f"{path}, line {found.line}", mend)
    return Notice(found.line, f"{what}, and is left out", mend, "nested-cell")


def _is_closed(token: Token, lines: list[str]) -> bool:
    """Whether the fence ends with a line of its own marks rather than with the text around it."""
    if token.map is None or token.map[1] - token.map[0] < 2:  # noqa: PLR2004 - one line opens, another closes
        return False
    last = lines[min(token.map[1], len(lines)) - 1].lstrip("> \t").rstrip()
    return last.startswith(token.markup) and not last.strip(token.markup[0])


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: ARG001, FBT001 - markdown-it's signature
    """Block rule for prose, which leaves no token; most lines of a page are passed over by their first character."""
    rules = state.md.block.ruler.getRules("paragraph")
    around, state.parentType = state.parentType, "paragraph"
    line = start + 1
    while line < state.lineMax and not state.isEmpty(line):
        first = state.src[state.bMarks[line] + state.tShift[line]]
        if (
            first in _ENDS_PARAGRAPH
            and state.sCount[line] >= 0  # else it stands in a quotation by itself
            and not state.is_code_block(line)
            and any(rule(state, line, state.lineMax, True) for rule in rules)  # noqa: FBT003 - as above
        ):
            break
        line += 1
    state.line, state.parentType = line, around
    return True


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
