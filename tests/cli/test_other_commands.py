"""`celltask tasks`, `graph` and `show`: what a document holds, without running it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from celltask.core.graph import Graph

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli


def test_tasks_lists_interfaces_docs_and_places(cli: Cli, page_md: str) -> None:
    """Workflows first, then tasks, each with its place in the page."""
    assert cli("tasks", page_md) == (
        0,
        (
            "workflow roots(x: float = 16.0) -> (o0: float, o1: float)\n"
            "    The root, and the root of the root.\n"
            "    page.md, cell 4, line 28\n"
            "task root(x: float, digits: int = 2) -> (o0: float)\n"
            "    The square root.\n"
            "    page.md, cell 2, line 11\n"
        ),
        "",
    )


def test_tasks_as_json_is_an_array(cli: Cli, add_py: str) -> None:
    """With --json each entity is an object with its typed inputs and outputs."""
    told = json.loads(cli("tasks", add_py, "--json").out)
    assert [entity["name"] for entity in told] == ["half_sum", "add", "halve"]
    assert told[1] == {
        "name": "add", "kind": "python", "doc": "Add two numbers.", "place": "adding.py, line 5",
        "inputs": [
            {"name": "a", "type": "int", "description": "The first.", "required": True, "default": None},
            {"name": "b", "type": "int", "description": "The second.", "required": False, "default": 2},
        ],
        "outputs": [{"name": "o0", "type": "int", "description": ""}],
    }  # fmt: skip


def test_tasks_of_a_document_without_any_says_so(cli: Cli, folder: Path) -> None:
    """A document that defines nothing is no mistake here."""
    (folder / "plain.py").write_text("x = 1\n")
    assert cli("tasks", "plain.py") == (0, "plain.py defines no task or workflow\n", "")
    assert cli("tasks", "plain.py", "--json").out == "[]\n"


def test_a_graph_as_json_comes_back_as_a_graph(cli: Cli, add_py: str) -> None:
    """--format json prints what `Graph.from_json` reads."""
    graph = Graph.from_json(json.loads(cli("graph", add_py, "half_sum", "--format", "json").out))
    assert [node.label for node in graph.nodes] == ["add", "halve"]


@pytest.mark.parametrize(
    ("form", "begins", "suffix"), [("svg", "<svg", ".svg"), ("mermaid", "flowchart", ".mmd"), ("text", "", ".txt")]
)
def test_a_graph_is_drawn_in_every_form(  # noqa: PLR0913, PLR0917 - a table and its fixtures
    cli: Cli, add_py: str, folder: Path, form: str, begins: str, suffix: str
) -> None:
    """On standard output, or in a file whose suffix tells the form."""
    said = cli("graph", add_py, "--format", form)
    assert (said.code, said.err) == (0, "")
    assert said.out.lstrip().startswith(begins)
    assert "halve" in said.out
    assert cli("graph", add_py, "half_sum", "-o", f"picture{suffix}") == (0, "", "")
    assert (folder / f"picture{suffix}").read_text(encoding="utf-8") == said.out


def test_text_is_the_form_by_default(cli: Cli, add_py: str) -> None:
    """Without --format and -o the graph is text on standard output."""
    assert cli("graph", add_py).out == cli("graph", add_py, "--format", "text", "-o", "-").out


def test_show_tells_source_version_options_and_what_was_left_out(cli: Cli, page_md: str) -> None:
    """The source is as the page has it, magic line included, and the demonstrations are named with their reasons."""
    out = cli("show", page_md, "root").out
    assert out.startswith("task root(x: float, digits: int = 2) -> (o0: float)\n  about    The square root.\n")
    assert "  defined  page.md, cell 2, line 11\n" in out
    assert "  retries  1\n" in out
    assert "  x: float         Any number from 0.\n" in out
    assert "Source\n  %%task --retries 1\n  def root(x: float, digits: int = 2) -> float:\n" in out
    assert out.endswith("\n\n3 statements were not executed to load it; --all lists them\n")
    assert cli("show", page_md, "root", "--all").out.partition("Not executed to load it\n")[2] == (
        '  cell 3, line 23: print("a demonstration")  (defines nothing that is needed)\n'
        "  cell 3, line 24: root(x=2.0)  (runs root to show its result)\n"
        "  cell 4, line 28: def roots(x: float = 16.0) -> tuple[float, float]:  (is not needed by what is loaded)\n"
    )


def test_show_tells_how_large_is_the_data_that_a_task_captures(cli: Cli, folder: Path) -> None:
    """As text and as JSON; nothing is said of a task that captures none."""
    text = "from celltask import task\nROWS = [1, 2, 3]\n@task(allow_globals='ROWS')\n"
    text += "def first(x: int) -> int:\n    return ROWS[x]\n"
    (folder / "data.py").write_text(text, encoding="utf-8")
    size = json.loads(cli("show", "data.py", "first", "--json").out)["captured"]["ROWS"]
    assert f"  captured       ROWS ({size} B)\n" in cli("show", "data.py", "first").out
    (folder / "none.py").write_text(text.replace("return ROWS[x]", "return x"), encoding="utf-8")
    assert "captured" not in cli("show", "none.py", "first").out
    assert json.loads(cli("show", "none.py", "first", "--json").out)["captured"] == {}


SAME = """
import datetime as dt
from celltask import task, workflow
class Odd:
    def __repr__(self): return "an odd one"
@task
def step(x: int, day: dt.date = dt.date(2026, 1, 31), odd: object = Odd(), maybe: int | None = None) -> int:
    return x
@task
def join(x: int, y: int) -> int:
    return x + y
@workflow
def twice(first_input_with_a_long_name: int, second_input_with_a_long_name: int, third_of_a_long_name: int = 7) -> int:
    return join(x=step(x=first_input_with_a_long_name), y=step(x=second_input_with_a_long_name))
"""


def test_a_default_is_told_as_json_where_json_can_say_it(cli: Cli, folder: Path) -> None:
    """A value as itself, what JSON cannot say as a person reads it, and null for none; `tasks` and `show` agree."""
    (folder / "same.py").write_text(SAME)
    inputs = json.loads(cli("tasks", "same.py", "--json").out)[1]["inputs"]
    assert [(one["name"], one["required"], one["default"]) for one in inputs] == [
        ("x", True, None), ("day", False, "2026-01-31"), ("odd", False, "an odd one"), ("maybe", False, None),
    ]  # fmt: skip
    assert json.loads(cli("show", "same.py", "step", "--json").out)["inputs"] == inputs


def test_nodes_of_one_name_are_told_apart_and_lines_are_whole(cli: Cli, folder: Path) -> None:
    """Outside of a terminal nothing is cut off, and the id says which of two nodes is meant."""
    (folder / "same.py").write_text(SAME)
    defaults = "default datetime.date(2026, 1, 31), default an odd one, default None"
    drawing = (
        "twice(first_input_with_a_long_name: int, second_input_with_a_long_name: int, third_of_a_long_name: int = 7)"
        " → o0: int\n"
        f"●    step (n0)  ← first_input_with_a_long_name, {defaults}\n"
        f"│ ●  step (n1)  ← second_input_with_a_long_name, {defaults}\n"
        "●─╯  join       ← step (n0), step (n1)\n"
        "→ o0: int  ← join\n"
    )
    assert cli("graph", "same.py") == (0, drawing, "")
    assert cli("graph", "same.py", "-o", "same.txt") == (0, "", "")
    assert (folder / "same.txt").read_text(encoding="utf-8") == drawing


def test_a_graph_as_html_is_a_page_of_its_own(cli: Cli, add_py: str, folder: Path) -> None:
    """A browser opens it as it is: with a document type, an encoding and a title."""
    assert cli("graph", add_py, "-o", "picture.html") == (0, "", "")
    page = (folder / "picture.html").read_text(encoding="utf-8")
    assert page.startswith(
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>half_sum</title>\n<figure'
    )
    assert page.endswith("</html>\n")
    assert cli("graph", add_py, "--format", "html").out == page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "-o j.png",
            (
                "'.png' is no format of a graph\n  at: celltask graph -o j.png\n"
                "  mend: use .svg, .html, .mmd, .json or .txt\n"
            ),
        ),
        (
            "-o j.svg --format text",
            (
                "'.svg' is not the format text\n  at: celltask graph -o j.svg\n"
                "  mend: leave out --format text, or end the name in .txt\n"
            ),
        ),
    ],
)
def test_a_file_is_never_of_another_format_than_its_suffix_says(
    cli: Cli, add_py: str, folder: Path, words: str, message: str
) -> None:
    """An unknown suffix, or one that contradicts --format, is refused, and nothing is written."""
    assert cli("graph", add_py, *words.split()) == (2, "", message)
    assert [path.name for path in folder.iterdir() if path.suffix != ".py"] == []


def test_format_says_what_a_suffix_does_not(cli: Cli, add_py: str, folder: Path) -> None:
    """With --format, any name will do whose suffix says no other."""
    for name in ("picture", "picture.xml", "picture.svg"):
        assert cli("graph", add_py, "-o", name, "--format", "svg") == (0, "", "")
        assert (folder / name).read_text(encoding="utf-8").startswith("<svg")


def test_show_as_json_has_the_digest_of_the_task(cli: Cli, add_py: str) -> None:
    """With --json the same facts are one object."""
    told = json.loads(cli("show", add_py, "add", "--json").out)
    assert told["source"].startswith("@task\ndef add(a: int, b: int = 2) -> int:")
    assert len(told["digest"]) == 64
    assert told["left_out"] == []


def test_show_without_a_name_shows_the_only_workflow(cli: Cli, add_py: str) -> None:
    """As for run, the only workflow is meant."""
    assert cli("show", add_py).out.startswith("workflow half_sum(")


def test_the_source_of_a_notebooks_cell_is_shown(cli: Cli, folder: Path) -> None:
    """Cells of a notebook are found by their own line numbers."""
    sources = [
        "import math",
        "%%task\ndef up(x: float) -> int:\n    return math.ceil(x)\n",
        "%%task\ndef down(x: float) -> int:\n    return math.floor(x)\n",
    ]
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    (folder / "n.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert (
        "Source\n  %%task\n  def down(x: float) -> int:\n      return math.floor(x)\n"
        in cli("show", "n.ipynb", "down").out
    )
