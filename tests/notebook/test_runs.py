"""Runs that are the value of a cell: the graph with what became of each node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from celltask.notebook.display import duration_told

if TYPE_CHECKING:
    from conftest import Notebook

TASKS = """%%task
def half(x: float) -> float:
    return 1 / x

def add(a: float, b: float = 1.0) -> float:
    return a + b
"""
INNER = "%%workflow\ndef inner(x: float) -> float:\n    return add(a=half(x=x))\n"
OUTER = "%%workflow\ndef outer(x: float = 1.0) -> float:\n    return add(a=inner(x=x), b=2.0)\n"


@pytest.fixture
def workflows(notebook: Notebook) -> Notebook:
    """A notebook with a workflow in a workflow."""
    for cell in (TASKS, INNER, OUTER):
        notebook(cell)
    return notebook


def shown(notebook: Notebook, value: object) -> dict[str, str]:
    """What a front end gets for a value."""
    return dict(notebook.shell.display_formatter.format(value)[0])


def test_a_run_shows_its_graph_with_states_and_times(workflows: Notebook) -> None:
    """Every MIME type is a public one; the text is the run as it prints itself."""
    run = workflows("inner.run(x=2.0)")
    bundle = shown(workflows, run)
    assert sorted(bundle) == ["image/svg+xml", "text/html", "text/plain"]
    assert bundle["text/plain"] == repr(run)
    assert "2 done" in bundle["text/html"]
    assert bundle["text/html"].count(" &#183; done &#183; ") == 2
    assert f"run {run.id} of inner: done in" in bundle["text/html"]


def test_a_failed_run_shows_which_node_failed_and_why(workflows: Notebook) -> None:
    """The node, the node within it and the error stand in the summaries; nodes behind are skipped."""
    html = shown(workflows, workflows("outer.run(x=0.0)"))["text/html"]
    assert html.count("ZeroDivisionError: float division by zero</summary>") == 2
    assert "<code>half</code> &#183; failed" in html
    assert "<code>add</code> &#183; skipped</summary>" in html
    assert "in task &#x27;half&#x27;, cell 2, line 3" in html


def test_a_failed_run_line_shows_the_graph_above_the_error(workflows: Notebook) -> None:
    """`%run_task` raises what the body raised, and shows how far the run came."""
    ran = workflows.run("%run_task outer x=0.0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "1 failed, 1 skipped" in str(ran.shown[0]["text/html"])


def test_an_older_run_keeps_the_graph_that_ran(workflows: Notebook) -> None:
    """Redefining a workflow or a task changes no picture of what ran before."""
    run = workflows("run = inner.run(x=2.0)\nrun")
    workflows(TASKS)
    workflows(INNER.replace("add(a=half(x=x))", "half(x=x)"))
    assert [node.label for node in run.graph.nodes] == ["half", "add"]
    assert "2 done" in shown(workflows, run)["text/html"]


def test_a_run_is_text_where_there_is_nothing_to_draw(workflows: Notebook) -> None:
    """One task run by itself, and any run with cards off."""
    assert list(shown(workflows, workflows("%run_task half x=2.0"))) == ["text/plain"]
    workflows("%celltask cards off")
    assert list(shown(workflows, workflows("inner.run(x=2.0)"))) == ["text/plain"]


def test_cards_and_graphs_are_public_types_alone(workflows: Notebook) -> None:
    """Front ends without JupyterLab's extensions show all of it."""
    public = {"text/plain", "text/html", "image/svg+xml"}
    for name in ("half", "outer"):
        assert set(shown(workflows, workflows(name))) <= public
    assert set(workflows.run("%dag outer").shown[0]) == public


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0000214, "21 µs"), (0.0042, "4.2 ms"), (0.99, "990 ms"), (61.04, "61.0 s"), (125.0, "2:05 min")],
)
def test_durations_have_as_many_figures_as_people_read(seconds: float, told: str) -> None:
    """Two or three figures and a unit, from microseconds to minutes."""
    assert duration_told(seconds) == told


ODD_CELLS = [
    pytest.param("%%task --cache \\\r\n  --retries 2\r\ndef f(x: int) -> int:\r\n    return x\r\n", id="crlf"),
    pytest.param("%%task f -> y: int\r\nx: int\r\ny = x\r\n", id="crlf-body"),
    pytest.param("%%task\ndef f(x: int) -> int:\n\treturn x\n", id="tab"),
    pytest.param("%%task f -> y: int\nx: int\nif x:\n\ty = x\nelse:\n\ty = 0\n", id="tab-body"),
    pytest.param("%%task\n\x0c\ndef f(x: int) -> int:\n    return x\n", id="form-feed"),
    pytest.param("%%task f -> y: int\nx: int\n\x0c\ny = x\n", id="form-feed-body"),
    pytest.param("  %%task\n  def f(x: int) -> int:\n      return x\n", id="indented"),
    pytest.param("\n\n# words\n%%task\ndef f(x: int) -> int:\n    return x\n", id="below-a-comment"),
    pytest.param("%%task --name größe\ndef f(x: int) -> int:\n    return x\n", id="unicode"),
    pytest.param("get_ipython().run_cell('%%task\\ndef f(x: int) -> int:\\n    return x\\n')\n", id="nested"),
    pytest.param("task = celltask = workflow = 3\n%task\ndef f(x: int) -> int:\n    return x\n", id="names-taken"),
]


@pytest.mark.parametrize("cell", ODD_CELLS)
def test_odd_cells_define_their_task(notebook: Notebook, cell: str) -> None:
    """Line ends, tabs, form feeds, indentation and names that are taken change nothing."""
    notebook(cell)
    assert notebook("f(x=3)") == 3
