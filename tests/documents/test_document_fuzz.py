"""Whatever a document holds, reading and loading it ends, in a document or in an error with a place."""

# ruff: noqa: E501, PT017 - an error is one of the allowed ends here, not the expected one
from __future__ import annotations

import itertools
import json
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from celltask import load_document
from celltask.documents.logical import logical_starts
from celltask.documents.magics import without_magics
from celltask.documents.reader import read_document
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parent / "data" / "forms.md").read_text().split("\n")
_numbers = itertools.count()

PIECES = st.sampled_from([
    "```", "````", "~~~", ":::", "```{code-cell}", "```{code-cell} python", "````{code-cell}", ":::{note}", "```{note}",
    ":::{dropdown} T", "---", ":tags: [a]", ":tags:", "+++", "> ", "- ", "  ", "    ", "<!--", "-->", "<div>", "# %%",
    "# %%task", "%%task", "%task --cache", "%%task a -> b: int", "%%workflow", "!ls", "%%time", "%%bash", "x = 1",
    "def f(x: int) -> int:", "    return x", "async def g() -> int:", "@", "class A:", "import math", "'''", '"""', "(",
    "]", "\\", "if x:", "await f()", "from __future__ import annotations", "from math import *", "\t", "\x0c", "\r", "é",
    "\u2028", "text", "",
])  # fmt: skip
PAGES = st.lists(PIECES, max_size=30).map("\n".join)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["drop", "double", "swap", "cut", "insert", "indent"]),
        st.integers(0, len(PAGE) - 1),
        st.integers(0, 40),
        PIECES,
    ),
    min_size=1,
    max_size=6,
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def document(data: bytes, suffix: str) -> Iterator[Path]:
    """A document of a name of its own, gone afterwards with the module it became."""
    folder = Path(tempfile.mkdtemp())
    path = folder / f"fuzzed_document_{next(_numbers)}{suffix}"
    path.write_bytes(data)
    try:
        yield path
    finally:
        shutil.rmtree(folder)
        sys.modules.pop(path.stem, None)


def edited(edits: list[tuple[str, int, int, str]]) -> str:
    """The valid page with some of its lines spoilt."""
    lines = list(PAGE)
    for how, number, column, piece in edits:
        at = number % len(lines)
        line = lines[at]
        lines[at : at + 1] = {
            "drop": [],
            "double": [line, line],
            "swap": [piece],
            "cut": [line[:column]],
            "insert": [line[:column] + piece + line[column:]],
            "indent": [" " * (column % 9) + line],
        }[how] or ([""] if len(lines) == 1 else [])
    return "\n".join(lines)


def loads_or_tells(path: Path, text: str) -> None:
    """Load the document; an error must say where it is."""
    try:
        for failed in load_document(path).failed:
            assert 1 <= failed.line <= text.count("\n") + text.count("\r") + 2
            assert isinstance(failed.error, CelltaskError | SyntaxError)
    except SyntaxError as error:
        assert str(error.filename).startswith(str(path))
        assert error.lineno is not None
        assert 1 <= error.lineno <= text.count("\n") + text.count("\r") + 2
    except DocumentError as error:
        assert path.name in error.where
    except CelltaskError as error:
        assert error.what
    except Exception as error:  # noqa: BLE001 - the spoilt page's own
        assert any(note.startswith(f"while loading {path.name}") for note in error.__notes__), repr(error)


@QUICK
@given(
    st.one_of(st.binary(), st.text().map(str.encode), PAGES.map(str.encode)), st.sampled_from([".md", ".py", ".ipynb"])
)
@example(b"\xef\xbb\xbf", ".md")
@example(b"# coding: utf-16\nx", ".py")
@example(b"# coding: rot13\nx", ".py")
@example(b"# -*- coding: base64 -*-\nx", ".py")
def test_reading_anything_gives_a_document_or_a_document_error(data: bytes, suffix: str) -> None:
    """No bytes make a reader fail in any other way, and every cell stands where it is said to stand."""
    with document(data, suffix) as path:
        try:
            found = read_document(path)
        except DocumentError as error:
            assert error.where.startswith(str(path))
            return
        lines = found.text.split("\n")
        for number, cell in enumerate(found.cells, 1):
            assert cell.number == number
            if found.format == "myst" and not cell.nested and cell.source:
                assert lines[cell.first_line - 1].lstrip().startswith(cell.source.split("\n")[0].lstrip())


@QUICK
@given(PAGES)
def test_loading_a_page_of_pieces_ends_well_or_with_a_place(text: str) -> None:
    """Fences, headers and code in any order load, or are refused with their place."""
    with document(text.encode(), ".md") as path:
        loads_or_tells(path, text)


@QUICK
@given(EDITS)
def test_loading_a_spoilt_page_ends_well_or_with_a_place(edits: list[tuple[str, int, int, str]]) -> None:
    """A valid page with some lines dropped, doubled, cut or changed loads, or is refused with the place."""
    text = edited(edits)
    with document(text.encode(), ".md") as path:
        loads_or_tells(path, text)


@QUICK
@given(PAGES)
def test_loading_a_script_of_pieces_ends_well_or_with_a_place(text: str) -> None:
    """So does a script."""
    with document(f"# %%\n{text}".encode(), ".py") as path:
        loads_or_tells(path, text)


@QUICK
@given(st.lists(PAGES, max_size=3))
def test_loading_a_notebook_of_pieces_ends_well_or_with_a_place(sources: list[str]) -> None:
    """And a notebook."""
    cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in sources]
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    with document(data.encode(), ".ipynb") as path:
        loads_or_tells(path, "\n".join(sources))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["cell_type", "source", "metadata", "tags", "kernelspec", "language"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@QUICK
@given(JSON, st.lists(JSON, max_size=3), st.sampled_from([1, 2, 3, 4, 5]))
def test_reading_any_notebook_like_json_gives_a_document_or_a_document_error(
    metadata: object, cells: list[object], version: int
) -> None:
    """Notebooks of any version with parts missing or of the wrong kind are refused in words."""
    data = json.dumps({"nbformat": version, "metadata": metadata, "cells": cells, "worksheets": cells})
    with document(data.encode(), ".ipynb") as path:
        try:
            read_document(path)
        except DocumentError as error:
            assert error.where.startswith(str(path))


@QUICK
@given(PAGES)
def test_taking_magics_out_keeps_every_other_line(text: str) -> None:
    """The cell has as many lines afterwards, and those that are no magics are the same."""
    text = text.replace("\r", "")
    plain, taken = without_magics(text)
    before, after = text.split("\n"), plain.split("\n")
    assert len(before) == len(after)
    gone = {magic.offset for magic in taken}
    changed = [number for number, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    whole_cell = any(magic.text.startswith("%%") for magic in taken)
    continued = any(magic.text.endswith("\\") for magic in taken)
    assert whole_cell or continued or set(changed) <= gone
    assert list(logical_starts(before)) == sorted(set(logical_starts(before)))
