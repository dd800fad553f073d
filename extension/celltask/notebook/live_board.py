"""Board: how each node of a run stands, made from events, and what has changed since it was last told. It holds state.

What is known of a node is a plain dict that goes to the browser as it is:

* ``state``: ``"running"``, ``"reused"``, ``"retried"``, ``"done"``, ``"failed"``, ``"skipped"``, ``"cancelled"``
* ``at``, ``took``: when it began, in seconds since the run did, and how long it lasted
* ``attempts``: how often the body was begun, where that was more than once
* ``why``: why it was reused or skipped, or what made it be tried again
* ``progress``: of a map, how many items have ended, how many of them failed, and how many there are
* ``log``, ``error``: texts
* ``in``, ``out``: values by name, as `shown_value` tells them
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from celltask.core import events
from celltask.core.ledger import state_after
from celltask.notebook.display import error_told, trace_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from celltask.core.events import Event
    from celltask.core.graph import Graph
    from celltask.render.page import Value

__all__ = ["MOST_LOGGED", "Board", "Known"]

Known = dict[str, object]

MOST_LOGGED = 10_000
"""Characters of a node's log that are shown: the last ones."""


class Board:
    """The board of one run.

    Attributes:
        nodes: What is known of each node that something has happened to, by its id.
        started: When the run began, in seconds since the epoch.
        state: Of the run: ``"running"``, ``"done"``, ``"failed"`` or ``"cancelled"``.
        duration_s: Seconds, once it is over.
        graphs: The graphs that nodes have made of themselves while running.

    >>> board = Board()
    >>> board.note([events.RunStarted("r", "w", ("n0",), 10.0), events.NodeStarted("r", "n0", 10.5)])
    >>> board.changes()
    {'n0': {'state': 'running', 'at': 0.5}}
    >>> board.changes()
    {}
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Known] = {}
        self.started, self.state, self.duration_s = 0.0, "running", 0.0
        self.graphs: dict[str, Graph] = {}
        self._changed: dict[str, Known] = {}

    def note(self, told: Iterable[Event]) -> None:
        """Take in what has happened."""
        for event in told:
            match event:
                case events.NodeStarted(_, node, at):
                    self._set(node, state="running", at=round(at - self.started, 4))
                case events.NodeFinished(_, node, duration_s):
                    self._set(node, state="done", took=duration_s)
                case events.NodePrinted(_, node, _, text):
                    self._log(node, text)
                case events.NodeProgress(_, node, done, failed, total):
                    if self.nodes.get(node, {}).get("progress") != [done, failed, total]:
                        self._set(node, progress=[done, failed, total])
                case events.NodeReused(_, node, reason):
                    self._set(node, state="reused", why=reason)
                case events.NodeFailed(_, node, error, duration_s):
                    self._set(node, state=state_after(error), took=duration_s, error=trace_told(error))
                case _:
                    self._note_rare(event)

    def _note_rare(self, event: Event) -> None:
        match event:
            case events.NodeRetried(_, node, attempt, error, delay_s):
                wait = f", again in {delay_s:.3g} s" if delay_s else ""
                why = f"attempt {attempt} failed{wait}: {error_told(error)}"
                self._set(node, state="retried", attempts=attempt + 1, why=why)
            case events.NodeSkipped(_, node, state, reason):
                self._set(node, state=state, why=reason)
            case events.GraphMade(_, node, graph):
                self.graphs[node] = graph
            case events.RunStarted(_, _, _, at):
                self.started = at
            case events.RunFinished(_, state, duration_s):
                self.state, self.duration_s = state, duration_s
            case _:
                pass

    def show(self, node: str, way: str, values: Mapping[str, Value]) -> None:
        """Take in the values of the inputs (``"in"``) or outputs (``"out"``) of a node."""
        self._set(node, **{way: {name: value._asdict() for name, value in values.items()}})

    def changes(self) -> dict[str, Known]:
        """What has changed since this was last asked; of logs, what was added."""
        told, self._changed = self._changed, {}
        return told

    def counts(self, ids: Iterable[str]) -> Counter[str]:
        """How many of some nodes are in each state; of those that nothing has happened to, ``"queued"``."""
        return Counter(self.state_of(node) for node in ids)

    def state_of(self, node: str) -> str:
        """State of a node."""
        return str(self.nodes.get(node, {}).get("state", "queued"))

    def _set(self, node: str, **news: object) -> None:
        self.nodes.setdefault(node, {}).update(news)
        self._changed.setdefault(node, {}).update(news)

    def _log(self, node: str, text: str) -> None:
        for known in (self.nodes.setdefault(node, {}), self._changed.setdefault(node, {})):
            # Twice the room, so that a flood of short lines does not cut the text at each of them.
            whole = cast("str", known.get("log", "")) + text
            known["log"] = whole if len(whole) <= 2 * MOST_LOGGED else whole[-MOST_LOGGED:]
