"""What the tests of the documentation read: its pages, their fences, and shell examples of pages without a header."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jupytext  # type: ignore[import-untyped]  # it has no types

from celltask.documents.reader import read_document
from celltask.documents.shell.blocks import shell_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

    from celltask.documents.outline import DocumentText
    from celltask.documents.shell.blocks import ShellBlock

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)(?P=ticks)`*[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_INSTALLS = re.compile(r"^pip install .*? && ")


class Fence(NamedTuple):
    """A fenced block of a page."""

    line: int
    info: str
    text: str


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


def examples_of(page: Path) -> tuple[DocumentText, list[ShellBlock]]:
    """A page that cannot ask for its shell examples, and what they are: GitHub would show its header and its options.

    What installs celltask is left out of a command, and so are examples that have no command of celltask itself.
    """
    document = read_document(page)
    found = []
    for block in shell_blocks(document, choice="run"):
        kept = [one._replace(text=_INSTALLS.sub("", one.text)) for one in block.commands]
        if all(one.text.startswith("celltask ") for one in kept):
            found.append(block._replace(commands=tuple(kept)))
    return document, found
