"""Paths as they are typed: ``~`` is the home directory, and where nothing lies, what lies near."""

# ruff: noqa: PTH111, PTH122 - pathlib would be loaded for every run, and these are called for each
from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["expanded", "looked_in", "missing_file"]

_ALIKE = 0.75


def expanded(path: str) -> str:
    """`path` with the home directory for ``~``, which a shell expands only at the beginning of a word.

    >>> expanded("a~.csv")
    'a~.csv'
    """
    return os.path.expanduser(path) if path.startswith("~") else path


def missing_file(error: BaseException) -> str:
    """The path that `error` misses; empty if it misses none, or a program, which is no matter of folders.

    >>> missing_file(FileNotFoundError(2, "No such file", "a.csv")), missing_file(FileNotFoundError(2, "", "git"))
    ('a.csv', '')
    """
    path = getattr(error, "filename", None)
    if not isinstance(error, FileNotFoundError) or not isinstance(path, str):
        return ""
    return path if os.sep in path or os.path.splitext(path)[1] else ""


def looked_in(path: str, suffixes: Collection[str] = ()) -> str:
    """Where `path`, at which nothing lies, was looked for, and the names there that are like it.

    Args:
        path: As typed.
        suffixes: Those that the name may have; any by default.

    >>> looked_in("/no/such/folder/a.csv")
    'there is no folder /no/such/folder'
    """
    from pathlib import Path  # noqa: PLC0415 - only for a mistake

    place = Path(os.path.abspath(expanded(path)))  # noqa: PTH100 - `resolve` would follow links
    if not place.parent.is_dir():
        return f"there is no folder {place.parent}"
    try:
        entries = sorted(entry.name for entry in place.parent.iterdir())
    except OSError:
        entries = []
    names = [name for name in entries if not suffixes or name.lower().endswith(tuple(suffixes))]
    near = _near(place.name, names)
    return f"looked in {place.parent}; {f'did you mean {near}?' if near else 'check the path'}"


def _near(name: str, names: Collection[str]) -> str:
    from difflib import SequenceMatcher  # noqa: PLC0415 - only for a mistake

    # Without their suffixes, which would make all short names alike.
    stem = os.path.splitext(name)[0].lower()
    ratios = {one: SequenceMatcher(None, stem, os.path.splitext(one)[0].lower()).ratio() for one in names}
    found = sorted((one for one in names if ratios[one] >= _ALIKE), key=lambda one: -ratios[one])
    return " or ".join(found[:3])
