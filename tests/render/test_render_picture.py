"""The SVG of a graph."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from any_graph import graphs, states
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_graphs import graph_of, layered, mapped_graph, report_graph, training

from celltask.core.graph import FromNode, Graph
from celltask.render import svg
from celltask.render.composition import MOST_WIDTH, compose
from celltask.render.lettering import text_width
from celltask.render.style import LABEL_PX, NOTE_PX, STATES, summed_state

NS = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> ET.Element:
    """The picture as a tree."""
    return ET.fromstring(picture)  # noqa: S314 - our own text


def boxes(picture: str, *classes: str) -> list[ET.Element]:
    """Groups of the picture that have all these classes."""
    return [group for group in parsed(picture).iter(f"{NS}g") if set(classes) <= set(group.get("class", "").split())]


@settings(deadline=None, max_examples=80)
@given(graphs(), st.data())
def test_any_graph_makes_a_sound_picture(graph: Graph, data: st.DataObject) -> None:
    """Whatever the names and the edges: the SVG is well-formed ASCII and shows every node, input and output once."""
    given_states = {node.id: data.draw(states) for node in graph.nodes}
    picture = svg(graph, states=given_states)
    assert picture.isascii()
    shown = [group.get("data-id") for group in boxes(picture, "node")]
    assert sorted(shown) == sorted(node.id for node in graph.nodes)
    assert len(boxes(picture, "port", "input")) == len(graph.inputs)
    assert len(boxes(picture, "port", "output")) == len(graph.outputs)


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_text_never_leaves_its_box(graph: Graph) -> None:
    """Every line of text is narrower than its box, in the widest of our fonts, and stands inside it."""
    for group in boxes(svg(graph), "node") + boxes(svg(graph), "port"):
        rect = next(rect for rect in group.iter(f"{NS}rect") if rect.get("class") == "box")
        left, width = float(rect.get("x", "")), float(rect.get("width", ""))
        top, height = float(rect.get("y", "")), float(rect.get("height", ""))
        for text in group.iter(f"{NS}text"):
            size = LABEL_PX if text.get("class") == "label" and "node" in group.get("class", "") else NOTE_PX
            assert text_width(text.text or "", size) <= width - 8
            assert left < float(text.get("x", "")) < left + width
            assert top < float(text.get("y", "")) <= top + height


def test_every_state_has_its_own_colour_and_mark() -> None:
    """No two states share the border's colour, or the mark in the corner."""
    assert len({state.light for state in STATES.values()}) == len(STATES)
    assert len({state.dark for state in STATES.values()}) == len(STATES)
    assert len({state.mark for state in STATES.values()}) == len(STATES)


@pytest.mark.parametrize("state", list(STATES))
def test_state_is_told_by_class_mark_and_words(state: str) -> None:
    """A node's state is a class for colours and dashes, a mark, and a word for those who see neither."""
    picture = svg(report_graph(), states={"n2": state})
    (box,) = boxes(picture, "node", state)
    assert box.get("data-id") == "n2"
    assert box.findtext(f"{NS}title") == f"clean: {state}"
    assert [path.get("d") for path in box.iter(f"{NS}path")] == [STATES[state].mark]
    assert f"1 {state}" in (parsed(picture).findtext(f"{NS}desc") or "")


def test_a_picture_carries_the_styles_of_its_own_states_alone() -> None:
    """A picture without states is small, and one with two tells how these two look, in light and in dark."""
    assert "failed" not in svg(report_graph())
    told = svg(report_graph(), states={"n1": "done", "n2": "failed"})
    assert [told.count(f".{state} .box{{fill:") for state in ("done", "failed", "queued", "stale")] == [2, 2, 0, 0]


def test_unknown_states_are_not_drawn() -> None:
    """A word that is no state leaves the node plain."""
    assert svg(report_graph(), states={"n2": "dancing", "n99": "done"}) == svg(report_graph())


def test_states_do_not_move_anything() -> None:
    """A picture with states has every box where the picture without has it."""
    without = re.findall(r"<rect[^>]*>", svg(report_graph()))
    assert re.findall(r"<rect[^>]*>", svg(report_graph(), states={"n1": "failed"})) == without


def test_picture_is_named_for_screen_readers() -> None:
    """Title and description come first and say what the picture shows."""
    root = parsed(svg(report_graph()))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{NS}title", f"{NS}desc"]
    assert root.findtext(f"{NS}title") == "daily_report"
    assert root.findtext(f"{NS}desc") == "Workflow daily_report: 5 steps, 2 inputs, 1 output."


def test_kinds_and_workflows_are_told_apart() -> None:
    """A task of another kind says so in small; a workflow within has a second border and the number of its steps."""
    picture = svg(report_graph())
    (workflow,) = boxes(picture, "node", "workflow")
    assert [text.text for text in workflow.iter(f"{NS}text")] == ["join", "workflow · 3 steps"]
    assert [rect.get("class") for rect in workflow.iter(f"{NS}rect")] == ["box", "inner"]
    notes = [
        text.text for box in boxes(picture, "task") for text in box.iter(f"{NS}text") if text.get("class") == "note"
    ]
    assert sorted(notes) == ["shell", "sql"]


def test_a_workflow_under_another_name_says_its_own_and_its_steps() -> None:
    """There is no room for more: that it is a workflow is told by its border."""
    graph = report_graph()
    nodes = tuple(node._replace(label="both") if node.label == "join" else node for node in graph.nodes)
    (workflow,) = boxes(svg(replace(graph, nodes=nodes)), "node", "workflow")
    assert [text.text for text in workflow.iter(f"{NS}text")] == ["both", "join · 3 steps"]


def test_lines_say_what_goes_along_them() -> None:
    """Each line names output, input and type."""
    titles = [title.text for title in parsed(svg(report_graph())).iter(f"{NS}title")]
    assert "clean.o0 → join.in1: DataFrame" in titles
    assert "day → load_orders.day: int" in titles


def test_order_without_a_value_is_dashed() -> None:
    """A line along which no value goes looks different."""
    graph = graph_of(["a", "b"], [])
    nodes = (graph.nodes[0], graph.nodes[1]._replace(after=("n0",)))
    picture = svg(Graph("w", nodes=nodes, entities=graph.entities))
    (line,) = boxes(picture, "order")
    assert line.findtext(f"{NS}title") == "a, then b"


def test_folded_boxes_name_their_members() -> None:
    """A box that stands for many has their ids, their names in its title, and the state one must know of first."""
    picture = svg(mapped_graph(120), states={"n1": "failed", "n3": "done"})
    (align,) = boxes(picture, "group", "failed")
    assert len((align.get("data-members") or "").split()) == 120
    assert "1 done, 1 failed" in (align.findtext(f"{NS}title") or "")


@pytest.mark.parametrize(
    ("many", "state"),
    [
        pytest.param(["done", "failed", "queued"], "failed", id="a failure first"),
        pytest.param(["done", "queued"], "running", id="half done is under way"),
        pytest.param(["reused", "reused"], "reused", id="all alike"),
        pytest.param(["done", "reused"], "done", id="ended well"),
        pytest.param([], "", id="nothing known"),
    ],
)
def test_states_of_many_are_summed(many: list[str], state: str) -> None:
    """The state of a folded box is the one that matters most."""
    assert summed_state(many) == state


@pytest.mark.parametrize("count", [0, 1], ids=["empty", "one node"])
def test_tiny_graphs_are_drawn(count: int) -> None:
    """A graph of no node, or of one, is a picture too."""
    assert len(boxes(svg(graph_of(["only"][:count], [])), "node")) == count


def test_a_node_that_waits_for_itself_has_an_ear() -> None:
    """A loop, which no run could carry out, is still drawn."""
    graph = graph_of(["a", "b"], [("a", "b")])
    nodes = (graph.nodes[0], graph.nodes[1]._replace(bindings=(FromNode("n1"),)))
    picture = svg(Graph("w", nodes=nodes, entities=graph.entities))
    assert len([path for path in parsed(picture).iter(f"{NS}path") if path.get("class") == "line"]) == 1


def test_dark_and_light_are_in_one_picture() -> None:
    """The picture follows the reader's theme by itself and takes nothing from elsewhere."""
    picture = svg(report_graph())
    assert "@media(prefers-color-scheme:dark)" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_a_picture_of_thirty_nodes_is_readable_where_notebooks_show_it() -> None:
    """Shown 900 px wide, no text is lower than 9 px."""
    picture = svg(graph_of(*training()))
    assert float(parsed(picture).get("width", "")) <= MOST_WIDTH
    assert min(LABEL_PX, NOTE_PX) * 900 / MOST_WIDTH >= 9


def test_large_graphs_are_drawn_whole_on_request() -> None:
    """With full detail all of 300 nodes have a box of their own."""
    graph = graph_of(*layered(300, 22, 1))
    assert len(compose(graph, detail="full").sketch.boxes) == 300
    assert len(boxes(svg(graph, detail="full"), "node")) == 300
