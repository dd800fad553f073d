"""HTML and the MIME bundle."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from any_graph import graphs, names
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_graphs import graph_of, report_graph, training

from celltask import render
from celltask.core.graph import Entity, Graph, Node, Port
from celltask.render import card_bundle, card_html, card_text, html, mime_bundle, svg

# What JupyterLab leaves standing in an untrusted notebook, as far as we use it.
KEPT_TAGS = {
    *("figure", "figcaption", "img", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
    *("p", "pre", "code", "small", "strong", "div", "br"),
}
KEPT_ATTRIBUTES = {"alt", "src", "style"}
FOR_SITES = {"data-task"}
"""What nothing depends on that a notebook shows."""


class Reader(HTMLParser):
    """Collects tags and text, and complains about what is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note that a tag ends."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text.append(data)


def pictures(page: str) -> list[str]:
    """The SVG of each image in the page."""
    return [
        base64.b64decode(data).decode("ascii") for data in re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', page)
    ]


@settings(deadline=None, max_examples=60)
@given(graphs(), names)
def test_any_graph_makes_a_sound_page(graph: Graph, error: str) -> None:
    """Whatever the names: only harmless tags, all closed, a fold-out for each node, a well-formed picture."""
    page = html(graph, details={node.id: {"error": error, "duration": "1 s", "attempts": "2"} for node in graph.nodes})
    read = Reader(page)
    assert page.isascii()
    assert set(read.tags) <= KEPT_TAGS
    assert read.attributes <= KEPT_ATTRIBUTES | FOR_SITES
    assert read.tags.count("details") >= len(graph.nodes)
    for picture in pictures(page):
        ET.fromstring(picture)  # noqa: S314 - our own text


def test_bundle_has_a_form_for_every_reader() -> None:
    """HTML for notebooks, SVG for exporters, text for terminals."""
    bundle = mime_bundle(report_graph(), states={"n0": "done"})
    assert list(bundle) == ["text/html", "image/svg+xml", "text/plain"]
    assert bundle["image/svg+xml"] == svg(report_graph(), states={"n0": "done"})
    assert pictures(bundle["text/html"])[0] == bundle["image/svg+xml"]
    assert "1 done" in bundle["text/html"]


def test_fold_outs_name_what_goes_where() -> None:
    """A node's fold-out names each input with its type and source, and each output with its type and users."""
    told = " ".join(Reader(html(report_graph())).text)
    assert "input in1 DataFrame ←  clean.o0" in told
    assert "output o0 DataFrame →  join.in1" in told
    assert "Does clean. tour.md, cell 4" in told


def test_fold_outs_say_which_task_they_are_of() -> None:
    """By the name of the task, whatever the node is called: a site finds the defining cell by it."""
    graph = report_graph()
    renamed = replace(graph, nodes=(graph.nodes[0]._replace(label="first"), *graph.nodes[1:]))
    name = graph.entities[graph.nodes[0].entity].name
    assert f'<details data-task="{name}"><summary><code>first</code>' in html(renamed)


def test_fold_outs_tell_of_the_run() -> None:
    """State, time and the first line of the error stand in the line that is always seen, all else below it."""
    known = {"n2": {"state": "failed", "duration": "1.25 s", "error": "ValueError: <b>\n  no", "attempts": "3"}}
    page = html(report_graph(), details=known)
    assert "<summary><code>clean</code> &#183; failed &#183; 1.25 s &#183; ValueError: &lt;b&gt;</summary>" in page
    assert ">ValueError: &lt;b&gt;\n  no</pre>" in page
    assert ">attempts</td>" in page


def test_workflows_within_are_drawn_in_their_fold_out() -> None:
    """The fold-out of a workflow within holds its picture and its own steps."""
    assert len(pictures(html(report_graph()))) == 2
    assert "<code>match</code>" in html(report_graph())


def test_a_workflow_used_twice_is_drawn_once() -> None:
    """Pages do not grow with the number of uses."""
    graph = report_graph()
    again = Node("n9", "again", "join", (None, None))
    assert (
        len(pictures(html(Graph("w", nodes=(*graph.nodes, again), inputs=graph.inputs, entities=graph.entities)))) == 2
    )


def test_many_fold_outs_stand_in_one() -> None:
    """Thirty steps do not push the notebook's next cell out of sight."""
    page = html(graph_of(*training()))
    fold = page.index("<details><summary>29 steps</summary>")
    assert page.index("<summary><code>") > fold


def test_a_page_of_thousands_of_steps_stays_small() -> None:
    """Two hundred steps are told, and how many more there are."""
    nodes = tuple(Node(f"n{number}", "step", "step", ()) for number in range(3000))
    page = html(Graph("w", nodes=nodes, entities={"step": Entity("step", "python")}))
    assert "<summary>3000 steps</summary>" in page
    assert "<p>and 2800 more</p>" in page
    assert len(page) < 300_000


def test_failed_steps_among_many_stand_in_the_open() -> None:
    """Who looks at a failed run of thirty steps sees at once which one failed, and at most eight of them."""
    graph = graph_of(*training())
    failed = {graph.nodes[5].id: {"state": "failed", "error": "ValueError: no"}}
    page = html(graph, details=failed)
    fold = page.index("<details><summary>28 other steps</summary>")
    assert page.index("failed &#183; ValueError: no</summary>") < fold
    page = html(graph, states=dict.fromkeys([node.id for node in graph.nodes], "failed"))
    assert "<summary>21 other steps</summary>" in page


def test_a_failed_workflow_within_shows_which_of_its_steps_failed() -> None:
    """States and errors of nodes within a node are told in its fold-out, by the id that begins with its own."""
    graph = report_graph()
    outer = next(node for node in graph.nodes if graph.entities[node.entity].graph is not None)
    known = {outer.id: {"state": "failed"}, f"{outer.id}/n0": {"state": "failed", "error": "KeyError: 'k'"}}
    page = html(graph, details=known)
    assert page.count("failed &#183; KeyError: &#x27;k&#x27;</summary>") == 1
    assert [alt.endswith("1 failed.") for alt in re.findall('<img alt="([^"]*)"', page)] == [True, True]


CARD = Entity(
    "train_model",
    "python",
    (
        Port("data", "DataFrame", "Cleaned <rows>."),
        Port("rate", "float", required=False, default="0.1"),
    ),
    (Port("o0", "LogisticRegression"),),
    "Train a classifier.",
    "tour.md, cell 4, line 12",
)


def test_card_tells_what_a_caller_must_know() -> None:
    """Name, kind, version, first line of the doc, inputs with types and defaults, outputs, options and place."""
    assert card_text(CARD, version="3f2a91c", options={"retries": "3"}) == (
        "train_model · python task · version 3f2a91c\n"
        "  Train a classifier.\n"
        "  in   data: DataFrame         Cleaned <rows>.\n"
        "  in   rate: float = 0.1\n"
        "  out  o0: LogisticRegression\n"
        "  retries=3 · tour.md, cell 4, line 12"
    )
    told = " ".join(Reader(card_html(CARD, version="3f2a91c", options={"retries": "3"})).text)
    for word in ("train_model", "python task", "3f2a91c", "Cleaned <rows>.", "required", "0.1", "retries=3"):
        assert word in told


def test_card_takes_its_colours_from_the_page() -> None:
    """Nothing in a card sets a colour, so that it looks at home in light and dark."""
    assert "color" not in card_html(CARD)


@given(names, names, st.text(max_size=30))
def test_any_card_is_sound(name: str, kind: str, doc: str) -> None:
    """Whatever the names, a card's tags are harmless and closed."""
    bundle = card_bundle(Entity(name, kind, (Port(name, kind, doc),), (), doc), version=name, options={name: doc})
    assert set(Reader(bundle["text/html"]).tags) <= KEPT_TAGS
    assert "\x00" not in bundle["text/plain"]


def test_cards_load_nothing_that_lays_out_graphs() -> None:
    """Showing a card, which each task cell does, does not load the layout."""
    program = (
        "import sys; from celltask.core.graph import Entity; from celltask.render import card_bundle; "
        "card_bundle(Entity('a', 'python')); print(*[name for name in sys.modules if 'render' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "celltask.render.card" in done.stdout
    assert "layout" not in done.stdout


def test_public_names_are_listed_and_there() -> None:
    """What the room offers is sorted, exists, and nothing else does."""
    assert render.__all__ == sorted(render.__all__) == dir(render)
    assert all(callable(getattr(render, name)) for name in render.__all__)
    with pytest.raises(AttributeError, match="no attribute 'draw_me'"):
        render.draw_me  # noqa: B018 - looking is the test
