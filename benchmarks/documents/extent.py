"""How time and memory grow with the number of documents, and what the plugin costs those who do not use it."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import corpus
from commands import arguments
from measure import growth
from processes import imports, peak_mib, seconds
from rows import shown, shown_ratio

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EXTENT", "Extent"]

_SIZES = (5, 10, 20, 40, 80)
_FEW, _MORE, _MANY = 5, 20, 80
_PYTEST = "from _pytest.config import get_config; get_config()"


class Extent(NamedTuple):
    """Something that is measured over several sizes.

    Attributes:
        title: What, in words.
        promise: What celltask promises, in words.
        limit: The most that the figure may be.
        measure: Gives the figure, and the figure in words; takes a folder to write in, and how often to repeat.
    """

    title: str
    promise: str
    limit: float
    measure: Callable[[Path, int], tuple[float, str]]


def _pages(folder: Path, number: int, kind: str = "small") -> Path:
    place = Path(tempfile.mkdtemp(dir=folder)) / str(number)
    corpus.write(place, number, kind=kind)
    return place


def _linear(folder: Path, number: int) -> tuple[float, str]:
    """Exponent of the time beyond that of collecting alone."""
    taken: dict[int, list[float]] = {size: [] for size in _SIZES}
    places = {size: _pages(folder, size) for size in _SIZES}
    for _ in range(number):
        for size, place in places.items():
            whole_s = seconds(arguments("ours", place), place)
            taken[size].append(whole_s - seconds(arguments("collect", place), place))
    medians = {size: statistics.median(figures) for size, figures in taken.items()}
    exponent = growth(medians)
    return exponent, f"n^{exponent:.2f}"


def _further(folder: Path, number: int) -> tuple[float, str]:
    """What each further heavy document takes, once the libraries are loaded, as a part of what nbclient takes."""
    places = {size: _pages(folder, size, "heavy") for size in (_FEW, _MORE)}
    ours, ratios = [], []
    for _ in range(number):
        few_s, more_s = (seconds(arguments("ours", place), place) for place in places.values())
        peer_few_s, peer_more_s = (seconds(arguments("nbclient", place), place) for place in places.values())
        ours.append((more_s - few_s) / (_MORE - _FEW))
        ratios.append((more_s - few_s) / (peer_more_s - peer_few_s))
    each_s, ratio = statistics.median(ours), statistics.median(ratios)
    return ratio, f"{shown(each_s)}, {shown_ratio(ratio)} nbclient"


def _memory(key: str) -> Callable[[Path, int], tuple[float, str]]:
    def measure(folder: Path, number: int) -> tuple[float, str]:
        """What many documents take over what few take."""
        peaks = []
        for size in (_FEW, _MANY):
            place = _pages(folder, size)
            peaks.append(statistics.median(peak_mib(arguments(key, place), place) for _ in range(number)))
        few_mib, many_mib = peaks
        return many_mib / few_mib, f"{few_mib:.0f} → {many_mib:.0f} MiB"

    return measure


def _unused(folder: Path, number: int) -> tuple[float, str]:
    """Milliseconds that the plugin's modules take beside those that pytest has anyway, and how many they are."""
    taken, counts = [], []
    for _ in range(3 * number):
        without = imports([sys.executable, "-c", _PYTEST], folder)
        found = imports([sys.executable, "-c", f"{_PYTEST}; import celltask.documents.pytest_plugin"], folder)
        new = found.keys() - without.keys()
        taken.append(sum(found[name] for name in new))
        counts.append(len(new))
    return statistics.median(taken), f"{statistics.median(taken):.1f} ms, {statistics.median(counts):.0f} modules"


EXTENT = (
    Extent("time of 5 to 80 documents", "<= n^1.1", 1.1, _linear),
    Extent("heavy: each further document", "<= 1/15 nbclient", 1 / 15, _further),
    Extent("memory of 5 → 80 documents", "<= 1.1 x", 1.1, _memory("ours")),
    Extent("memory of 5 → 80 documents, -n 2", "<= 1.1 x", 1.1, _memory("ours-n2")),
    Extent("plugin in a project that does not use it", "<= 5 ms", 5.0, _unused),
)
