"""The `>>>` examples of a document: in fences of its prose, and in the docstrings of what its cells define."""

from __future__ import annotations

import ast
import doctest
import re
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.cell_options import tags_of
from celltask.documents.magics import tree_of
from celltask.documents.outline import PYTHON_NAMES, Block, Cell, DocumentText
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["DoctestBlock", "Example", "doctest_blocks"]

_PROMPT = re.compile(r"^[ \t]*>>>(?: |$)", re.MULTILINE)
_DIRECTIVES = frozenset({"", "code", "code-block", "sourcecode", "doctest"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NUMBER = "NUMBER"


class Example(NamedTuple):
    """One example: a statement, and what the prompt prints for it."""

    source: str
    want: str
    line: int
    """Of the statement in its file, from 1; within the cell for a notebook."""
    want_line: int
    flags: int = 0
    """Options of `doctest` for it."""
    exception: str | None = None
    """Class and message of the exception that it must raise."""


class DoctestBlock(NamedTuple):
    """Examples that share one test."""

    name: str
    """``"doctest-1"``, or ``"train_model-doctest"`` of a docstring; it stays when lines move."""
    cell: Cell
    """The cell with the docstring; for prose one that stands for the fence, with the number of the cell above."""
    line: int
    """Of the first example."""
    examples: tuple[Example, ...]
    is_docstring: bool = False
    """Whether the examples run in a copy of the kernel's names, so that those they bind are not seen below."""
    options: Mapping[str, object] = {}

    @property
    def after(self) -> int:
        """Number of the last cell that is executed before the examples; 0 if none is."""
        return self.cell.number


def doctest_blocks(document: DocumentText) -> list[DoctestBlock]:
    r"""The examples of a document, in its order; found without executing anything.

    Raises:
        DocumentError: If examples cannot be read: a prompt is indented otherwise than the next, or an option unknown.

    >>> from celltask.documents.outline import Block, DocumentText
    >>> fence = Block("", "python", ">>> 1 + 1\n2", line=3, first_line=4, last_line=6)
    >>> found = doctest_blocks(DocumentText("page.md", "myst", (), blocks=(fence,)))
    >>> [(block.name, block.line, block.examples[0].want) for block in found]
    [('doctest-1', 4, '2\n')]
    """
    taken: dict[str, int] = {}
    found: list[DoctestBlock] = []
    numbered = 0
    for block in [*_in_prose(document), *(one for cell in document.cells for one in _in_docstrings(cell))]:
        name = block.name
        if not name:
            numbered += 1
            name = f"doctest-{numbered}"
        taken[name] = taken.get(name, 0) + 1
        found.append(block._replace(name=name if taken[name] == 1 else f"{name}-{taken[name]}"))
    return sorted(found, key=lambda block: (block.after, not block.is_docstring, block.line))


def _in_prose(document: DocumentText) -> Iterator[DoctestBlock]:
    for block in document.blocks:
        if not _holds_examples(block):
            continue
        above = block.after
        if above is None:
            above = sum(cell.first_line < block.line for cell in document.cells)
        cell = Cell(above, block.source, block.first_line, filename=document.path, marker_line=block.line)
        examples = _examples(block.source, block.first_line, f"{document.path}, line {block.line}")
        if examples:
            yield DoctestBlock("", cell, examples[0].line, examples, options=block.options)


def _holds_examples(block: Block) -> bool:
    if block.directive not in _DIRECTIVES or not _PROMPT.search(block.source):
        return False
    if "skip-execution" in tags_of(block.options.get("tags")):
        return False
    return block.directive == "doctest" or block.language in PYTHON_NAMES


def _in_docstrings(cell: Cell) -> Iterator[DoctestBlock]:
    if not cell.is_python or ">>>" not in cell.source:
        return
    tree = tree_of(cell.source)
    if tree is None:
        return  # the cell itself fails by that
    for name, node in _definitions(tree, ""):
        docstring = node.body[0].value if node.body and isinstance(node.body[0], ast.Expr) else None
        if not isinstance(docstring, ast.Constant) or not isinstance(docstring.value, str):
            continue
        line = cell.first_line + docstring.lineno - 1
        # Only a docstring whose lines are those of the file, without escapes, tells the line of each example.
        is_plain = docstring.value.count("\n") == (docstring.end_lineno or docstring.lineno) - docstring.lineno
        examples = _examples(docstring.value, line, f"{cell.filename}, line {line}", step=int(is_plain))
        if examples:
            yield DoctestBlock(f"{name}-doctest", cell, examples[0].line, examples, is_docstring=True)


def _definitions(
    node: ast.Module | ast.ClassDef, prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for item in node.body:
        if isinstance(item, _DEFINITIONS):
            yield f"{prefix}{item.name}", item
            if isinstance(item, ast.ClassDef):
                yield from _definitions(item, f"{prefix}{item.name}.")


def _examples(text: str, line: int, where: str, *, step: int = 1) -> tuple[Example, ...]:
    doctest.register_optionflag(_NUMBER)  # pytest's, which its users know
    try:
        found = doctest.DocTestParser().get_examples(text, where)
    except ValueError as error:
        raise DocumentError(f"the examples cannot be read: {error}", where, "see the module doctest") from None
    skip = doctest.OPTIONFLAGS_BY_NAME["SKIP"]
    examples = []
    for one in found:
        flags = sum(flag for flag, is_on in one.options.items() if is_on)
        if not flags & skip:
            at = line + one.lineno * step
            below = at + one.source.count("\n") * step
            examples.append(Example(one.source, one.want, at, below, flags, one.exc_msg))
    return tuple(examples)
