"""Expected output under pytest: chosen cells are compared; with ``--promote`` their document is written at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from celltask.documents.expected.compare import compare
from celltask.documents.expected.failure import output_failure
from celltask.documents.expected.fences import expected_of
from celltask.documents.expected.promote import promoted, write
from celltask.documents.expected.rules import Rules, Tolerance, rules_of
from celltask.documents.expected.sanitise import built_in, chosen, own
from celltask.documents.expected.shown import shown_text
from celltask.documents.report import relative
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.expected.sanitise import Sanitiser
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
        self._shown: dict[int, str] = {}
        self._known, self.rules = _project(config, document)

    def check(self, cell: Cell, outputs: Sequence[Mapping[str, object]]) -> Failure | None:
        """Why `cell` fails, which has shown `outputs` and else is as it should be.

        Raises:
            DocumentError: If an option of the fence cannot be read.
        """
        block = self._fences.get(cell.number)
        if block is None:
            return None
        name = relative(self._document.path)
        rules = rules_of(block.options, self.rules, known=self._known, where=f"{name}:{block.line}")
        shown = shown_text(outputs)
        difference = compare(block.source, shown, rules)
        if difference is None:
            return None
        if self._promotes:
            self._shown[cell.number] = shown
            return None
        return output_failure(difference, name=name, first_line=block.first_line, last_line=block.last_line)

    def finish(self) -> None:
        """Write the document, if something is to be promoted and not only to be shown.

        Raises:
            DocumentError: If it was changed meanwhile, or cannot be written.
        """
        shown, self._shown = self._shown, {}
        if not shown:
            return
        promotion = promoted(self._document, shown, self.rules, known=self._known)
        if self._config.getoption("celltask_promote") == "write":
            write(promotion)
        self._config.stash.setdefault(DIFFS, []).append(promotion.diff(relative(self._document.path)))


def _project(config: pytest.Config, document: DocumentText) -> tuple[tuple[Sanitiser, ...], Rules]:
    """All sanitisers that a fence may name, and the rules where a fence says nothing."""
    folder = document.path.replace("\\", "/").rpartition("/")[0]
    names, owned = [], []
    for line in config.getini("celltask_sanitize"):
        name, is_own, pattern = line.partition("=")
        if is_own:
            owned.append(own(name.strip(), pattern.strip()))
        else:
            names.append(line)
    known = (*owned, *built_in(folder))
    where = "celltask_sanitize"
    on = chosen(",".join(names) or "all", known, where=where)
    if names:
        on = (*(one for one in owned if one not in on), *on)
    rtol = config.getini("celltask_expected_rtol")
    rules = Rules(Tolerance(), on)
    if rtol:
        try:
            rules = rules_of({"rtol": rtol}, rules)
        except DocumentError as error:
            raise pytest.UsageError(f"celltask_expected_rtol: {error}") from None
    return known, rules
