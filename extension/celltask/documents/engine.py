"""What all documents of one pytest run share: an event loop, the kernels, and what the settings of pytest say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from celltask.documents.kernels.imports import imports_of, shared_paths
from celltask.documents.kernels.pool import Kernels
from celltask.documents.loop import Loop
from celltask.documents.project_of_pytest import settings_of
from celltask.documents.pytest_plugin import hash_seed, is_cached, remark
from celltask.documents.report import relative
from celltask.documents.stages import stage_of, thread_limits
from celltask.documents.verdict import skip_reason

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from typing import TypeVar

    from celltask.documents.items import DocumentFile
    from celltask.documents.kernels.pool import Path as ServerPath
    from celltask.documents.kernels.snapshots import Snapshots
    from celltask.documents.session import Session, Stage

    R = TypeVar("R")

__all__ = ["Engine", "engine_of"]

_KEY = pytest.StashKey["Engine"]()


def engine_of(config: pytest.Config) -> Engine:
    """The engine of this run, which is made when it is first asked for."""
    if _KEY not in config.stash:
        engine = Engine(config)
        config.stash[_KEY] = engine
        config.add_cleanup(engine.close)
    return config.stash[_KEY]


class Engine:
    """Runs the work of the documents. Holds the loop and the kernels until the end of the run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings = settings_of(config)
        self._limits = thread_limits(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
        mode = config.getoption("celltask_kernels")
        self._borrows = mode == "fork" and not self._is_worker  # what a worker remarks, nobody is told
        self.kernels = Kernels(
            "cold" if mode == "cold" else "fork", environment=self._limits, hash_seed=hash_seed(config)
        )
        self._loop = Loop()
        self._paths: dict[Path, ServerPath] = {}
        self._order: list[Path] = []

    def expect(self, documents: Sequence[DocumentFile]) -> None:
        """Prepare for these documents, in this order: servers are started now."""
        self._order = [document.path for document in documents]
        paths = shared_paths([imports_of(document.document.cells) for document in documents])
        self._paths = dict(zip(self._order, paths, strict=True))
        if is_cached(self.config):  # perhaps no kernel is needed
            return
        self.kernels.warm()
        if self._order and not self._is_worker:
            self.run(self.kernels.expect(paths[0]))

    @property
    def _is_worker(self) -> bool:
        """Whether pytest-xdist decides what comes next."""
        return hasattr(self.config, "workerinput")

    def run(self, work: Coroutine[object, object, R]) -> R:
        """What `work` returns."""
        __tracebackhide__ = True
        return self._loop.run(work)

    async def look_ahead(self, document: DocumentFile) -> None:
        """Have a kernel made ready for the document after this one, while this one runs."""
        if self._is_worker:
            return
        at = self._order.index(document.path) + 1 if document.path in self._order else len(self._order)
        if at < len(self._order):
            self.kernels.prepare(self._paths[self._order[at]])

    def new_snapshots(self) -> Snapshots | None:
        """What keeps the state before each cell of a document; None without ``--pdb``, where alone it is wanted."""
        if not self.config.getoption("usepdb"):
            return None
        from celltask.documents.kernels.snapshots import Snapshots  # noqa: PLC0415 - only for the debugger

        return Snapshots()

    async def begin_late(self, session: Session, first: int, names: Sequence[str]) -> None:
        """Have `session` begin just before cell number `first` if `celltask watch` keeps that state, or near before it.

        Args:
            session: In which nothing has been executed.
            first: The first cell that is asked for.
            names: Of the cells.
        """
        text, stage = session.document, session.stage
        needed = any(not skip_reason(cell, text.language) for cell in text.cells[: first - 1])
        if not (self._borrows and needed and text.language == "python" and stage.copied_from is None):
            return
        from celltask.documents.lent.borrower import borrow  # noqa: PLC0415 - where cells need others only

        borrowed = await borrow(text, stage, first, self.kernels.folder)
        shown = relative(text.path)
        if borrowed.kernel is not None:
            session.begin_after(borrowed.after, borrowed.kernel, borrowed.seconds)
            kept = f"the state that `celltask watch` keeps, hash seed {borrowed.hash_seed}"
            remark(self.config, f"{shown}: started before `{names[borrowed.after]}` from {kept}")
        elif borrowed.why_not and self.config.get_verbosity() > 0:
            why = f"no state that `celltask watch` keeps could be used: {borrowed.why_not}"
            remark(self.config, f"{shown}: started before `{names[0]}`, since {why}")

    def stage_of(self, document: DocumentFile, parameters: Mapping[str, object]) -> Stage:
        """How `document` is to be run: by what its header says, a fixture has set up, and the settings are.

        Raises:
            DocumentError: If these name what the document does not have.
        """
        return stage_of(
            document.document,
            self.settings,
            parameters=parameters,
            set_up=document.set_up,
            limits=self._limits,
            path=self._paths.get(document.path, ()),
            coverage=self._coverage(),
        )

    def _coverage(self) -> dict[str, object] | None:
        """What coverage measures in this process, to be measured in kernels as well; None without pytest-cov."""
        plugin = self.config.pluginmanager.getplugin("_cov")
        controller = getattr(plugin, "cov_controller", None)
        measured = getattr(controller, "cov", None)
        if controller is None or measured is None:
            return None
        root = Path.cwd()  # pytest-cov has its paths from here, too
        sources = [str(root / name) if (root / name).exists() else name for name in controller.cov_source or ()]
        settings = controller.cov_config and str(root / controller.cov_config)
        return {
            "root": str(root),
            "config_file": settings if settings and Path(settings).exists() else True,
            "source": sources or None,
            "branch": controller.cov_branch,
            "data_file": str(Path(measured.config.data_file).absolute()),
            "data_suffix": True,
        }

    def close(self) -> None:
        """End the kernels and the loop."""
        self._loop.run(self.kernels.close())
        self._loop.close()
