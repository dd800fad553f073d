"""Front ends that cannot be started here, VS Code and Colab, by what they say of their theme: the colours follow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "render"))

import lab
from blank import LivePage, blank_page
from sample_graphs import report_graph

from celltask.core.events import NodeFailed, RunStarted
from celltask.notebook.forms_style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = lab.marks("playwright", "anywidget")

# The colours that ipywidgets has for pages other than JupyterLab; both front ends load them on dark pages too.
_LIGHT = """:root { --jp-ui-font-color1: rgba(0,0,0,.8); --jp-ui-font-color2: rgba(0,0,0,.5); --jp-layout-color1: white;
  --jp-content-font-color1: black; --jp-layout-color2: #eee; --jp-border-color1: #9e9e9e; --jp-error-color0: #d32f2f;
  --jp-widgets-color: var(--jp-content-font-color1); --jp-widgets-label-color: var(--jp-widgets-color);
  --jp-widgets-input-color: var(--jp-ui-font-color1); --jp-widgets-input-background-color: var(--jp-layout-color1) }
input { color: var(--jp-widgets-input-color); background: var(--jp-widgets-input-background-color) }
.around { color: var(--jp-widgets-color) }"""
_VSCODE = (
    ":root { --vscode-editor-background: #282a36; --vscode-editor-foreground: #f8f8f2 } .around { background: #fff }"
)
_COLAB = """:root { --colab-primary-surface-color: #383838; --colab-primary-text-color: #d5d5d5;
  --colab-secondary-surface-color: #444; --jp-widgets-color: var(--colab-primary-text-color);
  --jp-layout-color2: var(--colab-secondary-surface-color); --jp-ui-font-color1: var(--colab-primary-text-color);
  --jp-widgets-input-background-color: var(--colab-secondary-surface-color) } body { background: #383838 }"""
_FORM = """<div class="around"><div class="celltask-form"><p class="celltask-title">train</p>
  <span class="celltask-label">rounds</span><input class="celltask-entry" value="3">
  <p class="celltask-hint">int, required</p><p class="celltask-error"><i role="alert">must be int</i></p>
  <pre>train(rounds=3)</pre><p class="celltask-lost">The kernel was lost.</p></div></div>"""
_TEXTS = ("title", "label", "entry", "hint", "error", "lost")
_SAID = {
    "VS Code, dark": (_VSCODE, "vscode-dark", "", True),
    "VS Code, high contrast": (_VSCODE, "vscode-high-contrast", "", True),
    "VS Code, light": ("", "vscode-light", "", False),
    "VS Code, light with high contrast": ("", "vscode-high-contrast vscode-high-contrast-light", "", False),
    "Colab, dark": (_COLAB, "", "dark", True),
    "Colab, light": ("", "", "light", False),
}
_SAY = """([classes, theme]) => {
    document.body.className = classes;
    if (theme) document.documentElement.setAttribute('theme', theme);
    else document.documentElement.removeAttribute('theme');
}"""


@pytest.fixture(scope="module")
def browser_page(browser: Browser) -> Iterator[Page]:
    """One blank page for all tests here."""
    with blank_page(browser) as page:
        yield page


@pytest.mark.parametrize("said", _SAID.values(), ids=_SAID)
def test_a_form_can_be_read_on_the_page_of_each_theme(browser_page: Page, said: tuple[str, str, str, bool]) -> None:
    """Labels, fields, hints, errors and code have the contrast that WCAG asks for, and are dark where the page is."""
    style, classes, theme, is_dark = said
    browser_page.set_content(f"<style>{_LIGHT}{style}{STYLE}</style>{_FORM}")
    browser_page.evaluate(_SAY, [classes, theme])
    contrasts = {name: lab.contrast_of(browser_page, f".celltask-{name}") for name in _TEXTS}
    contrasts["code"] = lab.contrast_of(browser_page, ".celltask-form pre")
    assert {name: found for name, found in contrasts.items() if found < 4.5} == {}
    scheme = browser_page.locator(".celltask-form").evaluate("form => getComputedStyle(form).colorScheme")
    assert (scheme == "dark") == is_dark


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("said", _SAID.values(), ids=_SAID)
def test_a_run_follows_the_theme_also_when_it_changes(
    browser_page: Page, said: tuple[str, str, str, bool], system: str
) -> None:
    """What the front end says counts, not what the system does; a theme chosen meanwhile is taken over."""
    _, classes, theme, is_dark = said
    browser_page.evaluate(_SAY, ["", ""])
    browser_page.emulate_media(color_scheme=system)  # type: ignore[arg-type]  # one of two words
    live = LivePage(browser_page, report_graph())
    live.tell(RunStarted("r", "daily_report", (), 100.0), NodeFailed("r", "n0", ValueError("no rows"), 0.1))
    live.page.locator("g.node[data-id=n0]").click()
    browser_page.evaluate(_SAY, [classes, theme])
    live.tell()
    assert live.page.locator(".celltask-run.celltask-dark").count() == is_dark
    for selector in (".ct-told b", ".ct-sum", ".ct-panel h4", ".ct-panel h5", ".ct-error"):
        assert lab.contrast_of(browser_page, selector) >= 4.5, selector
    fill = browser_page.locator("g.node[data-id=n1] .box").evaluate("box => getComputedStyle(box).fill")
    assert fill == ("rgb(33, 38, 45)" if is_dark else "rgb(255, 255, 255)")
