"""What differs from run to run and means nothing, taken out of expected and shown text alike."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from celltask.errors import DocumentError

__all__ = ["NAMES", "Sanitiser", "built_in", "chosen", "own"]

NAMES = ("addresses", "paths", "durations", "dates")
"""The built-in sanitisers, in the order in which they are applied."""

_UNIT = r"(?:ns|[uµμ]s|ms|s|secs?|seconds?|min|mins|minutes?|hours?)\b"
_AMOUNT = rf"\d+(?:[.,]\d+)*\s?{_UNIT}"
_TIME = r"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?(?:Z\b|[+-]\d\d:?\d\d\b))?"


class Sanitiser(NamedTuple):
    """Patterns, and what is read in place of each."""

    name: str
    patterns: tuple[tuple[re.Pattern[str], str], ...]

    def __call__(self, text: str) -> str:
        """The text with every span that a pattern fits replaced."""
        for pattern, instead in self.patterns:
            text = pattern.sub(instead, text)
        return text


def built_in(folder: str = "") -> tuple[Sanitiser, ...]:
    """The sanitisers that are on by default, for a document whose cells run in `folder`.

    >>> text = "<Model at 0x7f3a90>, took 0.3 s, 2024-05-01"
    >>> for sanitiser in built_in():
    ...     text = sanitiser(text)
    >>> text
    '<Model at <address>>, took <duration>, <date>'
    """
    addresses = Sanitiser("addresses", ((re.compile(r"\b0x[0-9A-Fa-f]{6,16}\b"), "<address>"),))
    return addresses, Sanitiser("paths", _path_patterns(folder)), _DURATIONS, _DATES


def own(name: str, pattern: str, *, instead: str = "") -> Sanitiser:
    """A project's own sanitiser: what the regular expression `pattern` fits reads as `instead`, else ``<name>``.

    Raises:
        DocumentError: If the pattern cannot be read, or fits the empty text.

    >>> own("runs", "run-[0-9a-f]+")("stored as run-3fa9")
    'stored as <runs>'
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise DocumentError(
            f"the sanitiser {name} cannot be read: {error}", mend="write a regular expression"
        ) from None
    if compiled.match(""):
        raise DocumentError(f"the sanitiser {name} fits an empty text", mend="write + in place of *")
    return Sanitiser(name, ((compiled, instead or f"<{name}>"),))


def chosen(option: object, known: tuple[Sanitiser, ...], *, where: str = "") -> tuple[Sanitiser, ...]:
    """The sanitisers that an option names: ``none``, ``all``, ``[addresses, dates]`` or, to leave some out, ``-dates``.

    Args:
        option: As it is written, or a list.
        known: All there are, in the order in which they are applied.
        where: Place of the option, for messages.

    Raises:
        DocumentError: If a name is not known, or if some names are with and some without ``-``.

    >>> [sanitiser.name for sanitiser in chosen("-dates", built_in())]
    ['addresses', 'paths', 'durations']
    """
    words = re.split(r"[\s,]+", option.strip().strip("[]").strip()) if isinstance(option, str) else option
    names = [str(word).strip("\"'") for word in words if word] if isinstance(words, list | tuple) else [str(words)]
    if names in (["none"], ["False"], []):
        return ()
    if names == ["all"]:
        return known
    is_left_out = {name.startswith("-") for name in names}
    wanted = {name.removeprefix("-") for name in names}
    unknown = sorted(wanted.difference(sanitiser.name for sanitiser in known))
    if unknown or len(is_left_out) > 1:
        what = f"no sanitiser is called {unknown[0]}" if unknown else "sanitisers are named with and without -"
        raise DocumentError(what, where, f"use none, all or some of: {', '.join(one.name for one in known)}")
    return tuple(one for one in known if (one.name in wanted) is not (True in is_left_out))


def _path_patterns(folder: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The deepest first: a document may lie in the home folder, and be tested in a temporary one."""
    rest = r"[^\s\\/'\"<>:,;)\]}]+"
    temporary = {tempfile.gettempdir(), os.path.realpath(tempfile.gettempdir())}
    kernel = [(rf"{_folder(one)}[\\/]ipykernel_\d+[\\/]\d+\.py", "<cell>") for one in sorted(temporary)]
    folders = {folder, os.path.realpath(folder)} - {os.sep} if folder else set()
    given = [(rf"{_folder(one)}(?![\w.-])", "<folder>") for one in sorted(folders, key=len, reverse=True)]
    scratch = [(rf"{_folder(one)}[\\/]{rest}", "<tmp>") for one in sorted(temporary)]
    home = str(Path.home()) if os.environ.get("HOME") or os.name == "nt" else ""
    homes = [(rf"{_folder(home)}(?![\w.-])", "<home>")] if len(home) > 1 else []
    return tuple((re.compile(rf"(?<![\w.~-]){pattern}"), name) for pattern, name in [*kernel, *given, *scratch, *homes])


def _folder(path: str) -> str:
    return re.escape(path.rstrip("\\/"))


_DURATIONS = Sanitiser(
    "durations",
    (
        (re.compile(r"\bof \d+ runs, [\d,]+ loops? each\b"), "of <runs>"),
        (re.compile(rf"(?<![\w.]){_AMOUNT}(?:\s{_AMOUNT})*(?:\s?(?:±|\+-|\+/-)\s?{_AMOUNT})?"), "<duration>"),
        (re.compile(r"(?<![\w:.])(?:\d+ days?, )?\d:\d\d:\d\d(?:\.\d+)?(?![\w:])"), "<duration>"),
    ),
)
_DATES = Sanitiser(
    "dates",
    (
        (re.compile(rf"(?<![\w.-])\d{{4}}-\d\d-\d\d(?:[T ]{_TIME})?(?![\w-])"), "<date>"),
        (re.compile(r"(?<![\w:.])\d\d:\d\d:\d\d(?:[.,]\d+)?(?![\w:])"), "<time>"),
    ),
)
