"""Rules for code cells and their fences."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from celltask.documents.expected.fences import stray_fences
from celltask.documents.fences import OPENER
from celltask.documents.lint.finding import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celltask.documents.lint.finding import Finding
    from celltask.documents.lint.page import Page

__all__ = [
    "colon_cells", "fence_lengths", "languages", "nested_cells", "noticed", "spaces_before_braces", "stray_outputs",
    "tags_as_string", "unclosed_fences", "unknown_options", "unknown_tags",
]  # fmt: skip

_TAGS = frozenset(
    [
        "hide-input",
        "hide-output",
        "hide-cell",
        "remove-input",
        "remove-output",
        "remove-cell",
        "remove-stdout",
        "remove-stderr",
        "raises-exception",
        "skip-execution",
        "raises_exception",
        "skip_execution",
        "no-execute",
        "scroll-output",
        "output_scroll",
        "full-width",
        "full_width",
        "margin",
        "popout",
        "parameters",
        "injected-parameters",
        "slow",
        "nbval-ignore-output",
        "nbval-check-output",
        "nbval-raises-exception",
        "nbval-skip",
        "nbval-test-name",
        "nb-name",
        "hide_input",
        "hide_output",
        "hide_cell",
        "remove_input",
        "remove_output",
        "remove_cell",
        "thebe-init",
        "thebe-interactive",
        "interactive",
        "solution",
        "exercise",
        "hide",
        "toggle-input",
        "toggle-output",
        "toggle-hidden",
        "table-of-contents",
        "active-ipynb",
        "active-py",
    ]
)
_OPTIONS = frozenset(
    [
        "tags",
        "tag",
        "name",
        "label",
        "caption",
        "class",
        "raises",
        "timeout",
        "number-lines",
        "lineno-start",
        "emphasize-lines",
        "linenos",
        "alt",
        "width",
        "height",
        "align",
        "figwidth",
        "mystnb",
        "jupyter",
        "slideshow",
        "editable",
        "deletable",
        "collapsed",
        "scrolled",
        "trusted",
        "execution",
        "lines_to_next_cell",
        "skip",
        "parametrize",
        "execute",
        "placeholder",
    ]
)
_MOVE = "move it to the left edge, outside of all others"


def noticed(rule: str) -> Callable[[Page], Iterator[Finding]]:
    """The rule that tells what the reader noticed under that name."""

    def check(page: Page) -> Iterator[Finding]:
        for notice in page.document.notices:
            if notice.rule == rule:
                line = page.lines[notice.line - 1]
                column = len(line) - len(line.lstrip()) + 1
                yield page.finding(notice.line, rule, notice.what, notice.mend, column=column)

    return check


def nested_cells(page: Page) -> Iterator[Finding]:
    """Code cells that most readers pass over; one in a fence that is closed wrongly is told by that fence."""
    swallowing = {notice.line for notice in page.document.notices if notice.rule == "swallowed-cell"}
    fences = [(block.line, block.last_line) for block in page.document.blocks if block.line in swallowing]
    for cell in page.document.cells:
        if (
            cell.nested
            and page.document.format == "myst"
            and not any(start < cell.marker_line <= end for start, end in fences)
        ):
            what = "this code cell stands inside a directive, a list or a quotation, where other readers do not run it"
            yield page.finding(cell.marker_line, "nested-cell", what, _MOVE, column=cell.column)


def colon_cells(page: Page) -> Iterator[Finding]:
    """Code cells that are written with colons."""
    for cell in page.document.cells:
        line = _opening(page, cell.marker_line, cell.column)
        if not line.startswith(":::"):
            continue
        end = page.closing_line(cell)
        marks = line[: len(line) - len(line.lstrip(":"))]
        fixes: tuple[Fix, ...] = ()
        if end and "```" not in cell.source:
            closing = page.lines[end - 1]
            column = closing.index(":::") + 1
            fixes = (
                Fix(cell.marker_line, cell.column, marks, "```"),
                Fix(end, column, closing[column - 1 :].rstrip(), "```"),
            )
        what = "this code cell is written with colons, and other readers do not run it"
        yield page.finding(cell.marker_line, "colon-cell", what, "write ```", column=cell.column, fixes=fixes)


def spaces_before_braces(page: Page) -> Iterator[Finding]:
    """Code cells with a space between marks and name."""
    for cell in page.document.cells:
        found = re.match(r"(`{3,}|~{3,}|:{3,})(\s+)\{", _opening(page, cell.marker_line, cell.column))
        if found:
            fix = Fix(cell.marker_line, cell.column, found[0], f"{found[1]}{{")
            what = "a space stands before {code-cell}, and other readers do not run the cell"
            yield page.finding(
                cell.marker_line, "space-before-brace", what, "remove it", column=cell.column, fixes=(fix,)
            )


def unclosed_fences(page: Page) -> Iterator[Finding]:
    """Fences that run to the end of the page, or of what they stand in."""
    for block in page.document.blocks:
        if not block.closed:
            what = "this fence is never closed"
            yield page.finding(block.line, "unclosed-fence", what, f"close it with {block.marks}", column=block.column)
    for cell in page.document.cells if page.document.format == "myst" else ():
        if not page.closing_line(cell):
            what = "this code cell is never closed"
            yield page.finding(cell.marker_line, "unclosed-fence", what, "close it with ```", column=cell.column)


def fence_lengths(page: Page) -> Iterator[Finding]:
    """Fences that are closed with more marks than they are opened with."""
    ends = [(block.line, block.column, block.last_line) for block in page.document.blocks if block.closed]
    if page.document.format == "myst":
        ends += [(cell.marker_line, cell.column, page.closing_line(cell)) for cell in page.document.cells]
    for line, column, end in ends:
        opener = OPENER.match(_opening(page, line, column))
        closer = OPENER.match(page.lines[end - 1]) if end else None
        if opener is None or closer is None or len(closer["marks"]) <= len(opener["marks"]):
            continue
        what = f"the fence is closed with {closer['marks']} and opened with {opener['marks']}"
        at = closer.start("marks") + 1
        fixes = (Fix(end, at, closer["marks"], opener["marks"]),) if page.document.text else ()
        yield page.finding(end, "fence-length", what, f"write {opener['marks']}", column=at, fixes=fixes)


def unknown_tags(page: Page) -> Iterator[Finding]:
    """Tags that nothing known reads."""
    for cell in page.document.cells:
        for tag in cell.tags:
            if tag in _TAGS or tag in page.project.tags:
                continue
            near = get_close_matches(tag, sorted(_TAGS | page.project.tags), n=1, cutoff=0.7)
            mend = f"did you mean {near[0]}?" if near else "add it to `tags` in [tool.celltask.lint] if it is yours"
            yield page.finding(cell.marker_line, "unknown-tag", f"no tag is called {tag!r}", mend, column=cell.column)


def unknown_options(page: Page) -> Iterator[Finding]:
    """Options whose name is nearly, but not quite, that of a known one; any other may be a notebook's own."""
    for cell in page.document.cells if page.document.format == "myst" else ():
        for option in cell.options:
            near = get_close_matches(option, sorted(_OPTIONS), n=1, cutoff=0.8)
            if option not in _OPTIONS and near:
                what = f"no option of a code cell is called {option!r}"
                yield page.finding(
                    cell.marker_line, "unknown-option", what, f"did you mean {near[0]}?", column=cell.column
                )


def tags_as_string(page: Page) -> Iterator[Finding]:
    """Tags that are not written as a list."""
    for cell in page.document.cells if page.document.format == "myst" else ():
        tags = cell.options.get("tags")
        if not isinstance(tags, str) or tags.startswith("["):
            continue
        mend = f":tags: [{', '.join(cell.tags)}]"
        written = next(
            (number for number in range(cell.marker_line + 1, cell.first_line) if ":tags:" in page.lines[number - 1]), 0
        )
        fixes: tuple[Fix, ...] = ()
        if written:
            text = page.lines[written - 1]
            at = text.index(":tags:")
            fixes = (Fix(written, at + 1, text[at:].rstrip(), mend),)
        what = "the tags are a word and not a list, which other readers refuse"
        yield page.finding(written or cell.marker_line, "tags-as-string", what, f"write {mend}", fixes=fixes)


def languages(page: Page) -> Iterator[Finding]:
    """Pages with cells of more than one language."""
    cells = page.document.cells
    first = next((cell for cell in cells if cell.is_python), None)
    other = next((cell for cell in cells if not cell.is_python), None)
    if first and other:
        what = f"this cell is {other.language}, and others of the page are Python: a document has one kernel"
        yield page.finding(other.marker_line, "two-languages", what, "show it with {code-block}", column=other.column)


def _opening(page: Page, line: int, column: int) -> str:
    return page.lines[line - 1][column - 1 :] if line else ""


def stray_outputs(page: Page) -> Iterator[Finding]:
    """Fences ``{output}`` with which nothing is compared."""
    for notice in stray_fences(page.document):
        yield page.finding(notice.line, "stray-output", notice.what, notice.mend)
