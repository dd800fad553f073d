"""Logs: what bodies print is noted with their node, and shown as it would be without a run.

While a run lasts, ``sys.stdout`` and ``sys.stderr`` are streams that look which node is running where something is
printed. It holds state: how many runs there are.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from celltask.core.context import ACTIVE, NodeContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["noted"]

_NAMES = ("stdout", "stderr")
_lock = threading.Lock()
_runs = 0

# print() does not hold the stream that it writes to (CPython, Python/bltinmodule.c): one that a thread still prints to
# after the run, because an interrupt left it behind, must not go.
_kept: deque[_Noting] = deque(maxlen=16)


class _Noting:
    """A stream that passes everything on to another one, and notes what a node prints."""

    def __init__(self, name: str, under: TextIO) -> None:
        self.name_of_stream, self.under = name, under

    def write(self, text: str) -> int:
        """Pass `text` on, and note it with the node that runs here."""
        context = ACTIVE.get()
        if isinstance(context, NodeContext):
            context.note_printed(self.name_of_stream, text)
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
        _change(_noting)
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs:
                _change(lambda _, now: now.under if isinstance(now, _Noting) else now)


def _noting(name: str, now: TextIO | _Noting) -> _Noting:
    """The noting stream over `now`, the same each time."""
    if isinstance(now, _Noting):
        return now
    for known in _kept:
        if known.under is now and known.name_of_stream == name:
            return known
    _kept.append(made := _Noting(name, now))
    return made


def _change(made: Callable[[str, TextIO], object]) -> None:
    for name in _NAMES:
        now = getattr(sys, name)
        if now is not None:
            setattr(sys, name, made(name, now))
