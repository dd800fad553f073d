"""A cell becomes a task: every spelling, every form, and nothing else that the cell does changes."""

# ruff: noqa: E501 - the text of a cell reads best on one line
from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest

from celltask.core.registry import registry

if TYPE_CHECKING:
    from conftest import Notebook

MIXED = """
import asyncio
import math

def _half(x: float) -> float:
    return x / 2

def area(width: float, height: float = 1.0) -> float:
    return _half(width) * height * math.prod([2])

async def slow(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1
"""


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(f"%%task --cache --retries 2{MIXED}", id="cell-magic"),
        pytest.param(f"%task --cache --retries 2{MIXED}", id="line-magic"),
        pytest.param(f"%%time\n%%task --cache --retries 2{MIXED}", id="below-time"),
        pytest.param(f"%%capture\n%%task --cache --retries 2{MIXED}", id="below-capture"),
        pytest.param(
            f"from celltask import task\n{MIXED}".replace("def area", "@task(cache=True, retries=2)\ndef area").replace(
                "async def slow", "@task(cache=True, retries=2)\nasync def slow"
            ),
            id="decorator",
        ),
        pytest.param(
            MIXED.lstrip()
            .replace("def area", "%task --cache --retries 2\ndef area")
            .replace("async def slow", "%task --cache --retries 2\n\n\nasync def slow"),
            id="one-each",
        ),
    ],
)
def test_imports_a_helper_and_two_tasks_work_in_every_spelling(notebook: Notebook, cell: str) -> None:
    """Imports and helpers stay plain, both functions become tasks with the options, and `await` works on one."""
    notebook(cell)
    assert notebook("area(width=3.0, height=2.0)") == 6.0
    assert notebook("await slow(x=1)") == 2
    assert notebook("math.pi") > 3
    assert notebook("_half(3.0)") == 1.5
    found = registry.tasks()
    assert [name for name in found if name in ("area", "slow", "_half")] == ["area", "slow"]
    assert all(found[name].options.cache and found[name].options.retries == 2 for name in ("area", "slow"))


def test_the_spellings_have_one_digest(notebook: Notebook) -> None:
    """Marker, same-line decorator and `@task` make the same code of the same function."""
    body = "def f(x: int) -> int:\n    return x + K\n"
    notebook("K = 3\nfrom celltask import task")
    digests = set()
    for cell in (
        f"%%task --cache\n{body}",
        f"%task --cache\n\n{body}",
        f"@task(cache=True)\n{body}",
        f"%%task\nA = 1\n{body}",
    ):
        notebook(cell)
        digests.add(registry.tasks()["f"].digest)
    assert len(digests) == 1


def test_the_body_form_is_a_task(notebook: Notebook) -> None:
    """A cell as it was written while exploring becomes one task with named outputs."""
    notebook(
        "%%task measure -> area: float, sides: int --retries 1\nwidth: float\nheight: float = 2.0\n\narea = width * height\nsides = 4\n"
    )
    task = registry.tasks()["measure"]
    assert str(task.interface) == "(width: float, height: float = 2.0) -> (area: float, sides: int)"
    assert notebook("measure(width=3)") == (6.0, 4)
    assert "area" not in notebook.names


def test_a_body_with_await_is_async(notebook: Notebook) -> None:
    """`await` in a body cell makes an awaitable task, and the cell itself awaits nothing."""
    notebook("%%task later -> y: int\nimport asyncio\nx: int\nawait asyncio.sleep(0)\ny = x + 1\n")
    assert asyncio.iscoroutinefunction(registry.tasks()["later"].function)
    assert notebook("await later(x=1)") == 2


def test_run_leaves_the_outputs_in_the_notebook(notebook: Notebook) -> None:
    """With `--run` a body cell goes on working as the plain cell it was."""
    notebook("width = 3.0")
    notebook("%%task measure -> area: float --run\nwidth: float\nheight: float = 2.0\narea = width * height\n")
    assert notebook("area") == 6.0


@pytest.mark.parametrize(
    "cell",
    [
        "%%task measure -> area: float --run\nimport asyncio\nwidth: float\nawait asyncio.sleep(0.001)\narea = width * 2\n",
        "%%task --run\nimport asyncio\nasync def measure(width: float) -> float:\n    await asyncio.sleep(0.001)\n    return width * 2\n",
        "%%task --run\ndef measure(width: float) -> float:\n    return width * 2\n",
    ],
)
def test_run_works_for_async_tasks_and_defs(notebook: Notebook, cell: str) -> None:
    """The result of a def is the value of the cell; what is async is awaited."""
    notebook("width = 3.0")
    value = notebook(cell)
    assert (value if "def" in cell else notebook("area")) == 6.0


def test_run_checks_the_variables(notebook: Notebook) -> None:
    """A variable of the wrong type is refused as in any call, and a missing one is named."""
    cell = "%%task measure -> area: float --run\nwidth: float\narea = width * 2\n"
    assert "--run found no variable for input 'width'" in notebook.run(cell).text
    notebook("width = 'wide'")
    ran = notebook.run(cell)
    assert "must be float" in ran.text
    assert "area" not in notebook.names


def test_a_workflow_cell_traces(notebook: Notebook) -> None:
    """`%%workflow` above a def makes a workflow of the tasks it calls."""
    notebook("%%task\ndef double(x: int) -> int:\n    return 2 * x\n")
    notebook("%%workflow\ndef quadruple(x: int = 1) -> int:\n    return double(x=double(x=x))\n")
    assert notebook("quadruple(x=3)") == 12
    assert [node.label for node in registry.workflows()["quadruple"].graph.nodes] == ["double", "double"]


def test_prints_of_a_task_go_to_the_cell_that_calls(notebook: Notebook) -> None:
    """What a body prints appears under the cell that runs it."""
    notebook("%%task\ndef f(x: int) -> int:\n    print('in f', x)\n    return x\n")
    assert notebook.run("f(x=1)").text.startswith("in f 1\n")


def test_the_source_is_the_cell(notebook: Notebook) -> None:
    """`inspect.getsource` gives the lines of the function, from its decorator on."""
    notebook(
        "%%task\nimport os\n\ndef f(x: int) -> int:\n    # note\n    return x\n\ndef g(x: int) -> int:\n    return x\n"
    )
    assert inspect.getsource(notebook.names["f"]) == "def f(x: int) -> int:\n    # note\n    return x\n"  # type: ignore[arg-type]  # a task
    notebook("%%task --cache\n\ndef h(x: int) -> int:\n    return x\n")
    source = inspect.getsource(notebook.names["h"])  # type: ignore[arg-type]  # a task
    assert source == "@__celltask__.task(cache=True)\n\ndef h(x: int) -> int:\n    return x\n"


def test_a_magic_called_by_a_script_defines_too(notebook: Notebook) -> None:
    """What `nbconvert --to script` writes, `run_cell_magic('task', …)`, still makes the task."""
    notebook("get_ipython().run_cell_magic('task', '--cache', 'def f(x: int) -> int:\\n    return x + 1\\n')")
    assert notebook("f(x=1)") == 2
    assert registry.tasks()["f"].options.cache


def test_two_headers_in_one_cell(notebook: Notebook) -> None:
    """A task and the workflow that uses it may stand in one cell."""
    notebook(
        "%task\ndef double(x: int) -> int:\n    return 2 * x\n\n%workflow\ndef w(x: int) -> int:\n    return double(x=x)\n"
    )
    assert notebook("w(x=2)") == 4


def test_the_runtime_name_survives_a_reset(notebook: Notebook) -> None:
    """After `%reset` cells with headers work as before."""
    notebook("%reset -f")
    notebook("%%task\ndef f(x: int) -> int:\n    return x\n")
    assert notebook("f(x=1)") == 1
