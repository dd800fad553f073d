"""A notebook that is open in a page of JupyterLab or Notebook 7: begun, waited for, saved, and opened again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import lab

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

__all__ = ["VIEW", "Opened"]

VIEW = "application/vnd.jupyter.widget-view+json"


class Opened:
    """A notebook of its own folder, whose cells were begun.

    Args:
        page: Where it is shown.
        server: What shows it.
        name: Of its folder.
        cells: Sources of its cells.
        files: Texts of files that lie beside it.
    """

    def __init__(
        self, page: Page, server: lab.Server, name: str, *cells: str, files: dict[str, str] | None = None
    ) -> None:
        self.page, self.server, self.path = page, server, f"{name}/run.ipynb"
        self.folder = server.folder / name
        self.folder.mkdir()
        for file, text in (files or {}).items():
            (self.folder / file).write_text(text)
        lab.write_notebook(self.folder / "run.ipynb", cells)
        lab.open_notebook(page, server, self.path)
        self.command("notebook:run-all-cells")

    def command(self, name: str) -> None:
        """Give the front end a command."""
        # Not awaited: a command whose promise never settles would hang the driver.
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)

    def run_last(self, source: str) -> None:
        """Write `source` into the last cell and run that."""
        self.page.evaluate(
            """source => {
                const { content } = window.jupyterapp.shell.currentWidget;
                content.activeCellIndex = content.widgets.length - 1;
                content.activeCell.model.sharedModel.setSource(source);
            }""",
            source,
        )
        self.command("notebook:run-cell")

    def let(self, file: str, text: str = "") -> None:
        """Let a body go on that waits for this file."""
        (self.folder / f"{file}.new").write_text(text)
        (self.folder / f"{file}.new").rename(self.folder / file)

    def output(self, text: str) -> Locator:
        """The outputs that have this text."""
        return self.page.locator(".jp-OutputArea-output", has_text=text)

    def wait_for(self, node: str, state: str) -> None:
        """Wait until the live picture shows the node in that state."""
        self.page.locator(f".celltask-run g.node[data-id={node}].{state}").wait_for()

    def wait_for_picture(self, alt: str) -> None:
        """Wait until a static picture has come in the place of the widget."""
        self.page.locator(f'.jp-OutputArea-output img[alt*="{alt}"]').wait_for()
        self.page.locator(".celltask-run").wait_for(state="detached")

    def save(self) -> None:
        """Have the file say what the page shows."""
        self.command("docmanager:save")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")

    def saved(self) -> list[dict[str, object]]:
        """The data of all outputs, as the file has them after the notebook was saved."""
        self.save()
        cells = json.loads((self.folder / "run.ipynb").read_text())["cells"]
        return [output["data"] for cell in cells for output in cell["outputs"] if "data" in output]

    def reopen(self) -> None:
        """Open the saved notebook once more, without a kernel."""
        self.command("kernelmenu:shutdown")
        self.page.wait_for_function("() => window.jupyterapp.shell.currentWidget.sessionContext.session === null")
        lab.open_notebook(self.page, self.server, self.path, kernel=False)
