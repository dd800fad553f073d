"""`celltask lint` from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli

SPACE = "``` {code-cell}\nx = 1\n```\n"
TOLD = "a space stands before {code-cell}, and other readers do not run the cell"


def test_findings_are_told_one_a_line_and_make_the_command_fail(cli: Cli, folder: Path) -> None:
    """Documents in folders are found; the exit code is 1 with findings and 0 without."""
    (folder / "docs").mkdir()
    (folder / "docs" / "page.md").write_text(SPACE)
    assert cli("lint", "docs") == (1, f"docs/page.md:1:1: space-before-brace: {TOLD}; remove it\n", "")
    assert cli("lint", "docs", "--ignore", "space-before-brace") == (0, "", "")


def test_findings_can_be_json(cli: Cli, folder: Path) -> None:
    """One array, whose objects have the parts of a finding."""
    (folder / "page.md").write_text(SPACE)
    told = json.loads(cli("lint", "page.md", "--format", "json").out)
    assert told == [
        {"path": "page.md", "line": 1, "column": 1, "rule": "space-before-brace", "what": TOLD, "mend": "remove it"}
    ]
    assert cli("lint", "page.md", "--format", "json", "--select", "colon-cell").out == "[]\n"


def test_findings_can_be_annotations(cli: Cli, folder: Path) -> None:
    """Each is a command of GitHub's workflows."""
    (folder / "page.md").write_text(SPACE)
    told = f"::error file=page.md,line=1,col=1,title=space-before-brace::{TOLD}; remove it\n"
    assert cli("lint", "page.md", "--format", "github").out == told


def test_what_is_mended_is_no_longer_found(cli: Cli, folder: Path) -> None:
    """What can be mended safely is, and the rest is told."""
    (folder / "page.md").write_text(f"{SPACE}\n{{ref}}`nowhere`\n")
    code, out, err = cli("lint", "page.md", "--fix")
    assert (code, out.count("\n"), err) == (1, 1, "mended 1 of 2\n")
    assert (folder / "page.md").read_text().startswith("```{code-cell}\n")


def test_a_wrong_rule_or_path_is_told(cli: Cli, folder: Path) -> None:
    """Bad usage has the exit code 2."""
    (folder / "page.md").write_text(SPACE)
    assert cli("lint", "page.md", "--select", "colon")[::2] == (
        2,
        "no rule is called 'colon'\n  at: the command line\n  mend: did you mean colon-cell?\n",
    )
    assert cli("lint", "nosuch.md")[::2] == (
        2,
        "there is no such document\n  at: nosuch.md\n  mend: check the path\n",
    )
