"""`%task` cells of an .ipynb file are ordinary Python to linters."""

# ruff: noqa: E501 - the text of a cell reads best on one line
from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

RUFF = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))

CELLS = [
    "%load_ext celltask",
    "import json\nimport math\nimport os\nfrom decimal import Decimal",
    "%task --cache --retries 2\n\n\ndef area(radius: float) -> float:\n    return math.pi * radius**2",
    "%task --docs 'Tell it.'\nimport re\n\ndef _plain(text: str) -> str:\n    return re.sub('x', '', text)\n\ndef tell(value: float) -> str:\n    return _plain(json.dumps(value))\n\nasync def slow(x: int) -> int:\n    return x",
    "%workflow\ndef told(radius: float = 1.0) -> str:\n    return tell(value=area(radius=radius))",
    "%task exact -> text: str\nvalue: float\nnumber = Decimal(value)\ntext = str(number)",
    "told(radius=2.0)",
]


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed (pip install 'celltask[lint]')")
def test_ruff_removes_only_what_is_unused(tmp_path: Path) -> None:
    """`ruff check --fix` deletes the one import that no cell uses, and nothing else."""
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    path = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    ran = subprocess.run(
        [str(RUFF), "check", "--isolated", "--fix", "--select", "F", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    left = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    assert left == [text.replace("import os\n", "") for text in CELLS], ran.stdout
    assert "area" not in ran.stdout
