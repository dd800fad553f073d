"""What a shell, or a habit from another program, makes of a command line: it is told what was meant."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli

SPLIT = "was split at a blank"


@pytest.mark.parametrize(
    ("words", "what", "mend"),
    [
        (
            '--table {"C": 0.1} --whole 3',
            f"the value of --table {SPLIT}",
            """put it in single quotes: --table '{"C": 0.1}'""",
        ),
        (
            '--table {"C": -0.1, "D": 1}',
            f"the value of --table {SPLIT}",
            """put it in single quotes: --table '{"C": -0.1, "D": 1}'""",
        ),
        ("--numbers [1, 2]", f"the value of --numbers {SPLIT}", "put it in single quotes: --numbers '[1, 2]'"),
        ("--table {a; b", f"the value of --table {SPLIT}", """put it in single quotes: --table '{"key": 0.5}'"""),
        (
            "--table a:1 b:2",
            "'b:2' stands alone",
            """put the value of --table in single quotes: --table '{"key": 0.5}'""",
        ),
        ("--text a few words", f"the value of --text {SPLIT}", "put it in single quotes: --text 'a few words'"),
        ("--numbers 120 80", "'80' stands alone", "repeat the option: --numbers 120 --numbers 80"),
        (
            "--numbers 1 -2 3 --text x",
            "'-2' stands alone",
            "repeat the option: --numbers 1 --numbers -2 --numbers 3",
        ),
    ],
)
def test_a_value_in_several_words_is_told_with_what_was_meant(
    cli: Cli, kinds_py: str, words: str, what: str, mend: str
) -> None:
    """The mend can be typed as it stands: quotes that the shell took are back, and a list's option repeats."""
    said = cli("run", kinds_py, "kinds", *shlex.split(words))
    assert said == (2, "", f"{what}\n  at: celltask run many_kinds.py kinds\n  mend: {mend}\n")


@pytest.mark.parametrize("command", ["run", "graph", "show"])
def test_a_name_before_the_document_is_told(cli: Cli, add_py: str, command: str) -> None:
    """The mend is the same command with the two in their order."""
    assert cli(command, "half_sum", add_py) == (
        2,
        "",
        (
            f"'half_sum' is no document\n  at: celltask {command}\n"
            f"  mend: the document comes first: celltask {command} adding.py half_sum\n"
        ),
    )


def test_dashes_in_a_name_stand_for_underscores(cli: Cli, add_py: str) -> None:
    """As they do in the names of options, for every command; messages have the name as it is defined."""
    assert cli("run", add_py, "half-sum", "--a", "1", "--quiet") == (0, "1.5\n", "")
    assert cli("graph", add_py, "half-sum") == cli("graph", add_py, "half_sum")
    assert cli("show", add_py, "half-sum") == cli("show", add_py, "half_sum")
    assert cli("run", add_py, "half-sum").err == (
        "half_sum needs a value for --a\n  at: adding.py, line 22\n  mend: celltask run adding.py half_sum --a INT\n"
    )


@pytest.mark.parametrize(
    ("path", "mend"),
    [
        ("addin.py", "looked in {folder}; did you mean adding.py?"),
        ("adding.md", "looked in {folder}; did you mean adding.py?"),
        ("zebra.py", "looked in {folder}; check the path"),
        ("no/adding.py", "there is no folder {folder}/no"),
    ],
)
@pytest.mark.parametrize("command", ["run", "graph", "show", "tasks"])
def test_a_missing_document_is_told_with_the_folder(  # noqa: PLR0913, PLR0917 - a table and its fixtures
    cli: Cli, add_py: str, folder: Path, command: str, path: str, mend: str
) -> None:
    """Only names that are truly like it are suggested; one more file of the same suffix is none."""
    assert add_py
    told = mend.replace("{folder}", str(folder))
    assert cli(command, path) == (2, "", f"there is no such document\n  at: {path}\n  mend: {told}\n")


def test_a_document_that_misses_a_file_is_told_where_paths_start(cli: Cli, folder: Path) -> None:
    """Relative paths start where celltask runs, which is seldom where the document lies."""
    (folder / "docs").mkdir()
    (folder / "docs" / "page.md").write_text(
        '```{code-cell}\nDATA = open("data.csv").read()\n```\n'
        "```{code-cell}\n%%task\ndef f() -> str:\n    return DATA\n```\n"
    )
    assert cli("run", "docs/page.md") == (
        2,
        "",
        (
            "the document raises FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'\n"
            '  at: docs/page.md, cell 1, line 2: DATA = open("data.csv").read()\n'
            f"  mend: relative paths start at {folder}, where celltask runs; the document lies in {folder}/docs\n"
        ),
    )
