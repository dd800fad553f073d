"""`celltask audit` tells what cells need of each other without saying so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from celltask.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, *sources: str) -> str:
    """A page with these cells, the first at line 2, each three lines and its own length after the other."""
    page = folder / "page.md"
    cells = [f"```{{code-cell}} python\n{source}\n```\n" for source in sources]
    page.write_text("\n".join(cells), encoding="utf-8")
    return "page.md"


FOUND = [
    pytest.param(
        ["print(x)", "x = 1"],
        "page.md:2: used before it is defined: cell 1 uses 'x', which only cell 2 below it defines\n"
        "  mend: move cell 2 above cell 1\n",
        id="used-before-it-is-defined",
    ),
    pytest.param(
        ["1 / 0"],
        "page.md:2: failure: cell 1 fails in the order of the document: ZeroDivisionError: division by zero\n",
        id="failure",
    ),
    pytest.param(
        ["import random", "random.seed(3)", "number = random.random()", "number"],
        "page.md:14: hidden need: cell 4 shows something else without cell 2, and no name shows that it needs it\n"
        "  mend: have cell 4 use a name that cell 2 defines\n",
        id="seed",
    ),
    pytest.param(
        ["import os", "os.environ['MODE'] = '1'", "print(os.environ['MODE'])"],
        "page.md:10: hidden need: cell 3 fails (KeyError: 'MODE') without cell 2, and no name shows that it needs it\n"
        "  mend: have cell 3 use a name that cell 2 defines\n",
        id="environment",
    ),
    pytest.param(
        ["import os", "print(os.getcwd() == '/')", "os.chdir('/')"],
        "page.md:6: hidden order: cell 2 shows something else after cell 3, "
        "and no name shows that their order matters\n",
        id="working-folder",
    ),
]


@pytest.mark.parametrize(("sources", "told"), FOUND)
def test_hidden_state_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sources: list[str], told: str
) -> None:
    """Each with the line of the cell, and what would help; the exit code is 1."""
    monkeypatch.chdir(tmp_path)
    assert main(["audit", write(tmp_path, *sources)]) == 1
    assert capsys.readouterr().out == told


CLEAN = [
    pytest.param(["x = [1]", "x.append(2)", "print(x)"], "", id="change-that-a-name-shows"),
    pytest.param(
        ["import time", "print(time.time_ns())"], "page.md: shows something else each time: cell 2\n", id="clock"
    ),
    pytest.param(["def f():\n    return g()", "def g():\n    return 1", "f()"], "", id="definitions-in-any-order"),
    pytest.param(
        ["helper = 1", "print(2)"],
        "page.md:2: not needed: cell 1 nothing needs it: no other cell reads 'helper'\n",
        id="definition-too-many",
    ),
    pytest.param(["object()"], "", id="address"),
]


@pytest.mark.parametrize(("sources", "told"), CLEAN)
def test_plain_documents_have_no_hidden_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sources: list[str], told: str
) -> None:
    """What names show, or what is too much, is no hidden state; the exit code is 0."""
    monkeypatch.chdir(tmp_path)
    assert main(["audit", write(tmp_path, *sources)]) == 0
    assert capsys.readouterr().out == f"{told}page.md: no hidden state\n"


def test_states_that_cannot_be_kept_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cells after such a one are tried from an earlier state."""
    monkeypatch.chdir(tmp_path)
    holds = "import random; log = open('log.txt', 'w')"
    assert main(["audit", write(tmp_path, holds, "random.seed(1)", "print(random.random())", "log.close()")]) == 1
    told = capsys.readouterr().out
    assert "page.md:10: hidden need: cell 3 shows something else without cell 2" in told
    reason = f"the document holds '{tmp_path}/log.txt' open for writing"
    assert f"page.md: no snapshot after cell 2: {reason}\n" in told


def test_cells_that_run_in_copies_are_audited_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What they write is in no folder of the project."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "size = open('made.txt', 'w').write('two')", "print(open('made.txt').read(), size)")
    page = tmp_path / "page.md"
    page.write_text(f"---\ncelltask: {{cwd: scratch}}\n---\n{page.read_text(encoding='utf-8')}", encoding="utf-8")
    main(["audit", "page.md"])
    assert "no hidden state" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_json_tells_which_names_make_a_cell_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For each cell, the cells below that read what it binds."""
    monkeypatch.chdir(tmp_path)
    assert main(["audit", "--json", write(tmp_path, "x = y = 1", "print(x)", "print(x, y)")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["hidden_state"] is False
    assert told["cells"][0]["needed_by"] == [{"cell": 2, "names": ["x"]}, {"cell": 3, "names": ["x", "y"]}]
