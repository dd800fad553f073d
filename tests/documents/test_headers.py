"""The head of a document: what is read there, and what is refused; and what becomes of nested cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from celltask.documents.reader import read_document
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

CELL = "```{code-cell}\nx = 1\n```\n"
BROKEN = [
    pytest.param("title: a: b\n", "mapping values are not allowed here", 2, id="colon"),
    pytest.param("title: T\nlist: [a\n", "expected ',' or ']', but got '<stream end>'", 3, id="bracket"),
    pytest.param("a:\n    b: 1\n  c: 2\n", "expected <block end>, but found '<block mapping start>'", 4, id="indent"),
    pytest.param("title: T\n\tb: 1\n", "found character '\\t' that cannot start any token", 3, id="tab"),
]


@pytest.mark.parametrize(("header", "what", "line"), BROKEN)
@pytest.mark.parametrize("suffix", [".md", ".py"])
def test_a_header_that_is_no_yaml_is_refused_with_its_line(
    tmp_path: Path, header: str, what: str, line: int, suffix: str
) -> None:
    """A page and a script with a broken header are told where it breaks and how to write it."""
    text = f"---\n{header}---\n"
    path = tmp_path / f"doc{suffix}"
    if suffix == ".py":
        text = "".join(f"# {written}\n" for written in text.splitlines()) + "# %%\nx = 1\n"
    path.write_text(text + (CELL if suffix == ".md" else ""))
    with pytest.raises(DocumentError) as caught:
        read_document(path)
    assert str(caught.value) == (
        f"the header is not YAML: {what}\n"
        f"  at: {path}, line {line}\n"
        "  mend: write `key: value`, quoted if it has a colon"
    )


FINE = [
    pytest.param("jupytext:\n  formats: md:myst\n  text_representation:\n    extension: .md\n", id="jupytext"),
    pytest.param("title: T\nauthors:\n  - name: A\n    affiliations: [x]\n", id="mystmd"),
    pytest.param("file_format: mystnb\nkernelspec:\n  name: python3\n", id="mystnb"),
    pytest.param("kernelspec:\n  name: my-own-environment\n  display_name: P\n", id="unknown-kernel"),
    pytest.param("title: 'It: is'\n# comment\nempty:\n", id="quoted"),
    pytest.param("", id="empty"),
    pytest.param("only words\n", id="words"),
]


@pytest.mark.parametrize("header", FINE)
def test_every_header_that_can_be_read_is_taken(tmp_path: Path, header: str) -> None:
    """Headers of jupytext, mystmd and MyST-NB are fine, whatever they call the kernel."""
    path = tmp_path / "page.md"
    path.write_text(f"---\n{header}---\n{CELL}")
    document = read_document(path)
    assert [cell.source for cell in document.cells] == ["x = 1"]
    assert document.notices == ()


def test_a_kernel_of_another_language_is_noticed(tmp_path: Path) -> None:
    """Where the kernel is known to be none of Python's and the header names no language, that is told."""
    path = tmp_path / "page.md"
    path.write_text(f"---\ntitle: T\nkernelspec:\n  name: ir\n---\n{CELL}")
    document = read_document(path)
    assert len(document.cells) == 1
    assert [(notice.line, notice.what) for notice in document.notices] == [
        (4, "the header names the kernel 'ir', and the code cells are run as Python")
    ]


NESTED = f":::{{note}}\n{CELL}:::\n\n```{{code-cell}}\ny = 2\n```\n"


def test_nested_cells_are_run_left_out_or_refused_as_chosen(tmp_path: Path) -> None:
    """A cell in a note is a cell like others, or is left out with a notice, or makes the page wrong."""
    path = tmp_path / "page.md"
    path.write_text(NESTED)
    assert [cell.source for cell in read_document(path).cells] == ["x = 1", "y = 2"]
    document = read_document(path, nested="report")
    assert [(cell.number, cell.source) for cell in document.cells] == [(1, "y = 2")]
    what = "this code cell stands inside a directive, a list or a quotation"
    assert [(notice.line, notice.what) for notice in document.notices] == [(2, f"{what}, and is left out")]
    with pytest.raises(DocumentError) as caught:
        read_document(path, nested="refuse")
    mend = "move it to the left edge, outside of all others"
    assert str(caught.value) == f"{what}\n  at: {path}, line 2\n  mend: {mend}"


def test_tags_of_a_script_and_a_notebook_have_the_spellings_of_a_page(tmp_path: Path) -> None:
    """A list, one word, and mystmd's `tag` mean the same everywhere."""
    path = tmp_path / "script.py"
    path.write_text('# %% tags=["a", "b"]\nx = 1\n# %% tags="a"\ny = 1\n# %% tag="a"\nz = 1\n')
    assert [cell.tags for cell in read_document(path).cells] == [("a", "b"), ("a",), ("a",)]


def test_many_cells_are_read_in_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 2,000 cells and as many blocks is parsed once, and each directive once more."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as in the reader

    lengths: list[int] = []
    parse = MarkdownIt.parse
    monkeypatch.setattr(MarkdownIt, "parse", lambda self, text: lengths.append(len(text)) or parse(self, text))
    path = tmp_path / "page.md"
    path.write_text(f"{CELL}\n:::{{note}}\ntext\n:::\n\n" * 2000)
    document = read_document(path)
    assert (len(document.cells), len(document.blocks), len(lengths)) == (2000, 2000, 2001)
    assert sum(lengths) < 2 * len(document.text)
