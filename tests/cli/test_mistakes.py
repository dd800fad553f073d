"""Wrong command lines: one message that tells what, where and how to mend it, exit code 2, no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command_line import Cli, Said

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADDING: list[tuple[str, str]] = [
    (
        "run adding.py add",
        "add needs a value for --a\n  at: adding.py, line 5\n  mend: celltask run adding.py add --a INT",
    ),
    (
        "run adding.py add --a x",
        "--a takes int, not 'x'\n  at: celltask run adding.py add --a x\n  mend: write for example --a 3",
    ),
    (
        "run adding.py add --a 1.0",
        "--a takes int, not '1.0'\n  at: celltask run adding.py add --a 1.0\n  mend: write for example --a 3",
    ),
    ("run adding.py add --a", "--a needs a value\n  at: celltask run adding.py add\n  mend: write --a VALUE"),
    (
        "run adding.py add --a --b 2",
        (
            "--a needs a value, and --b follows it\n  at: celltask run adding.py add\n"
            "  mend: write --a=--b if that is the value"
        ),
    ),
    (
        "run adding.py add --a 1 --a 2",
        "--a is given 2 times\n  at: celltask run adding.py add --a 1 --a 2\n  mend: give it once",
    ),
    (
        "run adding.py half_sum --aa 1",
        "there is no input or option --aa\n  at: celltask run adding.py half_sum\n  mend: did you mean --a?",
    ),
    (
        "run adding.py add --engin inline",
        "there is no input or option --engin\n  at: celltask run adding.py add\n  mend: did you mean --engine?",
    ),
    (
        "run adding.py add -x 1",
        (
            "there is no input or option -x\n  at: celltask run adding.py add\n"
            "  mend: use one of: --a, --b, --engine, --json, --save, --answer, "
            "--inputs-file, --execute-all, --refresh, --dry-run, --quiet"
        ),
    ),
    (
        "run adding.py add 3 4",
        "'3' stands alone\n  at: celltask run adding.py add\n  mend: give each input by its name: --a, --b",
    ),
    (
        "run adding.py add -- 3",
        "'--' stands alone\n  at: celltask run adding.py add\n  mend: give each input by its name: --a, --b",
    ),
    (
        "run adding.py halve 3",
        "'3' stands alone\n  at: celltask run adding.py halve\n  mend: write --number 3",
    ),
    (
        "run adding.py add --a 1 --engine cloud",
        (
            "there is no engine 'cloud'\n  at: celltask run adding.py add --engine cloud\n"
            "  mend: use one of: dask, inline, processes, threads"
        ),
    ),
    (
        "run adding.py add --a 1 --json=yes",
        "option '--json' does not take a value\n  at: celltask run\n  mend: `celltask run --help` tells the options",
    ),
    ("run adding.py ad --a 1", "no task or workflow is called 'ad'\n  at: adding.py\n  mend: did you mean 'add'?"),
    (
        "run adding.py zzz",
        "no task or workflow is called 'zzz'\n  at: adding.py\n  mend: use one of: add, halve, half_sum",
    ),
    ("run", "FILE is missing\n  at: celltask run\n  mend: `celltask run --help` tells the options"),
    (
        "run --foo adding.py",
        "there is no option --foo\n  at: celltask run\n  mend: `celltask run --help` tells the options",
    ),
    ("run --jsn adding.py", "there is no option --jsn\n  at: celltask run\n  mend: did you mean --json?"),
    ("runn adding.py", "there is no command 'runn'\n  at: celltask\n  mend: did you mean 'run'?"),
    ("adding.py", "there is no command 'adding.py'\n  at: celltask\n  mend: to run it: celltask run adding.py"),
    ("--foo", "there is no option --foo\n  at: celltask\n  mend: `celltask --help` tells the options"),
    ("tasks", "FILE is missing\n  at: celltask tasks\n  mend: `celltask tasks --help` tells the options"),
    (
        "tasks adding.py more",
        "got unexpected extra argument (more)\n  at: celltask tasks\n  mend: `celltask tasks --help` tells the options",
    ),
    (
        "graph adding.py --format png",
        (
            "--format takes one of: text, svg, html, mermaid, json\n  at: celltask graph\n"
            "  mend: `celltask graph --help` tells the options"
        ),
    ),
    (
        "graph adding.py add",
        "'add' is no workflow, and only workflows have a graph\n  at: adding.py\n  mend: use one of: half_sum",
    ),
    ("graph adding.py half", "no task or workflow is called 'half'\n  at: adding.py\n  mend: did you mean 'halve'?"),
    ("show adding.py hal", "no task or workflow is called 'hal'\n  at: adding.py\n  mend: did you mean 'halve'?"),
    (
        "run adding.py add --inputs-file none.json",
        (
            "the file 'none.json' cannot be read: No such file or directory\n"
            "  at: celltask run adding.py add --inputs-file\n  mend: looked in {folder}; check the path"
        ),
    ),
]


@pytest.mark.parametrize(("line", "message"), ADDING, ids=[line for line, _ in ADDING])
def test_a_wrong_command_line_is_told_in_one_message(
    cli: Cli, add_py: str, folder: Path, line: str, message: str
) -> None:
    """The whole message stands on standard error, and the exit code is 2."""
    assert add_py == "adding.py"
    assert cli(*line.split()) == Said(2, "", f"{message.replace('{folder}', str(folder))}\n")


KINDS: list[tuple[list[str], str]] = [
    (["--verbose", "maybe"], "--verbose takes bool, not 'maybe'|--verbose maybe|write true or false"),
    (["--day", "2026-02-30"], "--day takes date, not '2026-02-30'|--day 2026-02-30|write it like 2026-01-31"),
    (
        ["--colour", "blue"],
        "--colour takes one of Colour.RED, Colour.GREEN, not 'blue'|--colour blue|write for example --colour RED",
    ),
    (["--mode", "x"], "--mode takes one of 'fast', 'slow', not 'x'|--mode x|write for example --mode fast"),
    (
        ["--numbers", "1", "--numbers", "b"],
        "--numbers takes int, not 'b'|--numbers b|write for example --numbers 3 --numbers 3",
    ),
    (
        ["--numbers", "[1,"],
        ("--numbers takes list[int] as JSON, not '[1,'|--numbers '[1,'"
        "|Expecting value at line 1, column 4; write for example --numbers 3 --numbers 3"),
    ),
    (
        ["--numbers", "[1, true]"],
        "--numbers[1] takes int, not True|--numbers '[1, true]'|write for example --numbers 3 --numbers 3",
    ),
    (["--pair", "[1]"], "--pair takes tuple[int, str], not [1]|--pair '[1]'|it takes 2 values, and this has 1"),
    (
        ["--settings", '{"rate": "x", "names": []}'],
        ("""--settings.rate takes float, not 'x'|--settings '{"rate": "x", "names": []}'"""
        """|write for example --settings '{"rate": 0.5, "names": ["text"]}'"""),
    ),
    (
        ["--table", "{'a': 1}"],
        ("""--table takes dict[str, float] as JSON, not "{'a': 1}"|--table "{'a': 1}\""""
        """|JSON wants double quotes: '{"a": 1}'"""),
    ),
    (
        ["--table", "{a: 1}"],
        (
            """--table takes dict[str, float] as JSON, not '{a: 1}'|--table '{a: 1}'"""
            """|JSON wants double quotes: '{"a": 1}'"""
        ),
    ),
    (
        ["--table", "{a; 1}"],
        ("""--table takes dict[str, float] as JSON, not '{a; 1}'|--table '{a; 1}'"""
        "|Expecting property name enclosed in double quotes at line 1, column 2; "
        """write for example --table '{"key": 0.5}'"""),
    ),
    (["--no-verbose=1"], "--no-verbose takes no value|--no-verbose=1|write --verbose=1"),
    (
        ["--numbers", "@none.json"],
        (
            "the file 'none.json' cannot be read: No such file or directory|--numbers @none.json"
            "|looked in {folder}; check the path"
        ),
    ),
    (["--numbers", "@."], "the file '.' cannot be read: Is a directory|--numbers @.|check its name and content"),
    (["--maybe-many", "1", "--maybe-many", "none"], ("--maybe-many takes float, not 'none'|--maybe-many none"
     "|write for example --maybe-many 0.5 --maybe-many 0.5")),
]  # fmt: skip


@pytest.mark.parametrize(("words", "told"), KINDS, ids=[" ".join(words) for words, _ in KINDS])
def test_a_wrong_value_is_told_with_its_option_and_an_example(
    cli: Cli, kinds_py: str, folder: Path, words: list[str], told: str
) -> None:
    """The message names the option, what it takes and what came, the words as typed, and what would be right."""
    what, typed, mend = told.replace("{folder}", str(folder)).split("|")
    said = cli("run", kinds_py, *words)
    assert said == Said(2, "", f"{what}\n  at: celltask run many_kinds.py {typed}\n  mend: {mend}\n")


def test_what_a_class_of_the_users_refuses_is_told(cli: Cli, kinds_py: str) -> None:
    """An exception from the constructor of an input's class is a wrong value, not a failure."""
    said = cli("run", kinds_py, "--settings", '{"rate": -1, "names": []}')
    assert said.code == 2
    assert said.err.startswith("--settings")
    assert "rate below 0" in said.err
    assert "Traceback" not in said.err


FILES: list[tuple[str, str]] = [
    ("[1]", 'the inputs are no JSON object\n  at: inputs.json\n  mend: write for example {"a": 3, "b": 3}'),
    ('{"a": 1 "b": 2}', ("this is not JSON: Expecting ',' delimiter\n"
     "  at: inputs.json, line 1, column 9\n  mend: mend that place")),
    ('{"a": 1, "c": 2}', "there is no input 'c'\n  at: inputs.json\n  mend: use one of: a, b"),
    ('{"a": "1"}', "\"a\" takes int, not '1'\n  at: inputs.json\n  mend: write for example {\"a\": 3}"),
    ("", "this is not JSON: Expecting value\n  at: inputs.json, line 1, column 1\n  mend: mend that place"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), FILES)
def test_a_wrong_inputs_file_is_told_with_its_place(
    cli: Cli, add_py: str, folder: Path, text: str, message: str
) -> None:
    """The message names the file, and the line and column where it is no JSON."""
    (folder / "inputs.json").write_text(text)
    assert cli("run", add_py, "add", "--inputs-file", "inputs.json") == Said(2, "", f"{message}\n")


def test_every_missing_input_is_named_at_once(cli: Cli, folder: Path) -> None:
    """Nobody has to find them one by one, and the mend can be typed after filling it in."""
    (folder / "needy.py").write_text(
        "from celltask import task\n@task\n"
        "def needy(rate: float, test_size: int, on: bool, to: dict) -> int:\n    return 1\n"
    )
    assert cli("run", "needy.py", "--test-size", "3").err == (
        "needy needs a value for --rate, --on and --to\n"
        "  at: needy.py, line 2\n"
        "  mend: celltask run needy.py --rate FLOAT --on --to JSON\n"
    )


DOCUMENTS: list[tuple[str, str | bytes, str, str]] = [
    ("none.py", "", "there is no such document", ""),
    ("empty.py", "\n", "the document is empty", ""),
    ("plain.py", "x = 1\n", "the document defines no task or workflow", "put %%task above a function, or @task"),
    ("two.py", "from celltask import task\n@task\ndef a() -> int: ...\n@task\ndef b() -> int: ...\n",
     "the document defines 2 tasks", "name one of: a, b"),
    ("binary.md", b"\0\1", "this is binary data, not text", ""),
    ("latin.md", "```{code-cell}\nx = 'é'\n```".encode("latin-1"), "byte 0xe9 is not UTF-8", ""),
    ("odd.txt", "x", "the name ends in .txt, which says no known format", ""),
    ("prose.md", "# Only prose\n", "the document has no Python cell", ""),
    ("broken.ipynb", "{", "", ""),
    ("syntax.py", "def f(:\n", "this is not Python: invalid syntax: def f(:", "mend that line"),
    ("syntax.md", "```{code-cell}\nx = 1\n```\n\n```{code-cell}\n\ny = (\n```\n",
     "this is not Python: '(' was never closed: y = (",
     "mend that line"),
    ("raises.py", "import os\n\n1 / 0\n",
     "the document raises ZeroDivisionError: division by zero", "mend that statement"),
    ("exits.py", "import sys\nsys.exit('bye')\n", "", ""),
    ("untyped.py", "from celltask import task\n@task\ndef f(x):\n    return x\n", "input 'x' of task 'f' has no type",
     "write its type, for example x: int"),
    ("missing.py", "import no_such_thing.at_all\n",
     "the document raises ModuleNotFoundError: No module named 'no_such_thing'",
     "install no_such_thing, or put its folder on sys.path"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "what", "mend"), DOCUMENTS, ids=[row[0] for row in DOCUMENTS])
@pytest.mark.parametrize("command", ["run", "tasks", "graph", "show"])
def test_a_document_that_cannot_be_used_is_told_in_one_message(  # noqa: PLR0913, PLR0917 - a table and its fixtures
    cli: Cli, folder: Path, command: str, name: str, content: str | bytes, what: str, mend: str
) -> None:
    """Every command refuses it with what, where and mend, and never shows a traceback."""
    if content:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    said = cli(command, name)
    if command == "tasks" and name in ("plain.py", "two.py"):
        assert said.code == 0
        return
    lines = said.err.splitlines()
    assert said.code == 2
    assert "Traceback" not in said.err
    assert lines[1].startswith("  at: ")
    assert len(lines) <= 3
    if command == "run":
        assert lines[0] == what or not what
        assert lines[2:] == [f"  mend: {mend}"] or not mend


def test_the_place_of_a_mistake_in_a_document_is_told(cli: Cli, folder: Path) -> None:
    """A page's mistakes are told with cell and line, and with the line itself where a statement raised."""
    (folder / "syntax.md").write_text("```{code-cell}\nx = 1\n```\n\n```{code-cell}\n\ny = (\n```\n")
    assert "  at: syntax.md, cell 2, line 7\n" in cli("tasks", "syntax.md").err
    (folder / "raises.md").write_text(
        "```{code-cell}\ndef half(n):\n    return n / 0\n```\n\n```{code-cell}\nK = half(3)\n```\n"
        "```{code-cell}\n%%task\ndef f() -> float:\n    return K\n```\n"
    )
    assert "  at: raises.md, cell 1, line 3: return n / 0\n" in cli("run", "raises.md").err
    (folder / "raising.py").write_text("import os\n\n1 / 0\n")
    assert "  at: raising.py, line 3: 1 / 0\n" in cli("run", "raising.py").err


def test_standard_input_is_given_only_once(process: Callable[..., Said], kinds_py: str) -> None:
    """Two options that both want standard input are told, instead of one of them being empty."""
    said = process("run", kinds_py, "--numbers", "-", "--names", "-", input_text="[]")
    assert said.err == (
        "standard input is wanted by --numbers and by --names\n"
        "  at: celltask run many_kinds.py\n"
        "  mend: write one of them to a file and give its name: @file\n"
    )
    assert process("run", kinds_py, "--text", "-", input_text=b"\xff").err == (
        "standard input is not UTF-8\n  at: celltask run many_kinds.py\n  mend: convert it to UTF-8\n"
    )


def test_a_picture_that_cannot_be_written_is_told(cli: Cli, add_py: str) -> None:
    """-o into a folder that does not exist is a message, not a traceback."""
    where = "no/such/g.json"
    assert cli("graph", add_py, "-o", where) == Said(
        2,
        "",
        f"the picture cannot be written: No such file or directory\n  at: {where}\n  mend: give another place to -o\n",
    )
