"""The options at the head of a MyST code cell, and the code below them."""

from __future__ import annotations

import re
from typing import NamedTuple

from celltask.errors import DocumentError

__all__ = ["CellText", "split_options", "tags_of"]

_OPTION = re.compile(r"\s*:([A-Za-z_][\w.-]*):\s*(.*)$")


class CellText(NamedTuple):
    """A cell's text taken apart."""

    source: str
    first_line: int
    options: dict[str, object]
    tags: tuple[str, ...]


def split_options(content: str, line: int, *, where: str) -> CellText:
    r"""The options of a cell whose content begins at `line`, and its code with the line where that begins.

    Args:
        content: All between the fences.
        line: Line of the first line of `content` in the document, from 1.
        where: Place of the cell, for messages.

    Raises:
        DocumentError: If the options are a YAML block that is not closed or not a mapping.

    >>> split_options(":tags: [a, b]\n\nx = 1\n", 8, where="")
    CellText(source='x = 1', first_line=10, options={'tags': '[a, b]'}, tags=('a', 'b'))
    """
    lines = content.split("\n")
    start = _first_written(lines, 0)
    options: dict[str, object] = {}
    if start < len(lines) and lines[start].rstrip() == "---":
        options, start = _yaml_block(lines, start, where)
    else:
        while start < len(lines) and (option := _OPTION.match(lines[start])):
            options[option[1]] = option[2].strip()
            start += 1
    start = _first_written(lines, start)
    source = "\n".join(lines[start:]).rstrip()
    return CellText(source, line + start, options, tags_of(options.get("tags", options.get("tag"))))


def _first_written(lines: list[str], start: int) -> int:
    while start < len(lines) and not lines[start].strip():
        start += 1
    return start


def _yaml_block(lines: list[str], start: int, where: str) -> tuple[dict[str, object], int]:
    ends = [number for number in range(start + 1, len(lines)) if lines[number].rstrip() in {"---", "..."}]
    if not ends:
        raise DocumentError("the options of this cell are not closed", where, "write --- below the last option")
    # 18 ms, and only where a cell has a block of options; it has no types of its own.
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - as said

    try:
        found = yaml.safe_load("\n".join(lines[start + 1 : ends[0]]))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = getattr(error, "problem", None) or error
        raise DocumentError(f"the options of this cell are not YAML: {problem}", where, "write `key: value`") from None
    if found is not None and not isinstance(found, dict):
        raise DocumentError("the options of this cell are not names with values", where, "write `key: value`")
    return {str(key): value for key, value in (found or {}).items()}, ends[0] + 1


def tags_of(value: object) -> tuple[str, ...]:
    """Tags as authors write them: a list, ``"[a, b]"``, ``"a, b"`` or one word.

    >>> tags_of("skip-execution"), tags_of('["a", b]'), tags_of(None)
    (('skip-execution',), ('a', 'b'), ())
    """
    if isinstance(value, str):
        words = value.strip().removeprefix("[").removesuffix("]").split(",")
        return tuple(word for word in (word.strip().strip("\"'") for word in words) if word)
    if isinstance(value, list | tuple | set):
        return tuple(str(word) for word in value)
    return () if value is None else (str(value),)
