"""A Sphinx extension for pages that MyST-NB reads: cells that define tasks are coloured, have anchors, and are linked.

    extensions = ["celltask.documents.sphinx"]
    celltask_execute = True

The rest of the package does not need Sphinx, and imports nothing from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add all of it to `app`, and MyST-NB if it is not there yet."""
    from sphinx.util.docutils import is_directive_registered  # noqa: PLC0415 - Sphinx is an extra

    from celltask.documents.sphinx.cells import ExpectedOutput, TaskCells  # noqa: PLC0415 - as above
    from celltask.documents.sphinx.execution import ExecutedParser, execute_pages  # noqa: PLC0415 - as above
    from celltask.documents.sphinx.labels import forget_labels, settle_labels  # noqa: PLC0415 - as above
    from celltask.documents.sphinx.lexer import TaskLexer  # noqa: PLC0415 - as above

    app.setup_extension("myst_nb")
    app.add_config_value("celltask_execute", default=False, rebuild="env", types=[bool])
    app.add_lexer("celltask", TaskLexer)
    if not is_directive_registered("output"):  # else it is another extension's, which knows its own pages
        app.add_directive("output", ExpectedOutput)
    app.add_transform(TaskCells)
    app.add_source_parser(ExecutedParser, override=True)
    app.connect("env-before-read-docs", forget_labels)
    app.connect("env-before-read-docs", execute_pages)
    app.connect("env-updated", settle_labels)
    return {"version": __version__, "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
