"""The graph as text and as Mermaid."""

from __future__ import annotations

import re

from any_graph import graphs
from hypothesis import given, settings
from sample_graphs import graph_of, layered, report_graph, training

from celltask.core.graph import Entity, FromInput, FromNode, Graph, Node, Port
from celltask.render import mermaid, text


def test_text_draws_five_nodes() -> None:
    """Rails on the left show what goes where; the words on the right say it."""
    assert text(report_graph()) == (
        "daily_report(day: int, currency: int) → report: DataFrame\n"
        "●      load_orders     sql       ← day\n"
        "│ ●    load_customers\n"
        "├─│─●  clean                     ← load_orders\n"
        "│ ●─╯  join            workflow  ← load_customers, clean\n"
        "●─╯    report          shell     ← join, load_orders, currency\n"
        "→ report: DataFrame  ← report"
    )


def test_text_tells_nodes_of_one_name_apart_and_may_be_whole() -> None:
    """Their ids stand behind their names, wherever they are named; without a width no line is cut."""
    task = Entity("fit", "python", (Port("x", "int"), Port("y", "int")), (Port("o0", "int"),))
    one, two, three = FromInput("a" * 60), FromNode("n0", 0), FromNode("n1", 0)
    nodes = (
        Node("n0", "fit", "fit", (one, None)),
        Node("n1", "fit", "fit", (one, two)),
        Node("n2", "add", "fit", (two, three)),
    )
    graph = Graph("w" * 120, nodes=nodes, entities={"fit": task})
    assert text(graph, width=None).splitlines() == [
        f"{'w' * 120}()",
        f"●    fit (n0)       ← {'a' * 60}, default",
        f"├─●  fit (n1)       ← {'a' * 60}, fit (n0)",
        "●─╯  add       fit  ← fit (n0), fit (n1)",
    ]
    assert max(map(len, text(graph).splitlines())) == 110


def test_text_tells_states() -> None:
    """A node's mark and a word tell its state."""
    lines = text(report_graph(), states={"n0": "done", "n1": "failed"}).splitlines()
    assert lines[1].startswith("✓")
    assert "sql · done" in lines[1]
    assert "│ ✗" in lines[2]


def test_text_of_thirty_nodes_stays_narrow() -> None:
    """Each node has one line of at most 110 columns, and rails that free up are used again."""
    drawing = text(graph_of(*training()))
    assert len(drawing.splitlines()) == 30
    assert max(map(len, drawing.splitlines())) <= 110
    assert drawing.splitlines()[1].index("config") < 20


def test_text_of_a_tangled_graph_leaves_out_the_rails() -> None:
    """Where rails would fill the page, a list is told instead; of many nodes the first."""
    lines = text(graph_of(*layered(300, 6, 1))).splitlines()
    assert lines[1].startswith("●  ")
    assert lines[-1] == "… and 100 more steps"


def test_text_tells_parts_defaults_and_order() -> None:
    """A default and an order without a value are said in words."""
    task = Entity("fit", "python", (Port("rate", "float", required=False, default="0.1"),), ())
    nodes = (Node("n0", "first", "fit", (None,)), Node("n1", "fit", "fit", (None,), ("n0",)))
    assert text(Graph("w", nodes=nodes, entities={"fit": task})).splitlines()[1:] == [
        "●  first  fit  ← default 0.1",
        "●  fit         ← default 0.1, after first",
    ]


@settings(deadline=None, max_examples=80)
@given(graphs())
def test_any_graph_can_be_told_in_text(graph: Graph) -> None:
    """Whatever the names, there is a line for the workflow, for each node and for each output."""
    lines = text(graph).split("\n")
    assert len(lines) == 1 + len(graph.nodes) + len(graph.outputs)
    assert not re.search("[\x00-\x09\x0b-\x1f]", text(graph))


def test_mermaid_draws_shapes_by_kind() -> None:
    """Inputs and outputs are rounded, tasks square, workflows doubly bordered, states coloured."""
    assert mermaid(report_graph(), states={"n2": "done"}) == (
        "flowchart TD\n"
        "    %% daily_report\n"
        '    b0(["day"])\n'
        '    b1(["currency"])\n'
        '    b2["load_orders<br/>sql"]\n'
        '    b3["load_customers"]\n'
        '    b4["clean"]:::done\n'
        '    b5[["join<br/>workflow · 3 steps"]]\n'
        '    b6["report<br/>shell"]\n'
        '    b7(["report"])\n'
        "    b0 --> b2\n"
        "    b2 --> b4\n"
        "    b3 --> b5\n"
        "    b4 --> b5\n"
        "    b5 --> b6\n"
        "    b2 --> b6\n"
        "    b1 --> b6\n"
        "    b6 --> b7\n"
        "    classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328"
    )


@settings(deadline=None, max_examples=80)
@given(graphs())
def test_any_graph_makes_a_flowchart_of_known_lines(graph: Graph) -> None:
    """No name, however odd, can end a label early or begin a line of its own."""
    label = r"[^\"\n<>`|\[\]{}&;#]*(?:#\d+;[^\"\n<>`|\[\]{}&;#]*)*"
    whole = rf"{label}(?:<br/>{label})?"
    known = re.compile(
        rf'    (?:%% .*|b\d+(?:\["{whole}"\]|\[\["{whole}"\]\]|\(\["{whole}"\]\))|b\d+ (?:-->|-\.->) b\d+)'
    )
    first, *rest = mermaid(graph).split("\n")
    assert first == "flowchart TD"
    assert all(known.fullmatch(line) for line in rest)
