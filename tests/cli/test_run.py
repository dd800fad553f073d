"""`celltask run`: which entity runs, with which inputs, and what comes out."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli


def test_a_task_runs_with_its_inputs_and_its_result_is_on_standard_output(cli: Cli, add_py: str) -> None:
    """The result alone goes to standard output; nodes and times go to standard error."""
    said = cli("run", add_py, "add", "--a", "1", "--b", "5")
    assert (said.code, said.out) == (0, "6\n")
    lines = said.err.splitlines()
    assert lines[0].split() == ["node", "name", "state", "time"]
    assert lines[1].split()[:3] == ["n0", "add", "done"]
    assert lines[2].startswith("add done in ")


def test_without_a_name_the_only_workflow_runs(cli: Cli, add_py: str) -> None:
    """Tasks beside the only workflow do not make it ambiguous."""
    said = cli("run", add_py, "--a", "1")
    assert (said.code, said.out) == (0, "1.5\n")
    assert [line.split()[:3] for line in said.err.splitlines()[1:3]] == [["n0", "add", "done"], ["n1", "halve", "done"]]


def test_without_a_name_the_only_task_runs(cli: Cli, kinds_py: str) -> None:
    """A document with one task and no workflow needs no name."""
    assert cli("run", kinds_py, "--quiet").code == 0


def test_a_page_runs_without_its_demonstrations(cli: Cli, page_md: str) -> None:
    """Cells that only show something are not executed."""
    said = cli("run", page_md, "--x", "81")
    assert (said.code, said.out) == (0, "o0: 9.0\no1: 3.0\n")


def test_execute_all_runs_the_demonstrations_too(cli: Cli, page_md: str) -> None:
    """With --execute-all, before FILE, before NAME or after it, every statement is executed."""
    for words in (
        ["--execute-all", page_md, "root", "--x", "4"],
        [page_md, "--execute-all", "root", "--x", "4"],
        [page_md, "root", "--x", "4", "--execute-all"],
    ):
        assert cli("run", *words).out == "a demonstration\n2.0\n"


def test_a_notebook_and_a_percent_script_run(cli: Cli, folder: Path) -> None:
    """The same words run a notebook and a percent script."""
    cell = "from celltask import task\n@task\ndef double(x: int) -> int:\n    return 2 * x\n"
    (folder / "doubling.py").write_text(f"# %%\n{cell}\n# %%\nprint(double(x=1))\n")
    notebook = {
        "cells": [
            {"cell_type": "code", "id": "a", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
        ],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    (folder / "doubling2.ipynb").write_text(json.dumps(notebook))
    for name in ("doubling.py", "doubling2.ipynb"):
        assert cli("run", name, "double", "--x", "21").out == "42\n"


def test_json_prints_one_object_and_nothing_else(cli: Cli, add_py: str) -> None:
    """With --json standard output is one JSON object, and the nodes are in it."""
    said = cli("run", add_py, "half_sum", "--a", "1", "--json")
    told = json.loads(said.out)
    assert (said.code, said.err) == (0, "")
    assert (told["name"], told["state"], told["outputs"], told["error"]) == ("half_sum", "done", {"o0": 1.5}, None)
    assert [node["task"] for node in told["nodes"]] == ["add", "halve"]
    assert set(told["nodes"][0]) == {"id", "label", "task", "state", "attempts", "duration_s", "error"}


def test_json_gives_the_preview_of_what_has_no_json_form(cli: Cli, folder: Path) -> None:
    """An output that JSON cannot hold is told as a person would read it."""
    (folder / "odd.py").write_text(
        "from celltask import task\n"
        "class Odd:\n    def __repr__(self): return 'an odd one'\n"
        "@task\ndef odd() -> Odd:\n    return Odd()\n"
        "@task\ndef nan() -> float:\n    return float('nan')\n"
    )
    assert json.loads(cli("run", "odd.py", "odd", "--json").out)["outputs"] == {"o0": "an odd one"}
    assert json.loads(cli("run", "odd.py", "nan", "--json").out)["outputs"] == {"o0": "nan"}


def test_quiet_tells_only_the_result(cli: Cli, add_py: str) -> None:
    """With --quiet nothing is on standard error."""
    said = cli("run", add_py, "add", "--a", "1", "--quiet")
    assert (said.code, said.out, said.err) == (0, "3\n", "")


def test_the_inline_engine_is_chosen_by_name(cli: Cli, add_py: str) -> None:
    """--engine takes the name of an engine."""
    assert cli("run", add_py, "half_sum", "--a", "1", "--engine", "inline").out == "1.5\n"
    assert cli("run", "--engine=inline", add_py, "half_sum", "--a", "1").out == "1.5\n"


CLASHING = """
from celltask import task
@task
def clash(engine: str, json: bool, help: str = "h", quiet: int = 1) -> str:
    return f"{engine} {json} {help} {quiet}"
"""


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["clash", "--engine", "mine", "--json", "--help", "me"], "mine True me 1\n"),
        (["--engine", "inline", "clash", "--engine", "mine", "--no-json"], "mine False h 1\n"),
        (["--quiet", "clash", "--engine", "x", "--no-json", "--quiet", "7"], "x False h 7\n"),
        (["--engine", "y", "--json=false"], "y False h 1\n"),
    ],
)
def test_an_input_called_like_an_option_of_ours_wins_after_the_name(
    cli: Cli, folder: Path, words: list[str], out: str
) -> None:
    """Before NAME the option is celltask's; after it, or without a NAME, the input's."""
    (folder / "clashing.py").write_text(CLASHING)
    assert cli("run", "clashing.py", *words).out == out


def test_an_option_of_ours_before_the_file_is_always_ours(cli: Cli, folder: Path) -> None:
    """Without a NAME, celltask's own option goes before FILE."""
    (folder / "clashing.py").write_text(CLASHING)
    said = cli("run", "--json", "clashing.py", "--engine", "mine", "--json")
    assert json.loads(said.out)["outputs"] == {"o0": "mine True h 1"}


def test_several_outputs_are_named_and_none_prints_nothing(cli: Cli, folder: Path) -> None:
    """Named outputs come one a line; a task without outputs leaves standard output empty; None is a value."""
    (folder / "outs.py").write_text(
        "from typing import NamedTuple\n"
        "from celltask import task\n"
        "class Out(NamedTuple):\n    score: float\n    text: str\n"
        "@task\ndef named() -> Out:\n    return Out(0.5, 'a\\nb')\n"
        "@task\ndef nothing() -> None:\n    pass\n"
        "@task\ndef maybe() -> int | None:\n    return None\n"
        "@task\ndef text() -> str:\n    return 'a\\nb'\n"
    )
    assert cli("run", "outs.py", "named").out == "score: 0.5\ntext: 'a\\nb'\n"
    assert cli("run", "outs.py", "nothing").out == ""
    assert cli("run", "outs.py", "maybe").out == "None\n"
    assert cli("run", "outs.py", "text").out == "a\nb\n"


def test_nodes_of_a_workflow_within_are_told_below_it(cli: Cli, folder: Path, add_py: str) -> None:
    """A nested workflow's nodes have ids with a slash, and the table shows retries and labels."""
    (folder / "nested.py").write_text(
        f"from {add_py[:-3]} import add, half_sum\n"
        "from celltask import task, workflow\n"
        "seen = []\n"
        "@task(retries=1)\n"
        "def flaky(x: float) -> float:\n"
        "    import os\n"
        "    if 'SEEN' not in os.environ:\n"
        "        os.environ['SEEN'] = '1'\n"
        "        raise ValueError\n"
        "    return x\n"
        "@workflow\n"
        "def outer() -> float:\n"
        "    return flaky(x=half_sum(a=4))\n"
    )
    try:
        said = cli("run", "nested.py", "outer")
    finally:
        os.environ.pop("SEEN", None)
    assert said.out == "3.0\n"
    rows = [line.split() for line in said.err.splitlines()]
    assert [row[:3] for row in rows[1:4]] == [
        ["n0", "half_sum", "done"],
        ["n0/n0", "add", "done"],
        ["n0/n1", "halve", "done"],
    ]
    assert rows[4][:5] == ["n1", "flaky", "done,", "attempt", "2"]


def test_an_input_of_that_name_is_no_option_behind_the_task(cli: Cli, tmp_path: Path) -> None:
    """An input called execute_all is the task's own behind NAME, and no demonstration runs for it."""
    page = tmp_path / "page.md"
    page.write_text(
        "```{code-cell}\n%%task\ndef f(execute_all: bool = False) -> bool:\n    return execute_all\n```\n\n"
        "```{code-cell}\nprint('DEMO')\n```\n"
    )
    said = cli("run", str(page), "f", "--execute-all")
    assert (said.code, said.out) == (0, "True\n")


PAGE = """
# Page

```{code-cell}
import lying_by_the_page
from lying_by_the_page import triple
from dataclasses import dataclass

@dataclass
class Point:
    x: int
```

```{code-cell}
%%task
def point(x: int) -> Point:
    return Point(triple(x) + lying_by_the_page.triple(x))
```

```{code-cell}
%%task
def broken(x: int) -> int:
    return 1 // (x -
                 x)
```
"""


def test_tasks_of_a_document_run_in_processes(cli: Cli, tmp_path: Path) -> None:
    """With what the document defines and what lies beside it, and with its lines in errors."""
    (tmp_path / "lying_by_the_page.py").write_text("def triple(x):\n    return 3 * x\n")
    page = tmp_path / "page_in_processes.md"
    page.write_text(PAGE)
    assert cli("run", str(page), "point", "--x", "2", "--engine", "processes").out == "Point(x=12)\n"
    said = cli("run", str(page), "broken", "--x", "2", "--engine", "processes")
    assert said.code == 1
    assert "ZeroDivisionError: integer division or modulo by zero" in said.err
    assert "page_in_processes.md, cell 3, line 23, in broken\n        return 1 // (x -\n" in said.err
