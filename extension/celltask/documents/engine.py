"""What all documents of one pytest run share: an event loop, the kernels, and what the settings of pytest say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from celltask.documents.cell_names import cell_names
from celltask.documents.kernels.imports import imports_of, shared_paths
from celltask.documents.kernels.pool import Kernels
from celltask.documents.kernels.scene import Scene
from celltask.documents.loop import Loop
from celltask.documents.pytest_plugin import hash_seed, memory_of
from celltask.documents.session import Stage
from celltask.documents.set_up import hidden_code
from celltask.documents.settings import document_settings

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from typing import TypeVar

    from celltask.documents.items import DocumentFile
    from celltask.documents.kernels.pool import Path as ServerPath

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
        self._limits = _thread_limits()
        mode = cast('Literal["fork", "cold"]', config.getoption("celltask_kernels"))
        self.kernels = Kernels(mode, environment=self._limits, hash_seed=hash_seed(config))
        self._loop = Loop()
        self._paths: dict[Path, ServerPath] = {}
        self._order: list[Path] = []

    def expect(self, documents: Sequence[DocumentFile]) -> None:
        """Prepare for these documents, in this order: servers are started now."""
        self._order = [document.path for document in documents]
        paths = shared_paths([imports_of(document.document.cells) for document in documents])
        self._paths = dict(zip(self._order, paths, strict=True))
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

    def stage_of(self, document: DocumentFile, parameters: Mapping[str, object]) -> Stage:
        """How `document` is to be run: by what its header says, a fixture has set up, and the settings are.

        Raises:
            DocumentError: If these name what the document does not have.
        """
        text, set_up = document.document, document.set_up
        own = document_settings(text)
        folder = self.config.rootpath if own.folder == "root" else document.path.parent
        hidden = set_up.hidden(text, cell_names(text.cells))
        for number, codes in hidden_code(text, parameters).items():
            hidden[number] = [*codes, *hidden.get(number, ())]
        scene = Scene(
            folder=str(set_up.folder or folder),
            environment={**self._limits, **own.environment, **set_up.env},
            filters=self._filters(),
            coverage=self._coverage(),
            most_output=int(float(self.config.getini("celltask_output_limit")) * 1e6),
            memory_mib=memory_of(self.config),
        )
        return Stage(
            scene,
            own.timeout_s or float(self.config.getini("celltask_timeout")),
            own.document_timeout_s or float(self.config.getini("celltask_document_timeout") or "inf"),
            self._paths.get(document.path, ()),
            hidden,
        )

    def _filters(self) -> list[list[object]]:
        """Warning filters as pytest has them: its settings, then ``-W``."""
        from _pytest.config import parse_warning_filter  # noqa: PLC0415 - pytest has no public way to read them

        given = [(text, False) for text in self.config.getini("filterwarnings")]
        given += [(text, True) for text in self.config.known_args_namespace.pythonwarnings or ()]
        found = []
        for text, escape in given:
            action, message, category, module, line = parse_warning_filter(text, escape=escape)
            name = (
                category.__name__ if category.__module__ == "builtins" else f"{category.__module__}.{category.__name__}"
            )
            found.append([action, message, name, module, line])
        return found

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


def _thread_limits() -> dict[str, str]:
    """Threads of numerical libraries, where several documents run at once: together as many as there are cores."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return {}
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {"OMP_WAIT_POLICY": "passive"} | {name: threads for name in names if name not in os.environ}
