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


CONTROL = """
```{code-cell}
from celltask import dynamic, map_task, preset, task, workflow

@task
def double(x: int) -> int:
    return 2 * x

@dynamic
def doubled(x: int, times: int = 2) -> int:
    for _ in range(times):
        x = double(x=x)
    return x

@workflow
def mapped(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)

eightfold = preset(doubled, "eightfold", fixed={"times": 3})
other = preset(doubled, "plain", fixed={"times": 0})
```
"""


def test_dynamic_workflows_and_presets_run_by_name(cli: Cli, folder: Path) -> None:
    """They are listed beside the other workflows, and have options like them."""
    (folder / "page.md").write_text(CONTROL)
    assert cli("run", "page.md", "doubled", "--x", "3", "--quiet").out.strip() == "12"
    assert cli("run", "page.md", "eightfold", "--x", "1", "--quiet").out.strip() == "8"
    assert cli("run", "page.md", "mapped", "--xs", "1", "--xs", "2", "--quiet").out.strip() == "[2, 4]"
    assert cli("run", "page.md", "plain", "--x", "1", "--quiet").out.strip() == "1"
    listed = cli("tasks", "page.md").out
    assert all(name in listed for name in ("doubled", "eightfold", "mapped"))
    assert "--times" not in cli("run", "page.md", "eightfold", "--help").out
