"""A task that fails: the user's own lines, the node, exit code 1; and what was written to whom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Cli, Said

FAILING = """
import json

from celltask import task, workflow


def parsed(text: str) -> list:
    return json.loads(text)


@task
def read(text: str) -> list:
    return parsed(text)


@task
def size(items: list) -> int:
    return len(items)


@workflow
def sizes(text: str = "[") -> int:
    return size(items=read(text=text))


@task
def wrong() -> int:
    return "one"


@task
def wrapped() -> int:
    try:
        return 1 // 0
    except ZeroDivisionError as error:
        error.add_note("a note of the user's")
        raise ValueError("two\\nlines") from error


@task
def deep(n: int) -> int:
    return deep_down(n)


def deep_down(n: int) -> int:
    return deep_down(n - 1) if n else 1 // 0


@task
def leave() -> int:
    raise SystemExit(3)
"""


def told(folder: Path, cli: Cli, name: str, *words: str) -> Said:
    """What is said of a failing task."""
    (folder / "failing.py").write_text(FAILING)
    return cli("run", "failing.py", name, *words)


def test_a_failure_shows_the_users_own_lines_and_the_node(cli: Cli, folder: Path) -> None:
    """Neither our frames nor the library's are shown; the node is named; later nodes are skipped; exit code 1."""
    said = told(folder, cli, "sizes")
    assert (said.code, said.out) == (1, "")
    table, message = said.err.split("json.decoder", 1)
    assert [line.split()[:3] for line in table.splitlines()[1:3]] == [
        ["n0", "read", "failed"],
        ["n1", "size", "skipped"],
    ]
    assert f"json.decoder{message}" == (
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1)\n"
        "  in: node n0 (read) of sizes\n"
        "  at: failing.py, line 13, in read\n"
        "        return parsed(text)\n"
        "  at: failing.py, line 8, in parsed\n"
        "        return json.loads(text)\n"
    )


def test_a_failure_as_json_is_told_on_both_sides(cli: Cli, folder: Path) -> None:
    """With --json the object has the error and its place, and people read it on standard error."""
    said = told(folder, cli, "sizes", "--json")
    data = json.loads(said.out)
    assert (said.code, data["state"], data["outputs"]) == (1, "failed", {})
    assert data["error"] == {
        "type": "JSONDecodeError", "message": "Expecting value: line 1 column 2 (char 1)", "at": "failing.py, line 8",
    }  # fmt: skip
    assert [node["state"] for node in data["nodes"]] == ["failed", "skipped"]
    assert said.err.startswith("json.decoder.JSONDecodeError")


def test_a_wrong_output_is_a_failure_with_its_mend(cli: Cli, folder: Path) -> None:
    """An error of ours inside a run keeps what, where and mend, and the exit code is 1."""
    said = told(folder, cli, "wrong", "--quiet")
    assert said.code == 1
    assert said.err.startswith("ValueMismatchError: output 'o0' of ")
    assert "celltask/core" not in said.err


def test_what_an_error_came_from_is_told_with_notes_of_the_users(cli: Cli, folder: Path) -> None:
    """A cause is told below, and notes that the user added stay."""
    lines = told(folder, cli, "wrapped", "--quiet").err.splitlines()
    assert lines[:2] == ["ValueError: two", "lines"]
    assert "  after ZeroDivisionError: integer division or modulo by zero" in lines
    assert "  a note of the user's" in lines


def test_a_deep_recursion_is_cut(cli: Cli, folder: Path) -> None:
    """A hundred frames are not a hundred lines."""
    lines = told(folder, cli, "deep", "--n", "100", "--quiet").err.splitlines()
    assert len(lines) < 32
    assert "  … 90 lines more …" in lines


def test_a_task_that_ends_the_process_is_a_failure(cli: Cli, folder: Path) -> None:
    """`sys.exit` in a task does not decide our exit code."""
    said = told(folder, cli, "leave")
    assert said.code == 1
    assert said.err.startswith("SystemExit: 3\n  in: leave\n  at: failing.py, line ")


def test_json_stands_alone_whatever_the_task_prints(process: Callable[..., Said], folder: Path) -> None:
    """Prints of the document, of the task and of programs it starts go to standard error."""
    (folder / "noisy.py").write_text(
        "import subprocess, sys\nfrom celltask import task\nprint('loading')\n"
        "@task\ndef noisy() -> int:\n    print('running')\n    subprocess.run(['echo', 'a program'])\n    return 1\n"
    )
    said = process("run", "noisy.py", "--json")
    assert json.loads(said.out)["outputs"] == {"o0": 1}
    assert sorted(said.err.split("\n")) == ["", "a program", "loading", "running"]
    for words in (["tasks", "noisy.py", "--json"], ["show", "noisy.py", "--json"]):
        json.loads(process(*words).out)
    assert process("run", "noisy.py", "--quiet").out.endswith("1\n")
