"""What a reader makes of a document: its code cells, each with its exact place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Block", "Cell", "DocumentFormat", "DocumentText", "Nested", "Notice"]

DocumentFormat = Literal["myst", "percent", "ipynb", "python", "light", "rmarkdown", "quarto"]

Nested = Literal["run", "report", "refuse"]
"""What becomes of code cells inside directives, lists and quotations."""

PYTHON_NAMES = frozenset({"", "py", "py3", "python", "python3", "ipython", "ipython2", "ipython3", "pycon", "pyodide"})
"""Lower-case names under which documents and kernels mean Python; an empty one means the document's own language."""


class Cell(NamedTuple):
    """One code cell.

    >>> Cell(1, "x = 1", first_line=12).is_python
    True
    """

    number: int
    """From 1, among the code cells of the document, whatever their language."""
    source: str
    """The code without options, without blank lines at its ends."""
    first_line: int
    """Line of the first line of `source`, from 1: in the document, or within the cell for a notebook."""
    language: str = "python"
    options: Mapping[str, object] = {}
    tags: tuple[str, ...] = ()
    nested: bool = False
    """True if the cell stands inside a directive, list or quotation, where other readers do not run it."""
    filename: str = ""
    """File name that the cell's code is compiled under."""
    marker_line: int = 0
    """Line of the fence or marker that opens the cell; 0 if it has none."""
    column: int = 1
    """Column of that fence or marker, from 1."""

    @property
    def line(self) -> int:
        """Line where the cell stands: of its fence or marker, or of its code if it has none."""
        return self.marker_line or self.first_line

    @property
    def is_python(self) -> bool:
        """Whether the cell holds Python."""
        return self.language in PYTHON_NAMES

    @property
    def last_line(self) -> int:
        """Line of the last line of `source`."""
        return self.first_line + self.source.count("\n")


class Block(NamedTuple):
    """A fence that is no code cell: what the cell above shows, a shell example, a doctest, or any other directive.

    >>> Block("code-block", "console", "$ ls", line=8, first_line=9, last_line=10).language
    'console'
    """

    directive: str
    """``"output"`` of ```` ```{output} ````; empty where the fence names only a language, or nothing."""
    argument: str
    """What stands after the directive or the marks: ``"console"`` of ```` ```{code-block} console ````."""
    source: str
    """The content without options; blank lines at its ends are kept."""
    line: int
    """Line of the opening fence, from 1."""
    first_line: int
    """Line of the first line of `source`."""
    last_line: int
    """Line of the closing fence; the last line of the content if it has none."""
    column: int = 1
    """Column of the opening fence, from 1."""
    marks: str = "```"
    options: Mapping[str, object] = {}
    nested: bool = False
    """True if it stands inside a directive, list or quotation."""
    prefix: str = ""
    """What stands before each line of the content: ``"> "`` or ``"# "``, and spaces in an item of a list."""
    closed: bool = True
    after: int | None = None
    """Number of the last code cell above it, in a notebook, whose cells count their own lines."""

    @property
    def language(self) -> str:
        """The first word of `argument`, in lower case; empty if there is none."""
        words = self.argument.split(maxsplit=1)
        return words[0].lower() if words else ""


class Notice(NamedTuple):
    """Something in a document that is read otherwise than its author may think; not an error."""

    line: int
    what: str
    mend: str = ""
    rule: str = ""
    """Name under which `celltask lint` tells it."""


class DocumentText(NamedTuple):
    """A document as read: nothing of it has been run.

    `name` is what messages call it, the last part of `path`.
    """

    path: str
    format: DocumentFormat
    cells: tuple[Cell, ...]
    text: str = ""
    r"""The whole text with ``\n`` line ends; empty for a notebook."""
    notices: tuple[Notice, ...] = ()
    blocks: tuple[Block, ...] = ()
    """Fences that are no code cells, in their order."""
    prose: str = ""
    r"""Of a notebook with fences, its Markdown at the lines where the file has it; on each other line a ``\0``."""
    settings: Mapping[str, object] = {}
    """The key ``celltask`` of a notebook's metadata; of other documents, see `documents.settings`."""
    language: str = "python"
    """Of the document itself, in lower case; cells of another are not run."""
    kernel: str = ""
    """The name that it gives its kernel; empty if it gives none."""

    @property
    def lines(self) -> list[str]:
        """Its lines as `blocks` count them."""
        return (self.text or self.prose).split("\n")

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.replace("\\", "/").rpartition("/")[2]
