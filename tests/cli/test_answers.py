"""Gates on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli

PAGE = """
```{code-cell}
from celltask import approve, task, wait_for_input, workflow

@task
def double(x: int) -> int:
    return 2 * x

@workflow
def asking(x: int) -> int:
    return approve("go", double(x=wait_for_input("n", int)))
```
"""


def test_answers_stand_on_the_command_line(cli: Cli, folder: Path) -> None:
    """Each is read as the type of its gate says."""
    (folder / "page.md").write_text(PAGE)
    said = cli("run", "page.md", "asking", "--x", "1", "--answer", "n=21", "--answer", "go=yes", "--quiet")
    assert (said.code, said.out.strip()) == (0, "42")
    said = cli("run", "page.md", "asking", "--x", "1", "--answer", "n=many", "--quiet")
    assert said.code == 1
    assert "the answer to gate 'n' must be int, got 'many'" in said.err


def test_without_a_terminal_an_open_gate_fails(cli: Cli, folder: Path) -> None:
    """At once, telling the option."""
    (folder / "page.md").write_text(PAGE)
    said = cli("run", "page.md", "asking", "--x", "1")
    assert said.code == 1
    assert "celltask run … --answer n=…" in said.err


def test_wrong_answers_are_told(cli: Cli, folder: Path) -> None:
    """Without a name, for no gate, and for a task."""
    (folder / "page.md").write_text(PAGE)
    said = cli("run", "page.md", "asking", "--x", "1", "--answer", "yes")
    assert said.code == 2
    assert "--answer takes NAME=VALUE, not 'yes'" in said.err
    said = cli("run", "page.md", "asking", "--x", "1", "--answer", "m=1")
    assert "workflow 'asking' has no gate 'm' to answer" in said.err
    said = cli("run", "page.md", "double", "--x", "1", "--answer", "m=1")
    assert "'double' is a task, and has no gates" in said.err
