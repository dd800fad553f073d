"""How Sphinx makes a site of these pages: `sphinx-build docs build/docs`."""

from sphinx.application import Sphinx
from sphinx.config import Config

project = "celltask"
author = "The celltask authors"
extensions = ["celltask.documents.sphinx"]
root_doc = "contents"

celltask_execute = True

myst_heading_anchors = 4  # as GitHub has them, for links to headings
nb_ipywidgets_js = {}  # nothing is loaded from elsewhere, ...
nb_mime_priority_overrides = [("*", "application/vnd.jupyter.widget-view+json", None)]  # ... so pictures stand still

html_theme = "furo"
html_title = "celltask"
html_show_sourcelink = False


def _leave_notebooks_out(_: Sphinx, config: Config) -> None:
    """Have a link to the notebook beside this folder offer the file: it is no page of the site."""
    del config.source_suffix[".ipynb"]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("config-inited", _leave_notebooks_out, priority=900)  # after Sphinx has put the extensions' suffixes in
