"""IPython's own lines taken out of a cell, so that what is left is Python with the same lines."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from celltask.documents.logical import logical_starts

__all__ = ["MagicLine", "tree_of", "without_magics"]

_RUN_IN_PLACE = frozenset({"capture", "prun", "time"})
"""Cell magics below which ordinary Python defines names of the notebook."""

_CELL_MAGIC = re.compile(r"%%([A-Za-z_][\w.]*)")
_TASK = re.compile(r"%%?(?:task|workflow)(?=\s|$)")
_ASSIGNED = re.compile(r"\s*[A-Za-z_][\w., \[\]'\"]*=\s*[!%][^=]")
_HELP = re.compile(r"\s*[A-Za-z_][\w.*]*(?:\[[^\]]*\])?\?{1,2}\s*$")
_OWN_EXTENSION = re.compile(r"%(?:re)?load_ext\s+celltask\b")


class MagicLine(NamedTuple):
    """A line of IPython's that was taken out of a cell."""

    offset: int
    """Lines from the first line of the cell."""
    text: str
    silent: bool = False
    """True if nobody misses it: ``%load_ext celltask`` where celltask itself loads the document."""


def tree_of(source: str) -> ast.Module | None:
    """The Python of a cell, without IPython's lines; None if it cannot be read.

    >>> tree_of("x = = 1") is None
    True
    """
    try:
        return ast.parse(without_magics(source)[0])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def without_magics(source: str, *, keep_tasks: bool = False) -> tuple[str, list[MagicLine]]:
    r"""The cell as Python with as many lines, and the lines that were taken out.

    Line magics, shell commands (also assigned ones: ``files = !ls``) and help (``f?``) go; so does a cell magic, with
    its cell unless the cell is Python run in the notebook (``%%time``).

    Args:
        source: The cell.
        keep_tasks: Whether ``%%task`` and ``%%workflow`` lines stay.

    >>> without_magics("%matplotlib inline\nif x:\n    !ls\n")[0]
    '\nif x:\n    pass\n'
    """
    if not any(mark in source for mark in "%!?"):
        return source, []
    lines = source.split("\n")
    taken: list[MagicLine] = []
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    magic = _CELL_MAGIC.match(lines[first])
    if magic and not _TASK.match(lines[first]):
        taken.append(MagicLine(first, lines[first]))
        if magic[1] not in _RUN_IN_PLACE:
            return "\n" * (len(lines) - 1), taken
        lines[first] = ""
    for number in list(logical_starts(lines)):
        line = lines[number]
        if _is_magic(line) and not (keep_tasks and _TASK.match(line)):
            taken.append(MagicLine(number, line.strip(), silent=bool(_OWN_EXTENSION.match(line.strip()))))
            _blank(lines, number)
    return "\n".join(lines), taken


def _is_magic(line: str) -> bool:
    start = line.lstrip()[:1]
    return start in {"%", "!", "?"} or bool(_ASSIGNED.match(line) or _HELP.match(line))


def _blank(lines: list[str], number: int) -> None:
    """Take the magic at `number` away, with the lines it continues on; a block keeps a statement."""
    line = lines[number]
    indent = line[: len(line) - len(line.lstrip())]
    lines[number] = f"{indent}pass" if indent else ""
    while line.endswith("\\") and number + 1 < len(lines):
        number += 1
        line, lines[number] = lines[number], ""
