"""What real browsers show: the display in JupyterLab, and text inside its boxes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "render"))

from typing import TYPE_CHECKING

import lab
from sample_graphs import graph_of, report_graph, training

from celltask.render import mime_bundle, svg

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from celltask.core.graph import Graph

pytestmark = lab.marks("playwright", "jupyterlab")

_OVERFLOWS = """() => [...document.querySelectorAll('g.node, g.port')].flatMap(group => {
    const box = group.querySelector('.box').getBBox();
    return [...group.querySelectorAll('text')].filter(text => {
        const inside = text.getBBox();
        return inside.x < box.x || inside.x + inside.width > box.x + box.width;
    }).map(text => text.textContent);
})"""


def saved_notebook(folder: Path, graph: Graph) -> None:
    """A notebook with the display of `graph` as its saved output, which JupyterLab does not trust."""
    bundle = mime_bundle(graph, states={"n0": "done", "n2": "failed"})
    output = {"output_type": "display_data", "data": bundle, "metadata": {}}
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "execution_count": 1, "source": "workflow"}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook: dict[str, object] = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}}
    notebook["cells"] = [{**cell, "outputs": [output]}]
    (folder / "saved.ipynb").write_text(json.dumps(notebook))


def test_untrusted_lab_shows_picture_and_fold_outs(server_of: Callable[[str], lab.Server], browser: Browser) -> None:
    """A notebook from somebody else shows the picture, and each fold-out opens and tells its node."""
    server = server_of("dark")
    saved_notebook(server.folder, report_graph())
    with lab.lab_page(browser, dark=True) as page:
        lab.open_notebook(page, server, "saved.ipynb", kernel=False)
        output = page.locator(".jp-OutputArea-output").first
        picture = output.locator("img").first
        picture.wait_for()
        page.wait_for_function("() => document.querySelector('.jp-OutputArea-output img').naturalWidth > 100")
        assert picture.get_attribute("alt") == ("Workflow daily_report: 5 steps, 2 inputs, 1 output. 1 done, 1 failed.")
        output.locator("summary", has_text="clean").click()
        told = output.locator("details[open]").inner_text()
        assert "clean · failed" in told
        assert "load_orders.o0" in told


@pytest.mark.parametrize("font", ["DejaVu Sans", "Liberation Sans"])
def test_text_stays_inside_its_box_in_a_real_browser(font: str, browser: Browser) -> None:
    """Measured by the browser with a wide and a narrow font, no text sticks out of its box."""
    odd = [
        "wwwwwwwwww_WWWWWWWWWWWWWWWW",
        "größe_ß",
        "данные_загрузить_все",
        "漢字漢字漢字漢字漢字漢字",
        "iiiiiiii",
        "👩‍👩‍👧_team",
        "a" * 90,
    ]
    graphs = [report_graph(), graph_of(*training()), graph_of(odd, [(odd[0], name) for name in odd[1:]])]
    with lab.lab_page(browser) as page:
        for graph in graphs:
            page.set_content(f"<style>svg text {{ font-family: '{font}' !important }}</style>{svg(graph)}")
            assert page.evaluate(_OVERFLOWS) == []
