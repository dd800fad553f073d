"""What the cells of a document must show, without pytest: its fences `{output}`, or outputs that a notebook stores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.expected.compare import compare
from celltask.documents.expected.failure import output_failure
from celltask.documents.expected.fences import expected_of
from celltask.documents.expected.notebooks import stored_outputs
from celltask.documents.expected.project import project_rules
from celltask.documents.expected.rules import rules_of
from celltask.documents.expected.shown import shown_text
from celltask.documents.report import relative

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.verdict import Failure

__all__ = ["Expectation"]


class Expectation:
    """What one document must show, by the settings of the project.

    Raises:
        DocumentError: If one of the settings cannot be meant.
    """

    def __init__(self, document: DocumentText, settings: Settings) -> None:
        self._name = relative(document.path)
        self._fences = expected_of(document)
        self._known, self.rules = project_rules(document, settings.sanitize, settings.expected_rtol)
        self._stored: Mapping[int, Sequence[Mapping[str, object]]] = {}
        if document.format == "ipynb" and settings.compares_notebooks:
            self._stored = stored_outputs(Path(document.path).read_bytes().decode("utf-8-sig"))

    def check(self, cell: Cell, outputs: Sequence[Mapping[str, object]]) -> Failure | None:
        """Why `cell` fails, which has shown `outputs` and else is as it should be.

        Raises:
            DocumentError: If an option of the fence cannot be read.
        """
        if cell.number in self._stored:
            difference = compare(shown_text(self._stored[cell.number]), shown_text(outputs), self.rules)
            if difference is None:
                return None
            return replace(output_failure(difference, name="stored", first_line=1, last_line=1), line=cell.first_line)
        block = self._fences.get(cell.number)
        if block is None:
            return None
        where = f"{self._name}:{block.line}"
        rules = rules_of(block.options, self.rules, known=self._known, where=where)
        difference = compare(block.source, shown_text(outputs), rules)
        if difference is None:
            return None
        return output_failure(difference, name=self._name, first_line=block.first_line, last_line=block.last_line)
