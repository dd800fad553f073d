"""Calls: what the body of a node has called of other tasks: the first calls one by one, of the others how many.

It holds state while the node runs.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_OF_A_RUN", "Called", "Calls", "Told", "calls_of", "is_call", "more_told"]

MOST_CALLS = 100
"""So many calls of one node are told one by one."""
MOST_OF_A_RUN = 10_000
"""So many of one run."""

_noting = threading.Lock()
"""Held while something is noted: several threads of one body may call tasks."""


class Called(NamedTuple):
    """One call, as plain data; `started` is in seconds since the epoch, `error` a text.

    The id is that of the caller, with ``"/c0"`` for its first call. A call that had not ended when its node did is
    ``"queued"``.
    """

    id: str
    task: str
    state: str
    started: float
    duration_s: float
    attempts: int
    error: str


class Told(NamedTuple):
    """The calls of one node as they stood at some time: those told one by one, and how many others of each task."""

    rows: tuple[Called, ...]
    more: Mapping[str, int]


class Calls:
    """The calls of one node, and those that the called tasks made.

    Args:
        first: Number of the first one.

    Attributes:
        rows: Those told one by one, in the order in which they began.
        more: How many others there were of each task, by its name.
        next: Number of the next one.
        is_full: Whether further ones are only counted.
    """

    __slots__ = ("is_full", "more", "next", "rows")

    def __init__(self, first: int = 0) -> None:
        self.rows: list[Called] = []
        self.more: dict[str, int] = {}
        self.next, self.is_full = first, False

    def begin(self, caller: str, task: str, started: float) -> tuple[str, int]:
        """Note that a call begins: its id, and its place among the rows; the caller's id, and -1, if it only counts."""
        with _noting:
            if self.is_full:  # by now
                self.more[task] = self.more.get(task, 0) + 1
                return caller, -1
            made = f"{caller}/c{self.next}"
            self.next += 1
            self._add(Called(made, task, "queued", started, 0.0, 1, ""))
            return made, len(self.rows) - 1

    def _add(self, row: Called) -> None:
        self.rows.append(row)
        self.is_full = len(self.rows) >= MOST_CALLS

    def count(self, task: str) -> None:
        """Note a call of a task only by its name."""
        with _noting:
            self.more[task] = self.more.get(task, 0) + 1

    def end(self, place: int, state: str, duration_s: float, attempts: int, error: str) -> None:
        """Note how the call at `place` ended."""
        row = self.rows[place]
        self.rows[place] = Called(row.id, row.task, state, row.started, duration_s, attempts, error)

    def reserve(self) -> int:
        """The first of some numbers that no other call gets, for calls that are noted elsewhere."""
        with _noting:
            self.next += MOST_CALLS
            return self.next - MOST_CALLS

    def take(self, told: Told) -> None:
        """Add calls that were noted elsewhere."""
        with _noting:
            for row in told.rows:
                if not self.is_full:
                    self._add(row)
                    self.next = max(self.next, int(row.id.rpartition("/c")[2]) + 1)
                else:
                    self.more[row.task] = self.more.get(row.task, 0) + 1
            for task, count in told.more.items():
                self.more[task] = self.more.get(task, 0) + count

    def told(self, room: int = MOST_CALLS) -> Told:
        """How they stand now, with at most so many of them told one by one."""
        room = max(0, room)
        with _noting:
            more = dict(self.more)
            for row in self.rows[room:]:
                more[row.task] = more.get(row.task, 0) + 1
            return Told(tuple(self.rows[:room]), more)


class _Caller(Protocol):
    calls: Calls | None


def calls_of(caller: _Caller) -> Calls:
    """What notes the calls of `caller`, made at the first one."""
    if caller.calls is None:
        with _noting:
            if caller.calls is None:
                caller.calls = Calls()
    return caller.calls


def is_call(node: str) -> bool:
    """Whether `node` is the id of a call that a body made, not that of a node of a graph."""
    return node.rpartition("/")[2].startswith("c")


def more_told(more: Mapping[str, int]) -> str:
    """How many calls there were beside those told one by one.

    >>> more_told({"clean": 20, "load": 1})
    '20 more calls of clean, 1 more call of load'
    """
    return ", ".join(f"{count:,} more call{'' if count == 1 else 's'} of {task}" for task, count in more.items())


def _anew() -> None:
    global _noting  # noqa: PLW0603 - a thread of the parent may have held it
    _noting = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_anew)
