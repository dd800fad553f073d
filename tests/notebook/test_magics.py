"""The magics that look at what is defined, and help, completion, cards and graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core import completer

from celltask.core.cell import HELP
from celltask.notebook.completion import candidates

if TYPE_CHECKING:
    from conftest import Notebook

DEFINED = """%%task
def double(x: int) -> int:
    '''Twice a number.'''
    return 2 * x
"""
WORKFLOW = "%%workflow\ndef quadruple(x: int = 1) -> int:\n    return double(x=double(x=x))\n"


@pytest.fixture
def defined(notebook: Notebook) -> Notebook:
    """A notebook with a task and a workflow."""
    notebook(DEFINED)
    notebook(WORKFLOW)
    return notebook


def test_a_task_cell_answers_with_its_card(notebook: Notebook) -> None:
    """One card, as HTML and as text, with name and description."""
    shown = notebook.run(DEFINED).shown
    assert len(shown) == 1
    assert {"text/html", "text/plain"} <= shown[0].keys()
    assert "double" in str(shown[0]["text/plain"])
    assert "Twice a number." in str(shown[0]["text/html"])


def test_a_card_tells_how_large_is_the_data_that_its_task_captures(notebook: Notebook) -> None:
    """It goes with the task to other processes."""
    shown = notebook.run(
        "ROWS = list(range(1000))\n\n%task --allow-globals ROWS\ndef first(x: int) -> int:\n    return ROWS[x]\n"
    ).shown
    assert "captured=ROWS (2.8 kB)" in str(shown[0]["text/plain"])
    assert "captured=ROWS (2.8 kB)" in str(shown[0]["text/html"])


def test_a_workflow_cell_answers_with_its_graph(defined: Notebook) -> None:
    """One picture, with text for those who see none."""
    shown = defined.run(WORKFLOW).shown
    assert len(shown) == 1
    assert {"text/html", "image/svg+xml", "text/plain"} <= shown[0].keys()
    assert "double" in str(shown[0]["text/plain"])


def test_every_task_of_the_cell_has_a_card(notebook: Notebook) -> None:
    """Two tasks give two cards, in their order; a helper and an imported task give none."""
    shown = notebook.run(
        "%%task\ndef first(x: int) -> int:\n    return x\ndef _h(): pass\ndef second(x: int) -> int:\n    return x\n"
    ).shown
    assert len(shown) == 2
    assert "first" in str(shown[0]["text/plain"])
    assert "second" in str(shown[1]["text/plain"])


def test_a_task_that_is_the_value_of_its_cell_is_shown_once(notebook: Notebook) -> None:
    """The last value of a cell shows its card by itself, so that the cell does not show it again."""
    ran = notebook.run(DEFINED + "double\n")
    assert ran.shown == []
    shown, _ = notebook.shell.display_formatter.format(ran.value)
    assert "double" in shown["text/html"]


def test_a_decorated_task_shows_its_card_only_as_a_value(notebook: Notebook) -> None:
    """`@task` alone shows nothing; its name as the last line does."""
    ran = notebook.run("from celltask import task\n@task\ndef f(x: int) -> int:\n    return x\n")
    assert ran.shown == []
    shown, _ = notebook.shell.display_formatter.format(notebook("f"))
    assert "text/html" in shown


def test_cards_can_be_turned_off(notebook: Notebook) -> None:
    """`%celltask cards off`, and `--no-card` for one cell, show nothing; `on` shows them again."""
    assert notebook.run(DEFINED.replace("%%task", "%%task --no-card")).shown == []
    notebook("%celltask cards off")
    ran = notebook.run(DEFINED + "double\n")
    assert ran.shown == []
    shown, _ = notebook.shell.display_formatter.format(ran.value)
    assert shown == {"text/plain": repr(ran.value)}
    notebook("%celltask cards on")
    assert len(notebook.run(DEFINED).shown) == 1


def test_a_cell_that_fails_shows_no_card(notebook: Notebook) -> None:
    """Where a later statement of the cell raises, the error is all that is shown."""
    ran = notebook.run(DEFINED + "1 / 0\n")
    assert isinstance(ran.error, ZeroDivisionError)
    assert ran.shown == []


def test_tasks_lists_what_is_defined(defined: Notebook) -> None:
    """A table with interface and place, as text and as HTML."""
    listing = defined("%tasks")
    rows = {row[0]: row for row in listing.rows}
    assert rows["double"][1:3] == ("python", "(x: int) -> (o0: int)")
    assert rows["quadruple"][4] == "cell 3, line 1"
    assert "double" in repr(listing)
    assert "<td" in listing._repr_html_()


def test_dag_shows_a_workflow(defined: Notebook) -> None:
    """`%dag` draws the named workflow; a task has none, and an unknown name is told."""
    assert "image/svg+xml" in defined.run("%dag quadruple").shown[0]
    assert "is a task" in defined.run("%dag double").text
    assert "did you mean 'quadruple'?" in defined.run("%dag quadrupel").text
    assert "%dag takes one name" in defined.run("%dag").text


def test_run_task_takes_expressions(defined: Notebook) -> None:
    """Values are Python over the notebook's names, blanks in brackets and quotes included."""
    defined("n = [1, 2, 3]")
    assert defined("%run_task double x=n[ 1 ]").value == 4
    run = defined("run = %run_task quadruple x=len(n)\nrun")
    assert (run.value, [node.state for node in run.nodes]) == (12, ["done", "done"])


@pytest.mark.usefixtures("own_store")
def test_why_tells_a_plan_and_what_became_of_a_node(notebook: Notebook) -> None:
    """Of a workflow with inputs what would run; of a node why it ran in the newest run that had it."""
    notebook("%%task --cache --no-card\ndef kept(x: int) -> int:\n    return 2 * x\n")
    notebook("%%workflow --name both\ndef both(x: int = 1) -> int:\n    return kept(kept(x))\n")
    assert notebook.run("%why kept").text == "no run in which kept ran is recorded\n"
    assert notebook.run("%why both x=2").text == (
        "<plan of both>\n  n0  kept  run    no earlier run\n  n1  kept  run    a node before it runs\n"
    )
    notebook("both.run(x=2)")
    notebook("run = both.run(x=3)")
    told = notebook.run("%why n1").text.splitlines()
    assert told[0] == f"in run {notebook('run').id} of both:"
    assert told[1] == "  n1 kept: done; input `x` changed"


@pytest.mark.usefixtures("own_store")
def test_why_tells_what_failed_and_finds_what_is_mapped(notebook: Notebook) -> None:
    """A failed node is told with its error, one that did not run without a reason; a map by its label or its task."""
    notebook("from celltask import map_task")
    notebook(
        "%%task --cache --no-card\ndef halve(x: int) -> int:\n    return 2 // x\n\n"
        "def largest(xs: list[int]) -> int:\n    return max(xs)"
    )
    notebook("%%workflow\ndef inner(xs: list[int]) -> int:\n    return largest(map_task(halve)(x=xs))")
    notebook("%%workflow\ndef outer(xs: list[int]) -> int:\n    return inner(xs)")
    notebook("run = outer.run(xs=[0, 0])")
    failed = "  n0/n0 map halve: failed; ZeroDivisionError: integer division or modulo by zero"
    for name in ("halve", "map halve", "n0/n0"):
        assert notebook.run(f"%why {name}").text.splitlines()[1:] == [failed]
    assert notebook.run("%why largest").text.splitlines()[1:] == ["  n0/n1 largest: skipped"]
    notebook("run = outer.run(xs=[1, 2])")
    assert notebook.run("%why halve").text.splitlines()[1:] == ["  n0/n0 map halve: done; 2 items: no earlier run"]
    assert notebook.run("%why n0").text.splitlines()[1:] == [
        "  n0 inner: done; each node in it is reused or run by itself"
    ]


def test_run_task_gives_a_run_that_shows_itself(defined: Notebook) -> None:
    """The run of a workflow is the value of its line, and nothing is shown twice."""
    ran = defined.run("%run_task quadruple")
    assert ran.shown == []
    shown, _ = defined.shell.display_formatter.format(ran.value)
    assert "image/svg+xml" in shown


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("%run_task", "%run_task takes one name"),
        ("%run_task doubel", "did you mean 'double'?"),
        ("%run_task double y=1", "'double' has no input 'y'"),
        ("%run_task double x=nothing", "quote it if it is a text: x='nothing'"),
        ("%run_task double x = 1", "is not INPUT=VALUE"),
        ("%run_task double x=1 x=2", "input 'x' is given twice"),
        ("%run_task double x=1/0", "ZeroDivisionError"),
        ("%run_task double x='a'", "must be int"),
        ("%tasks all", "%tasks takes nothing after it"),
        ("%task_diff quadruple", "is a workflow"),
        ("%celltask card off", "write %celltask status, %celltask cards on|off, or %celltask live on|static|off"),
        ("%task --cache", "no def stands below %%task"),
        ("if 1:\n    %task --cache\n    def f(): pass", "write it at the left edge"),
    ],
)
def test_a_wrong_line_is_told_in_three_lines(defined: Notebook, line: str, what: str) -> None:
    """Mistakes on a magic's line are told with a mend and without frames."""
    ran = defined.run(line)
    assert ran.error is not None
    assert what in ran.text
    assert len(ran.text.strip().splitlines()) <= 3


def test_task_diff_tells_what_changed(notebook: Notebook) -> None:
    """A new definition is compared with the one before, and a helper redefined elsewhere is told too."""
    notebook("def helper(x):\n    return x\n")
    notebook("%%task\ndef f(x: int, lr: float = 0.1) -> int:\n    return helper(x)\n")
    assert "nothing that counts" in notebook.run("%task_diff f").text
    notebook("def helper(x):\n    return x + 0\n")
    assert "helper" in notebook.run("%task_diff f").text
    notebook("%%task\ndef f(x: int, lr: float = 0.2) -> int:\n    return helper(x)\n")
    text = notebook.run("%task_diff f").text
    assert "0.1" in text
    assert "0.2" in text


def test_help_is_shown_without_running_anything(notebook: Notebook) -> None:
    """`--help`, with a cell or without, prints the help and defines nothing."""
    for cell in ("%%task --help", "%task --help", "%%task --cache --help\ndef f(x: int) -> int:\n    return x\n"):
        assert notebook.run(cell).text.strip() == HELP["task"].strip()
    assert "f" not in notebook.names
    assert notebook.shell.find_cell_magic("task").__doc__ == HELP["task"]
    assert notebook.shell.find_line_magic("workflow").__doc__ == HELP["workflow"]
    assert "--retries N" in str(notebook.shell.object_inspect_mime("%%task"))


def test_status_names_versions_and_definitions(defined: Notebook) -> None:
    """`%celltask status`, or alone, tells the set-up."""
    text = defined.run("%celltask status").text
    assert "cards: on" in text
    assert "quadruple" in text
    assert defined.run("%celltask").text == text


def completions(notebook: Notebook, before: str) -> list[str]:
    """What the shell offers at the end of `before`."""
    notebook.shell.Completer.jedi_compute_type_timeout = 60_000  # else IPython offers nothing after 0.4 s
    with completer.provisionalcompleter():
        return [item.text for item in notebook.shell.Completer.completions(before, len(before))]


@pytest.mark.parametrize(
    ("before", "fragment", "words"),
    [
        ("%%task --ca", "--ca", ["--cache", "--cache-ignore", "--cache-ttl", "--cache-version", "--card"]),
        ("%task --cache --ca", "--ca", ["--cache-ignore", "--cache-ttl", "--cache-version", "--card"]),
        (
            "%%workflow --",
            "--",
            ["--name", "--docs", "--failure-policy", "--on-failure", "--allow-globals", "--run", "--help"],
        ),
        ("%dag q", "q", ["quadruple"]),
        ("%task_diff ", "", ["double"]),
        ("%run_task dou", "dou", ["double"]),
        ("%run_task double ", "", ["x="]),
        ("%run_task double x=1 ", "", []),
        ("%celltask cards o", "o", ["off", "on"]),
        ("%celltask live ", "", ["off", "on", "static"]),
        ("%answer dou", "dou", []),
    ],
)
def test_completion_offers_what_fits(defined: Notebook, before: str, fragment: str, words: list[str]) -> None:
    """Options, names of workflows and tasks, and inputs are offered where they may stand, and nothing else."""
    assert candidates(before) == (fragment, words)
    offered = completions(defined, before)
    assert set(words) <= set(offered)
    if before.endswith("--ca") and hasattr(completer, "context_matcher"):  # older shells mix in names of variables
        assert offered == words


def test_completion_elsewhere_is_left_alone(defined: Notebook) -> None:
    """Lines of Python and of other magics are not ours."""
    assert candidates("%time --ca") is None
    assert candidates("task --ca") is None
    assert "print" in completions(defined, "prin")


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        ("%%task --cache\ndef f(x: int) -> int:\n    return x\n\n", "complete"),
        ("%%task --cache\ndef f(x: int) -> int:", "incomplete"),
        ("%task\ndef f(x: int) -> int:\n    return x +\n\n", "invalid"),
    ],
)
def test_a_terminal_knows_when_a_cell_is_complete(notebook: Notebook, cell: str, state: str) -> None:
    """What is below a header is judged as the Python it is."""
    assert notebook.shell.check_complete(cell)[0] == state


def test_run_task_runs_async_tasks(notebook: Notebook) -> None:
    """An async task can be run by its name like any other."""
    notebook("%%task\nimport asyncio\nasync def slow(x: int) -> int:\n    await asyncio.sleep(0.001)\n    return x\n")
    assert notebook("%run_task slow x=2").value == 2


def test_a_terminal_waits_for_what_stands_below_a_header(notebook: Notebook) -> None:
    """A header alone is not complete, nor is a body cell before a blank line ends it; other lines are as ever."""
    check = notebook.shell.check_complete
    for begun in ("%%task --cache", "%task", "%workflow", "%%task f -> y: int\nx: int = 1", "%%task\nimport os"):
        assert check(begun)[0] == "incomplete"
    for done in ("%%task f -> y: int\ny = 1\n\n", "%task --help", "%tasks", "%dag w", "x = 1"):
        assert check(done)[0] == "complete"


def test_tasks_lists_a_workflow_whose_task_is_gone(defined: Notebook) -> None:
    """The table stands, and says which workflow cannot be used any more."""
    defined(DEFINED.replace("2 * x", "x + x"))  # the workflow has to be traced again
    defined("del double")
    rows = {row[0]: row for row in defined("%tasks").rows}
    assert rows["quadruple"][3] == "uses what is gone"
    assert len(rows) == 2


def test_reset_forgets_the_tasks_of_the_notebook(defined: Notebook) -> None:
    """`%reset` takes tasks away like all other names, and new ones can be defined after it."""
    defined("%reset -f")
    assert repr(defined("%tasks")) == "nothing is defined yet"
    defined(DEFINED)
    assert defined("double(x=2)") == 4
