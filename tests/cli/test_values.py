"""Values from the command line: every kind of type, files, standard input, lists, flags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Cli, Said


@pytest.mark.parametrize(
    ("words", "name", "shown"),
    [
        ("--whole -3", "whole", "-3"),
        ("--whole=-3", "whole", "-3"),
        ("--whole 0x10", "whole", "16"),
        ("--real -1e3", "real", "-1000.0"),
        ("--real inf", "real", "inf"),
        ("--real 3", "real", "3.0"),
        ("--text=--x", "text", "'--x'"),
        ("--text=", "text", "''"),
        ("--text=a=b", "text", "'a=b'"),
        ("--text -x", "text", "'-x'"),
        ("--text [1]", "text", "'[1]'"),
        ("--verbose", "verbose", "True"),
        ("--no-verbose", "verbose", "False"),
        ("--verbose true", "verbose", "True"),
        ("--verbose=no", "verbose", "False"),
        ("--verbose --whole 2", "verbose", "True"),
        ("--day 2026-02-28", "day", "datetime.date(2026, 2, 28)"),
        ("--moment 2026-02-28T10:30", "moment", "datetime.datetime(2026, 2, 28, 10, 30)"),
        ("--wait 1h", "wait", "datetime.timedelta(seconds=3600)"),
        ("--colour GREEN", "colour", "<Colour.GREEN: 'g'>"),
        ("--colour green", "colour", "<Colour.GREEN: 'g'>"),
        ("--colour g", "colour", "<Colour.GREEN: 'g'>"),
        ("--mode slow", "mode", "'slow'"),
        ("--level 2", "level", "2"),
        ("--where /tmp", "where", "PosixPath('/tmp')"),
        ("--maybe 4", "maybe", "4"),
        ("--maybe none", "maybe", "None"),
        ("--maybe-flag", "maybe_flag", "True"),
        ("--no-maybe-flag", "maybe_flag", "False"),
        ("--maybe_flag none", "maybe_flag", "None"),
        ("--numbers 1 --numbers -2", "numbers", "[1, -2]"),
        ("--numbers 1", "numbers", "[1]"),
        ("--numbers [1,2]", "numbers", "[1, 2]"),
        ("--numbers []", "numbers", "[]"),
        ("--names a", "names", "['a']"),
        ('--names ["a","b"]', "names", "['a', 'b']"),
        ("--names [a --names b", "names", "['[a', 'b']"),
        ("--grid [[1],[2]]", "grid", "[[1], [2]]"),
        ("--grid [1] --grid [2,3]", "grid", "[[1], [2, 3]]"),
        ("--tags a --tags a", "tags", "{'a'}"),
        ("--many 1 --many 2", "many", "(1, 2)"),
        ('--pair [2,"b"]', "pair", "(2, 'b')"),
        ('--table {"a":1}', "table", "{'a': 1.0}"),
        ('--settings {"rate":2,"names":["z"]}', "settings", "Settings(rate=2.0, names=['z'])"),
        ("--point [1,2]", "point", "Point(x=1, y=2)"),
        ('--anything {"a":[null]}', "anything", "{'a': [None]}"),
        ("--anything word", "anything", "'word'"),
        ("--maybe-many 1.5 --maybe-many 2", "maybe_many", "[1.5, 2.0]"),
        ("--maybe-many none", "maybe_many", "None"),
        ("--maybe_many=[1]", "maybe_many", "[1.0]"),
        ("--_hidden 4", "_hidden", "4"),
    ],
)
def test_a_value_of_every_kind_is_read(cli: Cli, kinds_py: str, words: str, name: str, shown: str) -> None:
    """What is written becomes a value of the declared type, in kebab or snake case, with ``=`` or without."""
    said = cli("run", kinds_py, "kinds", "--quiet", *words.split())
    assert (said.code, said.err) == (0, "")
    assert f"'{name}': {shown}, " in said.out.replace("}\n", ", ")


def test_a_value_may_come_from_a_file(cli: Cli, kinds_py: str, folder: Path) -> None:
    """``@file`` is the content of the file, read as the type reads a text; ``@@`` stands for an ``@``."""
    (folder / "numbers.json").write_text("[1,\n 2]\n")
    (folder / "settings.json").write_text('{"rate": 2, "names": []}')
    words = ["--numbers", "@numbers.json", "--settings=@settings.json", "--text", "@@x", "--where", "@numbers.json"]
    out = cli("run", kinds_py, "--quiet", *words).out
    for told in (
        "'numbers': [1, 2]", "'settings': Settings(rate=2.0, names=[])", "'text': '@x'", "PosixPath('@numbers.json')",
    ):  # fmt: skip
        assert told in out


def test_a_value_may_come_from_standard_input(process: Callable[..., Said], kinds_py: str) -> None:
    """``-`` and ``@-`` stand for standard input; ``=-`` is just a dash, and a path may be a dash."""
    out = process("run", kinds_py, "--quiet", "--numbers", "-", "--text=-", "--where", "-", input_text="[7]\n").out
    assert "'numbers': [7]" in out
    assert "'text': '-'" in out
    assert "PosixPath('-')" in out
    assert "'text': 'a\\nb'" in process("run", kinds_py, "--quiet", "--text=@-", input_text="a\nb").out


def test_inputs_may_come_from_a_file_and_the_command_line_wins(cli: Cli, add_py: str, folder: Path) -> None:
    """--inputs-file gives values by name; an option beside it wins."""
    (folder / "inputs.json").write_text('{"a": 1, "b": 10}')
    assert cli("run", add_py, "add", "--inputs-file", "inputs.json").out == "11\n"
    assert cli("run", add_py, "add", "--b", "5", "--inputs-file=inputs.json").out == "6\n"
    assert cli("run", "--inputs-file", "inputs.json", add_py, "add").out == "11\n"


def test_an_inputs_file_takes_json_forms_and_kebab_names(cli: Cli, kinds_py: str, folder: Path) -> None:
    """In an inputs file an Enum is its name, a date ISO 8601, a list a list; names may have dashes."""
    given = {"colour": "GREEN", "day": "2026-02-03", "maybe-many": [1], "settings": {"rate": 1, "names": []}}
    (folder / "inputs.json").write_text(json.dumps(given))
    out = cli("run", kinds_py, "--quiet", "--inputs-file", "inputs.json").out
    for told in ("<Colour.GREEN: 'g'>", "datetime.date(2026, 2, 3)", "'maybe_many': [1.0]", "Settings(rate=1.0"):
        assert told in out


def test_inputs_may_come_from_standard_input(process: Callable[..., Said], add_py: str) -> None:
    """``--inputs-file -`` reads the object from standard input."""
    assert process("run", add_py, "add", "--inputs-file", "-", input_text='{"a": 4}').out == "6\n"


def test_an_input_may_be_called_like_the_negation_of_another(cli: Cli, folder: Path) -> None:
    """With inputs `cache` and `no_cache`, ``--no-cache`` is the second one."""
    (folder / "negative.py").write_text(
        "from celltask import task\n@task\n"
        "def both(cache: bool, no_cache: bool) -> str:\n    return f'{cache} {no_cache}'\n"
    )
    assert cli("run", "negative.py", "--cache", "--no-cache").out == "True True\n"
    assert cli("run", "negative.py", "--cache", "false", "--no-no-cache").out == "False False\n"


def test_new_types_and_names_beyond_ascii_are_read(cli: Cli, folder: Path) -> None:
    """A `NewType` is read as what it stands for, and an input may have any identifier."""
    (folder / "naming.py").write_text(
        "from typing import NewType\nfrom celltask import task\nIds = NewType('Ids', list[int])\n"
        "@task\ndef ids(größe_x: Ids, C: float) -> str:\n    return f'{größe_x} {C}'\n",
        encoding="utf-8",
    )
    assert cli("run", "naming.py", "--größe-x", "1", "--größe_x", "2", "--C", "0.1").out == "[1, 2] 0.1\n"
