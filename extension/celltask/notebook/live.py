"""Live: a run of a workflow shows itself under its cell while it lasts, and its last picture stays there.

A run that is over sooner than people see anything is not shown, and costs nothing that can be measured. Of a longer
one a thread of its own draws the picture and sends what has changed, at most ten times a second. While the run
lasts the output is a widget; at its end the output is replaced by the static picture, which needs no kernel.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

from celltask.core.onlookers import openers
from celltask.notebook.display import run_bundle, show
from celltask.notebook.forms_display import has_page
from celltask.notebook.live_clock import Clock, tell_failure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from IPython.core.interactiveshell import InteractiveShell

    from celltask.core.composite import Composite
    from celltask.core.events import Event
    from celltask.core.run import Run, Running
    from celltask.core.task import Task
    from celltask.notebook.display import Seen
    from celltask.notebook.live_screen import Kept, Screen
    from celltask.notebook.session import Session

__all__ = ["Live", "Viewer", "install_live"]

PATIENCE_S, PATIENCE_PER_NODE_S = 0.15, 0.0004
"""A run is shown once it lasts longer; of a large one drawing takes its time, which must not double that of the run."""
_FEW_NODES, _MOST_NODES = 300, 20_000
_MOST_VALUED, _MOST_TOLD = 300, 1000
"""Of so many nodes of a run values are shown, and of none in a larger workflow."""
_MOST_IN_CELL, _MOST_CELLS = 8, 100


class Viewer:
    """Decides which runs of a shell are shown. It holds state: what was shown under the cell that runs now."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self._shell, self._session = shell, session
        self.clock = Clock()
        self._cell = ""
        self._lives: list[Live] = []
        self._places: dict[str, list[str]] = {}

    def open(self, running: Running) -> Live | None:
        """Who looks at a run that begins; ``None`` if it is not to be shown."""
        session = self._session
        running_cells = session.places.running
        if session.live == "off" or not session.cards or not running.has_graph or running.steps > _MOST_NODES:
            return None
        if not (running_cells or running.is_apart) or not (hasattr(self._shell, "kernel") or session.live == "static"):
            return None
        cell = self._cell_now()
        if cell != self._cell:
            self._cell, self._lives = cell, []
        self._lives = [live for live in self._lives if live.key or not live.is_over]
        places = self._places.setdefault(cell, [])
        if len(self._places) > _MOST_CELLS:
            del self._places[next(iter(self._places))]
        most = _MOST_IN_CELL if running_cells else 1  # a button may be pressed again and again
        live = Live(running, self._shell, session, places)
        if len(places) >= most and not any(other.key == places[-1] and not other.is_over for other in self._lives):
            live.place = places[-1]
        self._lives.append(live)
        self.clock.add(live)
        return live

    def _cell_now(self) -> str:
        """A name for the cell under which is shown what is shown now, also by a thread or button of an earlier cell."""
        parent: dict[str, dict[str, str]] = getattr(self._shell, "get_parent", dict)()
        return parent.get("header", {}).get("msg_id", "") or self._session.places.current_cell()

    def end_cell(self, _result: object) -> None:
        """Let go of the values of runs that were over too soon to be shown."""
        self._lives = [live for live in self._lives if live.key]

    def has_shown(self, run: Run) -> bool:
        """Whether the picture of `run` stands under the cell that runs now."""
        return any(live.key for live in self._lives if live.id == run.id)

    def bundle_of(self, run: Run) -> dict[str, str] | None:
        """What a run that is the value of a cell shows; one line, if its picture is above already."""
        live = next((live for live in self._lives if live.id == run.id), None)
        if live is None:
            return run_bundle(run)
        if live.key:
            return {"text/plain": repr(run).partition("\n")[0]}
        return run_bundle(run, live.seen())


class Live:
    """Looks at one run. It holds state.

    Attributes:
        id: Id of the run.
        key: Name of the output that shows it; empty as long as it is not shown.
        is_over: Whether the run is over.
        wants_values: Whether it is to be told inputs and outputs of nodes.
        place: Name of the output that it takes the place of; empty for none.
    """

    def __init__(self, running: Running, shell: InteractiveShell, session: Session, places: list[str]) -> None:
        self.id, self.key, self.is_over = running.id, "", False
        self.wants_values = running.steps <= _MOST_TOLD
        self._running, self._shell, self._session = running, shell, session
        self.place, self._places = "", places
        self._events: deque[Event] = deque()
        self._kept: deque[Kept] = deque()
        self._valued: set[str] = set()
        self._in_page = has_page(shell)  # what has none, as nbclient, would save a widget that lives on
        self._context = copy_context()  # so that what a thread shows stands under the cell that began the run
        self._lock = threading.Lock()
        self._screen: Screen | None = None
        many = running.steps if running.steps > _FEW_NODES else 0
        self._due = time.perf_counter() + PATIENCE_S + many * PATIENCE_PER_NODE_S

    def look(self, event: Event) -> None:
        """Keep `event` until the clock ticks."""
        self._events.append(event)

    def given(self, node: str, member: Task[..., object] | Composite, arguments: Sequence[object]) -> None:
        """Keep the inputs of a node; once the run is shown, how they look."""
        if len(self._valued) < _MOST_VALUED:
            self._valued.add(node)
            self._keep((node, "in", member, arguments))

    def gave(self, node: str, member: Task[..., object] | Composite, value: object) -> None:
        """The same for what it returned."""
        if node in self._valued:
            self._keep((node, "out", member, value))

    def _keep(self, one: Kept) -> None:
        if self._screen is None:
            self._kept.append(one)
        else:
            self._screen.look_at(one)

    def tick(self) -> None:
        """Show the run if it has lasted long enough, and what is new of it."""
        if time.perf_counter() < self._due or not self._lock.acquire(blocking=False):
            return
        try:
            if not self.is_over:
                self._context.run(self._show)
        finally:
            self._lock.release()

    def _show(self) -> None:
        clock = time.perf_counter()
        screen = self._up_to_date()
        if not self.key:
            key = self.place or f"celltask-shown-{self.id}"
            screen.begin(key, update=bool(self.place))
            self.key = key
            if not self.place:
                self._places.append(key)
        screen.go_on()
        now = time.perf_counter()
        self._due = now + max(screen.period_s, 4 * (now - clock))  # showing takes a fifth of the time at most

    def _up_to_date(self) -> Screen:
        """The screen, with all noted that has happened."""
        if self._screen is None:
            from celltask.notebook.live_screen import Screen  # noqa: PLC0415 - most runs are over before they are shown

            self._screen = Screen(self._running, self._shell, widget=self._session.live == "on")
        screen, events, kept = self._screen, self._events, self._kept
        screen.board.note(events.popleft() for _ in range(len(events)))
        screen.board.note(self._running.progress())
        while kept:
            screen.look_at(kept.popleft())
        return screen

    def seen(self) -> Seen:
        """What was seen of the run, for the picture that stays."""
        return self._up_to_date().seen()

    def end(self, run: Run | None) -> None:
        """Put the last picture in the place of the widget."""
        with self._lock:
            self.is_over = True
            if self.key:
                try:
                    self._finish(run, self._up_to_date())
                except Exception as error:  # noqa: BLE001 - border: a front end, a user's value; the run has its result
                    tell_failure(error)

    def _finish(self, run: Run | None, screen: Screen) -> None:
        seen = screen.seen()
        bundle = None if run is None else run_bundle(run, seen)
        show(self._shell, bundle or screen.still(), key=self.key, update=True)
        # One that took the place of another is not awaited: of a loop there would be hundreds.
        is_awaited = self._in_page and not self._running.is_apart and not self.place
        screen.close((lambda: bool(self._session.places.running)) if is_awaited else None)
        if run is not None and seen.graph is not None:
            draw = partial(run_bundle, run, seen)
            self._session.pictures.note("run", self.key, seen.graph, self._running.trace, draw)


def install_live(shell: InteractiveShell, session: Session, undo: ExitStack) -> Viewer:
    """Let runs of `shell` show themselves until `undo` is closed."""
    viewer = Viewer(shell, session)
    openers.append(viewer.open)
    undo.callback(openers.remove, viewer.open)
    shell.events.register("post_run_cell", viewer.end_cell)
    undo.callback(shell.events.unregister, "post_run_cell", viewer.end_cell)
    undo.callback(viewer.clock.stop)
    return viewer
