"""The MyST reader: which cells a page has, and at which lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupytext.myst import myst_to_notebook

from celltask.documents.reader import read_document
from celltask.errors import DocumentError

IRIS = Path(__file__).parent / "data" / "iris.md"


def page(tmp_path: Path, text: str) -> Path:
    """A page with this text."""
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def cells_of(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    """First line and source of each cell."""
    return [(cell.first_line, cell.source) for cell in read_document(page(tmp_path, text)).cells]


def test_the_tutorial_page_has_its_six_cells_at_their_lines() -> None:
    """Every cell of the page is found with its number, its fence, and the line its code begins at."""
    document = read_document(IRIS)
    assert document.format == "myst"
    assert [(cell.number, cell.marker_line, cell.first_line) for cell in document.cells] == [
        (1, 41, 42),
        (2, 45, 48),
        (3, 56, 57),
        (4, 86, 87),
        (5, 95, 96),
        (6, 115, 118),
    ]
    assert document.notices == ()


def test_each_source_stands_in_the_page_where_it_is_said_to_stand() -> None:
    """The lines of a cell are the lines of the page from its first line on."""
    lines = IRIS.read_text(encoding="utf-8").split("\n")
    for cell in read_document(IRIS).cells:
        assert lines[cell.first_line - 1 : cell.last_line] == cell.source.split("\n")


def test_the_cells_are_those_that_jupytext_reads() -> None:
    """Sources and fences agree with jupytext, whose own line numbers are off only by the options."""
    notebook = myst_to_notebook(IRIS.read_text(encoding="utf-8"), add_source_map=True)
    theirs = [
        (line, cell.source.strip())
        for line, cell in zip(notebook.metadata.source_map, notebook.cells, strict=True)
        if cell.cell_type == "code"
    ]
    assert [(cell.marker_line, cell.source) for cell in read_document(IRIS).cells] == theirs


def test_a_fence_closed_with_more_marks_ends_there(tmp_path: Path) -> None:
    """A fence opened with three backticks and closed with four does not swallow the next cell."""
    text = "```{note}\nKeywords.\n````\n\n```{code-cell}\nx = 1\n```\n"
    assert cells_of(tmp_path, text) == [(6, "x = 1")]


CONTAINERS = [
    pytest.param(":::{dropdown} Title\n:open:\n\n```{code-cell}\nx = 1\n```\n:::\n", 5, id="dropdown"),
    pytest.param("````{tab-item} A\n```{code-cell}\nx = 1\n```\n````\n", 3, id="tab-item"),
    pytest.param("::::{tab-set}\n:::{tab-item} A\n```{code-cell}\nx = 1\n```\n:::\n::::\n", 4, id="tab-set"),
    pytest.param("- item\n\n  ```{code-cell}\n  x = 1\n  ```\n", 4, id="list"),
    pytest.param("1. one\n   - two\n\n     ```{code-cell}\n     x = 1\n     ```\n", 5, id="list-in-list"),
    pytest.param("> ```{code-cell}\n> x = 1\n> ```\n", 2, id="quotation"),
    pytest.param("- item\n\n  :::{note}\n  ```{code-cell}\n  x = 1\n  ```\n  :::\n", 5, id="note-in-list"),
    pytest.param("````{note}\n> - ```{code-cell}\n>   x = 1\n>   ```\n````\n", 3, id="list-in-quotation-in-note"),
]


@pytest.mark.parametrize(("text", "line"), CONTAINERS)
def test_a_cell_inside_something_is_found(tmp_path: Path, text: str, line: int) -> None:
    """Cells in directives, lists and quotations are read with their exact lines, and marked as nested."""
    document = read_document(page(tmp_path, text))
    assert [(cell.first_line, cell.source, cell.nested) for cell in document.cells] == [(line, "x = 1", True)]


SPELLINGS = [
    pytest.param("```{code-cell}\nx = 1\n```\n", 2, id="plain"),
    pytest.param("```{code-cell} python\nx = 1\n```\n", 2, id="language"),
    pytest.param("```{code-cell} ipython3\nx = 1\n```\n", 2, id="lexer"),
    pytest.param("``` {code-cell}\nx = 1\n```\n", 2, id="space-before"),
    pytest.param("```{code-cell}   \nx = 1\n```  \n", 2, id="spaces-behind"),
    pytest.param("~~~{code-cell}\nx = 1\n~~~\n", 2, id="tildes"),
    pytest.param(":::{code-cell}\nx = 1\n:::\n", 2, id="colons"),
    pytest.param("`````{code-cell}\nx = 1\n`````\n", 2, id="five-marks"),
    pytest.param("   ```{code-cell}\n   x = 1\n   ```\n", 2, id="indented-by-three"),
    pytest.param("text\n```{code-cell}\nx = 1\n```\ntext\n", 3, id="no-empty-lines"),
    pytest.param("```{code-cell}\nx = 1", 2, id="last-and-not-closed"),
    pytest.param("```{code-cell}\r\nx = 1\r\n```\r\n", 2, id="windows-line-ends"),
    pytest.param("\ufeff```{code-cell}\nx = 1\n```\n", 2, id="byte-order-mark"),
    pytest.param("---\ntitle: T\n---\n```{code-cell}\nx = 1\n```\n", 5, id="mystmd-header"),
    pytest.param(
        "---\nkernelspec:\n  name: python3\n  language: python\n---\n\n```{code-cell}\nx = 1\n```\n", 8, id="kernel"
    ),
    pytest.param("---\nnever closed\n\n```{code-cell}\nx = 1\n```\n", 5, id="header-not-closed"),
    pytest.param("```{code-cell}\n\n\nx = 1\n\n\n```\n", 4, id="empty-lines-around"),
]


@pytest.mark.parametrize(("text", "line"), SPELLINGS)
def test_every_spelling_of_a_cell_is_read(tmp_path: Path, text: str, line: int) -> None:
    """A code cell is one however its fence and header are written."""
    path = tmp_path / "page.md"
    path.write_bytes(text.encode())
    document = read_document(path)
    assert [(cell.first_line, cell.source) for cell in document.cells] == [(line, "x = 1")]
    assert document.cells[0].is_python


OPTIONS = [
    pytest.param(":tags: [hide-input, other]\n", ("hide-input", "other"), id="list"),
    pytest.param(":tags: [\"hide-input\", 'other']\n", ("hide-input", "other"), id="quoted"),
    pytest.param(":tags: hide-input, other\n", ("hide-input", "other"), id="commas"),
    pytest.param(":tags: skip-execution\n", ("skip-execution",), id="one-word"),
    pytest.param(":tag: one\n", ("one",), id="mystmd-alias"),
    pytest.param(":name: first\n:tags: [a]\n\n", ("a",), id="second-option"),
    pytest.param(':tags: [a]\n:mystnb:\n:  prompt: "Show {type}"\n\n', ("a",), id="nested"),
    pytest.param(":tags:\n: - a\n: - b\n", ("a", "b"), id="nested-list"),
    pytest.param(":tags: a\n:other: {\n: more\n", ("a",), id="nested-but-no-yaml"),
    pytest.param("---\ntags: [a, b]\nother:\n  more: true\n---\n", ("a", "b"), id="yaml"),
    pytest.param("---\ntags:\n  - a\n---\n\n", ("a",), id="yaml-block-list"),
    pytest.param("---\ntags: a\n...\n", ("a",), id="yaml-dots"),
    pytest.param("---\n---\n", (), id="yaml-empty"),
    pytest.param(":name:\n", (), id="without-value"),
]


@pytest.mark.parametrize(("options", "tags"), OPTIONS)
def test_options_are_told_from_code(tmp_path: Path, options: str, tags: tuple[str, ...]) -> None:
    """Options at the head of a cell are no code, whatever their form, and the code's line counts them."""
    document = read_document(page(tmp_path, f"```{{code-cell}}\n{options}x = 1\n```\n"))
    cell = document.cells[0]
    assert (cell.source, cell.first_line, cell.tags) == ("x = 1", 2 + options.count("\n"), tags)


SHOWN = [
    pytest.param("````md\n```{code-cell}\nx = 1\n```\n````\n", id="longer-fence-around"),
    pytest.param("````\n```{code-cell}\nx = 1\n```\n````\n", id="longer-fence-without-name"),
    pytest.param("````{code-block} md\n```{code-cell}\nx = 1\n```\n````\n", id="code-block"),
    pytest.param("~~~\n```{code-cell}\nx = 1\n```\n~~~\n", id="other-marks-around"),
    pytest.param("```python\nx = 1\n```\n", id="python-fence"),
    pytest.param("```{code} python\nx = 1\n```\n", id="code-directive"),
    pytest.param("```{doctest}\n>>> 1\n1\n```\n", id="doctest"),
    pytest.param("`{code-cell}`\n", id="inline"),
]


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_only_shown_is_no_cell(tmp_path: Path, text: str) -> None:
    """Code shown as an example is neither a cell nor worth a notice."""
    document = read_document(page(tmp_path, text))
    assert (document.cells, document.notices) == ((), ())


def test_cells_after_a_note_that_is_never_closed_are_read(tmp_path: Path) -> None:
    """An open directive swallows nothing: the cell it would eat and the next one are both there."""
    text = "```{note}\nopen\n\n```{code-cell}\nx = 1\n```\n\ntext\n\n```{code-cell}\ny = 2\n```\n"
    assert cells_of(tmp_path, text) == [(5, "x = 1"), (11, "y = 2")]


def test_cells_after_a_note_closed_with_too_few_marks_are_read_with_a_notice(tmp_path: Path) -> None:
    """A note opened with four backticks and closed with three does not make the page green and empty."""
    text = "````{note}\nn\n```\n\ntext\n\n```{code-cell}\nx = 1\n```\n\n```{code-cell}\ny = 2\n```\n"
    document = read_document(page(tmp_path, text))
    assert [(cell.first_line, cell.source) for cell in document.cells] == [(8, "x = 1"), (12, "y = 2")]
    assert [(notice.line, notice.what) for notice in document.notices] == [
        (3, "the fence opened here runs over the code cell at line 7")
    ]


NOTICED = [
    pytest.param("```{code-cel}\nx = 1\n```\n", 1, "'{code-cel}' is not read as a code cell", id="typo"),
    pytest.param("```{codecell}\nx = 1\n```\n", 1, "'{codecell}' is not read as a code cell", id="no-dash"),
    pytest.param("```code-cell\nx = 1\n```\n", 1, "'code-cell' is not read as a code cell", id="no-braces"),
    pytest.param("<!--\n```{code-cell}\nx = 1\n```\n-->\n", 2, "this code cell is not read", id="comment"),
    pytest.param("<div>\n```{code-cell}\nx = 1\n```\n</div>\n", 2, "this code cell is not read", id="html"),
    pytest.param("    ```{code-cell}\n    x = 1\n    ```\n", 1, "this code cell is not read", id="indented"),
]


@pytest.mark.parametrize(("text", "line", "what"), NOTICED)
def test_what_looks_like_a_cell_and_is_none_is_noticed(tmp_path: Path, text: str, line: int, what: str) -> None:
    """Nothing that its author may take for a code cell is passed over in silence."""
    document = read_document(page(tmp_path, text))
    assert document.cells == ()
    assert [(notice.line, notice.what[: len(what)]) for notice in document.notices] == [(line, what)]


def test_cells_of_other_languages_are_counted_and_told(tmp_path: Path) -> None:
    """A page may have cells of other languages; they keep their numbers and are not taken for Python."""
    text = "```{code-cell} python\nx = 1\n```\n\n```{code-cell} R\ny <- 2\n```\n\n```{code-cell}\nz = 3\n```\n"
    cells = read_document(page(tmp_path, text)).cells
    assert [(cell.number, cell.language, cell.is_python) for cell in cells] == [
        (1, "python", True),
        (2, "r", False),
        (3, "python", True),
    ]


REFUSED = [
    pytest.param(
        "````{code-cell}\nx = 1\n```\n\ntext\n",
        "this code cell opens with ```` but line 3 would close it with ```, so it runs on to the end\n"
        "  at: {path}, line 1\n  mend: write ```` at line 3",
        id="closed-with-too-few",
    ),
    pytest.param(
        "```{code-cell}\nx = 1\n\ntext\n\n```{code-cell}\ny = 2\n```\n",
        "this code cell is not closed before the next fence opens at line 6\n"
        "  at: {path}, line 1\n  mend: end it with a line ```",
        id="not-closed",
    ),
    pytest.param(
        "\n```{code-cell}\n---\ntags: [a\n---\nx = 1\n```\n",
        "the options of this cell are not YAML: expected ',' or ']', but got '<stream end>'\n"
        "  at: {path}, line 2\n  mend: write `key: value`",
        id="options-not-yaml",
    ),
    pytest.param(
        "```{code-cell}\n---\n- a\n---\nx = 1\n```\n",
        "the options of this cell are not names with values\n  at: {path}, line 1\n  mend: write `key: value`",
        id="options-a-list",
    ),
    pytest.param(
        "```{code-cell}\n---\ntags: a\nx = 1\n```\n",
        "the options of this cell are not closed\n  at: {path}, line 1\n  mend: write --- below the last option",
        id="options-not-closed",
    ),
    pytest.param(
        "---\nkernelspec:\n  language: julia\n---\n```{code-cell}\nx = 1\n```\n",
        "this is a page of julia, not of Python\n  at: {path}\n  mend: set `language: python` in its header",
        id="other-language",
    ),
    pytest.param(
        "```{note}\n" * 60,
        "directives stand in each other more than 40 deep\n  at: {path}, line 42\n  mend: close them",
        id="endless-nesting",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_page_that_must_be_wrong_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The message says what is wrong, at which line, and what to write."""
    path = page(tmp_path, text)
    with pytest.raises(DocumentError) as caught:
        read_document(path)
    assert str(caught.value) == message.replace("{path}", str(path))


def test_a_docstring_may_hold_fences_in_a_cell_with_longer_ones(tmp_path: Path) -> None:
    """Markdown in a docstring is code where the cell's own fence is longer."""
    source = 'def f():\n    """\n    ```python\n    f()\n    ```\n    """'
    assert cells_of(tmp_path, f"````{{code-cell}}\n{source}\n````\n") == [(2, source)]


@pytest.mark.parametrize("text", ["> - :::\n> ", "> :::\n>", "- :::", ":::", "> ```\n> ", "> - ```\n>"])
def test_a_fence_that_ends_with_the_text_is_read(tmp_path: Path, text: str) -> None:
    """Without an end to its last line, and inside of quotations and lists."""
    assert cells_of(tmp_path, text) == []
