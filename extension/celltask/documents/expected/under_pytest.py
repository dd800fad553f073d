"""Expected output under pytest: chosen cells are compared; with ``--promote`` their document is written at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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

    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.verdict import Failure

__all__ = ["DIFFS", "Outputs"]

DIFFS = pytest.StashKey[list[str]]()
"""What ``--promote`` has changed, or would, for the summary."""


class Outputs:
    """The expected outputs of one run of a document. Holds what is to be promoted until the end of the run.

    Args:
        document: As read.
        config: Of pytest.
        promotes: Whether ``--promote`` holds for this run: a document that is run by parameters is only compared.
    """

    def __init__(self, document: DocumentText, config: pytest.Config, *, promotes: bool) -> None:
        self._document, self._config = document, config
        self._fences = expected_of(document)
        self._promotes = promotes and bool(config.getoption("celltask_promote"))
        self._shown: dict[int, Sequence[Mapping[str, object]]] = {}
        self._notebook = ""
        """Its text, if it is a notebook whose stored outputs are compared."""
        if document.format == "ipynb" and config.getini("celltask_notebook_outputs"):
            self._notebook = Path(document.path).read_bytes().decode("utf-8-sig")
        self._stored = stored_outputs(self._notebook) if self._notebook else {}
        sanitize, rtol = config.getini("celltask_sanitize"), config.getini("celltask_expected_rtol")
        self._known, self.rules = project_rules(document, sanitize, rtol)

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

    def finish(self) -> None:
        """Write the document, if something is to be promoted and not only to be shown.

        Raises:
            DocumentError: If it was changed meanwhile, or cannot be written.
        """
        shown, self._shown = self._shown, {}
        if not shown:
            return
        if self._notebook:
            promotion = promoted_notebook(self._document.path, self._notebook, shown)
        else:
            texts = {number: shown_text(outputs) for number, outputs in shown.items()}
            promotion = promoted(self._document, texts, self.rules, known=self._known)
        if self._config.getoption("celltask_promote") == "write":
            write(promotion)
        self._config.stash.setdefault(DIFFS, []).append(promotion.diff(relative(self._document.path)))
