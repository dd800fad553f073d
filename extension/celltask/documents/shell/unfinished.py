"""Whether a shell waits for more lines: an open quotation, a heredoc, a line that ends in a backslash or operator."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["is_unfinished"]

_TOKEN = re.compile(
    r"""(?P<escape>\\.)
    | (?P<comment>(?:^|(?<=[\s;&|(]))\#.*)
    | (?P<single>') | (?P<double>")
    | (?P<here><<-?[ \t]*(?P<quote>['"\\]?)(?P<word>[\w.-]+)(?:(?P=quote))?)
    | (?P<other><<<)""",
    re.VERBOSE,
)
_IN_DOUBLE = re.compile(r'\\.|(?P<end>")', re.DOTALL)
_OPERATOR = re.compile(r"(?:\|\|?|&&)\s*$")


class _Heredoc(NamedTuple):
    word: str
    indented: bool
    """True for ``<<-``, whose end may stand behind tabs."""


def is_unfinished(text: str) -> bool:
    r"""Whether a shell that was given `text` would show its second prompt and wait.

    Loops and conditionals are not looked at.

    >>> is_unfinished("cat <<EOF\nhello"), is_unfinished("echo 'it"), is_unfinished("ls # it's")
    (True, True, False)
    """
    quote = ""
    waiting: list[_Heredoc] = []
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        code, quote, found = _scanned(line, quote)
        waiting += found
        if quote:
            continue
        if code.endswith("\\") and number == len(lines):
            return True
        while waiting:
            end = waiting.pop(0)
            while number < len(lines) and not _ends(lines[number], end):
                number += 1
            if number == len(lines):
                return True
            number += 1
        if number == len(lines) and _OPERATOR.search(code):
            return True
    return bool(quote)


def _ends(line: str, heredoc: _Heredoc) -> bool:
    return (line.lstrip("\t") if heredoc.indented else line) == heredoc.word


def _scanned(line: str, quote: str) -> tuple[str, str, list[_Heredoc]]:
    """The line without its comment, the quotation that is open at its end, and the heredocs that it begins."""
    at = 0
    found: list[_Heredoc] = []
    while True:
        if quote:
            after = _after_quote(line, at, quote)
            if after < 0:
                return line, quote, found
            at, quote = after, ""
        token = _TOKEN.search(line, at)
        if token is None:
            return line, "", found
        if token["comment"] is not None:
            return line[: token.start()], "", found
        at = token.end()
        if token["single"] or token["double"]:
            quote = token[0]
        elif token["here"]:
            found.append(_Heredoc(token["word"], token["here"].startswith("<<-")))


def _after_quote(line: str, at: int, quote: str) -> int:
    """Where the text behind the closing `quote` begins; -1 if the line does not close it."""
    if quote == "'":
        return line.find("'", at) + 1 or -1
    for part in _IN_DOUBLE.finditer(line, at):
        if part["end"]:
            return part.end()
    return -1
