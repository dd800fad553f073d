"""Warnings say which cell they come from, as errors do."""

from __future__ import annotations

import html
import warnings
from typing import TYPE_CHECKING, cast

import nbformat
import pytest
from nbclient import NotebookClient

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Notebook

    from celltask.core.run import Run

WARNED = "cell {}, line {}: UserWarning: odd\n  warnings.warn('odd')\n"


def test_warnings_in_a_kernel_name_their_cells(tmp_path: Path) -> None:
    """What a cell saves of warnings, of its own and of nodes, says in which cell they were, and has no path."""
    defined = "%%task\nimport time\nimport warnings\n\ndef warned(n: int) -> int:\n    time.sleep(0.3)\n"
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, [
        "%load_ext celltask",
        defined + "    warnings.warn('odd')\n    return n",
        "%%workflow\ndef warning(n: int) -> int:\n    return warned(n=n)",
        "import warnings\nwarnings.warn('odd')",
        "warning(n=1)",
    ])))  # fmt: skip
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [output.text for output in notebook.cells[3].outputs] == [WARNED.format(4, 2)]
    shown = {output.get("name", output.output_type): output for output in notebook.cells[4].outputs}
    assert shown["stderr"].text == WARNED.format(2, 7)
    page = html.unescape(shown["display_data"].data["text/html"])
    assert WARNED.format(2, 7).rstrip() in page
    assert "ipykernel" not in page


def test_a_warning_in_another_process_names_its_cell(notebook: Notebook) -> None:
    """So does one of a node that ran in a process of its own, which knows nothing of cells."""
    notebook("%%task\nimport warnings\n\ndef warned(n: int) -> int:\n    warnings.warn('odd')\n    return n")
    notebook("%%workflow\ndef warning(n: int) -> int:\n    return warned(n=n)")
    run = cast("Run", notebook("warning.run(n=1, engine='processes')"))
    assert run.node("n0").log == WARNED.format(2, 5)


@pytest.mark.usefixtures("notebook")
def test_a_warning_of_a_file_is_told_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module beside the notebook is named without the folder; one from elsewhere in full."""
    monkeypatch.chdir(tmp_path)
    told = warnings.formatwarning("odd", UserWarning, str(tmp_path / "near.py"), 3, "x")
    assert told == "near.py:3: UserWarning: odd\n  x\n"
    assert warnings.formatwarning("odd", UserWarning, "/far.py", 3, "x") == "/far.py:3: UserWarning: odd\n  x\n"


def test_unloading_leaves_warnings_as_they_were(notebook: Notebook) -> None:
    """Without the extension Python tells warnings by itself."""
    notebook("%unload_ext celltask")
    assert warnings.formatwarning is warnings._formatwarning_orig  # type: ignore[attr-defined]  # what Python compares with
