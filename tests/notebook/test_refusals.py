"""What is refused leaves the notebook as it was, and is told in three lines at the right place."""

# ruff: noqa: E501 - the text of a cell reads best on one line
from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celltask.core.cell import flags
from celltask.core.registry import registry
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from conftest import Notebook

PURE = "%%task\ndef f(x: int) -> int:\n    return x\n"


@pytest.mark.parametrize(
    ("cell", "error", "place"),
    [
        pytest.param(
            "%%task --chache\ndef f(x: int) -> int:\n    return 2 * x\n", "HeaderError", "line 1", id="header"
        ),
        pytest.param(
            "y = 1\n%task --chache\ndef f(x: int) -> int:\n    return 2 * x\n",
            "HeaderError",
            "line 2",
            id="second-line",
        ),
        pytest.param(
            "%%task --cache \\\ndef f(x: int) -> int:\n    return 2 * x\n", "HeaderError", "line 1", id="backslash"
        ),
        pytest.param("%%task f -> y: int\nx: int\nz = 2\nreturn z\n", "BodyError", "line 4", id="return"),
        pytest.param("%%task\ndef f(x) -> int:\n    return x\n", "InterfaceError", None, id="untyped"),
        pytest.param("%%task\ndef f(x: int) -> int:\n    return x + len(data)\n", "PurityError", "line 3", id="data"),
        pytest.param(
            "%%task\ndef f(x: int) -> int:\n    return len(later)\nlater = [1]\n",
            "PurityError",
            "line 3",
            id="later-data",
        ),
        pytest.param("%%task f -> y: int\nx: int\ny = x + len(data)\n", "PurityError", "line 3", id="data-in-body"),
        pytest.param("%%workflow\ndef f(x: int) -> str:\n    return other(x=x)\n", "BindingError", None, id="wiring"),
    ],
)
def test_a_refused_cell_changes_nothing(notebook: Notebook, cell: str, error: str, place: str | None) -> None:
    """The error names class, place and mend in three lines; names keep the values they had, or none."""
    notebook("data = [1, 2, 3]")
    notebook("%%task\ndef other(x: int) -> int:\n    return x\n")
    for before in ("", PURE):
        if before:
            notebook(before)
        names = {key: value for key, value in notebook.names.items() if key != "later"}
        ran = notebook.run(cell)
        number = notebook.shell.execution_count - 1
        assert type(ran.error).__name__ == error
        assert isinstance(ran.error, CelltaskError)
        assert ran.text.startswith(f"{error}: ")
        assert f"\n  at: cell {number}, {place or ''}" in ran.text
        assert "\n  mend: " in ran.text
        assert "Traceback" not in ran.text
        assert {key: value for key, value in notebook.names.items() if key != "later"} == names


def test_of_several_definitions_all_are_taken_back_or_none(notebook: Notebook) -> None:
    """Where one task of a cell is refused, those above it are not defined either, and older ones stand as they did."""
    notebook("%%task\ndef kept(x: int) -> int:\n    return x\n")
    before = notebook.names["kept"]
    ran = notebook.run(
        "%%task\ndef kept(x: int) -> int:\n    return 2\n\ndef new() -> int:\n    return 1\n\ndef bad(x) -> int:\n    return x\n"
    )
    assert isinstance(ran.error, CelltaskError)
    assert notebook.names["kept"] is before
    assert not {"new", "bad"} & notebook.names.keys()
    assert "new" not in registry.tasks()


def test_a_failing_call_takes_no_definition_back(notebook: Notebook) -> None:
    """An error of a call in the same cell leaves the task defined."""
    ran = notebook.run("%%task\ndef f(x: int) -> int:\n    return x\n\n_ = 1\n")
    ran = notebook.run("%task\ndef g(x: int) -> int:\n    return x\n\ng(x='a')")
    assert isinstance(ran.error, CelltaskError)
    assert notebook("g(x=1)") == 1


def test_a_syntax_error_is_shown_where_it_is(notebook: Notebook) -> None:
    """Python's own error points at the line of the cell, under every spelling."""
    for cell in ("%%task --cache\ndef f(x: int) -> int:\n    y = = 3\n", "%%task f -> y: int\nx: int\ny = = 3\n"):
        ran = notebook.run(cell)
        assert isinstance(ran.error, SyntaxError)
        assert ran.error.lineno == 3
        assert "y = = 3" in ran.text


def test_a_traceback_names_the_cell_and_the_line(notebook: Notebook) -> None:
    """An exception of the body shows the calling cell and the task's cell with their lines, and no frame of ours."""
    notebook("1")
    notebook("%%task --retries 0 --cache\n\ndef f(x: int) -> float:\n    y = x\n    return y / 0\n")
    notebook("2")
    ran = notebook.run("z = 1\nf(x=1)")
    assert isinstance(ran.error, ZeroDivisionError)
    found = re.findall(r"(?:Cell In\[|Cell In \[|Input In \[|ipython-input-)(\d+)[^\n]*", ran.text)
    assert [int(number) for number in found] == [5, 3]
    assert re.search(r"-+> 2 f\(x=1\)", ran.text)
    assert re.search(r"-+> 5     return y / 0", ran.text)
    assert "celltask/" not in ran.text
    assert "<celltask" not in ran.text


def test_a_traceback_out_of_a_workflow_shows_only_the_users_lines(notebook: Notebook) -> None:
    """Between the cell that runs a workflow and the body that failed nothing of celltask or its threads is shown."""
    notebook(
        "%%task\ndef half(x: int) -> float:\n    return x / 0\n\ndef add(a: float, b: float) -> float:\n    return a + b\n"
    )
    notebook("%%workflow\ndef w(x: int) -> float:\n    return add(a=half(x=x), b=half(x=x))\n")
    ran = notebook.run("w(x=1)")
    assert isinstance(ran.error, ZeroDivisionError)
    assert re.search(r"-+> 3     return x / 0", ran.text)
    assert "concurrent" not in ran.text
    assert "celltask/" not in ran.text


def test_a_failed_run_line_shows_no_magic_frames(notebook: Notebook) -> None:
    """Between the `%run_task` line and the body that failed neither IPython's frames nor ours are shown."""
    notebook("%%task\ndef half(x: int) -> float:\n    return x / 0\n")
    text = notebook.run("%run_task half x=1").text
    assert "return x / 0" in text
    assert "celltask/" not in text
    assert "run_line_magic(magic_name" not in text


def test_a_wrong_call_names_the_cell_that_calls(notebook: Notebook) -> None:
    """A value that does not fit is told with the place of the call beside that of the task."""
    notebook(PURE)
    text = notebook.run("1\nf(x='a')").text
    assert re.search(r"at: cell 2, line \d+ \(called from cell 3, line 2\)", text)
    assert len(text.strip().splitlines()) == 3


def test_a_fault_of_celltask_keeps_its_frames(notebook: Notebook) -> None:
    """A traceback that ends inside celltask is shown whole: hiding it would hide the fault."""
    ran = notebook.run("from celltask.core.graph import Graph\nGraph('g').node('n7')")
    assert "graph.py" in ran.text


def test_earlier_exceptions_are_told_too(notebook: Notebook) -> None:
    """The exception that another one came from is shown without our frames as well."""
    notebook("%%task\ndef f(x: int) -> float:\n    return x / 0\n")
    ran = notebook.run("try:\n    f(x=1)\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error")
    assert "return x / 0" in ran.text
    assert "celltask/" not in ran.text


def test_notes_are_the_last_lines_of_every_shell(notebook: Notebook) -> None:
    """Which task and node failed is told once, below the user's own notes, also by shells that know no notes."""
    notebook("%%task\ndef f(x: int) -> int:\n    e = ValueError('bad')\n    e.add_note('try 2')\n    raise e\n")
    notebook("%%workflow\ndef w(x: int) -> int:\n    return f(x=x)\n")
    lines = notebook.run("w(x=1)").text.strip().splitlines()
    assert lines[-4:] == [
        "ValueError: bad", "try 2", "in task 'f', cell 2, line 5", "in node n0 (f) of workflow 'w'"
    ]  # fmt: skip
    notebook("%unload_ext celltask")
    assert notebook.shell.__dict__.get("_showtraceback") is None


def test_each_task_on_the_way_is_told_with_its_own_line(notebook: Notebook) -> None:
    """A task that calls a task, all in one cell, async in a workflow: every note has the line of its own body."""
    notebook(
        "%%task\ndef a(x: int) -> float:\n    return 1 / x\n\ndef b(x: int) -> float:\n    return a(x=x)\n\n"
        "async def c(x: int) -> float:\n    return b(x=x)\n"
    )
    notebook("%%workflow\ndef w(x: int) -> float:\n    return c(x=x)\n")
    text = notebook.run("w(x=0)").text
    assert text.strip().splitlines()[-4:] == [
        "in task 'a', cell 2, line 3", "in task 'b', cell 2, line 6", "in task 'c', cell 2, line 9",
        "in node n0 (c) of workflow 'w'",
    ]  # fmt: skip
    assert "another exception" not in text
    assert "celltask/" not in text


def test_post_mortem_begins_in_the_users_code(notebook: Notebook) -> None:
    """What `%debug` would look at holds no frame of celltask, neither for an error of a body nor for one of ours."""
    notebook("%%task\ndef f(x: int) -> float:\n    return 1 / x\n")
    for call, depth in (("f(x=0)", 2), ("f(x='a')", 1)):
        notebook.run(call)
        frames, names = sys.last_traceback, []
        while frames is not None:
            names.append(frames.tb_frame.f_code.co_filename)
            frames = frames.tb_next
        assert not [name for name in names if "celltask" in name]
        assert len([name for name in names if "ipython-input" in name]) == depth


WORDS = st.lists(
    st.one_of(st.sampled_from([*flags("task"), "f", "->", "y: int", "2", "x=1", "'", "\\"]), st.text(max_size=5)),
    max_size=5,
)
BODIES = st.lists(
    st.sampled_from(
        ["def f(x: int) -> int:", "    return x", "x: int", "y = x", "y: int = 1", "import os", "return 1", "yield 1", "await x",
         "from a import *", "class C: pass", "def _g(): pass", "@other", "'''", "(", "%time 1", "!true", "y", "f(x=1)"]
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WORDS, BODIES)
def test_no_cell_makes_celltask_fail(notebook: Notebook, words: list[str], lines: list[str]) -> None:
    """Whatever the header and the body: a definition, a refusal in three parts, or Python's own error."""
    before = notebook.names
    cell = f"%%task {' '.join(words)}\n" + "\n".join(lines)
    if "\n" in " ".join(words) or "\r" in cell or "?" in " ".join(words):
        return
    ran = notebook.run(cell)
    error = ran.error
    if isinstance(error, CelltaskError):
        assert error.what
        assert notebook.names.keys() - {"os", "C", "x", "y", "_g"} <= before.keys() | {"f"}
    elif error is not None:
        assert "celltask/" not in ran.text or "magics.py" in ran.text
    assert notebook("1 + 1") == 2
    assert notebook.shell.ast_transformers


def test_cells_of_others_are_left_alone(notebook: Notebook, tmp_path: object) -> None:
    """Headers in the text of other magics, in strings and in shell lines stay text."""
    path = f"{tmp_path}/page.md"
    notebook(f"%%writefile {path}\n%%task --cache\ndef f(): pass\n")
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path made of text for the magic
        assert file.read() == "%%task --cache\ndef f(): pass\n"
    notebook("s = '''\n%task --nothing\ndef f(): pass\n'''")
    assert notebook("s") == "\n%task --nothing\ndef f(): pass\n"
    notebook("task = 3\nx = (10\n%task\n)")
    assert notebook("x") == 1
