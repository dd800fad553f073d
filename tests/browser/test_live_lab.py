"""Runs that show themselves in a real JupyterLab, while they last and afterwards."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from typing import TYPE_CHECKING

import lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = lab.marks("playwright", "jupyterlab")

VIEW = "application/vnd.jupyter.widget-view+json"

# The bodies wait for files, so that a test says when each of them goes on.
DEFINED = """%load_ext celltask
%celltask cards off"""
TASKS = """%%task
import os
import time
from pathlib import Path


def load(rows: int) -> list[int]:
    print("loading <b>rows</b>")
    while not Path("loaded").exists():
        time.sleep(0.02)
    return list(range(rows))


def total(numbers: list[int]) -> int:
    while not Path("summed").exists():
        time.sleep(0.02)
    if Path("summed").read_text() == "die":
        os.kill(os.getpid(), 9)
    if Path("summed").read_text() == "fail":
        raise ValueError("too many")
    return sum(numbers)"""
WORKFLOW = """%%workflow
def adding(rows: int = 3) -> int:
    return total(numbers=load(rows=rows))"""
CARDS = "%celltask cards on"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Server]:
    """One JupyterLab, in its dark theme, for all tests here."""
    with lab.lab_server(tmp_path_factory.mktemp("lab"), theme="dark") as found:
        yield found


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a browser whose user likes dark pages."""
    with lab.lab_page(dark=True) as found:
        found.set_default_timeout(60_000)
        yield found


class Opened:
    """A notebook in JupyterLab whose cells were begun."""

    def __init__(self, page: Page, server: lab.Server, name: str, *cells: str) -> None:
        self.page, self.server = page, server
        self.folder = server.folder / name
        self.folder.mkdir()
        self.file = self.folder / "run.ipynb"
        lab.write_notebook(self.file, [DEFINED, TASKS, WORKFLOW, CARDS, *cells])
        lab.open_notebook(page, server, f"{name}/run.ipynb")
        # Not awaited: a command whose promise never settles would hang the driver.
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def let(self, file: str, text: str = "") -> None:
        """Let a body go on that waits for this file."""
        (self.folder / f"{file}.new").write_text(text)
        (self.folder / f"{file}.new").rename(self.folder / file)

    def wait_for(self, node: str, state: str) -> None:
        """Wait until the live picture shows the node in that state."""
        self.page.locator(f".celltask-run g.node[data-id={node}].{state}").wait_for()

    def wait_for_picture(self, alt: str) -> None:
        """Wait until a static picture has come in the place of the widget."""
        self.page.locator(f'.jp-OutputArea-output img[alt*="{alt}"]').wait_for()
        assert self.page.locator(".celltask-run").count() == 0

    def saved(self) -> list[dict[str, object]]:
        """The data of all outputs, as the file has them after the notebook was saved."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('docmanager:save'); }")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
        cells = json.loads(self.file.read_text())["cells"]
        return [output["data"] for cell in cells for output in cell["outputs"] if "data" in output]


def test_a_run_is_seen_while_it_lasts_and_kept_afterwards(page: Page, server: lab.Server) -> None:
    """Boxes change while the cell runs, a click tells of a node, and what is saved is the last picture."""
    opened = Opened(page, server, "lasts", "adding()")
    opened.wait_for("n0", "running")
    assert page.locator(".celltask-run g.node.queued").count() == 1
    page.locator(".celltask-run g.node[data-id=n0]").click()
    page.locator(".ct-log", has_text="loading <b>rows</b>").wait_for()
    assert "celltask-dark" in (page.locator(".celltask-run").get_attribute("class") or "")
    opened.let("loaded")
    opened.wait_for("n1", "running")
    page.locator(".ct-value", has_text="[0, 1, 2]").wait_for()
    opened.let("summed")
    opened.wait_for_picture("2 done")
    data = opened.saved()
    assert not any(VIEW in bundle for bundle in data)
    lab.open_notebook(page, server, "lasts/run.ipynb", kernel=False)
    opened.wait_for_picture("2 done")
    page.locator("summary", has_text="load · done").click()
    assert "loading <b>rows</b>" in page.locator("details[open]").inner_text()


def test_an_interrupt_leaves_a_cancelled_picture(page: Page, server: lab.Server) -> None:
    """The square of the toolbar stops the run, and its picture says what was cancelled."""
    opened = Opened(page, server, "interrupted", "adding()")
    opened.wait_for("n0", "running")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:interrupt-kernel'); }")
    opened.wait_for_picture("2 cancelled")


def test_a_run_in_the_background_has_a_button_that_cancels(page: Page, server: lab.Server) -> None:
    """Cancel stops a run that was started, while the kernel is free."""
    opened = Opened(page, server, "cancelled", "running = adding.start()")
    opened.wait_for("n0", "running")
    page.get_by_role("button", name="cancel the run").click()
    opened.let("loaded")
    opened.wait_for_picture("cancelled")


def test_a_kernel_that_dies_leaves_a_picture(page: Page, server: lab.Server) -> None:
    """The page itself puts the last state in the place of the widget, and that is what is saved."""
    opened = Opened(page, server, "dies", "adding()")
    opened.let("loaded")
    opened.wait_for("n1", "running")
    opened.let("summed", "die")
    opened.wait_for_picture("the kernel was lost")
    assert not any(VIEW in bundle for bundle in opened.saved())


def test_a_task_that_is_defined_again_makes_pictures_stale(page: Page, server: lab.Server) -> None:
    """The graph of the workflow and its last run say which task was defined again, and mark what comes after it."""
    again = TASKS.replace("sum(numbers)", "sum(numbers) + 1")
    opened = Opened(page, server, "stale", "1", WORKFLOW, "adding()", again)
    opened.let("loaded")
    opened.wait_for("n1", "running")
    opened.let("summed")
    page.locator(".jp-OutputArea-output", has_text="stale: total was defined again in cell 8").nth(1).wait_for()
    assert page.locator('.jp-OutputArea-output img[alt*="1 stale"]').count() == 2
