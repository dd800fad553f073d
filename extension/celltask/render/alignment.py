"""Straight lines: vertices already in their order are shifted, in the room beside them, until lines run straight.

All functions change the positions `x` in place, in px along the row, and keep the order and the least distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum  # sums that are the same in every Python

__all__ = ["align", "straighten"]

Rows = Sequence[Sequence[int]]
Gaps = Sequence[Sequence[float]]
Pulls = Sequence[Sequence[tuple[int, float]]]
_ALIGNMENTS = 8
_ROUNDS = 3
_NEARLY = 16.0
_PUSHES = 4
_SAME = 0.05
"""Positions closer than so many px are the same."""


class _Room:
    """How far each vertex can go before it meets its neighbours in the row."""

    def __init__(self, x: list[float], rows: Rows, gaps: Gaps) -> None:
        self.x = x
        # The neighbour to the left and the least distance to it, then the same to the right; -1 for none.
        self.beside: list[tuple[int, float, int, float]] = [(-1, 0.0, -1, 0.0)] * len(x)
        for row, apart in zip(rows, gaps, strict=True):
            last = len(row) - 1
            for index, vertex in enumerate(row):
                left, left_gap = (row[index - 1], apart[index - 1]) if index else (-1, 0.0)
                right, right_gap = (row[index + 1], apart[index]) if index < last else (-1, 0.0)
                self.beside[vertex] = (left, left_gap, right, right_gap)

    def of(self, vertex: int) -> tuple[float, float]:
        """Least and greatest position that a vertex can have."""
        left, left_gap, right, right_gap = self.beside[vertex]
        low = self.x[left] + left_gap if left >= 0 else float("-inf")
        high = self.x[right] - right_gap if right >= 0 else float("inf")
        return low, high

    def around(self, moved: set[int], pulls: Pulls) -> set[int]:
        """The vertices whose next shift may depend on where those of `moved` are."""
        found: set[int] = set()
        for middle in moved.union(*([other for other, _ in pulls[vertex]] for vertex in moved)):
            found.add(middle)
            for side in (0, 2):
                vertex = middle
                for _ in range(_PUSHES):
                    vertex = int(self.beside[vertex][side])
                    if vertex < 0:
                        break
                    found.add(vertex)
        return found

    def ahead(self, moving: set[int], *, rightwards: bool) -> tuple[float, int]:
        """How far the vertices `moving` can go together, at least 0, and which vertex stops them; -1 for none."""
        free, blocker = float("inf"), -1
        for vertex in sorted(moving):
            left, left_gap, right, right_gap = self.beside[vertex]
            other, gap = (right, right_gap) if rightwards else (left, left_gap)
            if other >= 0 and other not in moving:
                distance = abs(self.x[other] - self.x[vertex]) - gap
                if distance < free:
                    free, blocker = max(distance, 0.0), other
        return free, blocker


def straighten(x: list[float], rows: Rows, gaps: Gaps, chains: Sequence[Sequence[int]]) -> None:
    """Let the bends of a long line share a position as long as the room beside them allows.

    Args:
        x: Position of each vertex.
        rows: The vertices of each row in order.
        gaps: For each row the least distances between one vertex and the next.
        chains: For each line its vertices from top to bottom, both ends included.
    """
    room = _Room(x, rows, gaps)
    long = [chain for chain in chains if len(chain) > 2]  # noqa: PLR2004 - there is at least one bend
    for _ in range(_ROUNDS):
        for chain in long:
            _straighten_one(x, room, chain)


def _straighten_one(x: list[float], room: _Room, chain: Sequence[int]) -> None:
    bends = chain[1:-1]
    start = 0
    before = x[chain[0]]
    while start < len(bends):
        low, high = room.of(bends[start])
        end = start + 1
        while end < len(bends):
            next_low, next_high = room.of(bends[end])
            if max(low, next_low) > min(high, next_high):
                break
            low, high = max(low, next_low), min(high, next_high)
            end += 1
        after = x[chain[end + 1]]
        reached = [(abs(wish - min(max(wish, low), high)), min(max(wish, low), high)) for wish in (before, after)]
        before = reached[0][1] if reached[0][0] <= reached[1][0] else reached[1][1]
        for vertex in bends[start:end]:
            x[vertex] = before
        start = end


def align(x: list[float], rows: Rows, gaps: Gaps, pulls: Pulls) -> None:
    """Shift what already stands in one line, as one, to where its other lines become shortest.

    Args:
        x: Position of each vertex.
        rows: The vertices of each row in order.
        gaps: For each row the least distances between one vertex and the next.
        pulls: For each vertex its neighbours above and below, and how hard each pulls.
    """
    room = _Room(x, rows, gaps)
    singles = [[vertex] for vertex in range(len(x))]
    # What was tried in vain would be so again until something that it depends on has moved.
    tries = 0
    tried: dict[tuple[int, ...], int] = {}
    stirred = [0] * len(x)
    for _ in range(_ALIGNMENTS):
        calm = True
        for block in (*_blocks(x, pulls), *singles):
            key = tuple(block)
            if tried.get(key, -1) >= max([stirred[vertex] for vertex in block]):
                continue
            moved = _shift(x, room, block, pulls)
            tries += 1
            tried[key] = tries
            if moved:
                calm = False
                for vertex in room.around(moved, pulls):
                    stirred[vertex] = tries + 1
        if calm:
            break


def _blocks(x: list[float], pulls: Pulls) -> list[list[int]]:
    """Vertices joined by straight lines; those that stand alone are left out."""
    seen = [False] * len(x)
    found = []
    for start in range(len(x)):
        if seen[start]:
            continue
        seen[start] = True
        block = [start]
        for vertex in block:  # grows while it is read
            here = x[vertex]
            for other, _ in pulls[vertex]:
                if not seen[other] and abs(x[other] - here) < _SAME:
                    seen[other] = True
                    block.append(other)
        if len(block) > 1:
            found.append(block)
    return found


def _shift(x: list[float], room: _Room, block: Sequence[int], pulls: Pulls) -> set[int]:
    """Move the vertices of `block` by the same step to the median of what pulls at them, if that is better.

    What stands in the way is pushed along if this is better still on the whole.

    Returns:
        The vertices that have moved.
    """
    moving = set(block)
    for _ in range(_PUSHES):
        wishes = [
            (x[other] - x[vertex], pull) for vertex in moving for other, pull in pulls[vertex] if other not in moving
        ]
        if not wishes:
            return set()
        step = _middle_of(wishes)
        if abs(step) < _SAME:
            return set()
        free, blocker = room.ahead(moving, rightwards=step > 0)
        reached = min(step, free) if step > 0 else max(step, -free)
        if fsum(pull * (abs(wish) - abs(wish - reached)) for wish, pull in wishes) >= _SAME:
            for vertex in moving:
                x[vertex] += reached
            return moving
        if blocker < 0:
            return set()
        moving.add(blocker)
    return set()


def _middle_of(wishes: list[tuple[float, float]]) -> float:
    """Weighted median of `wishes`, given with their weights.

    Of two that are as good, the one that is nearly reached, so that a line gets straight, or else the middle.
    """
    if len(wishes) == 1:
        return wishes[0][0]
    wishes.sort()
    half = fsum(weight for _, weight in wishes) / 2
    passed = 0.0
    for index, (wish, weight) in enumerate(wishes):
        passed += weight
        if passed > half:
            return wish
        if passed == half and index + 1 < len(wishes):
            near = min(wish, wishes[index + 1][0], key=abs)
            return near if abs(near) < _NEARLY else (wish + wishes[index + 1][0]) / 2
    return wishes[-1][0]
