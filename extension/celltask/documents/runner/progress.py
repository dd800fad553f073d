"""What is shown while documents run: on a terminal the cells that run now, and a line for each document at its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from celltask.documents.runner.outcome import CellStarted
from celltask.documents.runner.telling import cell_line, document_line

if TYPE_CHECKING:
    from types import TracebackType

    from rich.live import Live
    from rich.text import Text

    from celltask.documents.runner.outcome import DocumentOutcome, Event

__all__ = ["Progress"]


class Progress:
    """A listener that shows how a run stands, as a context manager around it. Holds which cells run now.

    Args:
        verbosity: Below 0 nothing is shown at the end of a document; above 0, each of its cells.
        total: How many documents there are.
        is_live: Whether to show what runs now; by default if standard output is a terminal.
    """

    def __init__(self, *, verbosity: int = 0, total: int = 0, is_live: bool | None = None) -> None:
        self._verbosity, self._total = verbosity, total
        self._is_live = sys.stdout.isatty() if is_live is None else is_live
        self._live: Live | None = None
        self._running: dict[str, str] = {}
        self._ended = 0

    def __enter__(self) -> Self:
        if self._is_live:
            from rich.live import Live  # noqa: PLC0415 - only on a terminal

            self._live = Live(get_renderable=self._drawn, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take note of `event`, and show it."""
        shown = event.chosen.label
        if isinstance(event, CellStarted):
            total = len(event.chosen.names)
            self._running[shown] = f"{shown}  {event.number}/{total} {event.chosen.names[event.number - 1]}"
            return
        self._running.pop(shown, None)
        self._ended += 1
        for line in self._lines(event):
            self._show(line, is_bad=event.failed)

    def _lines(self, outcome: DocumentOutcome) -> list[str]:
        if self._verbosity < 0:
            return []
        if self._verbosity == 0 or outcome.unchanged or outcome.chosen.error is not None:
            return [document_line(outcome)]
        return [*(cell_line(outcome, cell) for cell in outcome.cells), document_line(outcome)]

    def _show(self, line: str, *, is_bad: bool) -> None:
        if self._live is None:
            print(line, flush=True)  # noqa: T201 - the command line speaks here
            return
        from rich.text import Text  # noqa: PLC0415 - loaded with Live

        self._live.console.print(Text(line, style="red" if is_bad else ""), soft_wrap=True)

    def _drawn(self) -> Text:
        from rich.text import Text  # noqa: PLC0415 - as above

        head = f"{self._ended}/{self._total} documents"
        return Text(
            "\n".join([head, *(f"  {line}" for line in self._running.values())]), no_wrap=True, overflow="ellipsis"
        )
