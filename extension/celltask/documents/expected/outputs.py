"""What the cells of a document must show: its fences `{output}`, or outputs that a notebook stores; and promotion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.expected.compare import compare
from celltask.documents.expected.failure import output_failure
from celltask.documents.expected.fences import expected_of
from celltask.documents.expected.notebooks import promoted_notebook, stored_outputs
from celltask.documents.expected.project import project_rules
from celltask.documents.expected.promote import promoted, write
from celltask.documents.expected.rules import rules_of
from celltask.documents.expected.shown import shown_text
from celltask.documents.report import relative

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.expected.promote import Replaced
    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.verdict import Failure

__all__ = ["Outputs"]


class Outputs:
    """The expected outputs of one run of a document. Holds what is to be promoted until `promote`.

    Args:
        document: As read.
        settings: Of the project.
        promotes: Whether an output that differs is to be promoted, and no failure.

    Raises:
        DocumentError: If one of the settings cannot be meant.
    """

    def __init__(self, document: DocumentText, settings: Settings, *, promotes: bool = False) -> None:
        self._document, self._promotes = document, promotes
        self._fences = expected_of(document)
        self._shown: dict[int, Sequence[Mapping[str, object]]] = {}
        self._examples: list[Replaced] = []
        self._notebook = ""
        """Its text, if it is a notebook whose stored outputs are compared."""
        if document.format == "ipynb" and settings.compares_notebooks:
            self._notebook = Path(document.path).read_bytes().decode("utf-8-sig")
        self._stored = stored_outputs(self._notebook) if self._notebook else {}
        self._known, self.rules = project_rules(document, settings.sanitize, settings.expected_rtol)

    def check(self, cell: Cell, outputs: Sequence[Mapping[str, object]]) -> Failure | None:
        """Why `cell` fails, which has shown `outputs` and else is as it should be.

        Raises:
            DocumentError: If an option of the fence cannot be read.
        """
        if cell.number in self._stored:
            return self._check_stored(cell, outputs)
        block = self._fences.get(cell.number)
        if block is None:
            return None
        name = relative(self._document.path)
        rules = rules_of(block.options, self.rules, known=self._known, where=f"{name}:{block.line}")
        difference = compare(block.source, shown_text(outputs), rules)
        if difference is None or self._accepts(cell, outputs):
            return None
        return output_failure(difference, name=name, first_line=block.first_line, last_line=block.last_line)

    def _check_stored(self, cell: Cell, outputs: Sequence[Mapping[str, object]]) -> Failure | None:
        """The same for the cell of a notebook; what it stores has no lines of its own."""
        difference = compare(shown_text(self._stored[cell.number]), shown_text(outputs), self.rules)
        if difference is None or self._accepts(cell, outputs):
            return None
        failure = output_failure(difference, name="stored", first_line=1, last_line=1)
        return replace(failure, line=cell.first_line)

    def _accepts(self, cell: Cell, outputs: Sequence[Mapping[str, object]]) -> bool:
        if self._promotes:
            self._shown[cell.number] = outputs
        return self._promotes

    def accept(self, replaced: Replaced) -> bool:
        """Whether an output of an example is to be promoted, and is no failure; then it is, at the end."""
        can_promote = self._promotes and bool(self._document.text)
        if can_promote:
            self._examples.append(replaced)
        return can_promote

    def promote(self, *, writes: bool) -> str:
        """The change to the document as a diff, which is made if `writes`; empty if there is none.

        Raises:
            DocumentError: If the document was changed meanwhile, or cannot be written.
        """
        shown, self._shown = self._shown, {}
        examples, self._examples = self._examples, []
        if not shown and not examples:
            return ""
        if self._notebook:
            promotion = promoted_notebook(self._document.path, self._notebook, shown)
        else:
            texts = {number: shown_text(outputs) for number, outputs in shown.items()}
            promotion = promoted(self._document, texts, self.rules, known=self._known, examples=examples)
        if writes:
            write(promotion)
        return promotion.diff(relative(self._document.path))
