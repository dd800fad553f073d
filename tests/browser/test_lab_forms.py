"""Forms in a real JupyterLab: keyboard and mouse, errors beside fields, Run, Cancel, and what a saved notebook has."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import lab
from opened import Opened

if not lab.missing("playwright"):
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page

pytestmark = lab.marks("playwright", "jupyterlab")

TASK = '''%%task --no-card
def train(rounds: int, rate: Annotated[float, Ge(0), Le(1)] = 0.5, kind: Literal["l1", "l2"] = "l1",
          sizes: list[int] = [1], note: str = "", strict: bool = False) -> dict:
    """Fit a model."""
    context = celltask.current_context()
    if note == "die":
        os.kill(os.getpid(), 9)
    for _ in range(3000 if note == "long" else 1):
        time.sleep(0.01)
        if context.is_cancelled:
            break
    print("trained")
    return {"rounds": rounds, "rate": rate, "kind": kind, "sizes": sizes, "strict": strict}'''
CELLS = [
    "%load_ext celltask\nimport os, time, celltask\nfrom typing import *\nfrom annotated_types import Ge, Le",
    TASK,
    "%form train",
]


@pytest.fixture(params=["light", "dark"])
def opened(
    request: pytest.FixtureRequest, server_of: Callable[[str], lab.Server], browser: Browser
) -> Iterator[Opened]:
    """The notebook, run, in one of the two themes."""
    server = server_of(request.param)
    with lab.lab_page(browser, dark=request.param == "dark", height=1400) as page:
        opened = Opened(page, server, request.node.name, *CELLS)
        page.locator(".celltask-form").wait_for()
        yield opened
    lab.end_kernels(server)


def fill_by_keyboard(page: Page, form: Locator) -> None:
    """Fill in the fields with Tab, letters, arrows and Space."""
    form.get_by_label("rounds", exact=True).focus()
    page.keyboard.type("many")
    form.get_by_role("alert").filter(has_text="must be int, got 'many' (str)").wait_for()
    page.keyboard.press("Control+a")
    page.keyboard.type("12")
    form.get_by_role("alert").wait_for(state="detached")
    page.keyboard.press("Tab")  # the = beside it
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("0.25")
    page.keyboard.press("Tab")
    expect(form.get_by_label("slide rate")).to_have_value("0.25")
    page.keyboard.press("ArrowRight")  # the slider, one step
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # the choice
    form.get_by_label("strict", exact=True).focus()
    page.keyboard.press("Space")


def test_a_form_is_filled_run_cancelled_and_kept(opened: Opened) -> None:
    """From the first key to the saved notebook that is opened again without a kernel."""
    page = opened.page
    form = page.locator(".celltask-form")
    fill_by_keyboard(page, form)
    expect(form.get_by_label("rate", exact=True)).to_have_value("0.26")
    form.get_by_role("button", name="Add").click()
    form.get_by_label("sizes item").nth(1).fill("7")
    expect(form.locator("pre").first).to_have_text(
        "train_result = train(\n    rounds=12,\n    rate=0.26,\n    kind='l2',\n    sizes=[1, 7],\n    note='',\n"
        "    strict=True,\n)"
    )

    form.get_by_label("rate", exact=True).fill("3")
    form.get_by_role("alert").filter(has_text="must be float ≤ 1, got 3.0 (float)").wait_for()
    for selector in (".celltask-error span", ".celltask-hint", ".celltask-form pre", ".celltask-form .widget-label"):
        assert lab.contrast_of(page, selector) >= 4.5, selector
    form.get_by_label("rate", exact=True).fill("0.26")

    form.get_by_label("note", exact=True).fill("long")
    form.get_by_role("button", name="Run").focus()
    page.keyboard.press("Enter")
    form.get_by_text("running …").wait_for()
    form.get_by_role("button", name="Cancel").click()
    form.get_by_text("cancelled after").wait_for()

    form.get_by_label("note", exact=True).fill("")
    form.get_by_role("button", name="Run").click()
    form.get_by_text("· bound to train_result").wait_for()
    expect(form).to_contain_text("'sizes': [1, 7]")

    opened.save()
    opened.reopen()
    table = page.locator(".jp-OutputArea-output", has_text="celltask run run.ipynb train --rounds 12")
    table.wait_for()
    assert "bound to train_result" in table.inner_text()
    assert not page.get_by_text("Error displaying widget").first.is_visible()
    assert not page.get_by_text("Loading widget").first.is_visible()


@pytest.mark.parametrize("opened", ["dark"], indirect=True)
def test_a_kernel_that_dies_is_told_by_the_form(opened: Opened) -> None:
    """A form that can do nothing any more says so, and how to get one that can."""
    form = opened.page.locator(".celltask-form")
    form.get_by_label("rounds", exact=True).fill("3")
    form.get_by_label("note", exact=True).fill("die")
    form.get_by_title("run train with").click()
    form.get_by_role("alert").filter(has_text="The kernel was lost. Run the cell again").wait_for()
    assert lab.contrast_of(opened.page, ".celltask-lost") >= 4.5
