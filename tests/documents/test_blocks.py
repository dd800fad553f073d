"""Fences that are no code cells: what they hold, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from celltask.documents.reader import read_document

if TYPE_CHECKING:
    from pathlib import Path

    from celltask.documents.outline import Block


def blocks_of(tmp_path: Path, text: str, name: str = "page.md") -> tuple[Block, ...]:
    """The blocks of a document with this text."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_document(path).blocks


KINDS = [
    pytest.param("```{output}\n1\n```\n", ("output", "", "", "```"), id="directive"),
    pytest.param("```{code-block} Console\n1\n```\n", ("code-block", "Console", "console", "```"), id="argument"),
    pytest.param("```python title=x\n1\n```\n", ("", "python title=x", "python", "```"), id="language"),
    pytest.param("```\n1\n```\n", ("", "", "", "```"), id="nothing"),
    pytest.param("~~~~ bash\n1\n~~~~\n", ("", "bash", "bash", "~~~~"), id="tildes"),
    pytest.param(":::{output}\n1\n:::\n", ("output", "", "", ":::"), id="colons"),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_every_fence_that_is_no_code_cell_is_a_block(tmp_path: Path, text: str, kind: tuple[str, ...]) -> None:
    """Whatever its marks, a fence is told with its directive, its argument and its content."""
    (block,) = blocks_of(tmp_path, text)
    assert (block.directive, block.argument, block.language, block.marks) == kind
    assert (block.source, block.line, block.first_line, block.last_line, block.column) == ("1", 1, 2, 3, 1)
    assert (block.nested, block.prefix, block.closed) == (False, "", True)


PLACES = [
    pytest.param("> ```{output}\n> 1\n> ```\n", (1, 3, "> ", True), id="quotation"),
    pytest.param("- a\n\n  ```{output}\n  1\n  ```\n", (3, 3, "  ", True), id="list"),
    pytest.param("- ```{output}\n  1\n  ```\n", (1, 3, "  ", True), id="first-in-item"),
    pytest.param("10. > ```{output}\n    > 1\n    > ```\n", (1, 7, "    > ", True), id="quotation-in-item"),
    pytest.param("  ```{output}\n  1\n  ```\n", (1, 3, "  ", False), id="indented"),
    pytest.param("````{note}\n> ```{output}\n> 1\n> ```\n````\n", (2, 3, "> ", True), id="in-directive"),
]


@pytest.mark.parametrize(("text", "place"), PLACES)
def test_a_line_of_content_can_be_rewritten_in_place(
    tmp_path: Path, text: str, place: tuple[int, int, str, bool]
) -> None:
    """A block tells its column, and what stands before each of its lines."""
    block = blocks_of(tmp_path, text)[-1]
    assert (block.line, block.column, block.prefix, block.nested) == place
    lines = text.split("\n")
    assert lines[block.line - 1][block.column - 1 :].startswith("```{output}")
    assert lines[block.first_line - 1 : block.last_line - 1] == [f"{block.prefix}{block.source}"]
    assert lines[block.last_line - 1] == f"{block.prefix}```"


OPTIONS = [
    pytest.param(":rtol: 1e-3\n\n1\n", {"rtol": "1e-3"}, "1", 4, id="fields"),
    pytest.param(":run:\n1\n", {"run": ""}, "1", 3, id="no-empty-line"),
    pytest.param("---\nrtol: 1.5\n---\n1\n", {"rtol": 1.5}, "1", 5, id="yaml"),
    pytest.param("---\n[\n---\n1\n", {}, "1", 5, id="no-yaml"),
    pytest.param("---\n1\n", {}, "---\n1", 2, id="rule-not-closed"),
    pytest.param("\n1\n\n", {}, "\n1\n", 2, id="empty-lines-are-kept"),
    pytest.param(":a: b\n", {"a": "b"}, "", 3, id="options-alone"),
    pytest.param("", {}, "", 2, id="empty"),
]


@pytest.mark.parametrize(("content", "options", "source", "first_line"), OPTIONS)
def test_the_options_of_a_directive_are_told_from_its_content(
    tmp_path: Path, content: str, options: dict[str, object], source: str, first_line: int
) -> None:
    """Options stand at the head in either spelling, one empty line below them is theirs."""
    (block,) = blocks_of(tmp_path, f"```{{output}}\n{content}```\n")
    assert (dict(block.options), block.source, block.first_line) == (options, source, first_line)
    assert block.last_line == 2 + content.count("\n")


def test_a_fence_without_a_directive_has_no_options(tmp_path: Path) -> None:
    """What looks like options in a plain fence is its text."""
    (block,) = blocks_of(tmp_path, "```yaml\n---\nx: 1\n---\n```\n")
    assert (dict(block.options), block.source) == ({}, "---\nx: 1\n---")


def test_blocks_stand_in_their_order_inside_and_outside_of_directives(tmp_path: Path) -> None:
    """A directive is a block, and so is what stands in it; what is shown as it is, is one block."""
    text = "::::{note}\n```bash\nls\n```\n::::\n\n```{code-cell}\nx\n```\n\n````md\n```{output}\n```\n````\n"
    blocks = blocks_of(tmp_path, text)
    assert [(block.line, block.directive or block.language, block.nested) for block in blocks] == [
        (1, "note", False),
        (2, "bash", True),
        (11, "md", False),
    ]


OPEN = [
    pytest.param("```bash\nls\n", 2, id="end-of-page"),
    pytest.param("```bash\nls", 2, id="no-line-end"),
    pytest.param("> ```bash\n> ls\n\ntext\n", 2, id="end-of-quotation"),
]


@pytest.mark.parametrize(("text", "last"), OPEN)
def test_a_fence_that_is_not_closed_ends_with_its_content(tmp_path: Path, text: str, last: int) -> None:
    """It says that it is open, and its last line is one of its content."""
    (block,) = blocks_of(tmp_path, text)
    assert (block.closed, block.last_line, block.source) == (False, last, "ls")


COMMENTED = '# %% [markdown]\n# Text\n#\n# - item\n#\n#   ```{output}\n#   1\n#   ```\n\n# %%\nx = "```"\n'


def test_fences_in_the_comments_of_a_script_are_blocks_at_the_lines_of_the_script(tmp_path: Path) -> None:
    """A percent script's Markdown is read like a page; a prefix includes the mark of the comment."""
    (block,) = blocks_of(tmp_path, COMMENTED, "script.py")
    assert (block.directive, block.line, block.column, block.first_line, block.last_line) == ("output", 6, 5, 7, 8)
    assert (block.prefix, block.source, block.nested) == ("#   ", "1", True)


def test_fences_in_a_string_of_a_script_are_blocks_too(tmp_path: Path) -> None:
    """A cell of Markdown may be written as a string; a code cell shown in it is a block."""
    text = '# %% [md]\n"""\n```{code-cell}\n:tags: [a]\n\nx = 1\n```\n"""\n# %%\ny = 2\n'
    (block,) = blocks_of(tmp_path, text, "script.py")
    assert (block.directive, block.line, block.column, block.prefix) == ("code-cell", 3, 1, "")
    assert (dict(block.options), block.source, block.first_line, block.last_line) == ({"tags": "[a]"}, "x = 1", 6, 7)


def test_cells_tell_their_column(tmp_path: Path) -> None:
    """A code cell knows the column that its fence opens at."""
    path = tmp_path / "page.md"
    path.write_text("```{code-cell}\nx = 1\n```\n\n> - ```{code-cell}\n>   y = 2\n>   ```\n")
    assert [(cell.marker_line, cell.column) for cell in read_document(path).cells] == [(1, 1), (5, 5)]


def test_a_block_of_options_in_yaml_loads_its_reader_only_when_it_is_looked_at(tmp_path: Path) -> None:
    """Options that do not count are not read, so that a mistake in those of a picture stops nothing."""
    path = tmp_path / "page.md"
    path.write_text("```{figure} a.png\n---\nwidth: [\n---\n```\n\n```{code-cell}\nx = 1\n```\n")
    document = read_document(path)
    assert (len(document.cells), dict(document.blocks[0].options)) == (1, {})
