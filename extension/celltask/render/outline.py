"""The graph as text: one line for each node, with rails on the left that show what goes where."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from celltask.core.graph import Entity, Graph, Node, Port
from celltask.render.lettering import clean, clusters
from celltask.render.sketch import branch_told, state_in
from celltask.render.style import STATES
from celltask.render.wording import Wording, kind_told, signature_told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["text"]

_MOST_LINES, _MOST_RAILS = 200, 20
_WIDTH = 110
_MARKS = {
    "queued": "○",
    "running": "▶",
    "reused": "≡",
    "retried": "↻",
    "done": "✓",
    "failed": "✗",
    "skipped": "\N{EN DASH}",
    "cancelled": "■",
}


def text(graph: Graph, *, states: Mapping[str, str] | None = None, width: int | None = _WIDTH) -> str:
    """The graph as a drawing in plain text, at most 110 columns wide by default.

    A node stands on its own line after all it waits for; `←` tells where its inputs come from. Up to 20 rails run
    from a node to the lines of those that use it; a graph that needs more is drawn without. Of more than 200 nodes
    the first are told. Nodes of one name are told apart by their ids, behind the name.

    Args:
        graph: What is drawn.
        states: State of nodes by id, as for `svg`.
        width: Columns of a terminal that a line may take; None for whole lines.

    >>> from celltask.core.graph import Entity, Graph, Node, Port
    >>> half = Entity("half", "python", (Port("x", "int"),), (Port("o0", "float"),))
    >>> print(text(Graph("w", nodes=(Node("n0", "half", "half", (None,)),), entities={"half": half})))
    w()
    ●  half  ← default
    """
    states = states or {}
    words = _Numbered(graph)
    ordered = words.order()
    shown = ordered[:_MOST_LINES]
    rails = _rails(graph, shown, states)
    outputs = tuple(Port(output.name, output.type) for output in graph.outputs)
    lines = [signature_told(graph.name, graph.inputs, outputs)]
    names = [_fitted(words.label(node.id), 40) for node in shown]
    notes = [_note(graph, node, states) for node in shown]
    name_width = max(map(_cells, names), default=0)
    note_width = max(map(_cells, notes), default=0)
    for node, (rail, below), name, note in zip(shown, rails, names, notes, strict=True):
        told = f"{rail}  {_padded(name, name_width)}"
        if note_width:
            told += f"  {_padded(note, note_width)}"
        sources = _sources(words, node)
        lines.append(f"{told}  ← {sources}" if sources else told)
        lines += [f"{below}    {line}" for line in _branches(graph.entities[node.entity], states, node.id)]
    if len(ordered) > len(shown):
        lines.append(f"… and {len(ordered) - len(shown)} more steps")
    lines += [
        f"→ {clean(output.name)}: {clean(output.type)}  ← {words.source(output.binding, output)}"
        for output in graph.outputs
    ]
    if graph.on_failure:
        lines.append(f"on failure: {clean(graph.on_failure)}")
    return "\n".join((line if width is None else _fitted(line, width)).rstrip() for line in lines)


def _branches(entity: Entity, states: Mapping[str, str], node_id: str) -> list[str]:
    """A line for each branch of a conditional, and those of conditionals in it; none for all else."""
    if entity.kind != "conditional" or entity.graph is None:
        return []
    lines = []
    for node in entity.graph.nodes:
        branch, key = entity.graph.entities[node.entity], f"{node_id}/{node.id}"
        mark = _MARKS.get(state_in(states, key), "○")
        inner = branch.graph.nodes if branch.graph is not None else ()
        told = ", ".join(clean(step.label) for step in inner) or branch_told(branch)
        lines.append(f"{mark} {clean(node.label)}" + (f": {told}" if told else ""))
        for step in inner:
            within = _branches(branch.graph.entities[step.entity], states, f"{key}/{step.id}") if branch.graph else []
            lines += [f"    {line}" for line in within]
    return lines


class _Numbered(Wording):
    """Words in which nodes of one name have their ids behind it."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._counts = Counter(clean(node.label) for node in graph.nodes)

    def label(self, node_id: str) -> str:
        """Name of a node, and its id where others have that name."""
        name = super().label(node_id)
        return f"{name} ({node_id})" if self._counts[name] > 1 else name


def _note(graph: Graph, node: Node, states: Mapping[str, str]) -> str:
    told = [kind_told(graph.entities[node.entity], node.label)]
    if states.get(node.id) in STATES:
        told.append(states[node.id])
    return _fitted(" · ".join(word for word in told if word), 30)


def _sources(words: Wording, node: Node) -> str:
    inputs = words.graph.entities[node.entity].inputs
    told = [words.source(binding, port) for port, binding in zip(inputs, node.bindings, strict=True)]
    told += [f"after {words.label(near)}" for near in node.after]
    return ", ".join(dict.fromkeys(told))


def _rails(graph: Graph, ordered: Sequence[Node], states: Mapping[str, str]) -> list[tuple[str, str]]:
    """What stands left of each node's line, and of lines below that tell more of it; all equally wide."""
    waits = graph.waits_for()
    place = {node.id: number for number, node in enumerate(ordered)}
    last_use: dict[str, int] = {}
    for number, node in enumerate(ordered):
        for near in waits[node.id]:
            if place.get(near, number) < number:
                last_use[near] = number
    rails: list[str | None] = []
    drawn, below = [], []
    for number, node in enumerate(ordered):
        joined = [at for at, owner in enumerate(rails) if owner is not None and owner in waits[node.id]]
        ending = [at for at in joined if last_use[rails[at] or ""] == number]
        free = [at for at, owner in enumerate(rails) if owner is None]
        own = (ending or free or [len(rails)])[0]
        rails += [None] * (own + 1 - len(rails))
        mark = _MARKS.get(states.get(node.id, ""), "●")
        drawn.append(_rail_line(rails, joined, ending, own, mark))
        for at in ending:
            rails[at] = None
        rails[own] = node.id if node.id in last_use else None
        while rails and rails[-1] is None:
            rails.pop()
        below.append("".join("  " if owner is None else "│ " for owner in rails).rstrip())
    width = max(map(len, drawn), default=0)
    if width > 2 * _MOST_RAILS:
        return [(_MARKS.get(states.get(node.id, ""), "●"), " ") for node in ordered]
    return [(line.ljust(width), lower.ljust(width)) for line, lower in zip(drawn, below, strict=True)]


def _rail_line(rails: Sequence[str | None], joined: Sequence[int], ending: Sequence[int], own: int, mark: str) -> str:
    first, last = min([own, *joined]), max([own, *joined])
    told = []
    for at, owner in enumerate(rails):
        if at == own:
            told.append(mark)
        elif at in joined:
            # By place in the line: its left end, its right end, between; rails that end here, then those that go on.
            place = 0 if at == first else 1 if at == last else 2
            told.append(("╰╯┴" if at in ending else "├┤┼")[place])
        elif owner is not None:
            told.append("│")
        else:
            told.append("─" if first < at < last else " ")
        told.append("─" if first <= at < last else " ")
    return "".join(told).rstrip()


def _cells(told: str) -> int:
    """Columns that a terminal needs for `told`."""
    return sum(
        0 if unicodedata.combining(piece[0]) else 2 if unicodedata.east_asian_width(piece[0]) in "WF" else 1
        for piece in clusters(told)
    )


def _padded(told: str, width: int) -> str:
    return told + " " * (width - _cells(told))


def _fitted(told: str, most: int) -> str:
    if _cells(told) <= most:
        return told
    kept = ""
    for piece in clusters(told):
        if _cells(kept + piece) > most - 1:
            break
        kept += piece
    return kept + "…"
