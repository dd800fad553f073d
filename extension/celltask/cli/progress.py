"""A live line or two about the nodes that run, for runs that take a while, on a terminal."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Group
    from rich.live import Live

    from celltask.core.events import Event

__all__ = ["Progress"]

_QUIET_S = 0.3
"""A run that ends sooner shows nothing, and does not pay for loading rich."""
_MOST_LINES = 8


class Progress:
    """A listener that shows how a run stands, on standard error; it holds what it heard.

    Use it as a context manager around the run, and as the run's `on_event`. It is taken off the terminal when the run
    ends or a debugger stops in it.

    Args:
        labels: Names of the nodes by id.
    """

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels = labels
        self.running: dict[str, float] = {}
        self.items: dict[str, str] = {}
        self.ended = self.failed = 0
        self._lock = threading.RLock()  # starting the display draws it at once, on the same thread
        self._live: Live | None = None
        self._over = False
        self._timer = threading.Timer(_QUIET_S, self._show)
        self._timer.daemon = True
        self._breakpoint = sys.breakpointhook

    def __enter__(self) -> Self:
        sys.breakpointhook = self._break
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        sys.breakpointhook = self._breakpoint

    def __call__(self, event: Event) -> None:
        """Take note of `event`."""
        kind = type(event).__name__
        node = getattr(event, "node", "")
        with self._lock:
            if kind == "NodeStarted":
                self.running[node] = time.monotonic()
            elif kind == "NodeProgress":
                self.items[node] = f"  {event.done + event.failed}/{event.total}"  # type: ignore[union-attr]  # its name tells
            elif kind == "GraphMade":
                self.labels |= {f"{node}/{inner.id}": inner.label for inner in event.graph.nodes}  # type: ignore[union-attr]  # as above
            elif node.endswith("]"):  # an item of a node
                return
            elif kind in ("NodeFinished", "NodeFailed", "NodeReused", "NodeSkipped"):
                self.running.pop(node, None)
                self.ended += 1
                self.failed += kind == "NodeFailed"

    def stop(self) -> None:
        """Take the display off the terminal, for good."""
        self._timer.cancel()
        if self._timer is not threading.current_thread() and self._timer.ident is not None:
            self._timer.join()
        with self._lock:
            self._over, live, self._live = True, self._live, None
        if live is not None:
            live.stop()

    def lines(self) -> list[str]:
        """What is shown now: how many nodes ended, and which ones run for how long."""
        with self._lock:
            running, items, ended, failed = dict(self.running), dict(self.items), self.ended, self.failed
        now = time.monotonic()
        nested = {node.rpartition("/")[0] for node in running}
        innermost = [(node, since) for node, since in running.items() if node not in nested]
        told = [f"{ended}/{max(len(self.labels), ended)} nodes" + (f", {failed} failed" if failed else "")]
        told += [
            f"{self.labels.get(node, node)}  {now - since:.1f} s{items.get(node, '')}"
            for node, since in innermost[:_MOST_LINES]
        ]
        if len(innermost) > _MOST_LINES:
            told.append(f"and {len(innermost) - _MOST_LINES} more")
        return told

    def _break(self, *args: object, **kwargs: object) -> object:
        self.stop()
        if self._breakpoint is sys.__breakpointhook__ and not os.environ.get("PYTHONBREAKPOINT"):
            # pdb.set_trace() would stop in the frame that calls it, which is this one.
            from pdb import Pdb  # noqa: PLC0415 - the user asked for a debugger

            Pdb().set_trace(sys._getframe(1))  # noqa: SLF001 - the frame that called breakpoint()
            return None
        return self._breakpoint(*args, **kwargs)

    def _show(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - 60 ms, and only for runs that take longer
        from rich.live import Live  # noqa: PLC0415 - as above

        both = sys.stdout.isatty()
        live = Live(
            get_renderable=self._drawn,
            console=Console(stderr=True),
            refresh_per_second=8,
            transient=True,
            redirect_stdout=both,
            redirect_stderr=both,
        )
        with self._lock:
            if self._over:
                return
            self._live = live
            live.start()

    def _drawn(self) -> Group:
        from rich.console import Group  # noqa: PLC0415 - loaded by _show
        from rich.spinner import Spinner  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        head, *rest = self.lines()
        return Group(Text(head, style="bold"), *(Spinner("dots", Text(line)) for line in rest))
