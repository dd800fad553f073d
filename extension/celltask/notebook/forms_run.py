"""The run that a form started: on a thread of its own, so that it can be cancelled and the notebook stays usable."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING

from celltask.core.events import (
    NodeFailed,
    NodeFinished,
    NodeProgress,
    NodeReused,
    NodeSkipped,
    NodeStarted,
    RunStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celltask.core.events import Event
    from celltask.core.run import Run, Running
    from celltask.notebook.forms import Member

__all__ = ["FormRun", "Progress"]

_EACH_S, _TICK_S = 0.1, 1.0


class Progress:
    """How far a run has come, told at most ten times a second. It holds state.

    Attributes:
        total: Nodes, as far as they are known.
        ended: Nodes that have ended.
        now: What runs, in words.
    """

    def __init__(self, told: Callable[[Progress], object]) -> None:
        self.total, self.ended, self.now = 0, 0, ""
        self._told, self._last = told, 0.0
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event, on whatever thread it happened."""
        with self._lock:
            self._count(event)
            clock = time.monotonic()
            if clock - self._last < _EACH_S and not isinstance(event, RunStarted):
                return
            self._last = clock
        self._told(self)

    def _count(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._known.update(event.nodes)
            self.total = len(event.nodes)
        elif isinstance(event, NodeStarted):
            self.now = event.node
        elif isinstance(event, NodeProgress):
            self.now = f"{event.node}: {event.done + event.failed} of {event.total}"
        elif isinstance(event, NodeFinished | NodeFailed | NodeReused | NodeSkipped) and event.node in self._known:
            self.ended += 1


class FormRun:
    """One run, from the click on. It holds state.

    Args:
        member: The task or workflow.
        values: Its inputs.
        listen: Called with each event.
        ended: Called with the run when it is over, or with what kept it from being one.

    Attributes:
        running: The run, once it has begun.
        ticked: Called each second while it lasts.
    """

    def __init__(
        self,
        member: Member,
        values: Mapping[str, object],
        listen: Callable[[Event], object],
        ended: Callable[[Run | BaseException], object],
    ) -> None:
        self.member, self.values, self.listen, self.ended = member, values, listen, ended
        self.running: Running | None = None
        self.ticked: Callable[[], object] = lambda: None
        self._is_cancelled = threading.Event()

    def begin(self) -> None:
        """Start it, in the present context, which is where its prints go; nothing of it runs on this thread."""
        work = copy_context().run
        threading.Thread(target=work, args=(self._work,), daemon=True, name=f"form of {self.member.name}").start()

    def _work(self) -> None:
        outcome: Run | BaseException
        try:
            self.running = self.member.start(self.values, on_event=self.listen)
            if self._is_cancelled.is_set():
                self.running.cancel()
            outcome = self._waited(self.running)
        except BaseException as error:  # noqa: BLE001 - border: users' code; the form shows it
            outcome = error
        self.ended(outcome)

    def _waited(self, running: Running) -> Run:
        while True:
            try:
                return running.wait(_TICK_S)
            except TimeoutError:
                if running.is_over:
                    return running.wait()
                for told in running.progress():
                    self.listen(told)
                self.ticked()

    def cancel(self) -> None:
        """Stop it, also if it has not quite begun."""
        self._is_cancelled.set()
        if self.running is not None:
            self.running.cancel()
