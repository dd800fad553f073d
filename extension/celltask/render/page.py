"""The graph as HTML that survives everywhere: the picture as an image, and a fold-out for each node.

Untrusted notebooks, GitHub and mail strip scripts, style sheets and inline SVG; an image with its data in the
address, `<details>` and tables are what all of them keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from celltask.render.composition import compose
from celltask.render.lettering import clean, escape
from celltask.render.markup import code, image, table
from celltask.render.outline import text
from celltask.render.picture import describe, draw, svg
from celltask.render.wording import Wording, kind_told

if TYPE_CHECKING:
    from celltask.core.graph import Graph, Node
    from celltask.render.composition import Composition

__all__ = ["Value", "Values", "html", "mime_bundle", "still"]

_FEW_NODES = 8
"""Up to so many nodes their fold-outs stand in the open; more go into one around them."""
_MOST_NODES = 200
"""So many of these are told: a page is saved with its notebook, and must not weigh megabytes."""
_DEEPEST = 3
_INDENTED = ' style="margin-left:1.2em"'
_SPACED = ' style="margin:.5em 0;font-family:monospace"'  # pages of nbconvert have no letters of one width in a <pre>
_LONGEST = 100
"""Characters of an error beside the name of its node; all of it stands in the fold-out."""
Details = Mapping[str, Mapping[str, str]]
Values = Mapping[str, Mapping[tuple[str, str], "Value"]]
T = TypeVar("T")
_APART = ("state", "duration", "error", "log")


class Value(NamedTuple):
    """What a reader is shown of a value."""

    text: str
    """One line."""
    table: tuple[tuple[str, ...], ...] = ()
    """The first rows of a table, the names of its columns before them."""
    image: str = ""
    """Address of a small picture, with the picture in it."""


def mime_bundle(
    graph: Graph,
    *,
    states: Mapping[str, str] | None = None,
    details: Details | None = None,
    values: Values | None = None,
    composition: Composition | None = None,
) -> dict[str, str]:
    """The graph by MIME type, for a notebook's display: ``text/html``, ``image/svg+xml``, ``text/plain``.

    Args:
        graph: What is shown.
        states: State of nodes by id, as for `svg`; ``"n1/n0"`` is a node inside of n1.
        details: By node id whatever is known of its run, as text: ``"state"``, ``"duration"``, ``"error"`` and
            ``"log"`` have their own place, all else is shown under its name.
        values: By node id the values of its inputs and outputs, by ``("input", name)`` and ``("output", name)``.
        composition: The graph as it is drawn, where that is known already.

    >>> from celltask.core.graph import Graph
    >>> sorted(mime_bundle(Graph("empty")))
    ['image/svg+xml', 'text/html', 'text/plain']
    """
    states, details = _known_states(states, details), details or {}
    badges = {node: known["duration"] for node, known in details.items() if known.get("duration")}
    picture = draw(composition or compose(graph), graph, states, badges=badges)
    return {
        "text/html": _html(graph, picture, states, Known(details, values or {})),
        "image/svg+xml": picture,
        "text/plain": text(graph, states=states),
    }


def html(graph: Graph, *, states: Mapping[str, str] | None = None, details: Details | None = None) -> str:
    """The picture and a fold-out for each node, as a piece of HTML in ASCII; for the arguments see `mime_bundle`.

    >>> from celltask.core.graph import Graph
    >>> html(Graph("empty")).startswith("<figure")
    True
    """
    return mime_bundle(graph, states=states, details=details)["text/html"]


def _known_states(states: Mapping[str, str] | None, details: Details | None) -> dict[str, str]:
    """States as given, and those that the details tell of other nodes."""
    told = {node: known["state"] for node, known in (details or {}).items() if "state" in known}
    return {**told, **(states or {})}


def still(graph: Graph, *, states: Mapping[str, str], composition: Composition) -> str:
    """The picture alone as a piece of HTML; for the arguments see `mime_bundle`."""
    return _figure(graph, draw(composition, graph, states), states)


def _figure(graph: Graph, picture: str, states: Mapping[str, str]) -> str:
    alt = describe(graph, states)
    caption = f"<figcaption><small>{escape(alt)}</small></figcaption>"
    return f'<figure style="margin:0">{image(picture, alt)}{caption}</figure>'


class Known(NamedTuple):
    """What is known of the nodes of one graph, by their ids there."""

    details: Details
    values: Values

    def within(self, node_id: str) -> Known:
        """What is known of the nodes inside of a node."""
        return Known(_within(self.details, node_id), _within(self.values, node_id))


def _html(graph: Graph, picture: str, states: Mapping[str, str], known: Known) -> str:
    return _figure(graph, picture, states) + _fold_outs(graph, states, known, shown=set(), depth=0)


def _fold_outs(graph: Graph, states: Mapping[str, str], known: Known, *, shown: set[str], depth: int) -> str:
    words = Wording(graph, full=True)
    users = words.users()

    def failed(node: Node) -> bool:
        return states.get(node.id) == "failed" or "error" in known.details.get(node.id, {})

    def fold_out(node: Node) -> str:
        entity, told = graph.entities[node.entity], Told(node, states.get(node.id, ""), known)
        inner = ""
        if entity.graph is not None and depth < _DEEPEST and (failed(node) or node.entity not in shown):
            shown.add(node.entity)
            within = _within(states, node.id)
            if entity.kind not in ("conditional", "branch") and entity.graph.nodes:  # those are drawn in the one around
                inner = image(svg(entity.graph, states=within), describe(entity.graph, within))
            inner += _fold_outs(entity.graph, within, known.within(node.id), shown=shown, depth=depth + 1)
        return _fold_out(words, told, users, inner)

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
            *(f"&#8592; {code(words.source(output.binding, output))}", escape(clean(output.description))),
        )
        for output in graph.outputs
    ]
    if not rows:
        return ""
    told = table(("", "name", "type", "default", "from", "description"), rows)
    return f"<details><summary>inputs and outputs</summary>{told}</details>"


class Told(NamedTuple):
    """One node, its state, and what is known of the nodes around."""

    node: Node
    state: str
    known: Known

    @property
    def details(self) -> Mapping[str, str]:
        """What is known of its run."""
        return self.known.details.get(self.node.id, {})

    def value(self, way: str, name: str) -> str:
        """The value of an input or output, as HTML."""
        found = self.known.values.get(self.node.id, {}).get((way, name))
        if found is None:
            return ""
        if found.image:
            return f'<img alt="{escape(clean(found.text))}" src="{escape(found.image)}">'
        rows = [[escape(clean(cell)) for cell in row] for row in found.table]
        return escape(clean(found.text)) + (table(found.table[0], rows[1:], is_data=True) if len(rows) > 1 else "")


def _fold_out(words: Wording, told: Told, users: Mapping[tuple[str, str], list[str]], inner: str) -> str:
    node, known = told.node, told.details
    entity = words.graph.entities[node.entity]
    summed = [code(node.label), *map(escape, (kind_told(entity, node.label), told.state, known.get("duration", "")))]
    summed.append(escape(_short(known.get("error", ""))))
    # By its attribute the builder of a site knows which task it is, to link the name to the cell that defines it.
    opening = f'<details data-task="{escape(clean(entity.name))}">'
    parts = [f"{opening}<summary>{' &#183; '.join(part for part in summed if part)}</summary><div{_INDENTED}>"]
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
    values = [told.value(row[0], port.name) for row, port in zip(rows, entity.inputs, strict=False)]
    values += [""] * len(node.after) + [told.value("output", port.name) for port in entity.outputs]
    full = [(*row, value) for row, value in zip(rows, values, strict=True)]
    parts.append(table(("", "name", "type", "from / to", "value"), full))
    rest = [(name, text) for name, text in known.items() if name not in _APART]
    parts.append(table(("run", ""), [(escape(name), escape(text)) for name, text in rest]))
    if known.get("log"):
        parts.append(f"<p>log</p><pre{_SPACED}>{escape(known['log'])}</pre>")
    parts.append(f"{inner}</div></details>")
    return "".join(parts)
