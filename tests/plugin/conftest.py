"""Documents for the tests of the pytest plugin, and runs of pytest on them with real kernels."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

# Each run inside a test forgets the modules that it was the first to import, and zmq cannot be imported twice.
import celltask.documents.items
import celltask.documents.kernels.kernel

if TYPE_CHECKING:
    from pathlib import Path

assert celltask.documents.items.DocumentFile
assert celltask.documents.kernels.kernel.Kernel

MakePage = Callable[..., "Path"]


@pytest.fixture
def page(pytester: pytest.Pytester) -> MakePage:
    """Writes a MyST page of the given cells; the first cell's code begins in line 4, unless it has options."""

    def make(*cells: str, name: str = "page.md") -> Path:
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fences = [f"```{{code-cell}}\n{cell}\n```\n" for cell in cells]
        path.write_text("# A page\n\n" + "\nProse.\n\n".join(fences), encoding="utf-8")
        return path

    return make


@pytest.fixture
def notebook(pytester: pytest.Pytester) -> MakePage:
    """Writes a notebook of the given cells."""

    def make(*cells: str, name: str = "book.ipynb") -> Path:
        found = [
            {"cell_type": "code", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
            for cell in cells
        ]
        path = pytester.path / name
        path.write_text(json.dumps({"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
        return path

    return make
