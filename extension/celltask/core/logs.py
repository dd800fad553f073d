"""Logs: what bodies print is noted with their node, and shown as it would be without a run.

While a run lasts, ``sys.stdout`` and ``sys.stderr`` are streams that look which node is running where something is
printed. It holds state: how many runs use each stream.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from celltask.core.context import ACTIVE, NodeContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Noting", "let_out", "noted"]

_LONGEST_HELD = 1 << 13
_NAMES = ("stdout", "stderr")
_lock = threading.Lock()

# print() does not hold the stream that it writes to (CPython, Python/bltinmodule.c): one that a thread still prints to
# after the run, because an interrupt left it behind, must not go.
_kept: deque[Noting] = deque(maxlen=16)


class Noting:
    """A stream that passes everything on to another one, and notes what a node prints."""

    def __init__(self, name: str, under: TextIO) -> None:
        self.name_of_stream, self.under, self.runs = name, under, 0

    def write(self, text: str) -> int:
        """Pass `text` on, and note it with the node that runs here.

        A line of a node is passed on when it ends, so that lines of nodes that run at once do not mix.
        """
        context = ACTIVE.get()
        if not isinstance(context, NodeContext):
            return self.under.write(text)
        node = context.outer or context
        whole = (node.held.pop(self, "") if node.held else "") + text
        end = max(whole.rfind("\n"), whole.rfind("\r")) + 1
        if len(whole) - end > _LONGEST_HELD:
            end = len(whole)
        if end < len(whole):
            node.held = node.held or {}
            node.held[self] = whole[end:]
        if end:
            self.show(node, whole[:end])
        return len(text)

    def flush(self) -> None:
        """Pass on what a line of the node that runs here has so far."""
        context = ACTIVE.get()
        node = (context.outer or context) if isinstance(context, NodeContext) else None
        if node is not None and node.held and self in node.held:
            self.show(node, node.held.pop(self))
        self.under.flush()

    def show(self, node: NodeContext, text: str) -> None:
        """Note `text` with `node`, and show it unless the run is elsewhere."""
        node.note_printed(self.name_of_stream, text)
        if not node.is_away:
            self.under.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self.under, name)


def let_out(node: NodeContext) -> None:
    """Show what `node`, which has ended, printed of lines that have not."""
    held, node.held = node.held, None
    for stream, text in (held or {}).items():
        stream.show(node, text)


@contextmanager
def noted() -> Iterator[None]:
    """Note what nodes print while the block runs."""
    with _lock:
        used = [(name, _noting(name, now)) for name in _NAMES if (now := getattr(sys, name)) is not None]
        for name, stream in used:
            stream.runs += 1
            setattr(sys, name, stream)
    try:
        yield
    finally:
        with _lock:
            for name, stream in used:
                stream.runs -= 1
                if not stream.runs and getattr(sys, name) is stream:
                    setattr(sys, name, stream.under)


def _noting(name: str, now: TextIO | Noting) -> Noting:
    """The noting stream over `now`, the same each time."""
    if isinstance(now, Noting):
        return now
    for known in _kept:
        if known.under is now and known.name_of_stream == name:
            return known
    _kept.append(made := Noting(name, now))
    return made
