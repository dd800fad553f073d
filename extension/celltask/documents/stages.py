"""How a document is run: by what its header says, by what it is given unseen, and by the settings of the project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.cell_names import cell_names
from celltask.documents.kernels.scene import Scene
from celltask.documents.session import Stage
from celltask.documents.set_up import hidden_code
from celltask.documents.settings import document_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.documents.kernels.pool import Path as ServerPath
    from celltask.documents.outline import DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.set_up import DocumentSetUp

__all__ = ["LIMITS", "stage_of", "thread_limits"]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
LIMITS = frozenset({"OMP_WAIT_POLICY", *_THREADS})
"""Names of the variables by which documents that run at once share the cores."""


def stage_of(  # noqa: PLR0913 - all but two by keyword
    document: DocumentText,
    settings: Settings,
    *,
    parameters: Mapping[str, object] | None = None,
    set_up: DocumentSetUp | None = None,
    limits: Mapping[str, str] | None = None,
    path: ServerPath = (),
    coverage: Mapping[str, object] | None = None,
) -> Stage:
    """How `document` is run.

    Args:
        document: As read.
        settings: Of the project; what the header says goes before them.
        parameters: What is set for it.
        set_up: What a fixture has told; it goes before the header.
        limits: Variables that all documents of the run have; see `thread_limits`.
        path: What the servers have imported from which its kernel is forked.
        coverage: See `Scene`.

    Raises:
        DocumentError: If the header, the parameters or the fixture name what cannot be meant.
    """
    own = document_settings(document)
    hidden = set_up.hidden(document, cell_names(document.cells)) if set_up else {}
    for number, codes in hidden_code(document, parameters or {}).items():
        hidden[number] = [*codes, *hidden.get(number, ())]
    kind = own.folder or settings.folder
    folder = settings.root if kind == "root" else Path(document.path).parent
    chosen = set_up.folder if set_up else None
    scene = Scene(
        folder=str(chosen or folder),
        environment={**(limits or {}), **own.environment, **(set_up.env if set_up else {})},
        filters=settings.filters,
        coverage=coverage,
        most_output=settings.most_output,
        memory_mib=settings.memory_mib,
    )
    return Stage(
        scene,
        own.timeout_s or settings.timeout_s,
        own.document_timeout_s or settings.document_timeout_s,
        path,
        hidden,
        copied_from=settings.root if kind == "scratch" and chosen is None else None,
    )


def thread_limits(jobs: int) -> dict[str, str]:
    """Variables by which the numerical libraries of `jobs` documents together use as many threads as there are cores.

    Empty for one document, and without those that the user has set.
    """
    if jobs <= 1:
        return {}
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    found = {"OMP_WAIT_POLICY": "passive"} | dict.fromkeys(_THREADS, threads)
    return {name: value for name, value in found.items() if name not in os.environ}
