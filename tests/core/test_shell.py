"""Shell tasks: scripts with typed inputs and files as outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from celltask import OutputLocation, ShellTask, kwtypes, workflow
from celltask.errors import InterfaceError, TaskExitError


def test_values_are_quoted_so_that_none_becomes_a_command(tmp_path: Path) -> None:
    """A value with shell syntax in it stays a value."""
    write = ShellTask(
        "write",
        script="printf %s {inputs.text} > {outputs.file}",
        inputs=kwtypes(text=str, folder=Path),
        output_locs=[OutputLocation("file", Path, "{inputs.folder}/out.txt")],
    )
    evil = "a; touch pwned `touch pwned` $(touch pwned) '\""
    made = write(text=evil, folder=tmp_path)
    assert made.read_text() == evil  # type: ignore[attr-defined]  # a Path
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.txt"]


def test_output_goes_where_print_would(capsys: pytest.CaptureFixture[str]) -> None:
    """What the script writes is seen, and braces can be escaped."""
    ShellTask("show", script="echo '{{n}}' {inputs.n}", inputs=kwtypes(n=int))(n=3)
    assert capsys.readouterr().out == "{n} 3\n"


def test_a_failing_script_tells_exit_code_and_stderr() -> None:
    """Another exit code than 0 is an error with the last lines of standard error."""
    fail = ShellTask("broken", script="echo gone wrong >&2; exit 3")
    with pytest.raises(TaskExitError) as caught:
        fail()
    assert caught.value.what == "the script of task 'broken' ended with exit code 3\n    gone wrong"


def test_an_undeclared_name_in_the_script_is_refused_at_definition() -> None:
    """A script may name only what is declared."""
    with pytest.raises(InterfaceError, match=r"names \{inputs.y\}, which is not declared"):
        ShellTask("typo", script="echo {inputs.y}", inputs=kwtypes(x=int))


def test_a_shell_task_is_a_node_like_any_other(tmp_path: Path) -> None:
    """Shell and Python tasks join in one workflow."""
    touch = ShellTask(
        "touch_it",
        script="touch {outputs.file}",
        inputs=kwtypes(folder=Path),
        output_locs=[OutputLocation("file", Path, "{inputs.folder}/made")],
    )

    @workflow
    def wf(folder: Path) -> Path:
        return touch(folder=folder)  # type: ignore[return-value]  # a reference

    assert wf(folder=tmp_path).is_file()
    assert wf.graph.entities["touch_it"].kind == "shell"
