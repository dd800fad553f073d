"""The order of the vertices in each row, with few crossings of lines.

Sweeps by medians and exchanges of neighbours from several starts, each polished by moving single vertices to the
best place in their row; the best is kept. The shuffled starts come from a fixed series of numbers, so that the same
graph always gives the same picture.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence

__all__ = ["Rows", "count_crossings", "order_rows"]

Rows = list[list[int]]
Near = Sequence[Sequence[int]]
_SWEEPS = 24
_PATIENCE = 6
_POLISHES = 6
_EXCHANGES = 12
_SEARCHED = 12
"""With more pairs than so many it is faster to search than to compare each with each."""
_CANDIDATES = 4
_STARTS = ((200, 8), (1200, 6), (3000, 3), (8000, 2))
"""Up to so many vertices or pieces of lines, so many starts; beyond, one."""
_SIFTED = 400
"""Rows of more vertices are not polished: that takes the square of their number."""


def count_crossings(rows: Rows, above: Near) -> int:
    """Number of pairs of lines that cross; `above` gives the neighbours of a vertex in the row over it.

    >>> count_crossings([[0, 1], [2, 3]], [[], [], [1], [0]])
    1
    """
    place = _places(rows, len(above))
    return sum(_crossings_over(row, above, place) for row in rows[1:])


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
    starts = next((number for most, number in _STARTS if size <= most), 1)
    found: list[tuple[Rows, int]] = []
    for rows, _ in zip(_first_orders(row_of, above, below), range(starts), strict=False):
        search = _Search(rows, above, below)
        search.run()
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


def _places(rows: Rows, count: int) -> list[int]:
    place = [0] * count
    for row in rows:
        for number, vertex in enumerate(row):
            place[vertex] = number
    return place


def _crossings_over(row: list[int], above: Near, place: list[int]) -> int:
    seen: list[int] = []
    found = 0
    for vertex in row:
        ends = [place[near] for near in above[vertex]]
        for end in ends:
            found += len(seen) - bisect_right(seen, end)
        for end in ends:
            insort(seen, end)
    return found


def _gain(left: list[int], right: list[int]) -> int:
    """Crossings removed by exchanging two neighbours, whose own neighbours stand at these places, sorted."""
    if not left or not right:
        return 0
    if left[-1] < right[0]:
        return -len(left) * len(right)
    if left[0] > right[-1]:
        return len(left) * len(right)
    gain = 0
    if len(left) * len(right) > _SEARCHED:
        for one in left:
            gain += bisect_left(right, one) + bisect_right(right, one) - len(right)
        return gain
    for one in left:
        for other in right:
            gain += (one > other) - (one < other)
    return gain


def _median(near: Sequence[int], place: list[int]) -> float:
    """Weighted median of the places of `near`, which leans to the side where they are close.

    From Gansner, Koutsofios, North and Vo, "A Technique for Drawing Directed Graphs" (1993), section 3.
    """
    if len(near) == 1:
        return place[near[0]]
    places = sorted([place[vertex] for vertex in near])
    middle = len(places) // 2
    if len(places) % 2:
        return places[middle]
    left, right = places[middle - 1] - places[0], places[-1] - places[middle]
    if left + right == 0:
        return (places[middle - 1] + places[middle]) / 2
    return (places[middle - 1] * right + places[middle] * left) / (left + right)


class _Search:
    """One search from one start; holds the rows it works on and the best it has seen."""

    def __init__(self, rows: Rows, above: Near, below: Near) -> None:
        self.rows, self.above, self.below = rows, above, below
        self.place = _places(rows, len(above))
        self.best: Rows = []
        self.fewest = -1

    def run(self) -> None:
        """Sweep and exchange until nothing is gained any more, then polish the best."""
        self.exchange()
        self._remember()
        vain = 0
        for number in range(_SWEEPS):
            if not self.fewest or vain > _PATIENCE:
                break
            self.sweep(downwards=number % 2 == 0, mirrored=number % 4 > 1)
            self.exchange()
            vain = 0 if self._remember() else vain + 1
        if self.fewest:
            self.rows = [list(row) for row in self.best]
            self.place = _places(self.rows, len(self.place))
            for _ in range(_POLISHES):
                if not self.sift():
                    break
                self.exchange()
                self._remember()

    def _remember(self) -> bool:
        """Keep the rows if they have fewer crossings than any before."""
        now = sum(_crossings_over(row, self.above, self.place) for row in self.rows[1:])
        if 0 <= self.fewest <= now:
            return False
        self.best, self.fewest = [list(row) for row in self.rows], now
        return True

    def _renumber(self, row: list[int]) -> None:
        for index, vertex in enumerate(row):
            self.place[vertex] = index

    def _ends(self, row: list[int]) -> tuple[list[list[int]], list[list[int]]]:
        place = self.place
        ups = [sorted([place[near] for near in self.above[vertex]]) for vertex in row]
        downs = [sorted([place[near] for near in self.below[vertex]]) for vertex in row]
        return ups, downs

    def sweep(self, *, downwards: bool, mirrored: bool) -> None:
        """Sort each row by the medians of its neighbours in the row before it."""
        last = len(self.rows) - 1
        near = self.above if downwards else self.below
        for number in range(1, last + 1) if downwards else range(last - 1, -1, -1):
            row = self.rows[number]
            keys = {vertex: _median(near[vertex], self.place) for vertex in row if near[vertex]}
            tied = row[::-1] if mirrored else row
            in_order = iter(sorted((vertex for vertex in tied if vertex in keys), key=keys.__getitem__))
            row[:] = [next(in_order) if vertex in keys else vertex for vertex in row]
            self._renumber(row)

    def exchange(self) -> None:
        """Exchange neighbours in a row as long as this removes crossings."""
        stale = [True] * len(self.rows)
        for _ in range(_EXCHANGES):
            if not any(stale):
                break
            for number, row in enumerate(self.rows):
                if stale[number]:
                    stale[number] = False
                    if self._exchange_in(row):
                        for other in range(max(0, number - 1), min(len(stale), number + 2)):
                            stale[other] = True

    def _exchange_in(self, row: list[int]) -> bool:
        ups, downs = self._ends(row)
        changed = False
        for left in range(len(row) - 1):
            right = left + 1
            if _gain(ups[left], ups[right]) + _gain(downs[left], downs[right]) > 0:
                row[left], row[right] = row[right], row[left]
                ups[left], ups[right] = ups[right], ups[left]
                downs[left], downs[right] = downs[right], downs[left]
                changed = True
        if changed:
            self._renumber(row)
        return changed

    def sift(self) -> bool:
        """Move each vertex to the best place in its row; whether any crossing was removed."""
        gained = False
        for row in self.rows:
            ups, downs = self._ends(row)
            ends = {vertex: (up, down) for vertex, up, down in zip(row, ups, downs, strict=True)}
            for vertex in list(row) if len(row) <= _SIFTED else ():
                here = row.index(vertex)
                there = _best_place(row, here, ends)
                if there != here:
                    row.insert(there, row.pop(here))
                    gained = True
            self._renumber(row)
        return gained


def _best_place(row: list[int], here: int, ends: dict[int, tuple[list[int], list[int]]]) -> int:
    """Index in `row` to which the vertex at `here` should move; `here` if no other is better."""
    ups, downs = ends[row[here]]
    best, target = 0, here
    change = 0
    for index in range(here + 1, len(row)):
        other_ups, other_downs = ends[row[index]]
        change += _gain(ups, other_ups) + _gain(downs, other_downs)
        if change > best:
            best, target = change, index
    change = 0
    for index in range(here - 1, -1, -1):
        other_ups, other_downs = ends[row[index]]
        change += _gain(other_ups, ups) + _gain(other_downs, downs)
        if change > best:
            best, target = change, index
    return target
