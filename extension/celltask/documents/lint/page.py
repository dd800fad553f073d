"""A document as the rules look at it: its lines, its cells and blocks, and the inline code and roles of its prose."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.header import header_text, header_values
from celltask.documents.lint.finding import Finding
from celltask.documents.magics import tree_of
from celltask.documents.percent import markdown_lines
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.documents.lint.finding import Fix
    from celltask.documents.outline import Cell, DocumentText

__all__ = ["Page", "Project", "Span"]

_SPAN = re.compile(r"(?:\{(?P<role>[\w:.+-]+)\})?(?<!`)(?P<marks>`{1,2})(?!`)(?P<text>.+?)(?<!`)(?P=marks)(?!`)")
_LABEL = re.compile(r"^\s*(?:#\s)?\s*\(([^)\s]+)\)=\s*$")
_IGNORED = re.compile(r"<!--\s*celltask:\s*ignore\s+([\w, -]+?)\s*-->")


class Span(NamedTuple):
    """Inline code or a role in a line of prose."""

    line: int
    column: int
    role: str
    """Empty for inline code."""
    text: str
    before: str
    """The line up to it, with the line above."""
    after: str
    """The line from it on, with the line below."""


class Project(NamedTuple):
    """What documents may refer to."""

    root: Path
    labels: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    """Tags that the project uses besides those that are known."""


class Page:
    """One document, read; `path` is how findings call it."""

    def __init__(self, document: DocumentText, path: str, project: Project) -> None:
        self.document, self.path, self.project = document, path, project
        self._text = document.text or document.prose or _prose(document)
        self.lines = self._text.split("\n")
        self.folder = Path(document.path).parent

    def finding(  # noqa: PLR0913 - the fields of a finding
        self, line: int, rule: str, what: str, mend: str = "", *, column: int = 1, fixes: tuple[Fix, ...] = ()
    ) -> Finding:
        """A finding in this document."""
        return Finding(self.path, line, column, rule, what, mend, fixes)

    @cached_property
    def ignored(self) -> frozenset[str]:
        """Rules that the document switches off, in its header or in a comment of HTML."""
        names = {name for found in _IGNORED.finditer(self.document.text) for name in re.split(r"[,\s]+", found[1])}
        header = header_text(self.document.text)
        try:
            settings: object = header_values(header, self.path).get("celltask") if "celltask:" in header else None
        except DocumentError:
            settings = None
        for key in ("lint", "ignore"):
            settings = settings.get(key) if isinstance(settings, dict) else None
        return frozenset(names | ({str(name) for name in settings} if isinstance(settings, list) else set()))

    @cached_property
    def prose(self) -> list[tuple[int, str]]:
        """The lines that are neither code nor shown as they are, with their numbers; none for a module."""
        from celltask.documents.myst import VERBATIM  # noqa: PLC0415 - loads markdown-it

        text = self._text
        if self.document.format not in {"myst", "percent", "ipynb"}:
            return []
        shown: set[int] = set()
        if self.document.format == "percent":
            shown.update(range(1, len(self.lines) + 1))
            shown -= markdown_lines(text, self.path)
            text = re.sub(r"^#", " ", text, flags=re.MULTILINE)
        for cell in self.document.cells if self.document.text else ():
            shown.update(range(cell.marker_line, cell.last_line + 1))
        for block in self.document.blocks:
            if block.directive in VERBATIM or not block.directive:
                shown.update(range(block.line, block.last_line + 1))
        if self.lines[0].rstrip() == "---":
            shown.update(
                range(1, next((n for n, line in enumerate(self.lines[1:], 2) if line.strip() == "---"), 0) + 1)
            )
        text = re.sub(r"<!--.*?-->", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)
        return [(number, line) for number, line in enumerate(text.split("\n"), 1) if number not in shown]

    @cached_property
    def spans(self) -> list[Span]:
        """Inline code and roles, in their order."""
        prose = dict(self.prose)
        return [
            Span(
                number,
                found.start() + 1,
                found["role"] or "",
                found["text"].strip(),
                f"{prose.get(number - 1, '')} {line[: found.start()]}",
                f"{line[found.end() :]} {prose.get(number + 1, '')}",
            )
            for number, line in self.prose
            for found in _SPAN.finditer(line)
        ]

    @cached_property
    def trees(self) -> list[tuple[Cell, ast.Module]]:
        """The Python of each cell that can be read."""
        trees = ((cell, tree_of(cell.source)) for cell in self.document.cells if cell.is_python)
        return [(cell, tree) for cell, tree in trees if tree is not None]

    @cached_property
    def labels(self) -> frozenset[str]:
        """Labels that the document defines: ``(name)=``, and the option ``name`` or ``label`` of directives."""
        found = {label[1].lower() for label in map(_LABEL.match, self.lines) if label}
        options = [*(block.options for block in self.document.blocks), *(cell.options for cell in self.document.cells)]
        for given in options:
            found.update(str(given[key]).lower() for key in ("name", "label") if key in given)
        return frozenset(found)

    def closing_line(self, cell: Cell) -> int:
        """Line of the fence that closes `cell`; 0 if none does."""
        for number in range(cell.last_line + 1, len(self.lines) + 1):
            text = self.lines[number - 1].strip("> \t")
            if text:
                return number if text[:3] in {"```", "~~~", ":::"} else 0
        return 0

    def imports(self) -> Iterator[tuple[str, str]]:
        """Names that cells import, each with the dotted name that it means."""
        for _, tree in self.trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    for name in node.names:
                        yield name.asname or name.name.partition(".")[0], name.name
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    for name in node.names:
                        yield name.asname or name.name, f"{node.module}.{name.name}"


def _prose(document: DocumentText) -> str:
    """The Markdown of a notebook; empty for other documents."""
    from celltask.documents.json_spans import markdown_cells, prose_of  # noqa: PLC0415 - for notebooks

    if document.format != "ipynb":
        return ""
    return prose_of(markdown_cells(Path(document.path).read_bytes().decode("utf-8-sig")))
