"""Screen: what is shown of one run, as a widget or as a picture that is replaced now and then. It holds state."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING

from celltask.notebook.display import Seen, show
from celltask.notebook.live_board import Board

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from IPython.core.interactiveshell import InteractiveShell

    from celltask.core.composite import Composite
    from celltask.core.graph import Graph
    from celltask.core.run import Running
    from celltask.core.task import Task
    from celltask.notebook.live_widget import RunWidget
    from celltask.render.composition import Composition
    from celltask.render.page import Value

__all__ = ["Kept", "Screen"]

_DELTA_S, _STATIC_S, _MOST_STATIC_S = 0.1, 1.0, 16.0
_LATE_S = 10.0
"""Time for a page that has asked for the widget while a cell was running, and is answered once none is."""
Kept = tuple[str, str, "Task[..., object] | Composite", object]


class Screen:
    """What is shown of one run.

    Attributes:
        board: How its nodes stand.
        period_s: Seconds until it is worth while to show more.
    """

    def __init__(self, running: Running, shell: InteractiveShell, *, widget: bool) -> None:
        self._running, self._shell, self._with_widget = running, shell, widget
        self.board = Board()
        self.period_s = _DELTA_S if widget else _STATIC_S
        self._key = ""
        self._looked: deque[tuple[str, str, dict[str, Value]]] = deque()
        self._values: dict[str, dict[tuple[str, str], Value]] = {}
        self._graph: Graph | None = None
        self._composition: Composition | None = None
        self._widget: RunWidget | None = None
        self._ids: list[str] = []
        self._states = ""

    def begin(self, key: str, *, update: bool) -> None:
        """Show the run for the first time.

        Args:
            key: Name of the output.
            update: Whether that is there already.
        """
        from celltask.render.composition import compose  # noqa: PLC0415 - most runs are not shown

        self._key = key
        self._graph = graph = self._running.graph()
        if graph is None:
            return
        self._composition = compose(graph)
        if self._with_widget:
            from celltask.notebook.live_widget import widget_of  # noqa: PLC0415 - takes a third of a second

            cancel = self._running.cancel if self._running.is_apart else None
            self._widget = widget_of(graph, self._composition, key=key, cancel=cancel)
            self._ids = [node[0] for node in self._widget.told["nodes"]]
        view, about = ({}, {}) if self._widget is None else self._widget.view
        show(self._shell, {**self.still(), **view}, key=key, update=update, about=about)

    def go_on(self) -> None:
        """Show what is new."""
        widget = self._widget
        if widget is None:
            show(self._shell, self.still(), key=self._key, update=True)
            self.period_s = min(2 * self.period_s, _MOST_STATIC_S)
            return
        self._take_in()
        from celltask.notebook.live_widget import LETTERS, made_told  # noqa: PLC0415 - loaded already

        news: dict[str, object] = {
            "elapsed": round(time.time() - self.board.started, 3),
            "state": self.board.state,
            "nodes": self.board.changes(),
        }
        if self.board.graphs:
            graphs, self.board.graphs = self.board.graphs, {}
            news["made"] = {node: made_told(graph) for node, graph in graphs.items()}
        widget.send(news)
        states = "".join([LETTERS[self.board.state_of(node)] for node in self._ids])
        if states != widget.states:
            widget.states = states

    def _take_in(self) -> None:
        """Pass on what threads of the run have noted of values."""
        while self._looked:
            self.board.show(*self._looked.popleft())

    def look_at(self, kept: Kept) -> None:
        """Note how the values of a node look."""
        from celltask.notebook.live_values import shown_value  # noqa: PLC0415 - as above

        node, way, member, given = kept
        interface = member.interface
        ports: Sequence[object] = interface.inputs if way == "in" else interface.outputs
        if way == "in" or interface.result not in ("none", "single"):
            values = list(given) if isinstance(given, list | tuple) else []
        else:
            values = [given]
        told = {port.name: shown_value(port.handler, value) for port, value in zip(ports, values, strict=False)}  # type: ignore[attr-defined]  # inputs and outputs have both
        self._values.setdefault(node, {}).update(
            {("input" if way == "in" else "output", name): one for name, one in told.items()}
        )
        self._looked.append((node, way, told))

    def still(self) -> dict[str, str]:
        """The picture as it is now, by MIME type."""
        from celltask.render.page import still  # noqa: PLC0415 - as above

        graph, composition = self._graph, self._composition
        if graph is None or composition is None:
            return {"text/plain": self._running.name}
        states = {node: str(known.get("state", "queued")) for node, known in self.board.nodes.items()}
        told = ", ".join(
            f"{many} {state}" for state, many in self.board.counts(node.id for node in graph.nodes).items()
        )
        text = f"run {self._running.id} of {self._running.name}: {self.board.state}; {told}"
        return {"text/html": still(graph, states=states, composition=composition), "text/plain": text}

    def seen(self) -> Seen:
        """What was seen of the run, for the picture that stays."""
        self._take_in()
        return Seen(self.board.nodes, self._values, self._graph, self._composition)

    def close(self, is_awaited: Callable[[], bool] | None = None) -> None:
        """Let go of the widget; other views of it, in other places of the page, get the last state.

        Args:
            is_awaited: Asked from time to time whether some page may still want it; by default none does.
        """
        if self._widget is None:
            return
        self.go_on()
        widget, self._widget = self._widget, None
        if is_awaited is None:
            widget.let_go()
        else:
            widget.ended = [self.board.state, round(time.time() - self.board.started, 3)]
            _let_go_later(widget, is_awaited)


def _let_go_later(widget: RunWidget, is_awaited: Callable[[], bool]) -> None:
    def end() -> None:
        if is_awaited():
            _let_go_later(widget, is_awaited)
        else:
            widget.let_go()

    timer = threading.Timer(_LATE_S, copy_context().run, (end,))
    timer.daemon = True
    timer.start()
