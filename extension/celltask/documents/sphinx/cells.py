"""The cells of a page as Sphinx shows them: coloured, with an anchor for each task, and links to these."""

from __future__ import annotations

import re
from collections import defaultdict
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from celltask.core.cell import has_header
from celltask.documents.reader import read_document
from celltask.documents.sphinx.definitions import definitions_of
from celltask.documents.sphinx.labels import LABELS
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from celltask.documents.outline import Cell, DocumentText

__all__ = ["ExpectedOutput", "TaskCells"]

_PYTHON = frozenset({"default", "ipython", "ipython3", "py", "python", "python3"})
_EXPECTED = "celltask-expected"
_FOLD_OUT = re.compile(r'(<details data-task="([^"]*)"><summary>)(<code>.*?</code>)')


class ExpectedOutput(SphinxDirective):
    """What the cell above shows, in the words of the page: left out where the page shows that anyway."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = defaultdict[str, "Callable[[str], str]"](lambda: str)

    def run(self) -> list[nodes.Node]:
        """The text as it stands."""
        text = "\n".join(self.content)
        node = nodes.literal_block(text, text, language="none", classes=[_EXPECTED])
        self.set_source_info(node)
        return [node]


class TaskCells(SphinxTransform):
    """Gives the cells of a page their colours, anchors and links; a page without such cells stays as it is."""

    default_priority = 400  # before MyST looks for the targets of `[text](#label)`

    def apply(self, **_: object) -> None:
        """Change the page in place."""
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language", "default") in _PYTHON and has_header(block.astext()):
                block["language"] = "celltask"
            elif block.get("language") == "ipythontb" and not block.astext().startswith("-----"):
                block["language"] = "none"  # a mistake told in a few words, in which the lexer would see errors
            elif _EXPECTED in block["classes"] and _shows_output(_before(block)):
                block.parent.remove(block)
        shown = [node for node in self.document.findall(nodes.container) if node.get("nb_element") == "cell_code"]
        document = self._read() if shown else None
        if document is not None:
            self._join(list(_numbered(shown, document.cells)), document)

    def _read(self) -> DocumentText | None:
        try:
            return read_document(Path(self.env.doc2path(self.env.docname)))
        except DocumentError:  # of another language, or of a format that others read
            return None

    def _join(self, shown: list[tuple[int, nodes.container]], document: DocumentText) -> None:
        """Put the anchors in, and link to each of them what is shown from its cell to the next of that name."""
        definitions = definitions_of(document)
        labels: dict[str, str] = {}
        anchors: dict[str, str] = {}
        waiting = iter([*definitions, None])
        definition = next(waiting)
        for number, cell in shown:
            while definition is not None and definition.cell <= number:
                anchors.pop(definition.name, None)  # from here on, it is not what the cell above defines
                if definition.cell == number:
                    anchor = self._anchored(cell, f"{definition.kind}-{definition.name}")
                    anchors[definition.name] = anchor
                    labels[anchor] = definition.name
                definition = next(waiting)
            for output in cell.findall(nodes.raw):
                _link(output, anchors)
        if labels:
            self._make_known(labels)

    def _make_known(self, labels: Mapping[str, str]) -> None:
        """Let Sphinx make labels of the anchors, and MyST find them as it finds headings: `[](page.md#task-train)`."""
        metadata = self.env.metadata[self.env.docname]
        metadata[LABELS] = labels
        headings = {anchor: (None, anchor, name) for anchor, name in labels.items()}
        self.document.myst_slugs = metadata["myst_slugs"] = headings | getattr(self.document, "myst_slugs", {})

    def _anchored(self, cell: nodes.container, label: str) -> str:
        """The anchor that `cell` is given; it has a number behind it if the page has it already."""
        plain = anchor = str(nodes.make_id(label))
        count = 1
        while anchor in self.document.ids or anchor in self.document.nameids:
            count += 1
            anchor = f"{plain}-{count}"
        cell["ids"].append(anchor)
        self.document.set_id(cell)
        return anchor


def _numbered(shown: Iterable[nodes.container], cells: tuple[Cell, ...]) -> Iterator[tuple[int, nodes.container]]:
    """What the page shows of each cell, with the cell's number: pages need not show all cells, or their code."""
    place = 0
    for node in shown:
        code = next(_code_of(node), None)
        same = (cell for cell in cells[place:] if _is_of(node, code, cell))
        place = next((cell.number for cell in same), place)
        yield place, node


def _is_of(node: nodes.container, code: nodes.literal_block | None, cell: Cell) -> bool:
    if code is not None:
        return bool(code.astext().strip() == cell.source.strip())
    return cell.line <= (node.line or 0) <= cell.last_line


def _code_of(cell: nodes.container) -> Iterator[nodes.literal_block]:
    for part in cell.children:
        if isinstance(part, nodes.container) and part.get("nb_element") == "cell_code_source":
            yield from part.findall(nodes.literal_block)


def _before(node: nodes.Node) -> nodes.Node | None:
    place = node.parent.index(node)
    return node.parent[place - 1] if place else None


def _shows_output(node: nodes.Node | None) -> bool:
    return isinstance(node, nodes.container) and any(
        isinstance(part, nodes.container) and part.get("nb_element") == "cell_code_output" for part in node.children
    )


def _link(output: nodes.raw, anchors: Mapping[str, str]) -> None:
    """Make links of the names of tasks in the list below a picture."""

    def linked(found: re.Match[str]) -> str:
        anchor = anchors.get(unescape(found[2]))
        return f'{found[1]}<a href="#{escape(anchor)}">{found[3]}</a>' if anchor else found[0]

    if "data-task" in output.astext():
        text = _FOLD_OUT.sub(linked, output.astext())
        output.rawsource, output.children = text, []
        output += nodes.Text(text)
