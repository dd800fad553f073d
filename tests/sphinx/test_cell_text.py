"""What is made of a cell's text without Sphinx: its colours, and what it defines."""

from __future__ import annotations

import pytest
from pygments.token import Comment, Error, Keyword, Name, Operator, String, Whitespace

from celltask.documents.outline import Cell, DocumentText
from celltask.documents.sphinx.definitions import Definition, definitions_of
from celltask.documents.sphinx.lexer import TaskLexer


@pytest.mark.parametrize(
    "text",
    [
        "%%task\ndef f(x: int) -> int:\n    return x\n",
        "%%task --cache --retries 2 --timeout 1.5 --cache-version 'v 1' # often\n",
        "%%task \\\n    --cache \\\n    --retries 2\ndef f() -> None: ...\n",
        "%%task evaluate -> accuracy: float, report: dict[str, list[int | None]] --run\nx: int\n",
        "%%workflow --failure-policy=run_all\ndef wf() -> None: ...\n",
        "import os\n%task --help\n%workflow\ndef wf() -> None: ...\n",
        "# %%task --cache\ndef f() -> None: ...\n",
        "%%task\n%matplotlib inline\n!ls ~/*.csv | wc -l\nfiles = !ls $HOME\nlines = %sx ls\nf?\n",
        '%%task -> odd: "≤ $ ? `\ndef f() -> None: ...\n',
        "%%time\n%%task\n",
    ],
)
def test_no_cell_is_coloured_as_a_mistake(text: str) -> None:
    """Whatever stands on the header, and whichever other lines of IPython's stand in the cell; nothing gets lost."""
    tokens = list(TaskLexer().get_tokens(text))
    assert "".join(value for _, value in tokens) == text
    assert [value for kind, value in tokens if kind in Error] == []


def test_a_header_has_colours_of_its_own() -> None:
    """The magic, the options and the outputs; a comment; and Python from the next line on."""
    tokens = [
        (kind, value)
        for kind, value in TaskLexer().get_tokens("%%task clean -> rows: int --cache # c\nreturn\n")
        if kind is not Whitespace
    ]
    assert tokens[:5] == [
        (Operator, "%%"),
        (Keyword, "task"),
        (Name, "clean"),
        (Operator, "->"),
        (Name.Variable, "rows"),
    ]
    assert (Name.Attribute, "--cache") in tokens
    assert (Comment, "# c") in tokens
    assert (Keyword, "return") in tokens


def test_other_magics_are_one_string() -> None:
    """A line of IPython's is not read as Python."""
    tokens = list(TaskLexer().get_tokens("%load_ext celltask\n"))
    assert tokens[:3] == [(Operator, "%"), (Keyword, "load_ext"), (String, " celltask")]


@pytest.mark.parametrize(
    ("source", "defined"),
    [
        pytest.param(
            "%%task\ndef f() -> None: ...\ndef g() -> None: ...\ndef _h(): ...", ["task f", "task g"], id="defs"
        ),
        pytest.param("%%task sum_up -> total: int\nx: int\ntotal = x", ["task sum_up"], id="body"),
        pytest.param("%workflow\ndef wf() -> None: ...", ["workflow wf"], id="workflow"),
        pytest.param("import celltask as ct\n@ct.workflow(cache=True)\ndef wf(): ...", ["workflow wf"], id="decorator"),
        pytest.param("from celltask import Workflow\nwf = Workflow('wf')", ["workflow wf"], id="imperative"),
        pytest.param("from celltask import ShellTask\nsh = ShellTask('sh', 'ls')", ["task sh"], id="shell"),
        pytest.param("from celltask import task\n@task(name='b')\ndef a(): ...", ["task a", "task b"], id="named"),
        pytest.param("%%task\ndef f(:", [], id="not-python"),
        pytest.param("%%bash\n%%task", [], id="other-magic"),
        pytest.param("def f(): ...\nx = f()\n1 / 0", [], id="no-task"),
    ],
)
def test_what_a_cell_defines_is_told_from_its_text(source: str, defined: list[str]) -> None:
    """Nothing is executed, so that also cells that cannot be have their anchors."""
    found = definitions_of(DocumentText("page.md", "myst", (Cell(1, source, first_line=1),)))
    assert [f"{one.kind} {one.name}" for one in found] == defined


def test_a_task_defined_twice_is_there_twice() -> None:
    """In the order of the cells."""
    source = "%%task\ndef f() -> None: ..."
    cells = tuple(Cell(number, source, first_line=5 * number) for number in (1, 2))
    assert definitions_of(DocumentText("page.md", "myst", cells)) == [
        Definition("f", "task", 1),
        Definition("f", "task", 2),
    ]


def test_a_document_without_python_defines_nothing() -> None:
    """It is no error, as the site may well have such pages."""
    assert definitions_of(DocumentText("page.md", "myst", (Cell(1, "x <- 1", first_line=1, language="r"),))) == []
