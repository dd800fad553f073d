"""Tables that pandas, polars and others print: compared cell by cell, whatever the widths of their columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Row", "cells_of", "is_boxed", "table_rows"]

_BARS = re.compile(r"[│┆|┃║]")
_RULE = re.compile(r"([-─═━=])\1*")
_TOKEN = re.compile(r"\S+")
_CORNERS = "┌╞├└╔╠╚┏┡┣┗+"


class Row(NamedTuple):
    """A line of a table."""

    names: tuple[str, ...]
    """What its cells are called, from the left; empty if the table does not tell."""
    number: int
    """From 1, among the lines below the head; 0 in the head."""


def is_boxed(line: str) -> bool:
    """Whether a line is part of a table that is drawn with lines."""
    text = line.strip()
    return len(text) > 1 and (text[0] in _CORNERS or (bool(_BARS.match(text[0])) and bool(_BARS.match(text[-1]))))


def cells_of(line: str) -> list[str]:
    """The cells of a line of a table; a ruler is a cell for each of its parts.

    >>> cells_of("│ 1   ┆ Ada │"), cells_of("0   1.5  Ada"), cells_of("╞═════╪═════╡") == cells_of("╞═══╪═══╡")
    (['1', 'Ada'], ['0', '1.5', 'Ada'], True)
    """
    text = line.strip()
    if not is_boxed(line):
        return text.split()
    if text[0] in _CORNERS:
        return [_RULE.sub(r"\1", text)]
    return [
        _RULE.sub(r"\1", cell.strip()) if _RULE.fullmatch(cell.strip()) else cell.strip()
        for cell in _BARS.split(text)[1:-1]
    ]


def table_rows(lines: Sequence[str]) -> dict[int, Row]:
    """The lines that are rows of a table, by their place in `lines`.

    A table is one drawn with lines, or a head that begins with a blank above lines whose cells end below its own, as
    pandas prints it; text that only looks a little like that is none.
    """
    rows: dict[int, Row] = {}
    at = 0
    while at < len(lines):
        found = _boxed(lines, at) or _aligned(lines, at)
        rows.update(found)
        at += max(len(found), 1)
    return rows


def _boxed(lines: Sequence[str], start: int) -> dict[int, Row]:
    end = start
    while end < len(lines) and is_boxed(lines[end]):
        end += 1
    if end - start < 3:  # noqa: PLR2004 - a head, a ruler and a row
        return {}
    bars = [at for at in range(start, end) if lines[at].strip()[0] not in _CORNERS]
    names = tuple(cells_of(lines[bars[0]])) if bars else ()
    rulers = [at for at in range(start + 1, end - 1) if _is_ruler(lines[at])]
    drawn = [at for at in rulers if at not in bars]  # polars has a row of dashes in its head, too
    head_end = next(iter(drawn or rulers), start)
    numbers = {at: number for number, at in enumerate((at for at in bars if at > head_end), 1)}
    return {at: Row(names, numbers.get(at, 0)) for at in range(start, end)}


def _is_ruler(line: str) -> bool:
    text = line.strip()
    return text[0] in "╞├╠┡┣+" or all(_RULE.fullmatch(cell.strip(": ")) for cell in _BARS.split(text)[1:-1])


def _aligned(lines: Sequence[str], start: int) -> dict[int, Row]:
    head = lines[start].removesuffix("\\").rstrip()
    ends = {found.end() for found in _TOKEN.finditer(head)}
    if not head[:1].isspace() or not ends or head.strip()[0] in "[({'\"":
        return {}
    end = start + 1
    while end < len(lines) and (ends <= _ends(lines[end]) or (end == start + 1 and _names_index(lines, end, ends))):
        end += 1
    if end == start + 1:
        return {}
    names = ("", *head.split())
    first = start + 1 if ends <= _ends(lines[start + 1]) else start + 2
    return {at: Row(names, max(at - first + 1, 0)) for at in range(start, end)}


def _ends(line: str) -> set[int]:
    return {found.end() for found in _TOKEN.finditer(line)}


def _names_index(lines: Sequence[str], at: int, ends: set[int]) -> bool:
    """Whether a line holds only the name of the index, above a row of the table."""
    return len(_ends(lines[at])) == 1 and at + 1 < len(lines) and ends <= _ends(lines[at + 1])
