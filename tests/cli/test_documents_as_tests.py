"""`celltask test` and `celltask outline`: documents as tests from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli


def test_an_outline_lists_number_place_name_tags_and_options(cli: Cli, folder: Path) -> None:
    """One row a cell, the name as in test ids."""
    (folder / "page.md").write_text(
        "# Page\n\n```{code-cell}\nimport math\n```\n\n- ```{code-cell}\n  :tags: [hide-input, slow]\n  :timeout: 5\n"
        "  x = 1\n  ```\n"
    )
    assert cli("outline", "page.md") == (
        0,
        (
            "cell  line  name    tags              options\n"
            "1     3:1   cell-1\n"
            "2     7:3   x       hide-input, slow  nested, timeout=5\n"
        ),
        "",
    )


@pytest.mark.parametrize("command", ["outline", "test"])
def test_both_commands_have_help(cli: Cli, command: str) -> None:
    """The page says what is listed or run, and the list of commands has a line for each."""
    said = cli(command, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: celltask {command} ")
    assert f"  {command} " in cli("--help").out


def test_an_outline_can_be_json(cli: Cli, folder: Path) -> None:
    """For other programs, with the same fields."""
    (folder / "script.py").write_text("# %%\nx = 1\n")
    told = json.loads(cli("outline", "script.py", "--json").out)
    assert told == [{"cell": 1, "line": 1, "column": 1, "name": "x", "tags": [], "options": {}, "nested": False}]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("prose.md", "# Title\n", (0, "prose.md has no code cell\n", "")),
        ("missing.md", None, (2, "", "there is no such document")),
    ],
    ids=["no-cells", "no-file"],
)
def test_an_outline_of_nothing_says_so(
    cli: Cli, folder: Path, name: str, text: str | None, said: tuple[int, str, str]
) -> None:
    """A page without cells is no mistake, a missing one is."""
    if text is not None:
        (folder / name).write_text(text)
    code, out, err = cli("outline", name)
    assert (code, out) == said[:2]
    assert err.startswith(said[2])
