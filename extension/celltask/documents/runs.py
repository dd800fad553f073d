"""One run of a document under pytest: by its own parameters, in a kernel of its own."""

from __future__ import annotations

import builtins
import sys
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, cast

import pytest

from celltask.documents.engine import engine_of
from celltask.documents.expected.under_pytest import Outputs
from celltask.documents.session import Session
from celltask.documents.verdict import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.documents.expected.doctests import DoctestBlock
    from celltask.documents.items import CellItem, DocumentFile

__all__ = ["CellFailedError", "Run"]

_MOST_TEXT = 200_000
"""Characters of each stream that a report holds."""


class CellFailedError(Exception):
    """A cell failed; `before` is the cell for which it was executed as set-up, if any."""

    def __init__(self, item: CellItem, failure: Failure, before: CellItem | None = None) -> None:
        super().__init__(failure.what)
        self.item, self.failure, self.before = item, failure, before


class Run:
    """The cells of a document in one kernel. Holds the session, and whether a failure in it was told.

    Args:
        document: As collected.
        parameters: What is set for it; empty if it is run as it stands.
    """

    def __init__(self, document: DocumentFile, parameters: Mapping[str, object]) -> None:
        self.document, self.parameters = document, parameters
        self.items: list[CellItem] = []
        self.session: Session | None = None
        self._outputs: Outputs | None = None
        self._is_told = self._has_looked_ahead = False

    @property
    def name(self) -> str:
        """The parameters, as they stand in the ids of tests: ``"[C=0.1]"``; empty if there are none."""
        told = "-".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"[{told}]" if told else ""

    def prepare(self, item: CellItem) -> None:
        """Execute the cells above `item` that were not executed yet.

        Raises:
            CellFailedError: If one of those fails, and that is not told yet.
            Skipped: If one of those failed, and that was told.
        """
        engine = engine_of(self.document.config)
        session = self.session
        if session is None:
            self.document.close_runs(but=self)
            stage = engine.stage_of(self.document, self.parameters)
            session = self.session = Session(self.document.document, engine.kernels, stage)
        engine.run(session.reach(item.cell))
        if session.broken is None or item.cell.number in session.results:
            return
        broken = self.items[session.broken.number - 1]
        failure = session.results[broken.cell.number].failure
        if failure is None or self._is_told:
            reason = f"cell {broken.name} above failed ({broken.where})"
            raise pytest.skip.Exception(reason, _use_item_location=True)
        self._is_told = True
        raise CellFailedError(broken, failure, before=item)

    def execute(self, item: CellItem) -> Failure | None:
        """Execute the cell of `item`, which was prepared; why it failed, if it did."""
        if self.session is None:
            return None
        engine = engine_of(self.document.config)
        if not self._has_looked_ahead:
            self._has_looked_ahead = True
            engine.run(engine.look_ahead(self.document))
        result = engine.run(self.session.result_of(item.cell, is_last=item is self._last))
        self._is_told = result.failure is not None
        for stream, text in result.reply.streams.items():
            cut = text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}\n[and more]\n"
            item.add_report_section("call", stream, cut)
        return result.failure or _warn(result.reply.warned) or self._differs(item, result.reply.outputs)

    def _differs(self, item: CellItem, outputs: list[dict[str, object]]) -> Failure | None:
        """The failure of a cell that shows something else than the document says."""
        return self._expected().check(item.cell, outputs)

    def try_examples(self, block: DoctestBlock) -> Failure | None:
        """Why the examples of `block` fail, after the cells above it; None if they do not."""
        if self.session is None:
            return None
        return engine_of(self.document.config).run(self.session.try_examples(block, self._expected().rules))

    def _expected(self) -> Outputs:
        if self._outputs is None:
            document = self.document
            self._outputs = Outputs(document.document, document.config, promotes=not self.parameters)
        return self._outputs

    @cached_property
    def _last(self) -> CellItem | None:
        """The last of its cells that pytest has chosen; looked for once, since a run may have many."""
        chosen = set(self.document.session.items)
        return next((item for item in reversed(self.items) if item in chosen), None)

    def close(self) -> None:
        """End the kernel, and write what was promoted; a cell asked for later begins with a fresh one."""
        session, self.session = self.session, None
        self._is_told = self._has_looked_ahead = False
        if session is not None:
            engine_of(self.document.config).run(session.close(waits=False))
        outputs, self._outputs = self._outputs, None
        if outputs is not None:
            outputs.finish()


def _warn(warned: list[list[object]]) -> Failure | None:
    """Give pytest the warnings that a kernel has shown; the failure, if one of them is an error here."""
    for names, message, filename, line in cast("list[tuple[list[str], str, str, int]]", warned):
        try:
            warnings.warn_explicit(message, _category(names), filename, line)
        except Warning as error:
            return Failure(f"{type(error).__name__}: {message}", line=line)
    return None


def _category(names: list[str]) -> type[Warning]:
    """The class of a warning by its name, or the first of its bases that this process knows."""
    for name in names:
        module, _, last = name.rpartition(".")
        found = getattr(builtins if module == "builtins" else sys.modules.get(module), last, None)
        if isinstance(found, type) and issubclass(found, Warning):
            return found
    return UserWarning
