"""Logs: what bodies print is noted with their node, and shown as it would be without a run.

While a run lasts, ``sys.stdout`` and ``sys.stderr`` are streams that look which node is running where something is
printed. It holds state: how many runs there are.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from celltask.core.context import ACTIVE, NodeContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["noted"]

_NAMES = ("stdout", "stderr")
_lock = threading.Lock()
_runs = 0


class _Noting:
    """A stream that passes everything on to another one, and notes what a node prints."""

    def __init__(self, name: str, under: TextIO) -> None:
        self._name, self.under = name, under

    def write(self, text: str) -> int:
        """Pass `text` on, and note it with the node that runs here."""
        context = ACTIVE.get()
        if isinstance(context, NodeContext):
            context.note_printed(self._name, text)
            if context.is_away:
                return len(text)
        return self.under.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self.under, name)


@contextmanager
def noted() -> Iterator[None]:
    """Note what nodes print while the block runs."""
    global _runs  # noqa: PLW0603 - one pair of streams for the process
    with _lock:
        _runs += 1
        _change(lambda name, now: now if isinstance(now, _Noting) else _Noting(name, now))
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs:
                _change(lambda _, now: now.under if isinstance(now, _Noting) else now)


def _change(made: Callable[[str, TextIO], object]) -> None:
    for name in _NAMES:
        now = getattr(sys, name)
        if now is not None:
            setattr(sys, name, made(name, now))
