"""The options at the head of a MyST code cell, and the code below them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CellText", "block_options", "split_options", "tags_in"]

_OPTION = re.compile(r"\s*:([A-Za-z_][\w.-]*):\s*(.*)$")
_MORE = re.compile(r"\s*:(\s|$)")


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
    if start < len(lines) and lines[start].rstrip() == "---":
        options, start = _yaml_block(lines, start, where)
    else:
        options, start = _field_options(lines, start)
    start = _first_written(lines, start)
    source = "\n".join(lines[start:]).rstrip()
    return CellText(source, line + start, options, tags_in(options))


def block_options(content: str) -> tuple[Mapping[str, object], int]:
    r"""The options of a directive that is no code cell, and how many lines they take with the empty one below them.

    What is not written as options is content. Options in a block of YAML are read when they are looked at.

    >>> block_options(":rtol: 1e-3\n\n0.25\n"), block_options("0.25\n")
    (({'rtol': '1e-3'}, 2), ({}, 0))
    """
    lines = content.split("\n")
    options: Mapping[str, object] = {}
    if lines[0].rstrip() == "---":
        end = _yaml_end(lines, 0)
        if end is None:
            return {}, 0
        options, end = _YamlOptions("\n".join(lines[1:end])), end + 1
    else:
        options, end = _field_options(lines, 0)
    return options, end + (0 < end < len(lines) - 1 and not lines[end].strip())


class _YamlOptions(Mapping[str, object]):
    """Options in YAML, whose reader takes longer to load than most pages to read; none if they are no YAML."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _options(self) -> dict[str, object]:
        try:
            return _from_yaml(self._text, "")
        except DocumentError:
            return {}

    def __getitem__(self, name: str) -> object:
        return self._options[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)

    def __repr__(self) -> str:
        return repr(self._options)


def _field_options(lines: list[str], start: int) -> tuple[dict[str, object], int]:
    r"""Options as fields, and the line below them; a value may go on in lines that begin with a colon and a space.

    >>> _field_options([":tags: [a]", ":mystnb:", ":  figure: {name: x}", "y = 1"], 0)
    ({'tags': ['a'], 'mystnb': {'figure': {'name': 'x'}}}, 3)
    """
    options: dict[str, object] = {}
    first, is_nested = start, False
    while start < len(lines):
        if option := _OPTION.match(lines[start]):
            options[option[1]] = option[2].strip()
        elif options and _MORE.match(lines[start]):
            is_nested = True
        else:
            break
        start += 1
    if is_nested:
        with suppress(DocumentError):
            options = _from_yaml("\n".join(line.lstrip()[1:] for line in lines[first:start]), "")
    return options, start


def _first_written(lines: list[str], start: int) -> int:
    while start < len(lines) and not lines[start].strip():
        start += 1
    return start


def _yaml_block(lines: list[str], start: int, where: str) -> tuple[dict[str, object], int]:
    end = _yaml_end(lines, start)
    if end is None:
        raise DocumentError("the options of this cell are not closed", where, "write --- below the last option")
    return _from_yaml("\n".join(lines[start + 1 : end]), where), end + 1


def _yaml_end(lines: list[str], start: int) -> int | None:
    return next((number for number in range(start + 1, len(lines)) if lines[number].rstrip() in {"---", "..."}), None)


def _from_yaml(text: str, where: str) -> dict[str, object]:
    # 18 ms, and only where a cell has a block of options; it has no types of its own.
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - as said

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = getattr(error, "problem", None) or error
        raise DocumentError(f"the options of this cell are not YAML: {problem}", where, "write `key: value`") from None
    if found is not None and not isinstance(found, dict):
        raise DocumentError("the options of this cell are not names with values", where, "write `key: value`")
    return {str(key): value for key, value in (found or {}).items()}


def tags_in(options: Mapping[str, object]) -> tuple[str, ...]:
    """The tags among the options of a cell, which are called ``tags``, or ``tag`` as in mystmd."""
    return tags_of(options.get("tags", options.get("tag")))


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
