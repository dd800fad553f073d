"""Documents with a few lines changed: the rest keeps its bytes."""

from __future__ import annotations

import re
import tokenize
from io import BytesIO
from typing import NamedTuple

from celltask.errors import DocumentError

__all__ = ["Edit", "edited", "encoding_of"]

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")


class Edit(NamedTuple):
    """Lines to put in place of those from `start` up to `stop`, from 1; equal to add some before line `start`."""

    start: int
    stop: int
    lines: tuple[str, ...]


def edited(data: bytes, edits: list[Edit], *, encoding: str = "utf-8", where: str = "") -> bytes:
    r"""The bytes of a file with lines changed; the line ends of the line above, and all other bytes, stay.

    Raises:
        DocumentError: If a line cannot be written in `encoding`.

    >>> edited(b"a\r\nb\r\nc", [Edit(2, 3, ("x", "y"))])
    b'a\r\nx\r\ny\r\nc'
    """
    lines = _LINE.findall(data)
    lines = lines[:-1] if lines and not lines[-1] else lines
    for edit in sorted(edits, reverse=True):
        above = lines[max(edit.start - 2, 0)] if lines else b"\n"
        end = above[len(above.rstrip(b"\r\n")) :] or b"\n"
        try:
            new = [line.encode(encoding) + end for line in edit.lines]
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            what = f"the document is {encoding}, which has no {character!r}"
            raise DocumentError(what, f"{where}, line {edit.start}", "save the document as UTF-8") from None
        lines[edit.start - 1 : edit.stop - 1] = new
    return b"".join(lines)


def encoding_of(data: bytes, path: str) -> str:
    """The encoding of a document's bytes, which were read before; a byte order mark is not part of it."""
    if not path.endswith(".py"):
        return "utf-8"
    found = tokenize.detect_encoding(BytesIO(data).readline)[0]
    return "utf-8" if found == "utf-8-sig" else found
