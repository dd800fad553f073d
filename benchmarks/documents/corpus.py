"""The documents that are run: small MyST pages and their notebook twins, alike for everybody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["write"]

_HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---
"""
_FIRST = {
    "small": "import json\nimport math",
    "heavy": "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
}
_CELLS = (
    "def area(radius: float) -> float:\n    return math.pi * radius**2",
    'radii = [1.0 + {number}, 2.0, 3.0]\nprint(f"{{sum(map(area, radii)):.3f}}")',
    'text = json.dumps({{"radii": radii}})\nassert json.loads(text)["radii"] == radii\ntext',
    "words = [word.upper() for word in text.split()]\nlen(words)",
)
_HEAVY_CELLS = (
    'table = pd.DataFrame({{"x": range({number}, {number} + 8), "y": [0, 0, 0, 0, 1, 1, 1, 1]}})\ntable',
    'model = LogisticRegression().fit(table[["x"]], table["y"])',
    'print(model.score(table[["x"]], table["y"]))',
)


def write(folder: Path, number: int, *, kind: str = "small") -> None:
    """Put `number` pages into ``folder/md``, their notebook twins into ``folder/ipynb``.

    ``folder/copies`` has the pages once more, for those who write beside what they read.

    Args:
        folder: Made if it is not there.
        number: Of documents.
        kind: ``"small"`` for pages of 4 or 5 cells that need the standard library alone, ``"heavy"`` for those whose
            first cell imports pandas and scikit-learn.
    """
    for name in ("md", "ipynb", "copies"):
        (folder / name).mkdir(parents=True)
    for at in range(number):
        cells = _cells(at, kind)
        for name in ("md", "copies"):
            (folder / name / f"page_{at:03}.md").write_text(_page(at, cells), encoding="utf-8")
        (folder / "ipynb" / f"page_{at:03}.ipynb").write_text(_notebook(at, cells), encoding="utf-8")


def _cells(at: int, kind: str) -> list[str]:
    more = _HEAVY_CELLS if kind == "heavy" else _CELLS[: 3 + at % 2]
    return [_FIRST[kind], *(cell.format(number=at) for cell in more)]


def _page(at: int, cells: Sequence[str]) -> str:
    parts = [f"{_HEADER}\n# Page {at}\n"]
    parts += [f"Step {step}.\n\n```{{code-cell}}\n{cell}\n```\n" for step, cell in enumerate(cells, start=1)]
    return "\n".join(parts)


def _notebook(at: int, cells: Sequence[str]) -> str:
    made: list[dict[str, object]] = [_cell("markdown", f"title-{at}", f"# Page {at}")]
    for step, cell in enumerate(cells, start=1):
        made += [_cell("markdown", f"step-{step}", f"Step {step}.")]
        made += [{**_cell("code", f"code-{step}", cell), "outputs": [], "execution_count": None}]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def _cell(kind: str, name: str, source: str) -> dict[str, object]:
    return {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}
