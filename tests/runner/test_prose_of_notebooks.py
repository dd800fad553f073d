"""Fences in the Markdown cells of notebooks are read as those of pages are, and told at their line of the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from celltask.documents.lint.check import lint_documents
from celltask.documents.reader import read_document

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from conftest import Cli

pytest_plugins = ["pytester"]

EXAMPLES = [
    "Prose with the `square` task.\n",
    "\n",
    "```python\n",
    ">>> x\n",
    "2\n",
    "```\n",
    "\n",
    "```console\n",
    "$ celltask run steps.py double --number 2 --quiet\n",
    "5\n",
    "```\n",
    "\n",
    "```bash\n",
    "echo one\n",
    "```\n",
    "\n",
    "```{output}\n",
    "two\n",
    "```",
]
TASK = "from celltask import task\n@task\ndef double(number: int) -> int:\n    return 2 * number\nx = 1"


def notebook(path: Path, *, indent: int | None = 1) -> Path:
    """A notebook with a task, examples below it, and another cell; as Jupyter saves it, or in one line."""
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    joined: object = EXAMPLES if indent else "".join(EXAMPLES)
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
        {**code, "source": TASK.splitlines(keepends=True)},
        {"cell_type": "markdown", "metadata": {}, "source": joined},
        {**code, "source": ["x = 2"]},
    ]
    book = {"cells": cells, "metadata": {"celltask": {"shell": "run"}}, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(book, indent=indent))
    return path


def line_of(path: Path, text: str) -> int:
    """Line of the file that has `text`, from 1."""
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_examples_in_a_notebook_are_run(cli: Cli, folder: Path) -> None:
    """Where they stand between the cells; what fails is told at its line of the file."""
    path = notebook(folder / "book.ipynb")
    told = json.loads(cli("test", "book.ipynb", "--json").out)["documents"][0]["cells"]
    found = [(cell["name"], cell["verdict"], (cell["failure"] or {"line": 0})["line"]) for cell in told]
    assert found == [
        ("double", "passed", 0),
        ("doctest-1", "failed", line_of(path, ">>> x")),
        ("x", "passed", 0),
        ("shell-1", "failed", line_of(path, '"5\\n"')),
        ("shell-2", "failed", line_of(path, '"two\\n"')),
    ]
    assert [cell["failure"]["what"] for cell in told if cell["failure"]] == [
        "other output: expected '2', shown is '1'",
        "expected '5', shown is '4'",
        "expected 'two', shown is 'one'",
    ]


def test_pytest_tells_their_lines(pytester: pytest.Pytester) -> None:
    """As the location of the items."""
    pytester.makeini("[pytest]\n")
    path = notebook(pytester.path / "book.ipynb")
    result = pytester.runpytest_subprocess("--celltask", "-q", "--junit-xml=out.xml", "-o", "junit_family=xunit1")
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines([f"book.ipynb:{line_of(path, '>>> x')}: other output: expected '2', shown is '1'"])
    xml = (pytester.path / "out.xml").read_text()
    for name, text in (("doctest-1", ">>> x"), ("shell-1", "$ celltask"), ("shell-2", "echo one")):
        assert f'name="{name}" file="book.ipynb" line="{line_of(path, text) - 1}"' in xml


def test_a_notebook_in_one_line_has_the_same_examples(tmp_path: Path) -> None:
    """Though their lines cannot be those of the file."""
    files = [notebook(tmp_path / f"{indent}.ipynb", indent=indent) for indent in (1, None)]
    wide, narrow = (read_document(path).blocks for path in files)
    assert [(block.source, block.after) for block in wide] == [(block.source, block.after) for block in narrow]
    assert [block.directive or block.language for block in narrow] == ["python", "console", "bash", "output"]
    assert [block.after for block in narrow] == [1] * 4


def test_the_prose_of_a_notebook_is_linted(tmp_path: Path) -> None:
    """At the line of the file, whether it has fences or not."""
    path = notebook(tmp_path / "book.ipynb")
    line = line_of(path, "square")
    assert [(one.line, one.rule) for one in lint_documents([str(path)])] == [(line, "stale-name")]
    path.write_text(path.read_text().replace("```", ""))
    assert [(one.line, one.rule) for one in lint_documents([str(path)])] == [(line, "stale-name")]
