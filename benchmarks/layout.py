"""How good and how fast the layout of graphs is, beside Graphviz's `dot` where that is installed.

    python benchmarks/layout.py

Both draw the same boxes. Crossings are counted on the lines as drawn, by one measure for both; `dot` is given time
of its own process, celltask CPU time in this one, so its time holds the start of a program of some 10 ms.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "render"))

from typing import TYPE_CHECKING

from sample_graphs import box_sizes, drawn_crossings, graph_of, measured, numbered, samples, scattered

from celltask.render import svg
from celltask.render.layout import Layout, lay_out
from celltask.render.routes import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INCH = 72.0
_BOUNDS: dict[str, Callable[[int], float]] = {
    "5": lambda dot: dot + 2,
    "30": lambda dot: dot + 2,
    "300": lambda dot: 1.15 * dot,
    "1000": lambda dot: 1.15 * dot,
}
_HARSH_MS = {100: 150.0, 300: 250.0, 600: 800.0, 1000: 1500.0}
"""CPU time that the layout of a graph joined at random may take, by its nodes."""
_SEEDS = 5
_BEST_OF = 3


def drawn_by_dot(names: Sequence[str], lines: Sequence[tuple[int, int]]) -> tuple[int, float]:
    """Crossings in the picture that `dot` makes of the boxes, and its time in ms."""
    sizes = box_sizes(names)
    told = ['digraph { nodesep=.33 ranksep=.6 node [shape=box fixedsize=true label=""]']
    told += [f"{box} [width={w / _INCH:.4f} height={h / _INCH:.4f}]" for box, (w, h) in enumerate(sizes)]
    told += [f"{source} -> {target}" for source, target in lines]
    start = time.perf_counter()
    done = subprocess.run(["dot", "-Tjson"], input="\n".join([*told, "}"]), capture_output=True, text=True, check=True)  # noqa: S607 - whichever the reader has
    took_ms = (time.perf_counter() - start) * 1000
    curves = []
    for edge in json.loads(done.stdout).get("edges", []):
        # "e,x,y x,y …": the arrow's tip, then a chain of Bézier curves of three points each.
        points = [word.split(",")[-2:] for word in edge["pos"].split()]
        knots = [Point(float(x), float(y)) for x, y in points if x != "e"]
        curves.append([*_beziers(knots[1:]), knots[0]])
    return drawn_crossings(curves), took_ms


def _beziers(points: Sequence[Point]) -> list[Point]:
    drawn = [points[0]]
    for place in range(0, len(points) - 3, 3):
        a, b, c, d = points[place : place + 4]
        for step in range(1, 9):
            t = step / 8
            shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            corners = list(zip(shares, (a, b, c, d), strict=True))
            drawn.append(Point(sum(s * p.x for s, p in corners), sum(s * p.y for s, p in corners)))
    return drawn


def laid_out(names: Sequence[str], lines: Sequence[tuple[int, int]]) -> tuple[Layout, float]:
    """Our layout, and the best CPU time of three in ms."""
    sizes = box_sizes(names)
    times = []
    for _ in range(_BEST_OF):
        start = time.process_time()
        layout = lay_out(sizes, lines)
        times.append((time.process_time() - start) * 1000)
    return layout, min(times)


def harsh_layouts() -> bool:
    """Print how long layouts of graphs joined at random take, and how their time grows; whether the bounds hold."""
    print("\nharsh: graphs joined at random, the median of five (CPU ms)")
    print("nodes  crossings       ms  target  ms/node")
    held = True
    for nodes, bound in _HARSH_MS.items():
        graphs = (scattered(nodes, seed) for seed in range(_SEEDS))
        found = [laid_out(names, numbered(names, pairs)) for names, pairs in graphs]
        crossings = statistics.median(layout.crossings for layout, _ in found)
        took_ms = statistics.median(took_ms for _, took_ms in found)
        good = took_ms <= bound
        held &= good
        print(
            f"{nodes:>5} {crossings:>10.0f} {took_ms:>8.0f} {bound:>7.0f} {took_ms / nodes:>8.2f}"
            f"{'' if good else '  MISSED'}"
        )
    return held


def main() -> int:
    """Print the tables; 1 if a bound does not hold."""
    has_dot = shutil.which("dot") is not None
    held = True
    print("nodes  crossings    dot   bound  overlap  through      ms  dot ms  width")
    for size, (names, pairs) in samples().items():
        lines = numbered(names, pairs)
        layout, took_ms = laid_out(names, lines)
        ours = measured(layout)
        theirs, dot_ms = drawn_by_dot(names, lines) if has_dot else (0, 0.0)
        bound = _BOUNDS[size](theirs) if has_dot else float("inf")
        good = ours.crossings <= bound and not ours.overlaps and not ours.through
        held &= good
        print(
            f"{size:>5} {ours.crossings:>10} {theirs if has_dot else '-':>6} {bound:>7.0f} {ours.overlaps:>8} "
            f"{ours.through:>8} {took_ms:>7.0f} {dot_ms:>7.0f} {layout.width:>6.0f} {'' if good else '  MISSED'}"
        )
    held &= harsh_layouts()
    print("\nwhole pictures, folded where too large (CPU ms, kB, px wide)")
    for size, (names, pairs) in samples().items():
        graph = graph_of(names, pairs)
        svg(graph)
        start = time.process_time()
        picture = svg(graph)
        took_ms = (time.process_time() - start) * 1000
        wide = picture.split('width="', 1)[1].split('"', 1)[0]
        print(f"{size:>5} {took_ms:>7.0f} {len(picture) / 1000:>6.0f} {wide:>6}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
