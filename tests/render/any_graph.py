"""A hypothesis strategy: any graph at all, with names nobody should choose."""

from __future__ import annotations

from hypothesis import strategies as st

from celltask.core.graph import Collected, Constant, Entity, FromInput, FromNode, Graph, GraphOutput, Node, Port

_NASTY = [
    "<b>&\"'",
    "a" * 120,
    "漢字" * 20,
    "👩‍👩‍👧",
    "]]>",
    "-->",
    "{{x}}",
    "end",
    "`code`",
    "| a | b |",
    "\x00\ud800",
    "",
]
names = st.one_of(st.sampled_from(_NASTY), st.text(max_size=20), st.sampled_from(["load", "clean_data", "fit.model"]))
states = st.sampled_from(
    ["queued", "running", "reused", "retried", "done", "failed", "skipped", "cancelled", "unheard-of"]
)


@st.composite
def graphs(draw: st.DrawFn, most: int = 12) -> Graph:
    """A graph of up to `most` nodes: cycles, loops, parallel and order-only edges, parts of values, inner workflows."""
    count = draw(st.integers(0, most))
    inputs = tuple(
        Port(f"{draw(names)}{number}", draw(names), draw(names), default=draw(names))
        for number in range(draw(st.integers(0, 3)))
    )
    sources = [FromInput(port.name) for port in inputs]
    sources += [FromInput(port.name, (("field", "part"),)) for port in inputs]
    sources += [FromNode(f"n{number}") for number in range(count)]
    sources += [FromNode(f"n{number}", 0, (("item", 0),)) for number in range(count)]
    one = st.one_of(st.sampled_from(sources), st.builds(Constant, names)) if sources else st.builds(Constant, names)
    bindings = st.one_of(st.none(), one, st.builds(lambda a, b: Collected("list", (a, b)), one, one))
    entities, nodes = {}, []
    for number in range(count):
        ports = tuple(Port(f"in{place}", draw(names)) for place in range(draw(st.integers(0, 3))))
        kind = draw(st.sampled_from(["python", "shell", "workflow"]))
        inner = Graph(draw(names)) if kind == "workflow" else None
        key = f"e{number}"
        entities[key] = Entity(draw(names), kind, ports, (Port("o0", draw(names)),), draw(names), draw(names), inner)
        after = draw(st.lists(st.sampled_from([f"n{other}" for other in range(count)]), max_size=2, unique=True))
        nodes.append(Node(f"n{number}", draw(names), key, tuple(draw(bindings) for _ in ports), tuple(after)))
    outputs = tuple(
        GraphOutput(f"{draw(names)}{number}", draw(names), draw(one), draw(names))
        for number in range(draw(st.integers(0, 2)))
    )
    return Graph(draw(names), inputs, outputs, tuple(nodes), entities)
