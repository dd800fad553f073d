"""Where in its row a vertex stands: near its neighbours above and below, in the given order, without overlap.

Each row in turn is placed as well as the rows around it allow, which is a weighted isotonic regression and has an
exact answer in linear time (pool adjacent violators). Afterwards `alignment` straightens lines in the room that is
left. Positions are in px along the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum  # sums that are the same in every Python
from typing import NamedTuple

from celltask.render.alignment import align, straighten

__all__ = ["Rows", "place_rows", "pooled", "tension"]

Near = Sequence[Sequence[int]]
Wishes = list[tuple[list[tuple[int, float]], float]]
_SWEEPS, _QUICK_SWEEPS = 20, 8
_BENDS, _BEND, _BOXES = 9.0, 3.0, 1.0
"""How hard a line pulls between two bends, between a box and a bend, and between two boxes."""
_SOLE = 2.0
"""Factor for a line that is the only one at both of its ends."""
_WEAK = 1e-3
_TURN = 20.0
_SAME = 0.05


class Rows(NamedTuple):
    """Rows of vertices in order, and all that pulls and pushes them."""

    rows: Sequence[Sequence[int]]
    """Vertices from `boxes` on are bends of long lines."""
    above: Near
    """Neighbours of each vertex in the row above."""
    below: Near
    gaps: Sequence[Sequence[float]]
    """For each row the least distances between the middles of one vertex and the next, in px."""
    boxes: int


def pooled(wishes: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Positions as near as possible to `wishes`, by weighted least squares, at least `gaps` apart.

    Args:
        wishes: Position that each vertex would like, in px.
        weights: How much each wish counts, > 0.
        gaps: Least distance between one vertex and the next, in px; one fewer than `wishes`.

    >>> pooled([0.0, 0.0, 30.0], [1.0, 1.0, 1.0], [10.0, 10.0])
    [-5.0, 5.0, 30.0]
    """
    offset = 0.0
    offsets = [offset := offset + gap for gap in (0.0, *gaps)]
    pools: list[tuple[float, float, int]] = []  # weighted sum, weight, number of vertices
    for wish, weight, shift in zip(wishes, weights, offsets, strict=True):
        total, heavy, many = weight * (wish - shift), weight, 1
        while pools and pools[-1][0] * heavy > total * pools[-1][1]:
            left = pools.pop()
            total, heavy, many = total + left[0], heavy + left[1], many + left[2]
        pools.append((total, heavy, many))
    level = [total / heavy for total, heavy, many in pools for _ in range(many)]
    return [height + shift for height, shift in zip(level, offsets, strict=True)]


def place_rows(rows: Rows, chains: Sequence[Sequence[int]], *, quick: bool = False) -> list[float]:
    """Position of each vertex in its row, in px.

    Args:
        rows: What is placed.
        chains: For each line its vertices from top to bottom, both ends included.
        quick: Good enough for comparing orders.
    """
    x = [0.0] * len(rows.above)
    for row, apart in zip(rows.rows, rows.gaps, strict=True):
        for vertex, position in zip(row, pooled([0.0] * len(row), [1.0] * len(row), apart), strict=True):
            x[vertex] = position
    pulls = _Pulls(rows)
    _settle(x, rows, pulls, _QUICK_SWEEPS if quick else _SWEEPS)
    straighten(x, rows.rows, rows.gaps, chains)
    if not quick:
        align(x, rows.rows, rows.gaps, pulls.both)
    # Rounded, so that what is meant to be in one line is so exactly.
    return [round(position * 4) / 4 for position in x]


def tension(x: Sequence[float], pieces: Iterable[tuple[int, int]]) -> float:
    """How far lines go aside between rows, in px, where each piece that is not straight counts some more."""
    ways = [abs(x[upper] - x[lower]) for upper, lower in pieces]
    return fsum(way + _TURN for way in ways if way > _SAME)


class _Pulls:
    """What pulls at each vertex: its neighbours, how hard each of them does, and all together."""

    def __init__(self, rows: Rows) -> None:
        above, below, boxes = rows.above, rows.below, rows.boxes

        def pull(upper: int, lower: int) -> float:
            sole = len(below[upper]) == 1 and len(above[lower]) == 1
            return (_BOXES, _BEND, _BENDS)[(upper >= boxes) + (lower >= boxes)] * (_SOLE if sole else 1.0)

        count = range(len(above))
        ups = [[(other, pull(other, vertex)) for other in above[vertex]] for vertex in count]
        downs = [[(other, pull(vertex, other)) for other in below[vertex]] for vertex in count]
        self.both = [up + down for up, down in zip(ups, downs, strict=True)]
        # A sweep that looks one way only lets the whole move; bends look both ways, as they stand between.
        falling = [
            both if vertex >= boxes or not up else up
            for vertex, (both, up) in enumerate(zip(self.both, ups, strict=True))
        ]
        rising = [
            both if vertex >= boxes or not down else down
            for vertex, (both, down) in enumerate(zip(self.both, downs, strict=True))
        ]
        self.by_way = [[(near, fsum(pull for _, pull in near)) for near in way] for way in (falling, rising, self.both)]


def _settle(x: list[float], rows: Rows, pulls: _Pulls, sweeps: int) -> None:
    """Sweep down and up, first looking one way, then both."""
    falling, rising, both = pulls.by_way
    numbers = range(len(rows.rows))
    for sweep in range(sweeps):
        wishes = both if sweep >= sweeps // 2 else rising if sweep % 2 else falling
        for number in reversed(numbers) if sweep % 2 else numbers:
            _settle_row(x, rows.rows[number], rows.gaps[number], wishes)


def _settle_row(x: list[float], row: Sequence[int], gaps: Sequence[float], wishes: Wishes) -> None:
    wished, weights = [], []
    for vertex in row:
        near, weight = wishes[vertex]
        if not near:
            wished.append(x[vertex])
            weights.append(_WEAK)
            continue
        total = 0.0
        for other, pull in near:
            total += x[other] * pull
        wished.append(total / weight)
        weights.append(weight)
    for vertex, position in zip(row, pooled(wished, weights, gaps) if len(row) > 1 else wished, strict=True):
        x[vertex] = position
