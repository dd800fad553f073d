"""The order of the vertices in each row, with few crossings of lines.

Sweeps by medians and exchanges of neighbours from several starts; of large graphs only the starts that promise most
are followed to the end. Those are polished by moving single vertices to the best place in their row, and the best is
kept. The shuffled starts come from a fixed series of numbers, and effort is measured by the size of the graph, never
by a clock, so that the same graph always gives the same picture.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from celltask.render.reordering import Near, Reordering, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Rows", "count_crossings", "order_rows"]

_SWEEPS = 24
_TRIED = 6
"""After so many sweeps it is seen which starts promise most."""
_POLISHES = 6
_PASSES = 12
_CANDIDATES = 4


class _Effort(NamedTuple):
    """How hard to search in graphs of at most `size` vertices and pieces of lines."""

    size: float
    starts: int
    followed: int
    """Of the starts, those that are followed to the end."""
    passes: int
    """Of exchanges after each sweep."""
    patience: int
    """Sweeps in a row that may gain nothing."""


_EFFORTS = (
    _Effort(200, starts=8, followed=8, passes=_PASSES, patience=6),
    _Effort(450, starts=6, followed=6, passes=_PASSES, patience=6),
    _Effort(1200, starts=6, followed=2, passes=2, patience=4),
    _Effort(3000, starts=4, followed=1, passes=2, patience=4),
    _Effort(8000, starts=2, followed=1, passes=2, patience=4),
    _Effort(float("inf"), starts=1, followed=1, passes=2, patience=4),
)


def count_crossings(rows: Rows, above: Near) -> int:
    """Number of pairs of lines that cross; `above` gives the neighbours of a vertex in the row over it.

    >>> count_crossings([[0, 1], [2, 3]], [[], [], [1], [0]])
    1
    """
    return Reordering(rows, above, [()] * len(above)).crossings()


def order_rows(row_of: Sequence[int], above: Near, below: Near) -> list[tuple[Rows, int]]:
    """Good orders of the vertices in their rows, each with the number of crossings it leaves, the best first.

    Args:
        row_of: Row of each vertex.
        above: Neighbours of each vertex in the row over it; one named twice stands for two lines.
        below: Neighbours of each vertex in the row under it.

    Returns:
        One order at least; others only if they leave at most one crossing more.
    """
    size = max(len(row_of), sum(map(len, above)))
    effort = next(effort for effort in _EFFORTS if size <= effort.size)
    firsts = islice(_first_orders(row_of, above, below), effort.starts)
    searches = [_Search(Reordering(rows, above, below), effort) for rows in firsts]
    for search in searches:
        search.sweep(_TRIED)
    found: list[tuple[Rows, int]] = []
    for search in _most_promising(searches, effort.followed):
        search.sweep(_SWEEPS)
        search.polish()
        if (search.best, search.fewest) not in found:
            found.append((search.best, search.fewest))
    found.sort(key=lambda order: order[1])
    return [order for order in found[:_CANDIDATES] if order[1] <= found[0][1] + 1]


def _first_orders(row_of: Sequence[int], above: Near, below: Near) -> Iterator[Rows]:
    """Orders to start from: four walks through the graph, then shuffles without end."""
    falling = sorted(range(len(row_of)), key=row_of.__getitem__)
    both = [[*above[vertex], *below[vertex]] for vertex in range(len(row_of))]
    yield _walked(row_of, falling, below)
    yield _walked(row_of, falling[::-1], above)
    yield _walked(row_of, falling, both)
    yield _walked(row_of, falling[::-1], both)
    number = 1
    while True:
        rows: Rows = [[] for _ in range(row_of[falling[-1]] + 1)]
        for vertex in falling:
            row = rows[row_of[vertex]]
            number = (number * 1103515245 + 12345) % 2**31  # the generator of ANSI C's rand()
            row.insert((number >> 8) % (len(row) + 1), vertex)
        yield rows


def _walked(row_of: Sequence[int], starts: Sequence[int], near: Near) -> Rows:
    """Rows in the order in which a walk along `near` meets the vertices."""
    rows: Rows = [[] for _ in range(max(row_of, default=-1) + 1)]
    seen = [False] * len(row_of)
    for start in starts:
        stack = [start]
        while stack:
            vertex = stack.pop()
            if not seen[vertex]:
                seen[vertex] = True
                rows[row_of[vertex]].append(vertex)
                stack.extend(reversed(near[vertex]))
    return rows


class _Search:
    """One search from one start, and the best that it has seen."""

    def __init__(self, work: Reordering, effort: _Effort) -> None:
        self.work, self.effort = work, effort
        self.sweeps = self.vain = 0
        work.exchange(effort.passes)
        self.best, self.fewest = [list(row) for row in work.rows], work.crossings()

    def sweep(self, until: int) -> None:
        """Sweep and exchange until nothing is gained any more, or there were so many sweeps in all."""
        while self.fewest and self.sweeps < until and self.vain <= self.effort.patience:
            self.work.sweep(downwards=self.sweeps % 2 == 0, mirrored=self.sweeps % 4 > 1)
            self.work.exchange(self.effort.passes)
            self.sweeps += 1
            self.vain += 1
            now = self.work.crossings()
            if now < self.fewest:
                self.best, self.fewest, self.vain = [list(row) for row in self.work.rows], now, 0

    def polish(self) -> None:
        """Move single vertices of the best rows until nothing is gained any more."""
        if self.fewest:
            self.work.restart(self.best)
            for _ in range(_POLISHES):
                if not self.work.sift():
                    break
                self.work.exchange(_PASSES)
            self.best, self.fewest = self.work.rows, self.work.crossings()


def _most_promising(searches: list[_Search], most: int) -> list[_Search]:
    """The searches with the fewest crossings so far, in the order given."""
    ahead = sorted(range(len(searches)), key=lambda number: searches[number].fewest)[:most]
    return [searches[number] for number in sorted(ahead)]
