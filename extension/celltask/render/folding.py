"""Fewer boxes for graphs too large to be read: what is alike becomes one box, then what stands together.

In this order, each only as far as needed: steps of one task that are joined in the same way, told with their
number; long chains (``a → … → f (14)``); neighbours in one row. Boxes are only joined where this closes no cycle:
within one row, or along a chain. Nothing depends on the order of sets or on chance.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise
from math import fsum  # sums that are the same in every Python
from typing import TYPE_CHECKING

from celltask.render.ranks import Line, backward_lines, components, sides, topological_order
from celltask.render.sketch import TIMES, Box, Sketch, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["fold_alike", "fold_chains", "fold_rows", "row_sizes"]

_LEAST_CHAIN = 3
_SWEEPS = 4
_ROUNDS = 12
"""So many rounds of telling boxes apart by their neighbours; boxes told apart later only in longer ways are joined."""


def fold_alike(sketch: Sketch) -> Sketch:
    """Boxes of one family, equally far from the start and joined to the same families, as one box."""
    lines = _falling(sketch)
    depth = _depths(len(sketch.boxes), lines)
    keys: list[object] = [(box.family, box.shape, at) for box, at in zip(sketch.boxes, depth, strict=True)]
    classes = _numbered(keys)
    above, below = sides(len(sketch.boxes), lines)
    for _ in range(_ROUNDS):
        finer = _numbered(
            [
                (own, frozenset(classes[near] for near in above[box]), frozenset(classes[near] for near in below[box]))
                for box, own in enumerate(classes)
            ]
        )
        if max(finer, default=0) == max(classes, default=0):
            break
        classes = finer
    return _joined(sketch, _gathered(classes), _alike_box)


def fold_chains(sketch: Sketch) -> Sketch:
    """Steps that only hand on to each other, three or more in a row, as one box ``first → … → last (n)``."""
    lines = _falling(sketch)
    above, below = sides(len(sketch.boxes), lines)

    def next_of(box: int) -> int | None:
        near = below[box]
        if len(near) != 1 or len(above[near[0]]) != 1 or not (_is_step(sketch, box) and _is_step(sketch, near[0])):
            return None
        return near[0]

    after = {box: later for box in range(len(sketch.boxes)) if (later := next_of(box)) is not None}
    starts = sorted(set(after) - set(after.values()))
    groups = []
    for start in starts:
        chain = [start]
        while chain[-1] in after:
            chain.append(after[chain[-1]])
        if len(chain) >= _LEAST_CHAIN:
            groups.append(chain)
    return _joined(sketch, groups, _chain_box)


def fold_rows(sketch: Sketch, most: int, *, bands: int = 1) -> Sketch:
    """Neighbours in a row as one box, cut where they have least in common, until no row has more than `most` boxes.

    Args:
        sketch: What was drawn so far.
        most: Boxes that may stay in a row, at least 1; some more where a row also holds inputs or outputs.
        bands: So many rows are taken as one first, for graphs with more rows than boxes are wanted.
    """
    rows = _rows(sketch)
    if bands > 1:
        taken = [[box for row in rows[at : at + bands] for box in row] for at in range(0, len(rows), bands)]
        sketch, number_of = _joined_in_bands(sketch, taken)
        rows = [list(dict.fromkeys(number_of[box] for box in band)) for band in taken]
    near = _neighbours(sketch)
    groups: list[list[int]] = []
    for row in rows:
        groups += _cut([box for box in row if _is_step(sketch, box)], most, sketch, near)
        for shape in ("input", "output"):
            ports = [box for box in row if sketch.boxes[box].shape == shape]
            groups += _cut(ports, max(1, most // 3), sketch, near)
    return _joined(sketch, sorted(groups), _mixed_box)


def row_sizes(sketch: Sketch) -> list[int]:
    """Number of boxes in each row that `fold_rows` would look at."""
    return [len(row) for row in _rows(sketch)]


def _rows(sketch: Sketch) -> list[list[int]]:
    """The boxes by row, those with common neighbours close to each other."""
    lines = _falling(sketch)
    count = len(sketch.boxes)
    depth = _depths(count, lines)
    above, below = sides(count, lines)
    for box in reversed(topological_order(count, lines)):
        if len(below[box]) > len(above[box]):
            depth[box] = min(depth[near] for near in below[box]) - 1
    rows: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for box, at in enumerate(depth):
        rows[at].append(box)
    place = [0.0] * count
    for sweep in range(_SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            place_before = {box: place[box] for box in row}
            row.sort(key=lambda box: _mean([place[other] for other in near[box]], place_before[box]))
            for number, box in enumerate(row):
                place[box] = (number + 0.5) / len(row)
    return rows


def _mean(places: Sequence[float], otherwise: float) -> float:
    return fsum(places) / len(places) if places else otherwise


def _is_step(sketch: Sketch, box: int) -> bool:
    return sketch.boxes[box].shape not in ("input", "output")


def _falling(sketch: Sketch) -> list[Line]:
    lines = [(stroke.source, stroke.target) for stroke in sketch.strokes if stroke.source != stroke.target]
    turned = backward_lines(len(sketch.boxes), lines)
    return list(dict.fromkeys(line[::-1] if line in turned else line for line in lines))


def _depths(count: int, lines: Sequence[Line]) -> list[int]:
    """Length of the longest way to each box."""
    above, _ = sides(count, lines)
    depth = [0] * count
    for box in topological_order(count, lines):
        depth[box] = max((depth[near] + 1 for near in above[box]), default=0)
    return depth


def _numbered(keys: Sequence[object]) -> list[int]:
    numbers: dict[object, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _gathered(classes: Sequence[int]) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    for box, number in enumerate(classes):
        groups.setdefault(number, []).append(box)
    return list(groups.values())


def _joined(sketch: Sketch, groups: Sequence[Sequence[int]], draw: Callable[[list[Box]], Box]) -> Sketch:
    many = [group for group in groups if len(group) > 1]
    group_of = {box: group[0] for group in many for box in group}
    boxes = {group[0]: draw([sketch.boxes[box] for box in group]) for group in many}
    return merged(sketch, group_of, boxes)


def _joined_in_bands(sketch: Sketch, bands: Sequence[Sequence[int]]) -> tuple[Sketch, dict[int, int]]:
    """Steps of one band that are joined to each other as one, and the new number of each box.

    Afterwards lines inside a band only go from an input to a step or from there to an output.
    """
    band_of = {box: number for number, band in enumerate(bands) for box in band if _is_step(sketch, box)}
    lines = [
        (stroke.source, stroke.target)
        for stroke in sketch.strokes
        if band_of.get(stroke.source, -1) == band_of.get(stroke.target, -2)
    ]
    groups = components(len(sketch.boxes), lines)
    number_of = {box: number for number, group in enumerate(groups) for box in group}
    return _joined(sketch, groups, _mixed_box), number_of


def _neighbours(sketch: Sketch) -> list[tuple[frozenset[int], frozenset[int]]]:
    above: list[set[int]] = [set() for _ in sketch.boxes]
    below: list[set[int]] = [set() for _ in sketch.boxes]
    for stroke in sketch.strokes:
        below[stroke.source].add(stroke.target)
        above[stroke.target].add(stroke.source)
    return [(frozenset(up), frozenset(down)) for up, down in zip(above, below, strict=True)]


def _likeness(one: int, other: int, sketch: Sketch, near: Sequence[tuple[frozenset[int], frozenset[int]]]) -> float:
    """How much two boxes have in common: 4 for the task, up to 3 for what they wait for, 2 for what waits for them."""

    def shared(side: int) -> float:
        both = near[one][side] | near[other][side]
        return len(near[one][side] & near[other][side]) / len(both) if both else 0.0

    return 4.0 * (sketch.boxes[one].family == sketch.boxes[other].family) + 3.0 * shared(0) + 2.0 * shared(1)


def _cut(
    row: list[int], most: int, sketch: Sketch, near: Sequence[tuple[frozenset[int], frozenset[int]]]
) -> list[list[int]]:
    """`row` in at most `most` runs: the longest is cut at its weakest place nearest to its middle, again and again."""
    if len(row) <= most:
        return [[box] for box in row]
    bonds = [_likeness(one, other, sketch, near) for one, other in pairwise(row)]
    runs: list[tuple[int, int, int]] = [(-len(row), 0, len(row))]
    while len(runs) < most:
        _, start, end = heappop(runs)
        middle = (start + end) / 2
        at = min(range(start + 1, end), key=lambda at: (bonds[at - 1], abs(at - middle)))
        heappush(runs, (start - at, start, at))
        heappush(runs, (at - end, at, end))
    return [row[start:end] for _, start, end in sorted(runs, key=lambda run: run[1])]


def _group(label: str, boxes: Sequence[Box], note: str = "") -> Box:
    shapes = {box.shape for box in boxes}
    families = {box.family for box in boxes}
    port = shapes <= {"input"} or shapes <= {"output"}
    return Box(
        label,
        boxes[0].shape if port else "group",
        note,
        families.pop() if len(families) == 1 else "",
        tuple(member for box in boxes for member in box.members),
        tuple(name for box in boxes for name in box.names),
    )


def _alike_box(boxes: list[Box]) -> Box:
    if boxes[0].shape in ("input", "output"):
        return _mixed_box(boxes)
    labels = {box.label for box in boxes}
    label = _beginning(sorted(labels))
    if not label:
        return _mixed_box(boxes)
    notes = {box.note for box in boxes}
    return _group(f"{label} {TIMES}{len(boxes)}", boxes, notes.pop() if len(notes) == 1 else "")


def _chain_box(boxes: list[Box]) -> Box:
    steps = sum(len(box.members) for box in boxes)
    return _group(f"{boxes[0].label} → … → {boxes[-1].label} ({steps})", boxes)


def _mixed_box(boxes: list[Box]) -> Box:
    names = [name for box in boxes for name in box.names]
    beginning = _beginning(names)
    if beginning:
        return _group(f"{beginning} {TIMES}{len(names)}", boxes)
    if boxes[0].shape in ("input", "output"):
        return _group(f"{names[0]} + {len(names) - 1}", boxes)
    return _group(names[0], boxes, f"+ {len(names) - 1} more")


def _beginning(names: Sequence[str]) -> str:
    """What all names begin with, up to a separator: ``"load_…"``; the name itself if all are the same; else empty."""
    low, high = min(names), max(names)
    if low == high:
        return low
    same = next((at for at, letter in enumerate(low) if letter != high[at]), len(low))
    cut = max(low.rfind(mark, 0, same) for mark in "_-. ") + 1
    return low[:cut] + "…" if cut > 2 else ""  # noqa: PLR2004 - "a_" tells nothing
