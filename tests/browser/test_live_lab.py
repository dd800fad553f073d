"""Runs that show themselves in a real JupyterLab, while they last and afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from typing import TYPE_CHECKING

import lab
from opened import VIEW, Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = lab.marks("playwright", "jupyterlab")

# The bodies wait for files, so that a test says when each of them goes on; the first of them also sees a Cancel.
DEFINED = """%load_ext celltask
%celltask cards off"""
TASKS = """%%task
import os
import time
from pathlib import Path
from celltask import current_context


def load(rows: int) -> list[int]:
    print("loading <b>rows</b>")
    while not (Path("loaded").exists() or current_context().is_cancelled):
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


@pytest.fixture
def server(server_of: Callable[[str], lab.Server]) -> Iterator[lab.Server]:
    """The JupyterLab in its dark theme."""
    found = server_of("dark")
    yield found
    lab.end_kernels(found)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a user who likes dark pages."""
    with lab.lab_page(browser, dark=True) as found:
        yield found


def begun(page: Page, server: lab.Server, name: str, *cells: str) -> Opened:
    """A notebook that defines the workflow and then runs these cells."""
    return Opened(page, server, name, DEFINED, TASKS, WORKFLOW, CARDS, *cells)


def test_a_run_is_seen_while_it_lasts_and_kept_afterwards(page: Page, server: lab.Server) -> None:
    """Boxes change while the cell runs, a click tells of a node, and what is saved is the last picture."""
    opened = begun(page, server, "lasts", "adding()")
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
    opened.reopen()
    opened.wait_for_picture("2 done")
    page.locator("summary", has_text="load · done").click()
    assert "loading <b>rows</b>" in page.locator("details[open]").inner_text()


def test_an_interrupt_leaves_a_cancelled_picture(page: Page, server: lab.Server) -> None:
    """The square of the toolbar stops the run, and its picture says what was cancelled."""
    opened = begun(page, server, "interrupted", "adding()")
    opened.wait_for("n0", "running")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:interrupt-kernel'); }")
    opened.wait_for_picture("2 cancelled")


def test_a_run_in_the_background_has_a_button_that_cancels(page: Page, server: lab.Server) -> None:
    """Cancel stops a run that was started, while the kernel is free."""
    opened = begun(page, server, "cancelled", "running = adding.start()")
    opened.wait_for("n0", "running")
    page.get_by_role("button", name="cancel the run").click()
    opened.wait_for_picture("cancelled")


def test_a_second_tab_sees_the_run_and_keeps_its_last_picture(page: Page, browser: Browser, server: lab.Server) -> None:
    """Opened amid a run it shows how the nodes stand, follows the run, and has no dead widget afterwards."""
    opened = begun(page, server, "tabs", "running = adding.start()")
    opened.let("loaded")
    opened.wait_for("n1", "running")
    opened.save()
    with lab.lab_page(browser) as other:
        lab.open_notebook(other, server, opened.path)
        for node, state in {"n0": "done", "n1": "running"}.items():
            other.locator(f".celltask-run g.node[data-id={node}].{state}").wait_for()
        opened.let("summed", "fail")
        opened.wait_for_picture("1 failed")
        other.locator('.jp-OutputArea-output img[alt*="failed after"]').wait_for()
        other.locator("summary", has_text="total · failed").click()
        assert "ValueError: too many" in other.locator("details[open]").inner_text()
        assert other.locator(".celltask-run").count() == 0


def test_a_second_tab_gets_the_picture_of_a_run_that_a_cell_waited_for(
    page: Page, browser: Browser, server: lab.Server
) -> None:
    """Opened while the kernel does not answer, it has the last picture once no cell runs any more."""
    opened = begun(page, server, "waits", "adding()", "while not Path('last').exists(): time.sleep(0.02)")
    opened.wait_for("n0", "running")
    opened.save()
    with lab.lab_page(browser) as other:
        lab.open_notebook(other, server, opened.path, kernel=False)
        other.get_by_text("Loading widget").wait_for()
        opened.let("loaded")
        opened.let("summed")
        opened.wait_for_picture("2 done")
        opened.let("last")
        other.locator('.jp-OutputArea-output img[alt*="done after"]').wait_for()
        other.locator(".celltask-run").wait_for(state="detached")


def test_axe_finds_nothing_serious_in_the_notebook(page: Page, server: lab.Server) -> None:
    """Of the run that lasts, with a panel open, in the page as JupyterLab makes it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened = begun(page, server, "axe", "adding()")
    opened.wait_for("n0", "running")
    page.locator(".celltask-run g.node[data-id=n0]").click()
    page.locator(".ct-log", has_text="loading").wait_for()
    found = axe.Axe().run(page, context=".celltask-run").response
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    assert len(found["passes"]) > 10
    opened.let("loaded")
    opened.let("summed")
    opened.wait_for_picture("2 done")
    page.evaluate("() => document.querySelectorAll('details').forEach(box => { box.open = true; })")
    found = axe.Axe().run(page, context=".jp-OutputArea-output:has(img)").response
    grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in grave] == []


def test_a_kernel_that_dies_leaves_a_picture(page: Page, server: lab.Server) -> None:
    """The page itself puts the last state in the place of the widget, and that is what is saved."""
    opened = begun(page, server, "dies", "adding()")
    opened.let("loaded")
    opened.wait_for("n1", "running")
    opened.let("summed", "die")
    opened.wait_for_picture("the kernel was lost")
    assert not any(VIEW in bundle for bundle in opened.saved())


def test_a_task_that_is_defined_again_makes_pictures_stale(page: Page, server: lab.Server) -> None:
    """The graph of the workflow and its last run say which task was defined again, and mark what comes after it."""
    again = TASKS.replace("sum(numbers)", "sum(numbers) + 1")
    opened = begun(page, server, "stale", "1", WORKFLOW, "adding()", again)
    opened.let("loaded")
    opened.wait_for("n1", "running")
    opened.let("summed")
    page.locator(".jp-OutputArea-output", has_text="stale: total was defined again in cell 8").nth(1).wait_for()
    assert page.locator('.jp-OutputArea-output img[alt*="1 stale"]').count() == 2
