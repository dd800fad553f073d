"""What the live picture shows of a run, and how it reacts: the script in a blank page, told what a kernel tells."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "render"))

from typing import TYPE_CHECKING

import lab
from blank import LivePage, blank_page
from sample_graphs import graph_of, report_graph

from celltask import dynamic, map_task, task, workflow
from celltask.core.events import (
    GraphMade,
    NodeFailed,
    NodeFinished,
    NodePrinted,
    NodeProgress,
    NodeRetried,
    NodeReused,
    NodeSkipped,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from celltask.core.types.lookup import handler_for
from celltask.notebook.live_values import shown_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = lab.marks("playwright", "anywidget")

RUN = "r"
BEGUN = RunStarted(RUN, "daily_report", (), 100.0)


@pytest.fixture(scope="module")
def browser_page(browser: Browser) -> Iterator[Page]:
    """One blank page for all tests here."""
    with blank_page(browser) as page:
        yield page


@pytest.fixture
def live(browser_page: Page) -> LivePage:
    """A run of five nodes of which nothing is known yet."""
    return LivePage(browser_page, report_graph())


def states(live: LivePage) -> dict[str, str]:
    """The state of each box, as a screen reader is told it."""
    found = live.page.locator("g.node").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    return {label.partition(",")[0].partition(" (")[0]: label.partition(", ")[2] for label in found}


def test_each_state_is_shown_as_it_comes(live: LivePage) -> None:
    """A box is queued at first, and then what the newest event made of it, with its time."""
    assert set(states(live).values()) == {"queued"}
    live.tell(BEGUN, NodeStarted(RUN, "n0", 100.0), elapsed=3.2)
    assert live.page.locator("g.node.running").count() == 1
    assert live.page.locator("g.node[data-id=n0]").get_attribute("aria-label").endswith("running, 3 s")  # type: ignore[union-attr]  # it has one
    error = ValueError("no rows")
    live.tell(
        NodeFinished(RUN, "n0", 3.21),
        NodeReused(RUN, "n1", "same inputs"),
        NodeRetried(RUN, "n2", 1, error, 2.0),
        NodeFailed(RUN, "n3", error, 0.012),
        NodeSkipped(RUN, "n4", "skipped", "a node before it failed"),
        elapsed=4.0,
    )
    classes = [live.page.locator(f"g.node[data-id=n{number}]").get_attribute("class") or "" for number in range(5)]
    assert [told.split()[-1] for told in classes] == ["done", "reused", "retried", "failed", "skipped"]
    assert live.page.locator("g.node[data-id=n0] .badge").text_content() == "3.2 s"
    assert "4 of 5 ended, 1 retried, 1 reused, 1 failed, 1 skipped" in live.page.locator(".ct-head").inner_text()


def test_a_map_shows_how_many_items_have_ended(browser_page: Page) -> None:
    """The box of a map has a count, with the failed items beside it."""

    @task
    def half(x: float) -> float:
        return x / 2

    @workflow
    def halves(xs: list[float]) -> list[float]:
        return map_task(half)(x=xs)  # type: ignore[return-value]  # a list of references while it is traced

    live = LivePage(browser_page, halves.graph)
    live.tell(BEGUN, NodeStarted(RUN, "n0", 100.0), NodeProgress(RUN, "n0", 34, 2, 120))
    assert live.page.locator("g.node .badge").text_content() == "34/120 ✗2"


def test_a_workflow_counts_the_items_of_the_maps_inside(browser_page: Page) -> None:
    """While maps run in it, the box of a workflow within the workflow has their count; then its time again."""

    @task
    def half(x: float) -> float:
        return x / 2

    @workflow
    def inner(xs: list[float]) -> list[float]:
        return map_task(half)(x=map_task(half)(x=xs))  # type: ignore[return-value]  # as above

    @workflow
    def outer(xs: list[float]) -> list[float]:
        return inner(xs=xs)

    live = LivePage(browser_page, outer.graph)
    live.tell(BEGUN, NodeStarted(RUN, "n0", 100.0), NodeStarted(RUN, "n0/n0", 100.0))
    live.tell(NodeProgress(RUN, "n0/n0", 5, 1, 8))
    assert live.page.locator("g.node[data-id=n0] .badge").text_content() == "5/8 ✗1"
    live.tell(NodeFinished(RUN, "n0/n0", 1.0), NodeStarted(RUN, "n0/n1", 101.0), NodeProgress(RUN, "n0/n1", 2, 0, 8))
    assert live.page.locator("g.node[data-id=n0] .badge").text_content() == "2/8"
    live.tell(NodeFinished(RUN, "n0/n1", 1.0), NodeFinished(RUN, "n0", 2.0))
    assert live.page.locator("g.node[data-id=n0] .badge").text_content() == "2.0 s"


def test_a_click_tells_all_of_a_node_without_a_kernel(live: LivePage) -> None:
    """The panel has inputs and outputs with values, the log as it comes, the reason and the place."""
    live.tell(BEGUN, NodeStarted(RUN, "n1", 100.0))
    live.board.show("n1", "in", {"orders": shown_value(handler_for(list[int]), [1, 2])})
    live.tell(NodePrinted(RUN, "n1", "stdout", "one\n"))
    live.page.locator("g.node[data-id=n1]").click()
    assert "one" in live.text()
    live.tell(NodePrinted(RUN, "n1", "stdout", "two\n"), NodeReused(RUN, "n1", "same inputs"))
    assert live.page.locator(".ct-log").inner_text() == "one\ntwo\n"
    assert "same inputs" in live.text()
    live.page.locator("g.node[data-id=n1]").click()
    assert live.page.locator(".ct-panel").is_hidden()
    assert live.page.evaluate("() => model.sent") == []


def test_what_values_say_is_never_markup(live: LivePage) -> None:
    """Markup in an error, a log, a value or a table is shown as text, and nothing of it is executed."""
    evil = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"
    live.tell(BEGUN, NodePrinted(RUN, "n0", "stdout", evil), NodeFailed(RUN, "n0", ValueError(evil), 0.1))
    live.board.show("n0", "out", {"o0": shown_value(handler_for(str), evil)._replace(table=((evil,), (evil,)))})
    live.tell()
    live.page.locator("g.node[data-id=n0]").click()
    assert live.page.locator(".ct-error").inner_text() == f"ValueError: {evil}"
    assert live.page.locator(".ct-panel img, .ct-panel script").count() == 0
    assert live.page.title() == ""


def test_the_keyboard_goes_from_box_to_box_and_opens_them(live: LivePage) -> None:
    """One Tab stop for all boxes; arrows go on, Enter opens, Escape closes and gives the focus back."""
    live.tell(BEGUN)
    focused = "() => document.activeElement.dataset.id"
    live.page.locator("g.node[tabindex='0']").focus()
    first = live.page.evaluate(focused)
    live.page.keyboard.press("ArrowDown")
    second = live.page.evaluate(focused)
    assert first != second
    live.page.keyboard.press("Enter")
    assert live.page.locator(".ct-panel").is_visible()
    live.page.keyboard.press("Escape")
    assert live.page.locator(".ct-panel").is_hidden()
    assert live.page.evaluate(focused) == second


def test_zoom_and_drag_and_fit(live: LivePage) -> None:
    """Plus zooms, a drag moves without opening a box, and 0 brings all back into view."""
    where = "() => document.querySelector('.ct-sheet').style.transform"
    before = live.page.evaluate(where)
    live.page.locator(".ct-view").focus()
    live.page.keyboard.press("+")
    assert "scale(1.25)" in live.page.evaluate(where)
    frame = live.page.locator("g.node").first.bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    live.page.mouse.move(x, y)
    live.page.mouse.down()
    live.page.mouse.move(x + 50, y + 20, steps=4)
    live.page.mouse.up()
    assert live.page.locator(".ct-panel").is_hidden()
    live.page.locator(".ct-view").focus()
    live.page.keyboard.press("0")
    assert live.page.evaluate(where) == before


def test_a_workflow_inside_opens_and_closes(browser_page: Page) -> None:
    """The graph of a workflow within the workflow is shown on demand, coloured, with the way back above it."""

    @task
    def double(x: int) -> int:
        return 2 * x

    @workflow
    def inner(x: int) -> int:
        return double(x=double(x=x))

    @workflow
    def outer(x: int) -> int:
        return double(x=inner(x=x))

    live = LivePage(browser_page, outer.graph)
    live.tell(BEGUN, NodeStarted(RUN, "n0", 100.0), NodeStarted(RUN, "n0/n0", 100.0), NodeFinished(RUN, "n0/n0", 0.5))
    live.page.locator("g.node[data-id=n0]").click()
    live.page.get_by_role("button", name="show its graph").click()
    assert live.page.locator(".ct-path").inner_text() == "outer ▸ inner"
    assert live.page.locator("g.node").count() == 2
    assert live.page.locator("g.node.done").count() == 1
    live.page.locator(".ct-path button").click()
    assert live.page.locator("g.node[data-id=n1]").count() == 1


def test_a_graph_that_a_node_makes_while_running_can_be_opened(browser_page: Page) -> None:
    """What a dynamic function made of itself is shown on demand, with the states of its nodes."""

    @task
    def double(x: int) -> int:
        return 2 * x

    @dynamic
    def several(x: int) -> int:
        return double(x=double(x=x))

    @workflow
    def growing(x: int) -> int:
        return several(x=x)

    @workflow
    def grown(x: int) -> int:
        return double(x=double(x=x))

    live = LivePage(browser_page, growing.graph)
    live.tell(BEGUN, NodeStarted(RUN, "n0", 100.0), GraphMade(RUN, "n0", grown.graph), NodeStarted(RUN, "n0/n0", 100.0))
    live.page.locator("g.node[data-id=n0]").click()
    live.page.get_by_role("button", name="show its graph").click()
    assert live.page.locator("g.node").count() == 2
    assert live.page.locator("g.node.running").count() == 1


def test_a_page_that_comes_late_knows_the_states(browser_page: Page) -> None:
    """A second tab, which has heard nothing of what happened, shows how the nodes stand."""
    live = LivePage(browser_page, report_graph(), states="durfq")
    assert list(states(live).values()) == ["done", "reused", "running", "failed", "queued"]


def test_cancel_tells_the_kernel_once(browser_page: Page) -> None:
    """The button sends one message, and cannot be pressed twice."""
    live = LivePage(browser_page, report_graph(), can_cancel=True)
    live.page.get_by_role("button", name="cancel the run").click()
    assert live.page.locator("button:disabled").inner_text() == "Cancelling …"
    assert live.page.evaluate("() => model.sent") == [{"do": "cancel"}]


def test_a_lost_kernel_is_told(live: LivePage) -> None:
    """When the kernel was lost the picture says so."""
    live.tell(BEGUN, NodeStarted(RUN, "n0", 100.0), elapsed=5.0)
    live.page.evaluate("() => model.hear('comm_live_update')")
    live.page.wait_for_function("() => document.querySelector('.ct-state').textContent === 'the kernel was lost'")


def test_leaving_takes_everything_along(live: LivePage) -> None:
    """A view that is closed leaves nothing in the page, and does not listen any more."""
    live.page.evaluate("() => leave()")
    assert live.page.locator("#root > *").count() == 0
    live.tell(BEGUN, NodeStarted(RUN, "n0", 100.0), RunFinished(RUN, "done", 1.0))


def test_a_thousand_nodes_are_folded_and_updated_at_once(browser_page: Page) -> None:
    """Of 1,000 nodes a hundred boxes are drawn at most; their counts tell all, and a box lists its nodes."""
    names = [f"load_{number}" for number in range(500)] + [f"clean_{number}" for number in range(500)]
    live = LivePage(browser_page, graph_of(names, [(names[at], names[at + 500]) for at in range(500)]))
    told = [
        event for at in range(1000) for event in (NodeStarted(RUN, f"n{at}", 100.0), NodeFinished(RUN, f"n{at}", 0.1))
    ]
    live.tell(BEGUN, *told[:-2], NodeFailed(RUN, "n999", ValueError("x"), 0.1))
    assert live.page.locator("g.node").count() <= 100
    assert "1000 of 1000 ended, 1 failed" in live.page.locator(".ct-head").inner_text()
    live.page.locator("g.node.failed").first.click()
    assert live.page.locator(".ct-panel li").first.inner_text() == "clean_499 failed"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing(browser_page: Page, scheme: str) -> None:
    """Contrast, names, roles and the rest hold for the whole widget with an open panel, on light and dark pages."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    browser_page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
    live = LivePage(browser_page, report_graph(), can_cancel=True)
    live.board.show("n2", "in", {"orders": shown_value(handler_for(pd.DataFrame), pd.DataFrame({"a": [1]}))})
    live.tell(
        BEGUN,
        NodeStarted(RUN, "n0", 100.0),
        NodeReused(RUN, "n1", "same inputs"),
        NodePrinted(RUN, "n2", "stdout", "line\n" * 100),
        NodeFailed(RUN, "n2", ValueError("no rows"), 0.1),
        NodeRetried(RUN, "n3", 1, OSError("no answer"), 2.0),
    )
    browser_page.locator("g.node[data-id=n2]").click()
    found = axe.Axe().run(browser_page, context="#root").response
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    assert len(found["passes"]) > 10
