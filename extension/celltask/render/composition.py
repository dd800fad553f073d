"""From a graph to boxes in their places, small enough to be read where notebooks show them.

A picture is shown at most about 900 px wide. Its smallest text must still be 9 px high there, which bounds its
width; it must not have more than 100 boxes. What does not fit is broken into two lines, shortened, turned to flow
from left to right, and at last folded.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple
from typing import Literal as OneOf

from celltask.render.folding import fold_alike, fold_chains, fold_rows, row_sizes
from celltask.render.layout import Layout, Skeleton, arrange, least_any_width, least_width, set_out
from celltask.render.lettering import break_label, elide, text_width
from celltask.render.sketch import Box, Sketch, sketch_of
from celltask.render.style import LABEL_PX, NOTE_PX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celltask.core.graph import Graph

__all__ = ["MARGIN", "MOST_BOXES", "MOST_WIDTH", "Composition", "Detail", "Lettered", "compose", "fold"]

Detail = OneOf["auto", "full"]
MOST_BOXES = 100
SHOWN_WIDTH, LEAST_PX = 900.0, 9.0
MARGIN = 12.0
MOST_WIDTH = SHOWN_WIDTH * NOTE_PX / LEAST_PX
"""Of a picture with its margins, in px: so wide its smallest text is `LEAST_PX` high when shown `SHOWN_WIDTH` wide."""
_ROOMS = (190.0, 150.0, 118.0)
"""Widths allowed to a label, in px, tried in turn."""
_PAD, _LEAST_BOX = 12.0, 54.0
_MORE_PAD = {"workflow": 3.0, "dynamic": 3.0, "group": 3.0, "gate": 6.0}
_LINE, _NOTE_LINE = 16.0, 14.0
_WIDE_ROW = 7
"""So many boxes with the narrowest labels fill the width."""
_CALM = 1.8
"""With more lines than so many for each box, those from one box run together."""
_GAPS = (0.5, 0.2, 0.05)
"""Factors for the distance between lines, where they need more room than the boxes."""
_HOPE = 0.87
"""Of the width that a layout would have if it stretched as the one before, so much may do."""


class Lettered(NamedTuple):
    """The text of a box, broken and shortened, and the size the box needs for it."""

    lines: tuple[str, ...]
    note: str
    width: float
    height: float


class Composition(NamedTuple):
    """Everything of a picture but its ink."""

    sketch: Sketch
    texts: tuple[Lettered, ...]
    layout: Layout


def lettered(box: Box, room: float) -> Lettered:
    """The text of `box` where its lines may be `room` px wide."""
    port = box.shape in ("input", "output")
    size = NOTE_PX if port else LABEL_PX
    lines = (elide(box.label, room, size),) if port else break_label(box.label, room, size)
    note = elide(box.note, room, NOTE_PX) if box.note else ""
    widest = max(*(text_width(line, size) for line in lines), text_width(note, NOTE_PX))
    if port:
        return Lettered(lines, note, max(widest + 2 * _PAD - 4, 36.0), 22.0)
    pad = _PAD + _MORE_PAD.get(box.shape, 0.0)
    height = 16.0 + _LINE * len(lines) + (_NOTE_LINE if note else 0.0)
    if box.shape == "conditional":  # the text stands in the middle of a diamond
        return Lettered(lines, note, widest * 1.45 + 2 * _PAD, height * 1.7)
    return Lettered(lines, note, max(widest + 2 * pad, _LEAST_BOX), height - 6.0 * (box.shape == "branch"))


def compose(graph: Graph, *, detail: Detail = "auto") -> Composition:
    """Boxes of `graph` with their texts and places.

    Args:
        graph: What is drawn; cycles are drawn too.
        detail: ``"auto"`` folds what is too large to be read, ``"full"`` draws every node.
    """
    sketch = sketch_of(graph)
    if detail == "full":
        skeleton = arrange_sketch(sketch)
        texts = _lettered_all(sketch, _ROOMS[0])
        down, across = (_attempt(sketch, skeleton, texts, across=way) for way in (False, True))
        return (down if down.least <= max(across.least, _inner_width()) else across).made()
    narrowest: _Attempt | None = None
    folded = sketch
    for folded in fold(sketch):
        if not _may_fit(folded):
            continue
        stretch: dict[bool, float] = {}  # width of the last layout over its least width, for either way of the flow
        for attempt in _attempts(folded):
            hoped = attempt.least * max(1.0, stretch.get(attempt.across, 1.0) * _HOPE)
            if hoped <= _inner_width():
                tried = attempt.made()
                if tried.layout.width <= _inner_width():
                    return tried
                stretch[attempt.across] = tried.layout.width / attempt.least
            if narrowest is None or attempt.least < narrowest.least:
                narrowest = attempt
    return (narrowest or min(_attempts(folded), key=attrgetter("least"))).made()


def _may_fit(sketch: Sketch) -> bool:
    """Whether the narrowest boxes of `sketch` fit beside each other, as far as is known without an order."""
    return least_any_width(_sizes(_lettered_all(sketch, _ROOMS[-1])), _lines(sketch)) <= _inner_width()


def _inner_width() -> float:
    return MOST_WIDTH - 2 * MARGIN


def fold(sketch: Sketch) -> Iterator[Sketch]:
    """`sketch` itself if it is small enough, and then ever more folded ones, the last as narrow as can be."""
    if len(sketch.boxes) > MOST_BOXES:
        sketch = fold_alike(sketch)
    if len(sketch.boxes) > MOST_BOXES:
        sketch = fold_chains(sketch)
    if len(sketch.boxes) <= MOST_BOXES:
        yield sketch
        alike = fold_alike(sketch)
        if len(alike.boxes) < len(sketch.boxes):
            yield alike
            sketch = alike
    sizes = row_sizes(sketch)
    bands = 1
    while -(-len(sizes) // bands) > MOST_BOXES // 3:
        bands += 1
    if len(sketch.boxes) <= MOST_BOXES:
        bands = 1
    last = len(sketch.boxes) + 1
    for most in range(_WIDE_ROW, 0, -1):
        folded = fold_rows(sketch, most, bands=bands)
        if len(folded.boxes) <= MOST_BOXES and len(folded.boxes) < last:
            last = len(folded.boxes)
            yield folded


def arrange_sketch(sketch: Sketch) -> Skeleton:
    """Rows and order of the boxes of `sketch`."""
    lines = _lines(sketch)
    return arrange(len(sketch.boxes), lines, bundled=len(lines) > _CALM * len(sketch.boxes))


def _lines(sketch: Sketch) -> list[tuple[int, int]]:
    return [(stroke.source, stroke.target) for stroke in sketch.strokes]


class _Attempt(NamedTuple):
    """A way to set out a sketch."""

    least: float
    """Width that it needs at least, in px."""
    across: bool
    made: Callable[[], Composition]


def _attempts(sketch: Sketch) -> Iterator[_Attempt]:
    """Ways to set out one sketch, the best to look at first."""
    skeleton = arrange_sketch(sketch)
    ways = [(room, False, 1.0) for room in _ROOMS]
    ways += [(room, True, 1.0) for room in _ROOMS[1:]]
    ways += [(_ROOMS[-1], False, gap) for gap in _GAPS]
    texts_in = {room: _lettered_all(sketch, room) for room in _ROOMS}
    tried: set[tuple[object, ...]] = set()
    for room, across, gap in ways:
        key = (tuple(_sizes(texts_in[room])), across, gap)
        if key not in tried:  # where all labels are short, less room changes nothing
            tried.add(key)
            yield _attempt(sketch, skeleton, texts_in[room], across=across, gap=gap)


def _attempt(
    sketch: Sketch, skeleton: Skeleton, texts: tuple[Lettered, ...], *, across: bool = False, gap: float = 1.0
) -> _Attempt:
    least = least_width(skeleton, _sizes(texts), across=across, gap=gap)
    return _Attempt(least, across, partial(_set, sketch, skeleton, texts, across=across, gap=gap))


def _set(
    sketch: Sketch, skeleton: Skeleton, texts: tuple[Lettered, ...], *, across: bool = False, gap: float = 1.0
) -> Composition:
    return Composition(sketch, texts, set_out(skeleton, _sizes(texts), across=across, gap=gap))


def _lettered_all(sketch: Sketch, room: float) -> tuple[Lettered, ...]:
    return tuple(lettered(box, room) for box in sketch.boxes)


def _sizes(texts: tuple[Lettered, ...]) -> list[tuple[float, float]]:
    return [(text.width, text.height) for text in texts]
