"""Rows of vertices whose order is changed step by step, so that fewer lines cross.

What a step needs is kept from the steps before: places of neighbours stay sorted, and only those pairs of vertices
are looked at again for which something has changed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import accumulate
from operator import add

__all__ = ["Near", "Reordering", "Rows", "crossings_over"]

Rows = list[list[int]]
Near = Sequence[Sequence[int]]
_SEARCHED = 12
"""With more pairs than so many it is faster to search than to compare each with each."""
_REACH = 64
"""A vertex is moved past at most so many others at a time."""
_SIFTED = 400
"""In rows of more vertices none is moved to its best place: that takes the square of their number."""


def crossings_over(row: Sequence[int], ups: Near) -> int:
    """Crossings between `row` and the one over it, where `ups` are places of neighbours in that, sorted."""
    seen: list[int] = []
    found = 0
    for vertex in row:
        for end in ups[vertex]:
            index = bisect_right(seen, end)
            found += len(seen) - index
            seen.insert(index, end)
    return found


class Reordering:
    """Rows in work; `above` and `below` are the neighbours of each vertex in the rows over and under it."""

    def __init__(self, rows: Rows, above: Near, below: Near) -> None:
        self.above, self.below = above, below
        self.rows: Rows = []
        self.place = [0] * len(above)
        self.ups: list[list[int]] = [[] for _ in above]
        """Places of the neighbours of each vertex in the row over it, sorted."""
        self.downs: list[list[int]] = [[] for _ in above]
        self.to_exchange: list[set[int]] = []
        """For each row the vertices that may have to change places with one beside them."""
        self.to_sift: list[bool] = []
        self.restart(rows)

    def restart(self, rows: Rows) -> None:
        """Go on from these orders of the rows."""
        self.rows = [list(row) for row in rows]
        for row in self.rows:
            self._renumber(row)
        for row in self.rows:
            self._sort_ends(row, self.above, self.ups)
            self._sort_ends(row, self.below, self.downs)
        self._look_everywhere()

    def crossings(self) -> int:
        """Number of pairs of lines that cross."""
        return sum(crossings_over(row, self.ups) for row in self.rows[1:])

    def _look_everywhere(self) -> None:
        self.to_exchange = [set(row) for row in self.rows]
        self.to_sift = [True] * len(self.rows)

    def _renumber(self, row: list[int]) -> None:
        for index, vertex in enumerate(row):
            self.place[vertex] = index

    def _sort_ends(self, vertices: Iterable[int], near: Near, ends: list[list[int]]) -> None:
        """Tell `ends` anew, the places of the neighbours `near` of some vertices."""
        place = self.place
        place_of = place.__getitem__
        for vertex in vertices:
            others = near[vertex]
            ends[vertex] = [place[others[0]]] if len(others) == 1 else sorted(map(place_of, others))

    def sweep(self, *, downwards: bool, mirrored: bool) -> None:
        """Sort each row by the medians of its neighbours in the row before it.

        Args:
            downwards: Whether the row before is the one above.
            mirrored: Whether vertices with the same median change sides.
        """
        numbers = range(len(self.rows)) if downwards else range(len(self.rows) - 1, -1, -1)
        near, ends = (self.above, self.ups) if downwards else (self.below, self.downs)
        changed = [False] * (len(self.rows) + 1)  # the last stands for the rows beyond either end
        for number, before in zip(numbers[1:], numbers, strict=False):
            if changed[before]:
                self._sort_ends(self.rows[number], near, ends)
            changed[number] = self._sort_row(self.rows[number], ends, mirrored=mirrored)
        near, ends = (self.below, self.downs) if downwards else (self.above, self.ups)
        step = 1 if downwards else -1
        for number, row in enumerate(self.rows):
            if changed[number + step]:
                self._sort_ends(row, near, ends)
            if changed[number - 1] or changed[number] or changed[number + 1]:
                self.to_exchange[number] = set(row)
                self.to_sift[number] = True

    def _sort_row(self, row: list[int], ends: list[list[int]], *, mirrored: bool) -> bool:
        """Sort vertices by their medians, where those without neighbours stay; whether anything has changed."""
        keys = {vertex: _median(ends[vertex]) for vertex in row if ends[vertex]}
        tied = row[::-1] if mirrored else row
        in_order = iter(sorted([vertex for vertex in tied if vertex in keys], key=keys.__getitem__))
        changed = [next(in_order) if vertex in keys else vertex for vertex in row]
        if changed == row:
            return False
        row[:] = changed
        self._renumber(row)
        return True

    def exchange(self, passes: int) -> None:
        """Exchange neighbours in a row as long as this removes crossings, at most in so many passes over the rows."""
        for _ in range(passes):
            if not any(self.to_exchange):
                break
            for number, vertices in enumerate(self.to_exchange):
                if vertices:
                    self.to_exchange[number] = set()
                    self._exchange_in(number, vertices)

    def _exchange_in(self, number: int, vertices: set[int]) -> None:
        """One pass from left to right over the pairs in which one of `vertices` stands."""
        row, place, ups, downs = self.rows[number], self.place, self.ups, self.downs
        due = bytearray(len(row) + 1)  # the last also stands for the place before the first
        for vertex in vertices:
            due[place[vertex]] = due[place[vertex] - 1] = 1
        moved: set[int] = set()
        last = len(row) - 1
        left = due.find(1)
        while 0 <= left < last:
            one, other = row[left], row[left + 1]
            if _gain(ups[one], ups[other]) + _gain(downs[one], downs[other]) > 0:
                row[left], row[left + 1] = other, one
                place[one], place[other] = left + 1, left
                moved.update((one, other))
                due[left + 1] = 1
            left = due.find(1, left + 1)
        if moved:
            self.to_exchange[number] |= moved
            self._note_moves(number, moved, moved)

    def _note_moves(self, number: int, moved: set[int], shifted: Iterable[int]) -> None:
        """After vertices of a row have moved, their neighbours must be looked at again.

        Args:
            number: The row.
            moved: Vertices such that any two that have changed sides hold one of them.
            shifted: All vertices whose place has changed, at least.
        """
        for other, near, back, ends in (
            (number - 1, self.above, self.below, self.downs),
            (number + 1, self.below, self.above, self.ups),
        ):
            if 0 <= other < len(self.rows):
                self._sort_ends({vertex for mover in shifted for vertex in near[mover]}, back, ends)
                touched = {vertex for mover in moved for vertex in near[mover]}
                self.to_exchange[other] |= touched
                self.to_sift[other] |= bool(touched)
        self.to_sift[number] = True

    def sift(self) -> bool:
        """Move each vertex to the best place in its row; whether any crossing was removed."""
        gained = False
        for number, row in enumerate(self.rows):
            if self.to_sift[number]:
                self.to_sift[number] = False
                gained |= len(row) <= _SIFTED and self._sift_in(number)
        return gained

    def _sift_in(self, number: int) -> bool:
        """Move each vertex of one row; whether any has moved."""
        row = self.rows[number]
        moved: set[int] = set()
        local = {vertex: index for index, vertex in enumerate(row)}
        over = self._turns(local, number - 1, self.below, self.ups)
        under = self._turns(local, number + 1, self.above, self.downs)
        order = list(range(len(row)))
        for vertex in list(row):
            turns = [over[end] for end in self.ups[vertex]] + [under[end] for end in self.downs[vertex]]
            if not turns:
                continue
            here = row.index(vertex)
            there = _best_place(order, here, reduce(_added, turns))
            if there != here:
                row.insert(there, row.pop(here))
                order.insert(there, order.pop(here))
                self.to_exchange[number] |= {vertex, row[here]}
                moved.add(vertex)
        if moved:
            self._renumber(row)
            self._note_moves(number, moved, row)
        return bool(moved)

    def _turns(self, local: dict[int, int], other: int, near: Near, ends: Near) -> list[list[int]]:
        """For each place in a row beside: what a line from there would gain by passing each vertex of this row.

        Args:
            local: The vertices of this row, with their numbers in the answer.
            other: Number of the row beside.
            near: Neighbours in this row of each vertex of that.
            ends: Places of neighbours in that row of each vertex of this.
        """
        gains = [-len(ends[vertex]) for vertex in local]
        found = []
        passed: Sequence[int] = ()
        for vertex in self.rows[other] if 0 <= other < len(self.rows) else ():
            gains = gains.copy()
            for lower in (*passed, *near[vertex]):
                gains[local[lower]] += 1
            passed = near[vertex]
            found.append(gains)
        return found


def _added(one: list[int], other: list[int]) -> list[int]:
    return list(map(add, one, other))


def _best_place(order: list[int], here: int, gains: list[int]) -> int:
    """Index in a row to which the vertex at `here` should move; `here` if no other is better.

    Args:
        order: The row.
        here: Index of the vertex.
        gains: Crossings removed when the vertex gets from the left to the right of each of the others.
    """
    there, best = here, 0
    rightwards = list(accumulate(map(gains.__getitem__, order[here + 1 : here + 1 + _REACH])))
    if rightwards and max(rightwards) > best:
        best = max(rightwards)
        there = here + 1 + rightwards.index(best)
    leftwards = list(accumulate(map(gains.__getitem__, reversed(order[max(0, here - _REACH) : here]))))
    if leftwards and -min(leftwards) > best:
        there = here - 1 - leftwards.index(min(leftwards))
    return there


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


def _median(places: list[int]) -> float:
    """Weighted median of sorted `places`, which leans to the side where they are close.

    From Gansner, Koutsofios, North and Vo, "A Technique for Drawing Directed Graphs" (1993), section 3.
    """
    middle = len(places) // 2
    if len(places) % 2:
        return places[middle]
    left, right = places[middle - 1] - places[0], places[-1] - places[middle]
    if left + right == 0:
        return (places[middle - 1] + places[middle]) / 2
    return (places[middle - 1] * right + places[middle] * left) / (left + right)
