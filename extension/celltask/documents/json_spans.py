"""Where the parts of a notebook stand in the text of its file."""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecoder
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MarkdownCell", "Span", "cell_spans", "markdown_cells", "prose_of"]

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = JSONDecoder()


class Span(NamedTuple):
    """A value in the text, from `start` up to `stop`; `indent` is that of the line on which its key stands."""

    start: int
    stop: int
    indent: str


class MarkdownCell(NamedTuple):
    """A cell of Markdown in a notebook."""

    first_line: int
    """Of the file, from 1, where the first line of its text stands, and the others below it, as Jupyter saves them.

    In a file that has several lines of text in one of its own, it is lower, so that each line has its number.
    """
    text: str
    after: int
    """How many code cells stand above it."""


def cell_spans(text: str) -> Iterator[dict[str, Span]]:
    """What each cell of the notebook in `text` has by its keys."""
    for key, start, _ in _members(text, _skip(text, 0)):
        if key != "cells":
            continue
        at = _skip(text, start + 1)
        while text[at] != "]":
            yield {name: Span(first, last, _indent(text, first)) for name, first, last in _members(text, at)}
            at = _skip(text, _DECODER.raw_decode(text, at)[1])
            at = _skip(text, at + 1) if text[at] == "," else at


def markdown_cells(text: str) -> Iterator[MarkdownCell]:
    r"""The cells of Markdown of the notebook in `text`.

    >>> book = '{"cells": [\n {"cell_type": "markdown", "source": [\n  "# Title\\n",\n  "Prose."]}]}'
    >>> list(markdown_cells(book))
    [MarkdownCell(first_line=3, text='# Title\nProse.', after=0)]
    """
    after = line = at = last = 0
    for spans in cell_spans(text):
        if not {"cell_type", "source"} <= spans.keys():
            continue
        kind, source = (json.loads(text[span.start : span.stop]) for span in (spans["cell_type"], spans["source"]))
        source = source if isinstance(source, str | list) else ""
        after += kind == "code"
        is_text = isinstance(source, str) or all(isinstance(line, str) for line in source)
        if kind == "markdown" and source and is_text:
            start = spans["source"].start
            start = _skip(text, start + 1) if text[start] == "[" else start
            line, at = line + text.count("\n", at, start), start
            shown = "".join(source).replace("\r\n", "\n").replace("\r", "\n")
            first_line = max(line + 1, last + 2 if last else 1)
            last = first_line + shown.count("\n")
            yield MarkdownCell(first_line, shown, after)


def prose_of(cells: Iterable[MarkdownCell]) -> str:
    r"""The Markdown of a notebook at the lines of its file; every other line is a ``\0``."""
    lines: list[str] = []
    for cell in cells:
        lines += ["\0"] * (cell.first_line - 1 - len(lines))
        lines += cell.text.split("\n")
    return "\n".join(lines)


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Key, begin and end of each value of the object that begins at `at`."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        stop = _DECODER.raw_decode(text, start)[1]
        yield key, start, stop
        at = _skip(text, stop)
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip())]
