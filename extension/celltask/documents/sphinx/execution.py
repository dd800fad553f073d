"""Pages executed by celltask before Sphinx reads them: in forked kernels, and failures told with their lines."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from myst_nb.core.read import create_nb_reader
from myst_nb.sphinx_ import Parser
from sphinx.errors import ExtensionError
from sphinx.util import logging

from celltask.documents.cell_names import cell_names
from celltask.documents.outline import PYTHON_NAMES
from celltask.documents.reader import read_document
from celltask.documents.runner.choice import Chosen
from celltask.documents.runner.crowd import Manner, run_documents
from celltask.documents.runner.notebook import fill
from celltask.documents.runner.settings import read_settings
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from docutils import nodes
    from myst_nb.core.config import NbParserConfig
    from myst_nb.sphinx_ import SphinxEnvType
    from nbformat import NotebookNode
    from sphinx.application import Sphinx

    from celltask.documents.runner.outcome import CellOutcome, DocumentOutcome

__all__ = ["ExecutedParser", "execute_pages", "read_executed"]

_log = logging.getLogger(__name__)
_outcomes: dict[str, DocumentOutcome] = {}
"""Of the pages of this build that are not read yet, by their paths."""


class ExecutedParser(Parser):  # type: ignore[misc]  # MyST-NB has no types
    """MyST-NB's parser, which is handed the outputs of pages that celltask has executed."""

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parse the text of a page into `document`."""
        env = document.settings.env
        path = str(env.doc2path(env.docname))
        outcome = _outcomes.pop(path, None)
        reader = create_nb_reader(path, env.myst_config, env.mystnb_config, inputstring) if outcome else None
        if reader is None:
            super().parse(inputstring, document)
            return
        known: NbParserConfig = env.mystnb_config
        given = {"read": reader.read, "outcome": outcome, "docname": env.docname, "own": known.metadata_key}
        way = (f"{__name__}.{read_executed.__name__}", given, reader.md_config.commonmark_only)
        env.mystnb_config = known.copy(execution_mode="off", custom_formats={**known.custom_formats, path: way})
        try:
            super().parse(inputstring, document)
        finally:
            env.mystnb_config = known


def read_executed(
    text: str, *, read: Callable[[str], NotebookNode], outcome: DocumentOutcome, docname: str, own: str
) -> NotebookNode:
    """The notebook that `read` makes of `text`, with the outputs in `outcome`.

    Args:
        text: Of the page.
        read: MyST-NB's reader of such pages.
        outcome: Of the page.
        docname: What Sphinx calls it.
        own: Key of its metadata with settings for MyST-NB.
    """
    notebook = read(text)
    notebook.metadata.get(own, {}).pop("execution_mode", None)  # it has been obeyed
    if not fill(notebook, outcome):
        what = "the outputs are left out: MyST-NB and celltask do not see the same cells"
        _log.warning("%s", what, location=docname, type="celltask", subtype="cells")
    return notebook


def execute_pages(app: Sphinx, env: SphinxEnvType, docnames: list[str]) -> None:
    """Execute the pages that are about to be read, as far as MyST-NB would, and warn of each cell that fails."""
    _outcomes.clear()
    if not app.config.celltask_execute:
        return
    chosen = {name: found for name in docnames if (found := _chosen(env, name))}
    if not chosen:
        return
    allows_errors = bool(env.mystnb_config.execution_allow_errors)
    _log.info("executing %d pages", len(chosen))
    try:
        settings = read_settings([one.path for one in chosen.values()])
        manner = Manner(settings, jobs=app.parallel or 1, keep_going=allows_errors, keep_outputs=True, compares=False)
        outcomes = run_documents(list(chosen.values()), manner)
    except DocumentError as error:  # the settings of the project, or those of a page, cannot be meant
        raise ExtensionError(str(error)) from None
    for docname, outcome in zip(chosen, outcomes, strict=True):
        _outcomes[str(env.doc2path(docname))] = outcome
        for cell in outcome.cells if not allows_errors else ():
            _warn(docname, cell, outcome)


def _chosen(env: SphinxEnvType, docname: str) -> Chosen | None:
    """The page with all of its cells; None if it is not executed, or not by celltask."""
    path = Path(env.doc2path(docname))
    if not _is_executed(env, path):
        return None
    try:
        document = read_document(path, any_language=True)
    except DocumentError as error:
        _log.warning("%s", error, location=docname, type="celltask", subtype="document")
        return None
    if document.language not in PYTHON_NAMES:
        return None
    return Chosen(path, document, tuple(cell_names(document.cells)), frozenset(one.number for one in document.cells))


def _is_executed(env: SphinxEnvType, path: Path) -> bool:
    """Whether MyST-NB would execute the page, by its settings and those at the head of the page."""
    config: NbParserConfig = env.mystnb_config
    if any(path.match(pattern) for pattern in config.execution_excludepatterns):
        return False
    try:
        text = path.read_text(encoding="utf-8")
        reader = create_nb_reader(str(path), env.myst_config, config, text)
        notebook = reader.read(text) if reader else None
        own = notebook.metadata.get(config.metadata_key, {}) if notebook else {}
        mode = own.get("execution_mode", config.execution_mode)
    except Exception:  # noqa: BLE001 - border: readers raise whatever they like; Sphinx tells it when it reads the page
        return False
    code = [cell for cell in notebook.cells if cell.cell_type == "code"] if notebook else []
    has_all = mode == "auto" and all(cell.outputs for cell in code)
    return bool(code) and mode != "off" and not has_all


def _warn(docname: str, cell: CellOutcome, outcome: DocumentOutcome) -> None:
    if cell.told is None:
        return
    is_notebook = outcome.chosen.document is not None and outcome.chosen.document.format == "ipynb"
    told = cell.told.text.rstrip().rpartition("\n\n")[0]  # its last line says what Sphinx says of the place
    _log.warning(
        "cell %s failed: %s\n%s",
        f"{cell.name}, line {cell.told.line}," if is_notebook else cell.name,
        cell.told.what,
        indent(told, "  "),
        location=docname if is_notebook else (docname, cell.told.line),
        type="celltask",
        subtype="cell",
    )
