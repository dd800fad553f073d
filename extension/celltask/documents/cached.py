"""Documents that pytest need not run, since they passed and nothing of what they depend on has changed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from celltask.documents.engine import engine_of
from celltask.documents.runner.cache import Passed
from celltask.documents.verdict import skip_reason

if TYPE_CHECKING:
    from celltask.documents.engine import Engine
    from celltask.documents.items import CellItem
    from celltask.documents.runner.cache import Watched
    from celltask.documents.runs import Run
    from celltask.documents.session import Stage

__all__ = ["RunCache"]


class RunCache:
    """What is known of a run of a document since it passed. Holds its inputs, and which cells pass, while it runs."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._watched: Watched | None = None
        self._good: set[CellItem] = set()

    @property
    def _engine(self) -> Engine:
        return engine_of(self._run.document.config)

    @cached_property
    def _passed(self) -> Passed:
        return Passed(self._engine.settings)

    def stage(self, stage: Stage, item: CellItem) -> Stage | None:
        """How the run begins; None if it need not be run. Why it must, is told with the report of `item`."""
        document, parameters = self._run.document.document, self._run.parameters
        if not set(self._run.document.session.items).issuperset(self._run.items):
            return stage
        why = self._reason_to_run()
        if not why:
            found = self._passed.why_run(document, parameters)
            if found is None:
                return None
            why = found
            self._watched = self._passed.watched(document, parameters, stage, self._engine.kernels.folder)
        if why:
            item.user_properties.append(("celltask_why", why))
        return self._watched.stage if self._watched else stage

    def _reason_to_run(self) -> str:
        """Why it runs in any case; empty if it does not."""
        run, config = self._run, self._run.document.config
        if run.document.document.language != "python":
            return f"what {run.document.document.language} reads is not known"
        if run.document.set_up.is_made:
            return "the fixture celltask_setup is made for it"
        if run.document.has_examples:
            return "it has `>>>` or shell examples"
        if config.getoption("celltask_promote"):
            return "it is promoted"
        return "its coverage is measured" if config.pluginmanager.hasplugin("_cov") else ""

    def note(self, item: CellItem) -> None:
        """Take note that the cell of `item` has passed."""
        self._good.add(item)

    def close(self, copies: tuple[str, str] | None) -> None:
        """Keep a record, if all cells have passed that are to be run.

        Raises:
            DocumentError: If it cannot be written.
        """
        watched, self._watched = self._watched, None
        good, self._good = self._good, set()
        if watched is not None:
            has_passed = all(item in good or skip_reason(item.cell) for item in self._run.items)
            self._passed.keep(watched, has_passed=has_passed, copies=copies)
