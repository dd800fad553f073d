"""The same through a real kernel: what a front end, nbclient and the debugger get to see."""

# ruff: noqa: E501 - the text of a cell reads best on one line
from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
import pytest
from colours import plain
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

if TYPE_CHECKING:
    from nbformat import NotebookNode

# ipykernel and jupyter_client warn of their own future, and leave sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CELLS = {
    "load": "%load_ext celltask",
    "task": "%%task --cache --docs 'Area of a rectangle.'\n\ndef area(width: float, height: float = 1.0) -> float:\n"
    "    print('computing')\n    return width * height / (height != 5)",
    "call": "area(width=2)",
    "mixed": "%%task\nimport asyncio\ndef _h(x):\n    return x + 1\nasync def slow(x: int) -> int:\n"
    "    await asyncio.sleep(0.01)\n    return _h(x)\ndef quick(x: int) -> int:\n    return _h(x)\n",
    "await": "(await slow(x=1), quick(x=2))",
    "workflow": "%%workflow\ndef w(width: float = 2.0) -> float:\n    return area(width=area(width=width), height=3.0)\n",
    "body": "%%task tell -> text: str --run\nimport asyncio\nwidth: float = 2.0\nawait asyncio.sleep(0.01)\ntext = f'{width}'\n",
    "text": "text",
    "fails": "x = 1\narea(width=2, height=5)",
    "header": "%%task --chache\ndef area(width: float) -> float:\n    return 0.0\n",
    "impure": "%%task\ndef bad(x: int) -> int:\n    return x + len(later)\nlater = [1, 2]\n",
    "bad": "bad",
    "syntax": "%%task\ndef f(x: int) -> int:\n    return = x\n",
    "source": "import inspect\nprint(inspect.getsource(area))",
    "file": "try:\n    from ipykernel.compiler import get_file_name as name\nexcept ImportError:  # ipykernel 5\n"
    "    name = None\nraw = get_ipython().history_manager.input_hist_raw[2]\nname is None or name(raw) == area.function.__code__.co_filename",
    "run": "%run_task w width=3.0",
    "again": "area(width=2)",
    "unload": "%unload_ext celltask",
    "gone": "%%task\ndef f(x: int) -> int:\n    return x\n",
}


@pytest.fixture(scope="module")
def page() -> dict[str, NotebookNode]:
    """The executed cells by name."""
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
    return dict(zip(CELLS, notebook.cells, strict=True))


def text_of(cell: NotebookNode) -> str:
    """All text that stands under a cell."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append("\n".join(output.traceback))
        else:
            parts.append(output.data.get("text/plain", ""))
    return plain("\n".join(parts))


def error_of(cell: NotebookNode) -> NotebookNode:
    """The one error under a cell."""
    (found,) = [output for output in cell.outputs if output.output_type == "error"]
    return found


def test_cards_and_graphs_stand_under_their_cells(page: dict[str, NotebookNode]) -> None:
    """A task cell has one card, a cell of two tasks two, a workflow cell one picture, as display data."""
    kinds = {name: [output.output_type for output in page[name].outputs] for name in ("task", "mixed", "workflow")}
    assert kinds == {"task": ["display_data"], "mixed": ["display_data"] * 2, "workflow": ["display_data"]}
    assert "Area of a rectangle." in page["task"].outputs[0].data["text/html"]
    assert "image/svg+xml" in page["workflow"].outputs[0].data


def test_calls_print_and_answer_under_their_own_cell(page: dict[str, NotebookNode]) -> None:
    """What a task prints and returns appears where it is called."""
    assert text_of(page["call"]).split() == ["computing", "2.0"]
    assert text_of(page["await"]) == "(2, 3)"


def test_a_body_cell_with_run_binds_its_outputs(page: dict[str, NotebookNode]) -> None:
    """The outputs of a body that awaits are variables after it."""
    assert text_of(page["text"]) == "'2.0'"


def test_the_traceback_of_a_body_is_the_users(page: dict[str, NotebookNode]) -> None:
    """It names both cells with their lines, and shows none of our frames."""
    error, text = error_of(page["fails"]), text_of(page["fails"])
    assert error.ename == "ZeroDivisionError"
    assert re.search(r"-+> 2 area\(width=2, height=5\)", text)
    assert re.search(r"-+> 5     return width \* height / \(height != 5\)", text)
    assert [int(number) for number in re.findall(r"(?:In ?\[|ipython-input-)(\d+)", text)] == [9, 2]
    assert "celltask/" not in text


@pytest.mark.parametrize(
    ("name", "ename", "place"),
    [("header", "HeaderError", "cell 10, line 1"), ("impure", "PurityError", "cell 11, line 3")],
)
def test_a_refusal_is_an_error_of_the_cell(page: dict[str, NotebookNode], name: str, ename: str, place: str) -> None:
    """The reply says error with our class; three lines are shown and nothing else."""
    error = error_of(page[name])
    assert error.ename == ename
    assert f"  at: {place}" in text_of(page[name])
    assert "Traceback" not in text_of(page[name])
    assert [output.output_type for output in page[name].outputs] == ["error"]


def test_a_refusal_changes_no_name(page: dict[str, NotebookNode]) -> None:
    """The refused task is unbound, and the earlier one of the same name still works."""
    assert error_of(page["bad"]).ename == "NameError"
    assert "2.0" in text_of(page["again"])


def test_a_syntax_error_points_into_the_cell(page: dict[str, NotebookNode]) -> None:
    """Python's own error names the cell's line."""
    text = text_of(page["syntax"])
    assert error_of(page["syntax"]).ename == "SyntaxError"
    assert re.search(r"line 3|, line 3|:3", text)
    assert "return = x" in text


def test_source_and_file_name_are_those_of_the_cell(page: dict[str, NotebookNode]) -> None:
    """`inspect` shows the function, and its file has the name that a debugger computes for the cell."""
    assert text_of(page["source"]).startswith("@__celltask__.task(cache=True, docs=")
    assert "return width * height" in text_of(page["source"])
    assert text_of(page["file"]) == "True"


def test_a_run_is_shown_with_its_nodes(page: dict[str, NotebookNode]) -> None:
    """`%run_task` draws the graph with states and answers with the run."""
    assert "done" in text_of(page["run"])
    assert any("image/svg+xml" in output.get("data", {}) for output in page["run"].outputs)


def test_after_unloading_the_magic_is_gone(page: dict[str, NotebookNode]) -> None:
    """A cell magic that nobody knows is an error of IPython's own."""
    assert "%%task" in text_of(page["gone"])
    assert not page["unload"].outputs


def test_nbclient_stops_at_a_task_that_is_refused_at_the_end_of_its_cell() -> None:
    """A document run fails where a task turns out to read data bound lower in its cell."""
    cells = [nbformat.v4.new_code_cell(CELLS[name]) for name in ("load", "impure")]
    with pytest.raises(CellExecutionError, match="PurityError"):
        NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=120, kernel_name="python3").execute()
