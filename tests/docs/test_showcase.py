"""The notebook that shows what celltask is for is saved with its outputs, which are what its cells show now."""

from __future__ import annotations

import re

import nbformat
import pytest
from pages import ROOT

from celltask import load_document

SHOWCASE = ROOT / "notebooks" / "diagnosis.ipynb"
MOST_BYTES = 500_000


@pytest.fixture(scope="module")
def shown() -> dict[str, list[dict[str, str]]]:
    """What each cell shows, by MIME type, under the id of the cell."""
    made = nbformat.read(SHOWCASE, as_version=4)  # type: ignore[no-untyped-call]  # nbformat gives it no types
    cells = [cell for cell in made.cells if cell.cell_type == "code"]
    return {
        cell.id: [dict(output.get("data", {"text/plain": output.get("text", "")})) for output in cell.outputs]
        for cell in cells
    }


def test_it_is_small_and_holds_no_widget() -> None:
    """What is saved needs no kernel: no view of a widget, and no state of one."""
    text = SHOWCASE.read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    assert "jupyter.widget" not in text


def test_it_tells_nothing_of_the_machine_that_ran_it() -> None:
    """No folder, no address and no installed file stands in what it shows."""
    text = SHOWCASE.read_text(encoding="utf-8")
    assert re.findall(r"[^\w.](?:/(?:home|opt|root|tmp|usr|var|work|Users)/|C:\\\\)[^\"]{0,60}", text) == []
    assert re.findall(r"(?:site-packages|ipykernel_|127\.0\.0\.1|localhost)[^\"]{0,60}", text) == []


def test_the_saved_pictures_are_of_the_graph_that_the_cells_make(shown: dict[str, list[dict[str, str]]]) -> None:
    """Each step of the workflow is in the picture of its cell and in those of both runs."""
    labels = {node.label for node in load_document(SHOWCASE).workflows["diagnosis"].graph.nodes}
    for cell in ("diagnosis", "first-run", "second-run"):
        (bundle,) = shown[cell]
        assert {"text/html", "image/svg+xml", "text/plain"} == set(bundle)
        drawn = re.findall(
            r'class="node [^>]*data-id="n\d+"><title>([^<:(]*?)(?: \([^<]*)?(?:: \w+)?</title>', bundle["image/svg+xml"]
        )
        assert labels == set(drawn)


def test_the_first_run_fails_at_one_node_and_the_second_reuses_the_rest(shown: dict[str, list[dict[str, str]]]) -> None:
    """The failed node is red and told once with its error; after it is mended, nothing above runs again."""

    def states(cell: str) -> dict[str, str]:
        rows = re.findall(r"^  (n\d+) +.*? +(\w+) +[\d.]+ s$", shown[cell][0]["text/plain"], flags=re.MULTILINE)
        return dict(rows)

    first, second = states("first-run"), states("second-run")
    assert [node for node, state in first.items() if state == "failed"] == ["n4"]
    picture = shown["first-run"][0]
    assert len(re.findall(r'class="node [^"]*\bfailed"', picture["image/svg+xml"])) == 1
    assert picture["text/html"].count("failed &#183;") == 2  # the workflow within, and the map in it
    assert "ValueError: Input X contains infinity" in picture["text/html"]
    assert {node: second[node] for node in ("n0", "n1", "n2", "n5")} == dict.fromkeys(
        ("n0", "n1", "n2", "n5"), "reused"
    )
    assert {state for node, state in second.items() if node not in ("n0", "n1", "n2", "n5")} == {"done"}


def test_it_shows_a_table_a_figure_and_a_form(shown: dict[str, list[dict[str, str]]]) -> None:
    """Each in a form that every page can show."""
    assert "malignant found" in shown["quality"][0]["text/html"]
    assert "image/png" in shown["figure"][0]
    assert "celltask run diagnosis.ipynb diagnosis --test-share 0.3 --folds 5 --seed 7" in shown["form"][0]["text/html"]
