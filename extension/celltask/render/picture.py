"""The picture of a graph as one SVG: static, self-contained, following light and dark by itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from celltask.render.composition import MARGIN, Composition, Detail, Lettered, compose
from celltask.render.lettering import clean, escape, is_measured, text_width
from celltask.render.routes import arrow_data, path_data
from celltask.render.sketch import state_in
from celltask.render.style import BADGE_PX, LABEL_PX, NOTE_PX, STATES, style_sheet, summed_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.graph import Edge, Graph
    from celltask.render.layout import Place
    from celltask.render.sketch import Box, Stroke

__all__ = ["describe", "draw", "svg"]

_MOST_TITLED = 200
"""Pictures with more lines do not say on each line what goes along it."""
_MOST_NAMES, _MOST_EDGES = 40, 8


def svg(graph: Graph, *, states: Mapping[str, str] | None = None, detail: Detail = "auto") -> str:
    """The graph as an SVG document in ASCII.

    Each node is a ``<g class="node" data-id="n0">`` with its state as a further class; a box that stands for several
    has their ids in ``data-members``. The picture has a title and a description for screen readers.

    Args:
        graph: What is drawn; cycles are drawn too.
        states: State of nodes by id: ``"queued"``, ``"running"``, ``"reused"``, ``"retried"``, ``"done"``,
            ``"failed"``, ``"skipped"``, ``"cancelled"`` or ``"stale"``; nodes left out, and words that are none of
            these, are drawn without a state.
        detail: ``"auto"`` folds what would be too small to be read in a notebook (more than 100 boxes, or too many
            side by side); ``"full"`` draws every node.

    >>> from celltask.core.graph import Graph
    >>> svg(Graph("empty")).startswith("<svg ")
    True
    """
    return draw(compose(graph, detail=detail), graph, states or {})


def draw(
    composition: Composition,
    graph: Graph,
    states: Mapping[str, str],
    *,
    badges: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> str:
    """The SVG of a composition; see `svg`.

    Args:
        composition: What is drawn.
        graph: What it was made of.
        states: State of nodes by id.
        badges: Some words on the lower edge of a box, by the id of its only node: a duration, a count.
        sheet: The style sheet inside; by default that of all pictures, as far as `states` need it.
    """
    sketch, texts, layout = composition
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    titled = len(sketch.strokes) <= _MOST_TITLED
    labels = {node.id: node.label for node in graph.nodes}
    labels |= {member: name for box in sketch.boxes for member, name in zip(box.members, box.names, strict=False)}
    if sheet is None:
        sheet = style_sheet(states={summed_state(_states_of(box, states)) for box in sketch.boxes})
    parts = [
        _opening(width, height),
        f"<title>{escape(clean(graph.name))}</title><desc>{escape(describe(graph, states))}</desc>",
        f"<style>{sheet}</style>",
        '<g class="lines">',
    ]
    for stroke in sketch.strokes:
        knots = layout.routes.get((stroke.source, stroke.target))
        title = f"<title>{escape(_told(stroke, labels))}</title>" if titled else ""
        kind = ' class="order"' if stroke.order_only else ""
        if knots is None:
            line, arrow = _loop(layout.places[stroke.source])
        else:
            line = path_data(knots, across=layout.across)
            arrow = arrow_data(knots, across=layout.across)
        parts.append(f'<g{kind}>{title}<path class="line" d="{line}"/><path class="arrow" d="{arrow}"/></g>')
    parts.append("</g>")
    for box, text, place in zip(sketch.boxes, texts, layout.places, strict=True):
        parts.append(_box(box, text, place, states, badges or {}))
    parts.append("</svg>")
    return "".join(parts)


def _opening(width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="celltask-dag" role="img" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="{-MARGIN:g} {-MARGIN:g} {width:.1f} {height:.1f}">'
    )


def describe(graph: Graph, states: Mapping[str, str]) -> str:
    """The graph in a sentence or two, for screen readers and as plain text.

    >>> from celltask.core.graph import Graph
    >>> describe(Graph("train"), {})
    'Workflow train: no steps, no inputs, no outputs.'
    """

    def counted(many: int, what: str) -> str:
        return f"{many or 'no'} {what}{'s' * (many != 1)}"

    told = (
        f"Workflow {clean(graph.name)}: {counted(len(graph.nodes), 'step')}, "
        f"{counted(len(graph.inputs), 'input')}, {counted(len(graph.outputs), 'output')}."
    )
    counts = Counter(state for node in graph.nodes if (state := states.get(node.id)) in STATES)
    if counts:
        told += " " + ", ".join(f"{counts[name]} {name}" for name in STATES if counts[name]) + "."
    if graph.on_failure:
        told += f" On failure: {clean(graph.on_failure)}."
    return told


def _told(stroke: Stroke, labels: Mapping[str, str]) -> str:
    told = [_edge_told(edge, labels) for edge in stroke.carries[:_MOST_EDGES]]
    more = len(stroke.carries) - len(told)
    return "\n".join(told) + (f"\nand {more} more" if more > 0 else "")


def _edge_told(edge: Edge, labels: Mapping[str, str]) -> str:
    source = "" if edge.source == "<inputs>" else clean(labels.get(edge.source, edge.source))
    target = "" if edge.target == "<outputs>" else clean(labels.get(edge.target, edge.target))
    if not edge.output:
        return f"{source}, then {target}"
    if not edge.type:
        return f"{source} \u2192 {target}"
    one = ".".join(part for part in (source, clean(edge.output)) if part)
    other = ".".join(part for part in (target, clean(edge.input)) if part)
    return f"{one} \u2192 {other}: {clean(edge.type)}"


def _loop(place: Place) -> tuple[str, str]:
    """Line and arrowhead of a box that waits for itself: an ear on its right side."""
    x, y = place.x + place.width / 2, place.y
    line = f"M{x:.1f} {y + 6:.1f}C{x + 18:.1f} {y + 14:.1f} {x + 18:.1f} {y - 14:.1f} {x + 5:.1f} {y - 6:.1f}"
    return line, f"M{x:.1f} {y - 7:.1f}L{x + 7:.1f} {y - 8:.1f}L{x + 4:.1f} {y - 2:.1f}Z"


def _box(box: Box, text: Lettered, place: Place, states: Mapping[str, str], badges: Mapping[str, str]) -> str:
    port = box.shape in ("input", "output")
    own = _states_of(box, states)
    state = summed_state(own)
    known = "port " + box.shape if port else "node " + box.shape
    if port:
        names = f' data-{box.shape}="{escape(" ".join(box.members))}"'
    elif len(box.members) == 1:
        names = f' data-id="{escape(box.members[0])}"'
    else:
        names = f' data-members="{escape(" ".join(box.members))}"'
    left, top = place.x - place.width / 2, place.y - place.height / 2
    parts = [
        f'<g class="{known}{" " + state if state else ""}"{names}>',
        f"<title>{escape(_full_text(box, own))}</title>",
    ]
    if box.shape == "group":
        parts.append(_rect("fold", left + 4, top + 4, place.width, place.height, 7))
    parts += _outline(box, place, left, top)
    parts.append(_letters(box, text, place))
    if state:
        inset = 0.22 if box.shape == "conditional" else 0.0  # onto the slope of the diamond
        parts.append(_mark(state, left + 2 + inset * place.width, top + 2 + inset * place.height))
    is_bare = port or box.shape == "branch"  # a low box, whose nodes tell theirs
    badge = _counted(own) if len(own) > 1 else "" if is_bare else badges.get(box.members[0], "")
    if badge:
        parts.append(
            _badge(badge, left + place.width * (0.72 if box.shape == "conditional" else 1.0) - 4, top + place.height)
        )
    parts.append("</g>")
    return "".join(parts)


def _states_of(box: Box, states: Mapping[str, str]) -> list[str]:
    """The known states of the nodes that a box stands for; an input or output has none."""
    if box.shape in ("input", "output"):
        return []
    return [state for member in box.members if (state := state_in(states, member)) in STATES]


def _outline(box: Box, place: Place, left: float, top: float) -> list[str]:
    """The border of a box, and what tells its kind."""
    width, height = place.width, place.height
    if box.shape == "conditional":
        return [_polygon(place, [(0, -1), (1, 0), (0, 1), (-1, 0)], 0.0)]
    if box.shape == "gate":
        return [_polygon(place, [(-1, -1), (1, -1), (1, 0), (1, 1), (-1, 1), (-1, 0)], 9.0)]
    round_px = {"input": height / 2, "output": height / 2, "branch": height / 2}.get(box.shape, 7)
    parts = [_rect("box", left, top, width, height, round_px)]
    if box.shape == "map":
        parts[:0] = [
            _rect("fold", left + 6, top + 6, width, height, 7),
            _rect("fold", left + 3, top + 3, width, height, 7),
        ]
    if box.shape in ("workflow", "dynamic"):
        kind = "inner" if box.shape == "workflow" else "inner open"
        parts.append(_rect(kind, left + 3.5, top + 3.5, width - 7, height - 7, 4.5))
    return parts


def _polygon(place: Place, corners: list[tuple[int, int]], slant: float) -> str:
    """A border with these corners, in halves of width and height; corners between top and bottom stand out."""
    points = []
    for x, y in corners:
        reach = place.width / 2 - (slant if y and x else 0.0)
        points.append(f"{place.x + x * reach:.1f},{place.y + y * place.height / 2:.1f}")
    return f'<polygon class="box" points="{" ".join(points)}"/>'


def _rect(kind: str, x: float, y: float, width: float, height: float, radius: float) -> str:  # noqa: PLR0913, PLR0917 - as SVG has them
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"/>'


def _letters(box: Box, text: Lettered, place: Place) -> str:
    """The lines of text, each around its own middle."""
    port = box.shape in ("input", "output")
    size = NOTE_PX if port else LABEL_PX
    rows = [("label", line, size, 16.0) for line in text.lines]
    if text.note:
        rows.append(("note", text.note, NOTE_PX, 14.0))
    y = place.y - sum(row[3] for row in rows) / 2
    told = []
    for kind, line, px, height in rows:
        # The baseline lies about a third of the letters' size below the middle of the line.
        base = y + height / 2 + px * 0.36
        pin = "" if is_measured(line) else f' textLength="{text_width(line, px):.1f}" lengthAdjust="spacingAndGlyphs"'
        told.append(f'<text class="{kind}" x="{place.x:.1f}" y="{base:.1f}"{pin}>{escape(line)}</text>')
        y += height
    return "".join(told)


def _full_text(box: Box, states: list[str]) -> str:
    """What a pointer resting on the box is told: names in full, and states."""
    names = list(box.names[:_MOST_NAMES])
    if len(box.names) > _MOST_NAMES:
        names.append(f"and {len(box.names) - _MOST_NAMES} more")
    told = ", ".join(names) if len(names) > 1 or not box.names else names[0]
    if box.note:
        told += f" ({box.note})"
    counts = Counter(states)
    if len(box.members) == 1:
        return told + (f": {states[0]}" if states else "")
    summed = ", ".join(f"{counts[name]} {name}" for name in STATES if counts[name])
    return told + (f": {summed}" if summed else "")


def _counted(states: list[str]) -> str:
    """How many of several nodes have ended, as long as that is not all or some have failed."""
    failed = states.count("failed")
    ended = failed + states.count("done") + states.count("reused")
    told = f"{ended}/{len(states)}" if ended and (failed or ended < len(states)) else ""
    return f"{told} \N{BALLOT X}{failed}" if failed else told


def _badge(told: str, right: float, middle: float) -> str:
    width = text_width(told, BADGE_PX) + 8
    return (
        f'<g class="badge"><rect x="{right - width:.1f}" y="{middle - 7:.1f}" width="{width:.1f}" height="13" rx="6"/>'
        f'<text x="{right - width / 2:.1f}" y="{middle + 3:.1f}">{escape(told)}</text></g>'
    )


def _mark(state: str, x: float, y: float) -> str:
    look = STATES[state]
    full = " full" if look.filled else ""
    return (
        f'<g transform="translate({x:.1f} {y:.1f})"><circle class="disc" r="7.5"/>'
        f'<path class="sign{full}" d="{look.mark}"/></g>'
    )
