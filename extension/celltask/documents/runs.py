"""One run of a document under pytest: by its own parameters, in a kernel of its own."""

from __future__ import annotations

import builtins
import sys
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, cast

import pytest

from celltask.documents.cached import RunCache
from celltask.documents.engine import engine_of
from celltask.documents.expected.outputs import Outputs
from celltask.documents.project_of_pytest import settings_of
from celltask.documents.pytest_plugin import is_cached
from celltask.documents.session import Session
from celltask.documents.settings import shown_set
from celltask.documents.verdict import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.documents.expected.doctests import DoctestBlock
    from celltask.documents.items import CellItem, DocumentFile
    from celltask.documents.session import Stage

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
        self._cache = RunCache(self) if is_cached(document.config) else None
        self._is_told = self._has_looked_ahead = False
        self.is_unchanged = False
        """Whether it is not run, since it passed and nothing has changed."""

    @property
    def name(self) -> str:
        """The parameters, as they stand in the ids of tests: ``"[C=0.1]"``; empty if there are none."""
        return shown_set(self.parameters)

    def prepare(self, item: CellItem) -> None:
        """Execute the cells above `item` that were not executed yet.

        Raises:
            CellFailedError: If one of those fails, and that is not told yet.
            Skipped: If one of those failed, and that was told.
        """
        engine = engine_of(self.document.config)
        session = self.session or self._begun(item)
        if session is None:
            item.user_properties.append(("celltask_cached", True))
            return
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

    def _begun(self, item: CellItem) -> Session | None:
        """The session, which begins now; None if nothing has changed since the document passed."""
        if self.is_unchanged:
            return None
        self.document.close_runs(but=self)
        engine = engine_of(self.document.config)
        stage: Stage | None = engine.stage_of(self.document, self.parameters)
        if self._cache is not None and stage is not None:
            stage = self._cache.stage(stage, item)
        if stage is None:
            self.is_unchanged = True
            return None
        snapshots = engine.new_snapshots()
        self.session = session = Session(self.document.document, engine.kernels, stage, snapshots=snapshots)
        first = min((each.cell.number for each in self._chosen), default=1)
        engine.run(engine.begin_late(session, first, [each.name for each in self.items]))
        return session

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
        outputs = result.reply.outputs
        failure = result.failure or _warn(result.reply.warned) or self._expected().check(item.cell, outputs)
        if failure is None and self._cache is not None:
            self._cache.note(item)
        return failure

    def try_examples(self, block: DoctestBlock) -> Failure | None:
        """Why the examples of `block` fail, after the cells above it; None if they do not."""
        if self.session is None:
            return None
        expected = self._expected()
        return engine_of(self.document.config).run(
            self.session.try_examples(block, expected.rules, accept=expected.accept)
        )

    def _expected(self) -> Outputs:
        if self._outputs is None:
            document = self.document
            is_plain = not self.parameters  # else it is compared alone
            self._outputs = document.outputs if is_plain else Outputs(document.document, settings_of(document.config))
        return self._outputs

    @cached_property
    def _chosen(self) -> list[CellItem]:
        """Its cells and examples that pytest has chosen; looked for once, as below."""
        return [item for item in self.document.session.items if getattr(item, "run", None) is self]  # type: ignore[misc]  # only those have it

    @cached_property
    def _last(self) -> CellItem | None:
        """The last of its cells that pytest has chosen; looked for once, since a run may have many."""
        chosen = set(self.document.session.items)
        return next((item for item in reversed(self.items) if item in chosen), None)

    def close(self) -> None:
        """End the kernel; a cell asked for later begins with a fresh one."""
        session, self.session = self.session, None
        self._is_told = self._has_looked_ahead = self.is_unchanged = False
        if session is not None:
            copies = session.copies
            engine_of(self.document.config).run(session.close(waits=False))
            if self._cache is not None:
                self._cache.close(copies)
        self._outputs = None


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
