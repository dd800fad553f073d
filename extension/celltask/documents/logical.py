"""Where logical lines of Python begin, in text that may hold IPython's own lines and need not be valid Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["logical_starts"]

_TOKEN = re.compile(
    r"""(?P<triple>\"{3}|'{3})
    | "(?:\\.|[^"\\])*"? | '(?:\\.|[^'\\])*'?
    | (?P<comment>\#)
    | (?P<open>[\[({]) | (?P<close>[\])}])""",
    re.VERBOSE,
)
_TRIPLE_END = {quotes: re.compile(rf"(?:\\.|[^\\])*?{quotes}", re.DOTALL) for quotes in ('"""', "'''")}


def logical_starts(lines: Sequence[str], *, reset: re.Pattern[str] | None = None) -> Iterator[int]:
    """Numbers, from 0, of the lines that do not continue a string, a bracket or a backslash of an earlier line.

    Lines that begin with ``%``, ``!`` or ``?`` are IPython's: nothing in them opens a string or bracket.

    Args:
        lines: The text, without line ends.
        reset: A line that matches this, and is not inside a string, closes every open bracket (a cell marker).

    >>> list(logical_starts(["x = (1,", "2)", "%magic it's", "s = '''", "%no", "'''"]))
    [0, 2, 3]
    """
    depth, quotes, continued = 0, "", False
    for number, line in enumerate(lines):
        if not quotes and reset is not None and reset.match(line):
            depth, continued = 0, False
        starts = not (depth or quotes or continued)
        if starts:
            yield number
        if starts and line.lstrip()[:1] in {"%", "!", "?"}:
            continued = line.endswith("\\")
            continue
        depth, quotes = _after(line, depth, quotes)
        continued = not quotes and line.endswith("\\")


def _after(line: str, depth: int, quotes: str) -> tuple[int, str]:
    """Bracket depth and open triple quotes at the end of `line`."""
    at = 0
    while True:
        if quotes:
            end = _TRIPLE_END[quotes].match(line, at)
            if end is None:
                return depth, quotes
            at, quotes = end.end(), ""
        token = _TOKEN.search(line, at)
        if token is None or token["comment"]:
            return depth, quotes
        at = token.end()
        if token["triple"]:
            quotes = token["triple"]
        elif token["open"]:
            depth += 1
        elif token["close"]:
            depth = max(0, depth - 1)
