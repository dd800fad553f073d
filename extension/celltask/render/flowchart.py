"""The graph as a Mermaid flowchart, for pages that draw Mermaid: GitHub, GitLab, MyST, JupyterLab."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.render.lettering import clean
from celltask.render.sketch import Box, Stroke, sketch_of, state_in
from celltask.render.style import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.graph import Graph

__all__ = ["mermaid"]

_UNSAFE = re.compile(r"[^A-Za-z0-9_ ,:()=+/\u00b7-\U0010ffff]")
_SHAPES = {
    "task": '["{}"]', "workflow": '[["{}"]]', "dynamic": '[["{}"]]', "map": '[/"{}"/]', "gate": '{{{{"{}"}}}}',
    "conditional": '{{"{}"}}', "branch": '("{}")', "group": '["{}"]', "input": '(["{}"])', "output": '(["{}"])',
}  # fmt: skip


def mermaid(graph: Graph, *, states: Mapping[str, str] | None = None) -> str:
    """A Mermaid ``flowchart TD`` of every node, input and output.

    Args:
        graph: What is drawn.
        states: State of nodes by id, as for `svg`.

    >>> from celltask.core.graph import Graph
    >>> print(mermaid(Graph("empty")))
    flowchart TD
        %% empty
    """
    states = states or {}
    sketch = sketch_of(graph)
    name = re.sub(r"[^\w ]", " ", clean(graph.name))
    lines = ["flowchart TD", f"    %% {name}"]
    used = set()
    for number, box in enumerate(sketch.boxes):
        state = "" if box.shape in ("input", "output") else state_in(states, box.members[0])
        suffix = f":::{state}" if state in STATES else ""
        used.update({state} & set(STATES))
        lines.append(f"    b{number}{_SHAPES[box.shape].format(_label(box))}{suffix}")
    lines += [_arrow(stroke, sketch.boxes[stroke.source]) for stroke in sketch.strokes]
    for state, look in STATES.items():
        if state in used:
            ink, fill = look.light
            dash = f",stroke-dasharray:{look.dash}" if look.dash else ""
            lines.append(f"    classDef {state} fill:{fill},stroke:{ink},color:#1f2328{dash}")
    return "\n".join(lines)


def _label(box: Box) -> str:
    # <br> is Mermaid's own line break, also where HTML labels are switched off.
    return _safe(box.label) + (f"<br/>{_safe(box.note)}" if box.note else "") or " "


def _safe(told: str) -> str:
    """`told` with all that Mermaid or Markdown could read as a sign of theirs as a numbered reference."""
    return _UNSAFE.sub(lambda match: f"#{ord(match.group())};", told)


def _arrow(stroke: Stroke, source: Box) -> str:
    ends = f"b{stroke.source}", f"b{stroke.target}"
    if stroke.order_only:
        return f"    {ends[0]} -.-> {ends[1]}"
    several = source.several and source.shape not in ("conditional", "branch")
    named = ", ".join(dict.fromkeys(_safe(clean(edge.output)) for edge in stroke.carries if edge.output))
    return f'    {ends[0]} -->|"{named}"| {ends[1]}' if several else f"    {ends[0]} --> {ends[1]}"
