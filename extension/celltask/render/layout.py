"""Layered layout: boxes in rows, lines between them, few crossings, nothing overlapping.

After Sugiyama, Tagawa and Toda (1981): turn lines that close a cycle, choose rows (`ranks`), bend long lines once in
each row they pass, order the rows (`ordering`), place the vertices (`coordinates`), draw the lines (`routes`). Parts
of the graph that are not joined are laid out one by one and set side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import fsum  # sums that are the same in every Python
from typing import TYPE_CHECKING, NamedTuple

from celltask.render.coordinates import Rows, place_rows, tension
from celltask.render.ordering import order_rows
from celltask.render.ranks import Line, RankedPart, ranked_parts, sides
from celltask.render.routes import Point

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Layout", "Place", "Skeleton", "arrange", "lay_out", "least_any_width", "least_width", "set_out"]

Size = tuple[float, float]
_GAPS_DOWN, _GAPS_ACROSS = (24.0, 16.0, 10.0), (14.0, 12.0, 10.0)
"""Free room in a row between two boxes, a box and a bend, two bends; in px, for either way of the flow."""
_ROW_GAP = 38.0
_STEEP = 0.045
"""Rows are further apart where lines go far aside: px of gap for each px of the longest way aside."""
_MOST_ROW_GAP = 110.0
_PART_GAP = 36.0
_FULL_WIDTH = 1000.0
"""Parts are set side by side up to about this many px."""
_MOST_BENDS = 3000
_CROSSING = 60.0
"""A crossing is as bad as a line that goes so many px aside."""
_NOMINAL = 100.0
"""Width of a box, in px, while nothing is known of it."""
_SAME = 1e-6
"""Positions closer than so many px are the same."""


class Place(NamedTuple):
    """Where a box stands: its middle and its size, in px."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes and lines in their places."""

    width: float
    height: float
    places: tuple[Place, ...]
    """In the order of the boxes given."""
    routes: dict[Line, tuple[Point, ...]]
    """Knots of each line, from source to target; see `routes.path_data`."""
    crossings: int
    across: bool
    """Whether the lines go from left to right instead of from top to bottom."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One joined part of a graph: rows, their order, and the bends of its lines."""

    members: list[int]
    rows: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]
    chains: dict[Line, list[int]]
    crossings: int


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A graph whose rows are chosen and ordered, but which has no sizes yet."""

    count: int
    lines: list[Line]
    turned: set[Line]
    parts: list[_Part]

    @property
    def crossings(self) -> int:
        """Pairs of lines that cross."""
        return sum(part.crossings for part in self.parts)


def lay_out(sizes: Sequence[Size], lines: Iterable[Line], *, across: bool = False, bundled: bool = False) -> Layout:
    """Places of boxes and routes of lines; the same input always gives the same layout.

    Args:
        sizes: Width and height of each box, in px.
        lines: Pairs of box numbers from 0; cycles, doubles and loops are allowed.
        across: Let lines go from left to right instead of from top to bottom.
        bundled: Let all long lines from one box run together until each turns off to its target. Graphs whose
            lines bend more than 3000 times are always drawn so.

    >>> layout = lay_out([(60.0, 30.0), (60.0, 30.0)], [(0, 1)])
    >>> [place.y for place in layout.places], layout.crossings
    ([15.0, 83.0], 0)
    """
    return set_out(arrange(len(sizes), lines, bundled=bundled), sizes, across=across)


def arrange(count: int, lines: Iterable[Line], *, bundled: bool = False) -> Skeleton:
    """Rows of a graph and their order: all of a layout that does not depend on the sizes of boxes.

    For the arguments see `lay_out`.
    """
    given = _drawn(lines)
    turned, parts = ranked_parts(count, given)
    return Skeleton(count, given, turned, [_arrange_part(part, bundled=bundled) for part in parts])


def least_any_width(sizes: Sequence[Size], lines: Iterable[Line]) -> float:
    """What every layout of a graph needs from left to right at least, in px, told before any row is ordered.

    >>> least_any_width([(60.0, 30.0), (60.0, 30.0), (60.0, 30.0)], [(0, 1), (0, 2)])
    144.0
    """
    down = across = 0.0
    for part in ranked_parts(len(sizes), _drawn(lines))[1]:
        rows: dict[int, list[float]] = {}
        for vertex, row in zip(part.members, part.row_of, strict=True):
            rows.setdefault(row, []).append(sizes[vertex][0])
        down = max(down, *(fsum(row) + _GAPS_DOWN[0] * (len(row) - 1) for row in rows.values()))
        across = max(across, fsum(map(max, rows.values())) + _ROW_GAP * (len(rows) - 1))
    return min(down, across)


def _drawn(lines: Iterable[Line]) -> list[Line]:
    """Each line once, and no loops."""
    return [line for line in dict.fromkeys(lines) if line[0] != line[1]]


def _arrange_part(part: RankedPart, *, bundled: bool) -> _Part:
    members, lines, inner, row_of = part
    bends = sum(row_of[target] - row_of[source] - 1 for source, target in inner)
    chains, row_of = _bent(inner, row_of, bundled=bundled or bends > _MOST_BENDS)
    # A piece that several lines share counts once for each, so that crossings are those of pairs of lines.
    pieces = [piece for chain in chains for piece in pairwise(chain)]
    orders = order_rows(row_of, *sides(len(row_of), pieces))
    parts = []
    for rows, crossings in orders:
        parts.append(_part(members, lines, *_gathered(rows, chains, len(members)), crossings))
    return parts[0] if len(parts) == 1 else min(parts, key=_strain)


def _bent(lines: list[Line], row_of: list[int], *, bundled: bool) -> tuple[list[list[int]], list[int]]:
    """For each line its vertices with a bend in each row it passes, and the row of each vertex."""
    row_of = list(row_of)
    chains: list[list[int]] = []
    trunk: dict[Line, int] = {}
    for source, target in lines:
        chain = [source]
        for row in range(row_of[source] + 1, row_of[target]):
            bend = trunk.get((source, row)) if bundled else None
            if bend is None:
                bend = trunk[source, row] = len(row_of)
                row_of.append(row)
            chain.append(bend)
        chains.append([*chain, target])
    return chains, row_of


def _gathered(rows: list[list[int]], chains: list[list[int]], boxes: int) -> tuple[list[list[int]], list[list[int]]]:
    """The same order with bends of lines from one box joined, where these run side by side from there on."""
    before = {bend: upper for chain in chains for upper, bend in pairwise(chain) if bend >= boxes}
    number_of = {box: box for box in range(boxes)}
    gathered: list[list[int]] = []
    count = boxes
    for row in rows:
        kept: list[int] = []
        last = -1
        for vertex in row:
            if vertex < boxes:
                kept.append(vertex)
                last = -1
                continue
            upper = number_of[before[vertex]]
            if upper != last:
                kept.append(count)
                count += 1
            number_of[vertex] = count - 1
            last = upper
        gathered.append(kept)
    return gathered, [[number_of[vertex] for vertex in chain] for chain in chains]


def _part(
    members: list[int], lines: list[Line], rows: list[list[int]], chains: list[list[int]], crossings: int
) -> _Part:
    pieces = list(dict.fromkeys(piece for chain in chains for piece in pairwise(chain)))
    above, below = sides(sum(map(len, rows)), pieces)
    return _Part(members, rows, above, below, dict(zip(lines, chains, strict=True)), crossings)


def _strain(part: _Part) -> float:
    """How restless a part would look if all boxes had the same width; less is better."""
    boxes = len(part.members)
    halves = [_NOMINAL / 2 if vertex < boxes else 0.0 for vertex in range(len(part.above))]
    x = _positions(part, halves, quick=True)
    pieces = {piece for chain in part.chains.values() for piece in pairwise(chain)}
    return tension(x, pieces) + _CROSSING * part.crossings


def _positions(
    part: _Part, halves: Sequence[float], gap: float = 1.0, *, across: bool = False, quick: bool = False
) -> list[float]:
    """Position of each vertex in its row, where `halves` are half the widths."""
    boxes = len(part.members)
    gaps = [
        [halves[one] + halves[other] + _apart(one, other, boxes, gap, across=across) for one, other in pairwise(row)]
        for row in part.rows
    ]
    rows = Rows(part.rows, part.above, part.below, gaps, boxes)
    return place_rows(rows, list(part.chains.values()), quick=quick)


class _Drawn(NamedTuple):
    """One part in px, from its own top left corner."""

    width: float
    height: float
    places: dict[int, Place]
    routes: dict[Line, list[Point]]


def least_width(skeleton: Skeleton, sizes: Sequence[Size], *, across: bool = False, gap: float = 1.0) -> float:
    """What `set_out` needs at least from left to right, in px, told without setting anything out."""
    widest = 0.0
    for part in skeleton.parts:
        boxes = len(part.members)
        breadths = [sizes[vertex][0] for vertex in part.members] + [0.0] * (len(part.above) - boxes)
        if across:
            depths = [max((breadths[v] for v in row if v < boxes), default=0.0) for row in part.rows]
            needed = fsum(depths) + _ROW_GAP * (len(depths) - 1)
        else:
            needed = max(
                fsum(breadths[vertex] for vertex in row)
                + fsum(_apart(*pair, boxes, gap, across=False) for pair in pairwise(row))
                for row in part.rows
            )
        widest = max(widest, needed)
    return widest


def set_out(skeleton: Skeleton, sizes: Sequence[Size], *, across: bool = False, gap: float = 1.0) -> Layout:
    """The layout of a skeleton whose boxes have these sizes.

    Args:
        skeleton: Rows and order.
        sizes: Width and height of each box, in px.
        across: See `lay_out`.
        gap: Factor for the distance between lines that pass side by side.
    """
    drawn = [_set_out_part(part, sizes, across=across, gap=gap) for part in skeleton.parts]
    width, height, corners = _side_by_side(drawn)
    places: dict[int, Place] = {}
    falling: dict[Line, tuple[Point, ...]] = {}
    for part, corner in zip(drawn, corners, strict=True):
        for vertex, place in part.places.items():
            places[vertex] = place._replace(x=place.x + corner.x, y=place.y + corner.y)
        for line, knots in part.routes.items():
            falling[line] = tuple(Point(x + corner.x, y + corner.y) for x, y in knots)
    routes = {line: falling[line[::-1]][::-1] if line in skeleton.turned else falling[line] for line in skeleton.lines}
    ordered = tuple(places[vertex] for vertex in range(skeleton.count))
    return Layout(width, height, ordered, routes, skeleton.crossings, across)


class _Frame(NamedTuple):
    """One part as if it flowed from top to bottom: where its rows and vertices are, in px."""

    x: list[float]
    row_of: dict[int, int]
    tops: list[float]
    depths: list[float]
    lead: float
    """Where a box smaller than its row stands in it: 0 at its beginning, 0.5 in its middle."""

    def box(self, vertex: int, depth: float) -> tuple[float, float]:
        """Where a box of this depth begins and ends."""
        top, bottom = self.band(vertex)
        start = top + (bottom - top - depth) * self.lead
        return start, start + depth

    def band(self, vertex: int) -> tuple[float, float]:
        """Where the row of `vertex` begins and ends."""
        row = self.row_of[vertex]
        return self.tops[row], self.tops[row] + self.depths[row]


def _set_out_part(part: _Part, sizes: Sequence[Size], *, across: bool, gap: float) -> _Drawn:
    boxes = len(part.members)
    broad, deep = (1, 0) if across else (0, 1)
    halves = [sizes[vertex][broad] / 2 for vertex in part.members] + [0.0] * (len(part.above) - boxes)
    x = _positions(part, halves, gap, across=across)
    first = min(position - half for position, half in zip(x, halves, strict=True))
    x = [position - first for position in x]
    depths = [max((sizes[part.members[v]][deep] for v in row if v < boxes), default=0.0) for row in part.rows]
    row_of = {vertex: number for number, row in enumerate(part.rows) for vertex in row}
    frame = _Frame(x, row_of, _tops(part, x, depths), depths, 0.0 if across else 0.5)

    def turned(one: float, other: float) -> Point:
        return Point(other, one) if across else Point(one, other)

    places = {}
    for vertex, member in enumerate(part.members):
        middle = sum(frame.box(vertex, sizes[member][deep])) / 2
        places[member] = Place(*turned(x[vertex], middle), *sizes[member])
    routes = {}
    for line, chain in part.chains.items():
        ends = (sizes[line[0]][deep], sizes[line[1]][deep])
        routes[line] = [turned(*knot) for knot in _knots(frame, chain, ends)]
    width = max(position + half for position, half in zip(x, halves, strict=True))
    return _Drawn(*turned(width, frame.tops[-1] + depths[-1]), places, routes)


def _knots(frame: _Frame, chain: list[int], ends: tuple[float, float]) -> list[Point]:
    """The way of one line: straight through the rows, curved between them."""
    source, *bends, target = chain
    _, bottom = frame.band(source)
    _, leaves = frame.box(source, ends[0])
    knots = [Point(frame.x[source], leaves), Point(frame.x[source], bottom)]
    for bend in bends:
        knots += [Point(frame.x[bend], edge) for edge in frame.band(bend)]
    top, _ = frame.band(target)
    arrives, _ = frame.box(target, ends[1])
    knots += [Point(frame.x[target], top), Point(frame.x[target], arrives)]
    return _tidied(knots)


def _apart(one: int, other: int, boxes: int, gap: float, *, across: bool) -> float:
    """Free room between two neighbours in a row, in px."""
    bends = (one >= boxes) + (other >= boxes)
    free = (_GAPS_ACROSS if across else _GAPS_DOWN)[bends]
    return free * gap if bends > 1 else free


def _tops(part: _Part, x: Sequence[float], depths: Sequence[float]) -> list[float]:
    """Where each row begins along the flow: further from the last where lines go far aside."""
    tops = [0.0]
    for number, row in enumerate(part.rows[1:]):
        aside = max((abs(x[vertex] - x[upper]) for vertex in row for upper in part.above[vertex]), default=0.0)
        gap = min(_ROW_GAP + _STEEP * aside, _MOST_ROW_GAP)
        tops.append(tops[-1] + depths[number] + gap)
    return tops


def _tidied(knots: list[Point]) -> list[Point]:
    """Knots without doubles, and without those in the middle of a straight piece."""
    kept: list[Point] = []
    for knot in knots:
        if kept and abs(kept[-1].x - knot.x) < _SAME and abs(kept[-1].y - knot.y) < _SAME:
            continue
        while len(kept) > 1 and (_in_line(kept[-2], kept[-1], knot)):
            kept.pop()
        kept.append(knot)
    return kept


def _in_line(one: Point, two: Point, three: Point) -> bool:
    return max(one.x, two.x, three.x) - min(one.x, two.x, three.x) < _SAME or (
        max(one.y, two.y, three.y) - min(one.y, two.y, three.y) < _SAME
    )


def _side_by_side(drawn: Sequence[_Drawn]) -> tuple[float, float, list[Point]]:
    """Width and height of the whole, and the corner of each part: in shelves, in the order given."""
    full = max((part.width for part in drawn), default=0.0)
    full = max(full, _FULL_WIDTH)
    corners: list[Point] = []
    x = y = width = depth = 0.0
    for part in drawn:
        if x and x + part.width > full:
            x, y, depth = 0.0, y + depth + _PART_GAP, 0.0
        corners.append(Point(x, y))
        width = max(width, x + part.width)
        depth = max(depth, part.height)
        x += part.width + _PART_GAP
    return width, y + depth, corners
