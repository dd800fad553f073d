"""Percent scripts, notebooks, plain modules, and files that are none of these."""

# ruff: noqa: E501 - in the tables one case stands on one line
from __future__ import annotations

import json
from pathlib import Path

import jupytext
import nbformat
import pytest

from celltask.documents.percent import is_percent
from celltask.documents.reader import read_document
from celltask.errors import DocumentError

IRIS = Path(__file__).parent / "data" / "iris.md"

SCRIPT = """\
# ---
# jupyter:
#   kernelspec:
#     language: python
# ---

import math

# %% [markdown]
# # Title

# %% title tags=["a", "b"]
x = 1

# %%
# %%task --cache
def f() -> int:
    return 1

# %%workflow
def g() -> int:
    return f()

# %%
text = '''
# %% not a marker
'''
#%% closing
# %matplotlib inline
y = 2
"""


def script(tmp_path: Path, text: str) -> Path:
    """A script with this text."""
    path = tmp_path / "script.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_percent_script_has_its_cells_at_their_lines(tmp_path: Path) -> None:
    """Markers, titles, text cells, commented magics and code above the first marker are told apart."""
    document = read_document(script(tmp_path, SCRIPT))
    assert document.format == "percent"
    assert [(cell.number, cell.marker_line, cell.first_line, cell.source) for cell in document.cells] == [
        (1, 0, 7, "import math"),
        (2, 12, 13, "x = 1"),
        (3, 15, 16, "%%task --cache\ndef f() -> int:\n    return 1"),
        (4, 20, 20, "%%workflow\ndef g() -> int:\n    return f()"),
        (5, 24, 25, "text = '''\n# %% not a marker\n'''"),
        (6, 28, 29, "%matplotlib inline\ny = 2"),
    ]
    assert document.cells[1].tags == ("a", "b")


def test_a_script_that_jupytext_wrote_has_the_cells_of_its_page(tmp_path: Path) -> None:
    """A page and its percent pair have the same sources in the same order."""
    path = tmp_path / "iris.py"
    jupytext.write(jupytext.read(IRIS), path, fmt="py:percent")
    sources = [cell.source for cell in read_document(path).cells]
    assert sources == [cell.source for cell in read_document(IRIS).cells]


def test_a_continued_magic_comment_is_one_magic(tmp_path: Path) -> None:
    """A commented magic goes on over its backslashes."""
    text = "# %%\n# %%task --cache \\\n#   --retries 2\ndef f() -> int: ...\n"
    cell = read_document(script(tmp_path, text)).cells[0]
    assert cell.source == "%%task --cache \\\n  --retries 2\ndef f() -> int: ..."


PERCENT = [
    pytest.param("# %%\nx = 1\n", True, id="marker"),
    pytest.param("#%%\nx = 1\n", True, id="tight-marker"),
    pytest.param("#  %%  title\nx = 1\n", True, id="wide-marker"),
    pytest.param("# %task\ndef f(): ...\n", True, id="line-magic"),
    pytest.param("# %%task\ndef f(): ...\n", True, id="cell-magic"),
    pytest.param("x = 1  # %% of it\n", False, id="comment-behind"),
    pytest.param("s = '''\n# %%\n'''\n", False, id="in-a-string"),
    pytest.param("def f():\n    # %% part\n    return 1\n", False, id="in-a-function"),
    pytest.param("# %d items\nx = 1\n", False, id="a-format"),
    pytest.param("# %%timeit would help\n", False, id="some-other-magic"),
]


@pytest.mark.parametrize(("text", "expected"), PERCENT)
def test_a_script_with_markers_or_task_lines_is_a_percent_script(text: str, *, expected: bool) -> None:
    """Only a marker or task line at the left edge, outside of strings, makes a module a document of cells."""
    assert is_percent(text) is expected


def test_a_module_without_markers_is_one_cell(tmp_path: Path) -> None:
    """A plain module is read as it is."""
    document = read_document(script(tmp_path, "import math\n\nx = math.pi\n"))
    assert document.format == "python"
    assert [(cell.first_line, cell.source) for cell in document.cells] == [(1, "import math\n\nx = math.pi\n")]


def test_a_module_in_another_encoding_is_read_as_it_declares(tmp_path: Path) -> None:
    """A coding line is obeyed, as Python obeys it."""
    path = tmp_path / "latin.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nname = 'Zürich'\n".encode("latin-1"))
    assert "Zürich" in read_document(path).cells[0].source


def notebook(tmp_path: Path, *sources: str | list[str], **metadata: object) -> Path:
    """A notebook with these code cells."""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Title"},
        *(
            {"cell_type": "code", "metadata": {"tags": ["a"]}, "source": source, "outputs": [], "execution_count": None}
            for source in sources
        ),
    ]
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}))
    return path


def test_a_notebook_has_its_cells_with_lines_of_their_own(tmp_path: Path) -> None:
    """Cells are numbered among the code cells, and each has a file name of its own."""
    path = notebook(tmp_path, "x = 1", ["y = 2\n", "z = 3"], "\n\nw = 4\n")
    document = read_document(path)
    assert document.format == "ipynb"
    assert [(cell.number, cell.first_line, cell.source, cell.filename) for cell in document.cells] == [
        (1, 1, "x = 1", f"{path}:cell 1"),
        (2, 1, "y = 2\nz = 3", f"{path}:cell 2"),
        (3, 3, "w = 4", f"{path}:cell 3"),
    ]
    assert document.cells[0].tags == ("a",)


def test_a_notebook_of_an_old_format_is_read(tmp_path: Path) -> None:
    """Notebooks from before nbformat 4 are upgraded in memory."""
    path = tmp_path / "old.ipynb"
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell(input="x = 1")])]
    )
    path.write_text(nbformat.v3.writes_json(old))
    assert [cell.source for cell in read_document(path).cells] == ["x = 1"]


BROKEN_NOTEBOOKS = [
    pytest.param(
        "{",
        "the notebook is not JSON: Expecting property name enclosed in double quotes",
        ", line 1, column 2",
        id="cut",
    ),
    pytest.param(
        '<<<<<<< HEAD\n{"cells": []}', "the notebook is not JSON: Expecting value", ", line 1, column 1", id="conflict"
    ),
    pytest.param("[" * 100_000, "the notebook is not JSON: ", "", id="endless-nesting"),
    pytest.param("[]", "this is JSON but no notebook", "", id="list"),
    pytest.param("{}", "this is JSON but no notebook: it has no nbformat", "", id="object"),
    pytest.param('{"nbformat": "4"}', "this is JSON but no notebook: it has no nbformat", "", id="text-version"),
    pytest.param('{"nbformat": 9}', "notebooks of nbformat 9 are not known", "", id="newer"),
    pytest.param('{"nbformat": 3}', "the old notebook cannot be read: ", "", id="old-and-broken"),
    pytest.param('{"nbformat": 4}', "the notebook has no list of cells", "", id="no-cells"),
    pytest.param(
        '{"nbformat": 4, "cells": [1]}',
        "this cell of the notebook is no object",
        ", item 1 of cells",
        id="cell-a-number",
    ),
    pytest.param(
        '{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}',
        "the source of this cell is not text",
        ", cell 1",
        id="source-a-number",
    ),
    pytest.param(
        '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "\\u0000"}]}',
        "the source of this cell has a NUL character",
        ", cell 1",
        id="source-with-nul",
    ),
    pytest.param(
        '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "\\ud800"}]}',
        "the source of this cell is not text: surrogates not allowed",
        ", cell 1",
        id="source-with-surrogate",
    ),
    pytest.param(
        '{"nbformat": 4, "metadata": {"kernelspec": {"language": "R"}}, "cells": []}',
        "this is a notebook of R, not of Python",
        "",
        id="other-language",
    ),
]


@pytest.mark.parametrize(("text", "what", "where"), BROKEN_NOTEBOOKS)
def test_a_broken_notebook_is_refused_in_words(tmp_path: Path, text: str, what: str, where: str) -> None:
    """Whatever is wrong with a notebook is told with its place and a mend."""
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(DocumentError) as caught:
        read_document(path)
    assert caught.value.what.startswith(what)
    assert caught.value.where == f"{path}{where}"
    assert caught.value.mend


BROKEN_FILES = [
    pytest.param("page.md", b"", "the document is empty", "{path}", "write a task in it", id="empty"),
    pytest.param("page.md", b" \n\n", "the document is empty", "{path}", "write a task in it", id="blank"),
    pytest.param("page.md", b"a\nb \xff c", "byte 0xff is not UTF-8", "{path}, line 2", "save the document as UTF-8", id="latin"),
    pytest.param("code.py", b"x = '\xe9'", "byte 0xe9 is not UTF-8", "{path}, line 1", "save the document as UTF-8", id="python-latin"),
    pytest.param("code.py", b"# coding: nonsense\n", "unknown encoding: nonsense", "{path}, line 1", "save the document as UTF-8", id="coding"),
    pytest.param("page.md", b"a\0b", "this is binary data, not text", "{path}, line 1", "name a text document", id="binary"),
    pytest.param("page.md", "# T".encode("utf-16"), "the document is UTF-16, not UTF-8", "{path}, line 1", "save it as UTF-8", id="utf-16"),
    pytest.param("page.rst", b"x", "the name ends in .rst, which says no known format", "{path}",
                 "a document is a MyST page (.md), a notebook (.ipynb) or a Python file (.py)", id="suffix"),
    pytest.param("page", b"x", "the name ends in no suffix, which says no known format", "{path}",
                 "a document is a MyST page (.md), a notebook (.ipynb) or a Python file (.py)", id="no-suffix"),
    pytest.param("page.R", b"x", "documents of type .r are not read", "{path}",
                 "convert it: jupytext --to md:myst page.R", id="r"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "what", "where", "mend"), BROKEN_FILES)
def test_a_file_that_is_no_document_is_refused(  # noqa: PLR0913, PLR0917 - a case has as many parts
    tmp_path: Path, name: str, data: bytes, what: str, where: str, mend: str
) -> None:
    """What is wrong with a file is told before anything tries to read it as a document."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DocumentError) as caught:
        read_document(path)
    told = (caught.value.what, caught.value.where, caught.value.mend)
    assert told == (what, where.replace("{path}", str(path)), mend)


def test_a_missing_file_is_told_with_names_like_it(tmp_path: Path) -> None:
    """A mistyped name is answered with the one that was meant."""
    (tmp_path / "tutorial.md").write_text("x")
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path / "tutorail.md")
    assert caught.value.mend == "did you mean tutorial.md?"
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path / "tutorial.ipynb")
    assert caught.value.mend == "did you mean tutorial.md?"


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """Not only the file may be missing."""
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path / "docs" / "a.md")
    assert caught.value.mend == f"the folder {tmp_path / 'docs'} does not exist either; check the path"


def test_a_file_taken_for_a_folder_is_told(tmp_path: Path) -> None:
    """A path through a file leads nowhere."""
    (tmp_path / "a.md").write_text("x")
    with pytest.raises(DocumentError, match="there is no such document"):
        read_document(tmp_path / "a.md" / "b.md")


def test_a_folder_is_answered_with_the_documents_in_it(tmp_path: Path) -> None:
    """Who names a folder is shown what to name instead."""
    (tmp_path / "b.md").write_text("x")
    (tmp_path / "a.ipynb").write_text("x")
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path)
    assert (caught.value.what, caught.value.mend) == (
        "this is a folder, not a document",
        "name one document in it: a.ipynb, b.md",
    )


def test_a_path_that_no_system_takes_is_told() -> None:
    """A NUL in a path is an error in words too."""
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document("a\0b.md")


def test_a_script_of_another_language_is_refused(tmp_path: Path) -> None:
    """The header of a percent script counts."""
    with pytest.raises(DocumentError, match="this is a script of julia, not of Python"):
        read_document(
            script(tmp_path, "# ---\n# jupyter:\n#   kernelspec:\n#     language: julia\n# ---\n# %%\nx = 1\n")
        )
