"""Runs and forms in a real Notebook 7, which hears of keys before what has the focus does."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import lab
from opened import VIEW, Opened

if not lab.missing("playwright"):
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page

pytestmark = lab.marks("playwright", "notebook")

DEFINED = """%load_ext celltask
%celltask cards off"""
TASKS = """%%task
import time
from pathlib import Path
from typing import Literal


def load(rows: int) -> list[int]:
    print("loading <b>rows</b>")
    while not Path("loaded").exists():
        time.sleep(0.02)
    return list(range(rows))


def total(numbers: list[int], kind: Literal["sum", "most"] = "sum", exact: bool = False) -> int:
    while not Path("summed").exists():
        time.sleep(0.02)
    return sum(numbers) if kind == "sum" else max(numbers)"""
WORKFLOW = """%%workflow
def adding(rows: int = 3) -> int:
    return total(numbers=load(rows=rows))"""
CARDS = "%celltask cards on"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a user who likes dark pages, no wider than half a screen."""
    with lab.lab_page(browser, dark=True, width=900) as found:
        yield found


@pytest.fixture
def opened(page: Page, server_of: Callable[..., lab.Server]) -> Iterator[Opened]:
    """A notebook that defines a workflow, runs it, and shows a form of its last task."""
    server = server_of("dark", "notebook")
    yield Opened(page, server, "seven", DEFINED, TASKS, WORKFLOW, CARDS, "adding()", "%form total")
    lab.end_kernels(server)


def follow(page: Page, opened: Opened) -> None:
    """Look at the run from its first box to its picture."""
    opened.wait_for("n0", "running")
    live = page.locator(".celltask-run")
    expect(live).to_have_class(re.compile("celltask-dark"))
    assert live.evaluate("run => run.scrollWidth <= run.parentElement.clientWidth")
    live.locator("g.node[data-id=n0]").focus()
    page.keyboard.press("ArrowDown")
    expect(live.locator("g.node[data-id=n1]")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.locator(".ct-log", has_text="loading <b>rows</b>").wait_for()
    opened.let("loaded")
    opened.wait_for("n1", "running")
    page.locator(".ct-value", has_text="[0, 1, 2]").wait_for()
    opened.let("summed")
    opened.wait_for_picture("2 done")


def fill_in(page: Page, form: Locator) -> None:
    """Fill in the form with keys that are commands of the notebook too."""
    form.get_by_title("add one to numbers").click()
    form.get_by_label("numbers item").fill("7")
    form.get_by_label("kind", exact=True).focus()
    page.keyboard.press("ArrowDown")
    expect(form.get_by_label("kind", exact=True)).to_have_value("most")
    form.get_by_label("exact", exact=True).focus()
    page.keyboard.press("d")
    page.keyboard.press("d")  # elsewhere it would delete the cell
    page.keyboard.press("Space")
    expect(form.get_by_label("exact", exact=True)).to_be_checked()


def test_runs_and_forms_work_with_keys_and_are_kept(page: Page, opened: Opened) -> None:
    """Boxes change while the cell runs, keys go to boxes and fields, and what is saved needs no kernel."""
    follow(page, opened)
    form = page.locator(".celltask-form")
    fill_in(page, form)
    form.get_by_role("button", name="Run").click()
    form.get_by_text("· bound to total_result").wait_for()
    for selector in (".celltask-hint", ".celltask-form pre", ".celltask-form .widget-label"):
        assert lab.contrast_of(page, selector) >= 4.5, selector

    run, *_ = opened.saved()
    assert VIEW not in run
    opened.reopen()
    opened.wait_for_picture("2 done")
    page.locator("summary", has_text="load · done").click()
    assert "loading <b>rows</b>" in page.locator("details[open]").inner_text()
    table = page.locator(".jp-OutputArea-output", has_text="celltask run run.ipynb total --numbers '[7]' --kind most")
    table.wait_for()
    assert "bound to total_result" in table.inner_text()
    expect(page.get_by_text("Error displaying widget").first).not_to_be_visible()
