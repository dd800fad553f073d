"""How a line is drawn: its knots, the curve through them, its arrowhead."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Point", "arrow_data", "path_data", "sampled"]

_STRAIGHT = 0.6
"""Less than so many px aside is drawn as a straight line."""


class Point(NamedTuple):
    """A point of the picture, in px from its top left corner."""

    x: float
    y: float


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def path_data(knots: Sequence[Point], *, across: bool = False) -> str:
    """The `d` of an SVG path: between two knots a curve that leaves and arrives along the flow.

    Args:
        knots: At least two points.
        across: Whether the picture flows from left to right instead of from top to bottom.

    >>> path_data([Point(0, 0), Point(0, 9), Point(20, 29)])
    'M0 0V9C0 19 20 19 20 29'
    """
    first = knots[0]
    told = [f"M{_number(first.x)} {_number(first.y)}"]
    for start, end in pairwise(knots):
        if across and abs(start.y - end.y) < _STRAIGHT:
            told.append(f"H{_number(end.x)}")
        elif not across and abs(start.x - end.x) < _STRAIGHT:
            told.append(f"V{_number(end.y)}")
        else:
            numbers = [number for point in _controls(start, end, across=across) for number in point]
            told.append("C" + " ".join(map(_number, (*numbers, *end))))
    return "".join(told)


def _controls(start: Point, end: Point, *, across: bool) -> tuple[Point, Point]:
    if across:
        middle = (start.x + end.x) / 2
        return Point(middle, start.y), Point(middle, end.y)
    middle = (start.y + end.y) / 2
    return Point(start.x, middle), Point(end.x, middle)


def sampled(knots: Sequence[Point], *, across: bool = False, steps: int = 12) -> Iterator[Point]:
    """Points on the curve that `path_data` draws, `steps` for each piece: for measuring pictures."""
    yield knots[0]
    for start, end in pairwise(knots):
        if start.x == end.x or start.y == end.y:
            yield end
            continue
        one, two = _controls(start, end, across=across)
        for step in range(1, steps + 1):
            t = step / steps
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield Point(
                a * start.x + b * one.x + c * two.x + d * end.x,
                a * start.y + b * one.y + c * two.y + d * end.y,
            )


def arrow_data(knots: Sequence[Point], *, across: bool = False, size: float = 7.0) -> str:
    """The `d` of the arrowhead at the last knot, `size` px long, pointing the way the line arrives.

    >>> arrow_data([Point(0, 0), Point(0, 20)])
    'M0 20L-3.5 13L3.5 13Z'
    """
    before, tip = knots[-2], knots[-1]
    half = size / 2
    if across:
        back = tip.x - size if before.x <= tip.x else tip.x + size
        ends = (Point(back, tip.y - half), Point(back, tip.y + half))
    else:
        back = tip.y - size if before.y <= tip.y else tip.y + size
        ends = (Point(tip.x - half, back), Point(tip.x + half, back))
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in (tip, *ends)) + "Z"
