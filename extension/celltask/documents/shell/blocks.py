"""The shell examples of a document: which fences are some, what they are called, and whether they are to be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.shell.asking import block_choice, document_runs, exit_code_of, timeout_of
from celltask.documents.shell.commands import Command, commands_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from celltask.documents.outline import Block, DocumentText
    from celltask.documents.shell.asking import Choice

__all__ = ["ShellBlock", "asked_blocks", "is_shell", "shell_blocks"]

_LANGUAGES = frozenset({"console", "bash", "sh", "shell", "zsh", "shell-session", "shellsession", "sh-session"})
_DIRECTIVES = frozenset({"", "code-block", "code", "sourcecode"})


class ShellBlock(NamedTuple):
    """One shell example, taken apart."""

    name: str
    """``"shell-2"`` for the second of the document, or what the option ``name`` says."""
    line: int
    """Line of the first command, from 1."""
    commands: tuple[Command, ...]
    runs: bool
    """Whether it is to be run."""
    reason: str = ""
    """Why it is not run; empty if it is, or if nobody asked for it."""
    timeout_s: float | None = None
    """Seconds that it may take by its own option."""


def is_shell(block: Block) -> bool:
    r"""Whether a fence is a shell example: by its language or, without one, by how it begins.

    >>> from celltask.documents.outline import Block
    >>> is_shell(Block("code-block", "", "celltask run task.py train\n", 1, 2, 3))
    True
    """
    if block.directive not in _DIRECTIVES:
        return False
    if block.language:
        return block.language in _LANGUAGES
    return block.source.lstrip().startswith("celltask ") or block.source.lstrip().startswith("$ ")


def shell_blocks(
    document: DocumentText, *, choice: Choice = "document", taken: Collection[str] = ()
) -> list[ShellBlock]:
    r"""The shell examples of `document`, in its order; those without a command are left out.

    Args:
        document: The document.
        choice: Whether they are run: as the document says, all, or none.
        taken: Names that other parts of the document have.

    Raises:
        DocumentError: If an option of a block or of the header cannot be read.

    >>> from celltask.documents.outline import Block, DocumentText
    >>> page = DocumentText("page.md", "myst", (), "", blocks=(Block("", "bash", "ls\n", 1, 2, 3),))
    >>> [(block.name, block.line, block.runs) for block in shell_blocks(page, choice="run")]
    [('shell-1', 2, True)]
    """
    all_run = choice == "run" or document_runs(document)
    lines = document.lines
    names = set(taken)
    found: list[ShellBlock] = []
    for number, block in enumerate(document.blocks):
        if not is_shell(block):
            continue
        where = f"{document.path}, line {block.line}"
        commands = commands_in(block.source, block.first_line, exit_code=exit_code_of(block, where))
        if not commands:
            continue
        commands = tuple(command._replace(options=block.options) for command in commands)
        if commands[0].is_script and number + 1 < len(document.blocks):
            commands = (_with_fence(commands[0], block, document.blocks[number + 1], lines),)
        own = block_choice(block, where)
        reason = _reason(own, choice)
        runs = not reason and (all_run or own == "run")
        name = next(_names(str(block.options.get("name") or "").strip(), len(found) + 1, names))
        names.add(name)
        found.append(ShellBlock(name, commands[0].line, commands, runs, reason, timeout_of(block, where)))
    return found


def asked_blocks(document: DocumentText, *, choice: Choice, taken: Collection[str] = ()) -> list[ShellBlock]:
    """The shell examples that are to be run, and, if there are some, those of which it is said that they are not.

    Args: as of `shell_blocks`, and so are the errors.
    """
    blocks = shell_blocks(document, choice=choice, taken=taken)
    asked = any(block.runs for block in blocks)
    return [block for block in blocks if block.runs or (asked and block.reason)]


def _reason(own: Choice, choice: Choice) -> str:
    if own == "skip":
        return "the document says so"
    return "--celltask-shell=skip" if choice == "skip" else ""


def _names(given: str, number: int, taken: Collection[str]) -> Iterator[str]:
    """Names that the example could have, best first."""
    first = given or f"shell-{number}"
    if first not in taken:
        yield first
    second = 2
    while f"{first}-{second}" in taken:
        second += 1
    yield f"{first}-{second}"


def _with_fence(script: Command, block: Block, below: Block, lines: list[str]) -> Command:
    """The script with the output that an ``{output}`` fence right below its block shows."""
    between = lines[block.last_line : below.line - 1]
    if below.directive != "output" or any(line.removeprefix(block.prefix).strip() for line in between):
        return script
    shown = below.source.rstrip().split("\n")
    expected = tuple(shown) if any(shown) else ()
    return script._replace(expected=expected, expected_line=below.first_line, options=below.options)
