"""Documents that the tests write."""

from __future__ import annotations

from pathlib import Path

import jupytext

from celltask.core.task import Task

__all__ = ["DATA", "FORMS", "TASKS", "function_of", "in_form", "page"]

DATA = Path(__file__).parent / "data"
FORMS = ["md", "py", "ipynb"]

TASKS = "from celltask import task, workflow\n"


def page(tmp_path: Path, *cells: str, name: str = "tutorial_page.md") -> Path:
    """A page with these cells, the first at line 4, an empty line between them."""
    path = tmp_path / name
    path.write_text("# Page\n\n" + "\n".join(f"```{{code-cell}}\n{cell}\n```\n" for cell in cells), encoding="utf-8")
    return path


def in_form(tmp_path: Path, form: str, source: Path = DATA / "forms.md") -> Path:
    """The page `source` as a page, a percent script, or a notebook."""
    path = tmp_path / f"some_forms.{form}"
    if form == "md":
        path.write_text(source.read_text())
    else:
        jupytext.write(jupytext.read(source), path, fmt="py:percent" if form == "py" else "ipynb")
    return path


def function_of(task: object) -> object:
    """The user's function in a task."""
    assert isinstance(task, Task)
    return task.function
