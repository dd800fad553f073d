"""Help: what can be run, and the inputs of one task or workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from celltask import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli

ADD_HELP = """\
Usage: celltask run adding.py add [INPUTS] [OPTIONS]

  Add two numbers.

Inputs:
  --a INT  int. The first. [required]
  --b INT  int. The second. [default: 2]

Outputs:
  o0  int.

Options:
  --engine NAME        Where nodes run: threads (the default), processes, inline, dask.
  --json               Print the run as one JSON object, and nothing else.
  --save FILE          Keep the output in this file, as its suffix says: .pkl, .json, .txt; tables
                       also .csv, .parquet. NAME=FILE for one of several outputs. May repeat.
  --answer NAME=VALUE  The answer to a gate of a workflow, instead of asking for it. May repeat.
  --inputs-file FILE   Inputs as a JSON object; - reads standard input.
  --execute-all        Execute the document's demonstrations too.
  --refresh            Compute cached results anew, and replace them.
  --dry-run            Tell what would run and what be reused, and why; run nothing.
  --quiet              Do not tell nodes and times.
  -h, --help           Show this and exit.

Defined at adding.py, line 5
"""


@pytest.mark.parametrize("words", ["add --help", "add -h", "--help add", "add --a 1 --help", "--json add --help"])
def test_the_help_of_a_task_tells_types_defaults_and_descriptions(cli: Cli, add_py: str, words: str) -> None:
    """It is made from the annotations and the docstring, wherever --help stands, and needs no required input."""
    assert cli("run", add_py, *words.split()) == (0, ADD_HELP, "")


LISTING = """\
Usage: celltask run adding.py NAME [INPUTS] [OPTIONS]

workflow half_sum(a: int, b: int = 2) -> (o0: float)
    Half of a sum.
    adding.py, line 22
task add(a: int, b: int = 2) -> (o0: int)
    Add two numbers.
    adding.py, line 5
task halve(number: int) -> (o0: float)
    Half of it.
    adding.py, line 16

celltask run adding.py NAME --help tells the inputs of one
"""


@pytest.mark.parametrize("words", ["--help", "-h", "--engine inline --help"])
def test_the_help_of_a_document_lists_what_can_be_run(cli: Cli, add_py: str, words: str) -> None:
    """`celltask run FILE --help` names workflows and tasks with their interfaces and places."""
    assert cli("run", add_py, *words.split()) == (0, LISTING, "")


@pytest.mark.parametrize(
    "line",
    [
        "--verbose / --no-verbose    bool. [default: false]",
        "--day DATE                  date. [default: 2026-01-31]",
        "--colour [RED|GREEN]        Colour. [default: RED]",
        "--level [1|2]               Literal[1, 2]. [default: 1]",
        "--where PATH                Path. [default: here]",
        "--maybe INT                 int | None. [default: 5]",
        "--names TEXT                list[str]. some names. May repeat. [default: []]",
        '--pair JSON                 tuple[int, str]. [default: [1, "a"]]',
        '--settings JSON             Settings. [default: {"rate": 1.0, "names": []}]',
        "--maybe-many FLOAT          list[float] | None. May repeat. [default: none]",
        "--wait DURATION             timedelta. [default: P0DT0S]",
    ],
)  # fmt: skip
def test_an_input_of_every_kind_is_told_as_it_is_typed(cli: Cli, kinds_py: str, line: str) -> None:
    """Choices by name, defaults in the form the command line takes."""
    told = [" ".join(shown.split()) for shown in cli("run", kinds_py, "kinds", "--help").out.splitlines()]
    assert " ".join(line.split()) in told


def test_help_shows_no_typesetting(cli: Cli, folder: Path) -> None:
    """Double backticks of a docstring are single ones in help, in the list and in `show`."""
    (folder / "set.py").write_text(
        "from celltask import task\n@task\n"
        "def f(x: int) -> int:\n"
        '    """Take ``x`` once.\n\n    Args:\n        x: See ``y``.\n\n    Returns:\n        A ``z``.\n    """\n'
        "    return x\n"
    )
    told = [cli("run", "set.py", "f", "--help").out, cli("tasks", "set.py").out]
    assert "  Take `x` once.\n" in told[0]
    assert "  --x INT  int. See `y`. [required]\n" in told[0]
    assert "  o0  int. A `z`.\n" in told[0]
    assert "    Take `x` once.\n" in told[1]
    shown = cli("show", "set.py", "f").out.partition("Source")[0]
    assert "about    Take `x` once.\n" in shown
    assert "  x: int  See `y`.\n" in shown
    assert "  o0: int  A `z`.\n" in shown


def test_help_executes_no_demonstration(cli: Cli, page_md: str) -> None:
    """Neither help nor the list runs more of a page than its definitions."""
    assert cli("run", page_md, "root", "--help").out.startswith("Usage: celltask run page.md root")
    assert "demonstration" not in cli("run", page_md, "--help").out


def test_the_help_of_an_entity_with_clashing_inputs_says_so(cli: Cli, folder: Path) -> None:
    """Where inputs hide options of ours, help tells where those go; an input `help` leaves -h."""
    (folder / "clashing.py").write_text(
        "from celltask import task\n@task\ndef clash(json: bool, help: str = 'h') -> str:\n    return ''\n"
    )
    out = cli("run", "clashing.py", "clash", "-h").out
    assert "Here --json name inputs; celltask's own options of these names go before NAME.\n" in out
    assert "  -h                   Show this and exit.\n" in out
    assert cli("run", "clashing.py", "--help", "clash").out == out


def test_the_top_help_names_commands_and_exit_codes(cli: Cli) -> None:
    """`celltask`, `celltask -h` and `celltask --help` are one page."""
    said = cli("--help")
    shown = " ".join(said.out.split())
    for told in (
        "run Run a task or workflow of a document.", "tasks List what a document defines.",
        "graph Draw a workflow.", "show Show all about one task or workflow.",
        "0 all went well", "1 a task failed", "2 something given is wrong", "130 interrupted",
    ):  # fmt: skip
        assert told in shown
    assert said == cli("-h") == cli()


def test_the_version_is_told(cli: Cli) -> None:
    """--version prints name and version."""
    assert cli("--version") == (0, f"celltask {__version__}\n", "")


@pytest.mark.parametrize("command", ["run", "tasks", "graph", "show"])
def test_every_command_has_help(cli: Cli, command: str) -> None:
    """Each page says what FILE is used for, and exits with 0."""
    said = cli(command, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: celltask {command} [OPTIONS] FILE")
