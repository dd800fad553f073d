"""Live values of documents for ordinary tests."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from celltask import load_document
from celltask.errors import DocumentError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakePage


def test_values_are_those_after_the_named_cell(page: MakePage) -> None:
    """Cells above it were run, those below it were not; nothing of it happens in this process."""
    path = page("import os\nx = 1\npid = os.getpid()", "y = [x]", "y.append(2)\nz = 1")
    with load_document(path).run_until("y") as values:
        assert (values["x"], values["y"]) == (1, [1])
        assert values["pid"] != os.getpid()
        assert "z" not in values
        assert values.names == ["os", "x", "pid", "y"]


def test_each_value_is_a_copy(page: MakePage) -> None:
    """A test cannot spoil it for the next."""
    with load_document(page("y = [1]")).run_until("y") as values:
        values["y"].append(2)  # type: ignore[attr-defined]  # a list
        assert values["y"] == [1]


def test_classes_and_functions_of_the_document_travel(page: MakePage) -> None:
    """And so do tasks, and classes of a module beside it."""
    path = page(
        "class Point:\n    x = 3\n\npoint = Point()\nf = lambda a: a + point.x",
        "%load_ext celltask",
        "%%task\ndef double(x: int) -> int:\n    return 2 * x",
        "import beside\nother = beside.Other()",
    )
    (path.parent / "beside.py").write_text("class Other:\n    y = 4\n")
    with load_document(path).run_until("other") as values:
        assert values["point"].x == 3  # type: ignore[attr-defined]  # a class of the page
        assert values["f"](4) == 7  # type: ignore[operator]  # as above
        assert values["double"](x=4) == 8  # type: ignore[operator]  # as above
        assert values["other"].y == 4  # type: ignore[attr-defined]  # as above
    assert str(path.parent) not in sys.path


def test_more_code_can_be_run_there(page: MakePage) -> None:
    """It gives the text that it shows, and binds names."""
    with load_document(page("x = 20")).run_until("x") as values:
        assert values.execute("y = x + 1\nprint('so')\ny * 2") == "so\n42\n"
        assert values["y"] == 21


def test_outputs_are_by_the_names_of_the_cells(page: MakePage) -> None:
    """As a notebook holds them."""
    with load_document(page("x = 1\nx", "y = 2")).run_until("y") as values:
        assert [output["data"] for output in values.outputs["x"]] == [{"text/plain": "1"}]
        assert values.outputs["y"] == []


def test_a_cell_that_fails_is_told_in_the_lines_of_the_document(page: MakePage) -> None:
    """Whichever of the cells it is."""
    document = load_document(page("x = 1", "y = x / 0", "z = 1"), ["x"])
    with pytest.raises(DocumentError) as caught:
        document.run_until("z")
    assert str(caught.value) == "cell y failed: ZeroDivisionError: division by zero\n  at: page.md:10"
    assert caught.value.__notes__[0].splitlines()[:2] == ["page.md:10", "    y = x / 0"]


def test_code_that_fails_is_told_as_well(page: MakePage) -> None:
    """And the kernel goes on."""
    with load_document(page("x = 1")).run_until("x") as values:
        with pytest.raises(DocumentError, match="the code failed: ZeroDivisionError: division by zero"):
            values.execute("x / 0")
        with pytest.raises(DocumentError, match="the code failed: the cell took longer than 0.2 s"):
            values.execute("import time\ntime.sleep(30)", timeout=0.2)
        assert values["x"] == 1


def test_a_value_that_cannot_travel_is_named(page: MakePage) -> None:
    """With the reason, and a way around."""
    with load_document(page("lock = __import__('threading').Lock()")).run_until("lock") as values:
        with pytest.raises(DocumentError) as caught:
            values["lock"]
        assert str(caught.value) == (
            "'lock' cannot be sent from the kernel: TypeError: cannot pickle '_thread.lock' object\n"
            "  at: page.md\n  mend: have a part of it bound to a name: values.execute('part = lock.…')"
        )


def test_a_value_that_cannot_be_made_here_is_named(page: MakePage) -> None:
    """It may be of a module that only the kernel has."""
    path = page(
        "import sys, types\nmodule = types.ModuleType('only_there')\nsys.modules['only_there'] = module\n"
        "exec('class Odd: pass', module.__dict__)\nodd = module.Odd()"
    )
    with load_document(path).run_until("module") as values, pytest.raises(DocumentError) as caught:
        values["odd"]
    assert str(caught.value) == (
        "'odd' was sent, and cannot be made here: ModuleNotFoundError: No module named 'only_there'\n"
        "  at: page.md\n  mend: install here what the document imports"
    )


def test_unknown_names_are_told_with_those_like_them(page: MakePage) -> None:
    """Of cells and of values."""
    document = load_document(page("model = 1", ":tags: [skip-execution]\n\nskipped = 1"))
    with pytest.raises(UnknownNameError, match="no cell is called 'modle'\n.*\n  mend: did you mean 'model'?"):
        document.run_until("modle")
    with pytest.raises(DocumentError, match="cell skipped is tagged skip-execution, so it is not run"):
        document.run_until("skipped")
    with document.run_until("model") as values, pytest.raises(KeyError, match="no value is called 'modle'"):
        values["modle"]


def test_the_environment_can_be_set(page: MakePage) -> None:
    """For the kernel alone."""
    with load_document(page("import os\nx = os.environ['ONLY_THERE']")).run_until(
        "x", environment={"ONLY_THERE": "yes"}
    ) as values:
        assert values["x"] == "yes"
    assert "ONLY_THERE" not in os.environ


async def _values_of(path: Path) -> object:
    with load_document(path).run_until("x") as values:
        return values["x"]


def test_it_works_inside_an_event_loop(page: MakePage) -> None:
    """As in an asynchronous test, or in Jupyter."""
    assert asyncio.run(_values_of(page("x = 1"))) == 1


def test_a_kernel_that_was_not_closed_ends_with_the_process(page: MakePage) -> None:
    """And the process ends at once, without a complaint."""
    path = page("import os\nx = os.getpid()")
    code = f"from celltask import load_document as load\nprint(load({str(path)!r}).run_until('x')['x'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
