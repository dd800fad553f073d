"""What the tests of the documentation read: its pages, their fences, and the commands in their console blocks."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jupytext  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)(?P=ticks)`*[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_EXIT_CODE = "echo $?"


class Fence(NamedTuple):
    """A fenced block of a page."""

    line: int
    info: str
    text: str


class Command(NamedTuple):
    """A command that a page shows, what it shows of its output, and the exit code that it shows."""

    page: str
    line: int
    text: str
    output: str
    exit_code: int


def name_of(page: Path) -> str:
    """A page as test ids name it: ``"docs/guide/types.md"``."""
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    """The text of `page`; of a notebook, that of its Markdown cells."""
    if page.suffix != ".ipynb":
        return page.read_text(encoding="utf-8")
    return "\n\n".join(cell.source for cell in notebook(page).cells if cell.cell_type == "markdown") + "\n"


def fences(page: Path) -> Iterator[Fence]:
    """Every fenced block of `page`, in order."""
    text = text_of(page)
    for match in _FENCE.finditer(text):
        yield Fence(text.count("\n", 0, match.start()) + 1, match["info"].strip(), textwrap.dedent(match["text"]))


def prose(page: Path) -> str:
    """The text of `page` without its fenced blocks and its inline code."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text_of(page)))


def notebook(page: Path) -> NotebookNode:
    """The page as a notebook, read as JupyterLab with jupytext reads it."""
    return jupytext.read(page)  # type: ignore[no-any-return]  # as above


def has_cells(page: Path) -> bool:
    """Whether `page` holds anything to execute."""
    return any(fence.info.startswith("{code-cell}") for fence in fences(page))


def runs_its_commands(page: Path) -> bool:
    """Whether the commands of `page` are tests by its own header."""
    return re.search(r"^celltask:\n  shell: run$", text_of(page), re.MULTILINE) is not None


def commands(page: Path) -> list[Command]:
    """The `celltask` commands in the console blocks of `page`.

    In a block with ``$`` prompts all else is output, and ``$ echo $?`` shows the exit code of the command before it;
    in a block without prompts every line is a command.
    """
    found: list[Command] = []
    for fence in fences(page):
        if re.fullmatch(r"(\{code-block\} )?(console|shell|bash|sh)", fence.info):
            found += _commands_in(page, fence)
    return found


def _commands_in(page: Path, fence: Fence) -> Iterator[Command]:
    lines = re.sub(r"\\\n\s*", "", fence.text).splitlines()
    prompted = any(line.startswith("$ ") for line in lines)
    entries: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ ") or not prompted:
            entries.append((line.removeprefix("$ "), []))
        elif entries:
            entries[-1][1].append(line)
    for place, (text, output) in enumerate(entries):
        following = entries[place + 1] if place + 1 < len(entries) else ("", [])
        exit_code = int(following[1][0]) if following[0] == _EXIT_CODE else 0
        own = text.rpartition(" && ")[2]  # what stands before it installs celltask
        if re.match(r"(\w+ .* \| )?celltask ", own):
            yield Command(name_of(page), fence.line, own, "\n".join(output), exit_code)
