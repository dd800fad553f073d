"""The graph as HTML that survives everywhere: the picture as an image, and a fold-out for each node.

Untrusted notebooks, GitHub and mail strip scripts, style sheets and inline SVG; an image with its data in the
address, `<details>` and tables are what all of them keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from celltask.render.lettering import clean, escape
from celltask.render.markup import code, image, table
from celltask.render.outline import text
from celltask.render.picture import describe, svg
from celltask.render.wording import Wording, kind_told

if TYPE_CHECKING:
    from celltask.core.graph import Graph, Node

__all__ = ["html", "mime_bundle"]

_FEW_NODES = 8
"""Up to so many nodes their fold-outs stand in the open; more go into one around them."""
_MOST_NODES = 200
"""So many of these are told: a page is saved with its notebook, and must not weigh megabytes."""
_DEEPEST = 3
_INDENTED, _SPACED = ' style="margin-left:1.2em"', ' style="margin:.5em 0"'
_LONGEST = 100
"""Characters of an error beside the name of its node; all of it stands in the fold-out."""
Details = Mapping[str, Mapping[str, str]]
T = TypeVar("T")


def mime_bundle(
    graph: Graph, *, states: Mapping[str, str] | None = None, details: Details | None = None
) -> dict[str, str]:
    """The graph by MIME type, for a notebook's display: ``text/html``, ``image/svg+xml``, ``text/plain``.

    Args:
        graph: What is shown.
        states: State of nodes by id, as for `svg`; ``"n1/n0"`` is a node inside of n1.
        details: By node id whatever is known of its run, as text: ``"state"``, ``"duration"`` and ``"error"`` have
            their own place, all else is shown under its name.

    >>> from celltask.core.graph import Graph
    >>> sorted(mime_bundle(Graph("empty")))
    ['image/svg+xml', 'text/html', 'text/plain']
    """
    states = _known_states(states, details)
    picture = svg(graph, states=states)
    return {
        "text/html": _html(graph, picture, states, details or {}),
        "image/svg+xml": picture,
        "text/plain": text(graph, states=states),
    }


def html(graph: Graph, *, states: Mapping[str, str] | None = None, details: Details | None = None) -> str:
    """The picture and a fold-out for each node, as a piece of HTML in ASCII; for the arguments see `mime_bundle`.

    >>> from celltask.core.graph import Graph
    >>> html(Graph("empty")).startswith("<figure")
    True
    """
    states = _known_states(states, details)
    return _html(graph, svg(graph, states=states), states, details or {})


def _known_states(states: Mapping[str, str] | None, details: Details | None) -> dict[str, str]:
    """States as given, and those that the details tell of other nodes."""
    told = {node: known["state"] for node, known in (details or {}).items() if "state" in known}
    return {**told, **(states or {})}


def _html(graph: Graph, picture: str, states: Mapping[str, str], details: Details) -> str:
    alt = describe(graph, states)
    caption = f"<figcaption><small>{escape(alt)}</small></figcaption>"
    figure = f'<figure style="margin:0">{image(picture, alt)}{caption}</figure>'
    return figure + _fold_outs(graph, states, details, shown=set(), depth=0)


def _fold_outs(graph: Graph, states: Mapping[str, str], details: Details, *, shown: set[str], depth: int) -> str:
    words = Wording(graph, full=True)
    users = words.users()

    def failed(node: Node) -> bool:
        return states.get(node.id) == "failed" or "error" in details.get(node.id, {})

    def fold_out(node: Node) -> str:
        entity, state, known = graph.entities[node.entity], states.get(node.id, ""), details.get(node.id, {})
        inner = ""
        if entity.graph is not None and depth < _DEEPEST and (failed(node) or node.entity not in shown):
            shown.add(node.entity)
            within = _within(states, node.id), _within(details, node.id)
            if entity.kind != "conditional" and entity.graph.nodes:  # the branches are drawn in the picture around
                inner = image(svg(entity.graph, states=within[0]), describe(entity.graph, within[0]))
            inner += _fold_outs(entity.graph, *within, shown=shown, depth=depth + 1)
        return _fold_out(words, node, users, state, known, inner)

    ports, count = _ports(words), len(graph.nodes)
    if count <= _FEW_NODES:
        return ports + "".join(map(fold_out, graph.nodes))
    first = [node for node in graph.nodes if failed(node)][:_FEW_NODES]  # these are told in the open
    told = {node.id for node in first}
    others = [node for node in graph.nodes if node.id not in told][:_MOST_NODES]
    left = count - len(first) - len(others)
    rest = f"<p>and {left} more</p>" if left else ""
    summary = f"{count - len(first)} {'other ' if first else ''}steps"
    opened, folded = "".join(map(fold_out, first)), "".join(map(fold_out, others))
    return f"{ports}{opened}<details><summary>{summary}</summary><div{_INDENTED}>{folded}{rest}</div></details>"


def _short(error: str) -> str:
    line = clean(error.partition("\n")[0])
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}\u2026"


def _within(told: Mapping[str, T], node_id: str) -> dict[str, T]:
    """What is told of the nodes inside of a node, by their ids there."""
    begin = f"{node_id}/"
    return {key.removeprefix(begin): value for key, value in told.items() if key.startswith(begin)}


def _ports(words: Wording) -> str:
    graph = words.graph
    rows = [
        ("input", code(port.name), code(port.type), code(port.default), "", escape(clean(port.description)))
        for port in graph.inputs
    ]
    rows += [
        (
            *("output", code(output.name), code(output.type), ""),
            *(f"&#8592; {code(words.source(output.binding))}", escape(clean(output.description))),
        )
        for output in graph.outputs
    ]
    if not rows:
        return ""
    told = table(("", "name", "type", "default", "from", "description"), rows)
    return f"<details><summary>inputs and outputs</summary>{told}</details>"


def _fold_out(  # noqa: PLR0913, PLR0917 - each is one thing that a reader is told
    words: Wording,
    node: Node,
    users: Mapping[tuple[str, str], list[str]],
    state: str,
    known: Mapping[str, str],
    inner: str,
) -> str:
    entity = words.graph.entities[node.entity]
    summed = [code(node.label), *map(escape, (kind_told(entity, node.label), state, known.get("duration", "")))]
    summed.append(escape(_short(known.get("error", ""))))
    parts = [f"<details><summary>{' &#183; '.join(part for part in summed if part)}</summary><div{_INDENTED}>"]
    about = [escape(clean(entity.doc))] if entity.doc else []
    about += [f"<small>{escape(clean(entity.place))}</small>"] if entity.place else []
    parts += [f"<p>{'<br>'.join(about)}</p>"] if about else []
    if known.get("error"):
        parts.append(f"<pre{_SPACED}>{escape(known['error'])}</pre>")
    rows = [
        ("input", code(port.name), code(port.type), f"&#8592; {code(words.source(binding, port))}")
        for port, binding in zip(entity.inputs, node.bindings, strict=True)
    ]
    rows += [("after", code(words.label(near)), "", "") for near in node.after]
    for port in entity.outputs:
        to = ", ".join(map(code, users.get((node.id, port.name), [])))
        rows.append(("output", code(port.name), code(port.type), f"&#8594; {to}" if to else ""))
    parts.append(table(("", "name", "type", "from / to"), rows))
    rest = [(name, told) for name, told in known.items() if name not in ("state", "duration", "error")]
    parts.append(table(("run", ""), [(escape(name), escape(told)) for name, told in rest]))
    parts.append(f"{inner}</div></details>")
    return "".join(parts)
