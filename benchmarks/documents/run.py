"""Prints one table: documents run by celltask, and by nbmake, nbval, jupytext, MyST-NB, nbconvert and nbclient.

    python benchmarks/documents/run.py [--quick] [--only PREFIX]

Ends with status 1 if a promise does not hold. How to read it: ``README.md`` in the folder above.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parents[1]))

import corpus
from commands import PEERS, ROWS, Row, arguments
from extent import EXTENT
from processes import rounds
from rows import shown, shown_ratio, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["main"]

NUMBERS = {"small": 20, "heavy": 20, "many": 1000}
"""Documents in each folder."""
HEADINGS = ("", "all", "a document", *(f"vs {peer}" for peer in PEERS), "target", "holds")
_PACKAGES = ("nbmake", "nbval", "jupytext", "myst-nb", "nbconvert", "nbclient", "ipykernel", "pytest")


def timed(folder: Path, rows: Sequence[Row], number: int) -> tuple[dict[tuple[str, str], list[float]], list[str]]:
    """Seconds of each row in each round, by folder and command; and what is to be said of those that failed."""
    found: dict[tuple[str, str], list[float]] = {}
    notes: dict[str, None] = {}
    for kind in dict.fromkeys(row.folder for row in rows):
        print(f"\r{kind:<40}", end="", file=sys.stderr, flush=True)
        place, warm = folder / kind, folder / f"{kind}-warm"
        corpus.write(place, NUMBERS[kind], kind="heavy" if kind == "heavy" else "small")
        corpus.write(warm, 1, kind="heavy" if kind == "heavy" else "small")
        commands = {row.key: arguments(row.key, place) for row in rows if row.folder == kind}
        warming = {key: arguments(key, warm) for key in commands}
        taken, told = rounds(commands, warming, (place, warm), number)
        found |= {(kind, key): figures for key, figures in taken.items()}
        notes |= dict.fromkeys(told)
    return found, list(notes)


def line(row: Row, taken: Mapping[tuple[str, str], Sequence[float]]) -> tuple[list[str], bool]:
    """The row as text, and whether its promise holds."""
    ours = taken.get((row.folder, row.key))
    if not ours:
        return [row.title, *["-"] * (len(HEADINGS) - 1)], True
    median_s = statistics.median(ours)
    ratios = {}
    for peer in PEERS:
        theirs = taken.get((row.folder, f"{peer}-collect" if row.key == "collect" else peer))
        if theirs and (row.key.startswith("ours") or row.key == "collect"):
            ratios[peer] = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    told, over = "-", None
    if row.target is not None:
        limit, peer, is_each = row.target
        told = f"<= {shown_ratio(limit)} {peer}" if peer else f"<= {shown(limit)}{' each' if is_each else ''}"
        figure = ratios.get(peer) if peer else median_s / (NUMBERS[row.folder] if is_each else 1)
        over = None if figure is None else figure / limit - 1
    each = shown(median_s / NUMBERS[row.folder])
    shown_ratios = [shown_ratio(ratios[peer]) if peer in ratios else "-" for peer in PEERS]
    return [row.title, shown(median_s), each, *shown_ratios, told, holds(over)], over is None or over <= 0


def holds(over: float | None) -> str:
    """Whether a figure that is `over` its limit, by a part of that, keeps a promise."""
    return "-" if over is None else "yes" if over <= 0 else f"no, {over:+.0%}"


def setting() -> str:
    """With what this was measured."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} missing (to install it: pip install -e '.[bench]')")
    system = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    return f"{system} {platform.machine()}; {', '.join(found)}."


def main() -> int:
    """Measure and print; 1 if a promise does not hold, 2 if there is nothing to measure, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round: four minutes, rough figures")
    parser.add_argument("--only", default="", metavar="PREFIX", help="only rows that begin so: small, heavy, memory")
    asked = parser.parse_args()
    rows = [row for row in ROWS if row.title.startswith(asked.only)]
    extents = [extent for extent in EXTENT if extent.title.startswith(asked.only)]
    if not rows and not extents:
        titles = "\n  ".join(one.title for one in (*ROWS, *EXTENT))
        print(f"no row begins with {asked.only!r}; there are\n  {titles}", file=sys.stderr)
        return 2
    number = 1 if asked.quick else 3
    with tempfile.TemporaryDirectory(prefix="celltask-bench-", ignore_cleanup_errors=True) as name:
        taken, notes = timed(Path(name), rows, number)
        told = [line(row, taken) for row in rows]
        for extent in extents:
            print(f"\r{extent.title:<40}", end="", file=sys.stderr, flush=True)
            figure, shown_figure = extent.measure(Path(name), number)
            over = figure / extent.limit - 1
            cells = [extent.title, shown_figure, "-", *["-"] * len(PEERS), extent.promise, holds(over)]
            told.append((cells, over <= 0))
        print("\r" + " " * 40, end="\r", file=sys.stderr)
    print(table(HEADINGS, [cells for cells, _ in told]))
    print(f"\n{setting()}")
    for note in notes:
        print(f"- {note}")
    return int(not all(kept for _, kept in told))


if __name__ == "__main__":
    sys.exit(main())
