"""Which fences are shell examples, what their commands are, and which are run."""

from __future__ import annotations

import pytest

from celltask.documents.outline import Block, DocumentText
from celltask.documents.shell.blocks import is_shell, shell_blocks
from celltask.documents.shell.commands import Command, commands_in
from celltask.documents.shell.unfinished import is_unfinished
from celltask.errors import DocumentError

HEADER = "---\ncelltask: {shell: run}\n---\n"


def page(*blocks: Block, text: str = "") -> DocumentText:
    """A page that holds these blocks."""
    return DocumentText("page.md", "myst", (), text, blocks=blocks)


def block(argument: str = "console", source: str = "$ ls\n", directive: str = "code-block", **options: str) -> Block:
    """A block at line 5."""
    return Block(directive, argument, source, 5, 6, 8, options=options)


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        (block("console"), True),
        (block("Bash"), True),
        (block("sh", directive=""), True),
        (block("", "celltask run task.py train\n"), True),
        (block("", "\n$ ls\n", directive=""), True),
        (block("", "ls\n", directive=""), False),
        (block("python", "$ ls\n"), False),
        (block("", "$ ls\n", directive="output"), False),
    ],
)
def test_a_fence_is_a_shell_example_by_its_language_or_its_beginning(found: Block, *, meant: bool) -> None:
    """Without a language, only a prompt or a call of celltask makes it one."""
    assert is_shell(found) is meant


@pytest.mark.parametrize(
    ("source", "commands"),
    [
        ("$ ls\na\n\nb\n$ pwd\n", [("ls", 6, ("a", "", "b"), 0), ("pwd", 10, (), 0)]),
        ("$ false\nno\n[1]\n", [("false", 6, ("no",), 1)]),
        ("$ false\n$ echo $?\n1\n", [("false", 6, (), None), ("echo $?", 7, ("1",), 0)]),
        ("$ a \\\n    -b\nc\n", [("a \\\n    -b", 6, ("c",), 0)]),
        ("$ for x in 1; do\n> echo $x\n> done\n1\n", [("for x in 1; do\necho $x\ndone", 6, ("1",), 0)]),
        ("$ cat <<E\n$ x\nE\ny\n", [("cat <<E\n$ x\nE", 6, ("y",), 0)]),
        ("$ echo 'a\nb'\na\n", [("echo 'a\nb'", 6, ("a",), 0)]),
        ("# first\n$ a\n# then\n$ b\n", [("a", 7, (), 0), ("b", 9, (), 0)]),
        ("(.venv) $ a\n", [("a", 6, (), 0)]),
        ("% a\nb\n", [("a", 6, ("b",), 0)]),
        ("# a comment\n", []),
    ],
)
def test_a_console_is_read_as_commands_and_what_they_print(source: str, commands: list[tuple[object, ...]]) -> None:
    """Each prompt begins a command, at its own line; what stands below it is its output."""
    found = commands_in(source, 6)
    assert [(one.text, one.line, one.expected, one.exit_code) for one in found] == commands


def test_an_example_without_prompts_is_one_script() -> None:
    """It is run as a whole, with the exit code that its option says."""
    assert commands_in("\ncd x\nls\n", 6, exit_code=2) == (Command("cd x\nls", 7, 8, exit_code=2, is_script=True),)


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        ("echo it\\'s", False),
        ('echo "a', True),
        ("ls |", True),
        ("a &&", True),
        ("cat <<-'E'\n\tx\n\tE", False),
        ("cat <<< x", False),
        ("echo a#'b", True),
        ("ls # |", False),
        ("a \\", True),
        ('echo "\\"', True),
    ],
)
def test_a_command_goes_on_while_a_shell_would_wait(text: str, *, waits: bool) -> None:
    """Quotations, heredocs, operators and backslashes at the end are unfinished."""
    assert is_unfinished(text) is waits


def test_examples_are_run_when_the_document_or_a_block_asks_for_it() -> None:
    """A block can be switched on and off, and the person who tests can run or skip all."""
    blocks = (block(), block(run=""), block(run="false"), block(skip=""))
    assert [one.runs for one in shell_blocks(page(*blocks))] == [False, True, False, False]
    assert [one.runs for one in shell_blocks(page(*blocks, text=HEADER))] == [True, True, False, False]
    assert [one.runs for one in shell_blocks(page(*blocks), choice="run")] == [True, True, False, False]
    assert [one.runs for one in shell_blocks(page(*blocks, text=HEADER), choice="skip")] == [False] * 4


def test_examples_are_named_by_their_number_or_their_option() -> None:
    """A name that is taken gets a number."""
    blocks = (block(), block(name="install"), block(name="install"), block())
    found = shell_blocks(page(*blocks), taken=["shell-4"])
    assert [one.name for one in found] == ["shell-1", "install", "install-2", "shell-4-2"]


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (
            {"exit": "x"},
            "the option exit cannot be 'x'\n  at: page.md, line 5\n  mend: write a number, for example :exit: 2",
        ),
        ({"run": "x"}, "the option run cannot be 'x'\n  at: page.md, line 5\n  mend: write :run: or :run: false"),
        (
            {"timeout": "0"},
            "the option timeout cannot be '0'\n  at: page.md, line 5\n  mend: write seconds, for example :timeout: 60",
        ),
    ],
    ids=["exit", "run", "timeout"],
)
def test_an_option_that_cannot_be_meant_is_refused(option: dict[str, str], told: str) -> None:
    """With the line of the block, and an example of a good one."""
    with pytest.raises(DocumentError) as caught:
        shell_blocks(page(block(**option)))
    assert str(caught.value) == told
