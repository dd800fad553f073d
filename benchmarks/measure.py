"""How to measure on a machine that is not quiet: repetitions, a loop that tells its speed, medians, a slope."""

from __future__ import annotations

import gc
import math
import statistics
import time
import timeit
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Case", "Sample", "calibration_s", "growth", "median_s", "repetition", "sized", "timer_of", "usual_s"]

LOOPS = 200_000
"""Rounds of the calibration loop: a few milliseconds."""
SHORTEST_S = 0.02
"""A repetition of fast work is made at least this long, so that the clock's own cost does not count."""


class Case(NamedTuple):
    """Work to be measured.

    Attributes:
        statement: What is timed; a call in it costs what a user's call costs.
        names: The names that it reads.
        units: Into how many things (nodes of a graph, for one) its time is to be divided.
    """

    statement: str
    names: Mapping[str, object]
    units: int = 1


class Sample(NamedTuple):
    """One repetition.

    Attributes:
        seconds: For one unit of work.
        loop_s: Seconds that the calibration loop took around it.
        waited_s: Of `seconds`, those in which it had no processor; not known for work inside a process.
    """

    seconds: float
    loop_s: float
    waited_s: float = 0.0


def calibration_s() -> float:
    """Seconds that a fixed loop takes now, best of three: larger while the machine is slow."""
    best_s = math.inf
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(LOOPS):
            pass
        best_s = min(best_s, time.perf_counter() - started)
    return best_s


def timer_of(case: Case) -> timeit.Timer:
    """The timer of a case; the garbage collector stays on, as it is for users."""
    names = {**case.names, "collector_on": gc.enable}
    return timeit.Timer(case.statement, "collector_on()", globals=names)


def sized(timer: timeit.Timer) -> int:
    """How often the work has to be repeated to last long enough for the clock; it is warm afterwards."""
    taken_s = timer.timeit(1)
    number = 1
    while taken_s < SHORTEST_S:
        taken_s = timer.timeit(number)
        if taken_s < SHORTEST_S:
            number = max(number + 1, int(number * min(100.0, 1.2 * SHORTEST_S / max(taken_s, 1e-9))))
    return number


def repetition(case: Case, timer: timeit.Timer, number: int) -> Sample:
    """One repetition of `number` rounds, with the calibration loop before and after it."""
    gc.collect()
    before = calibration_s()
    taken_s = timer.timeit(number)
    return Sample(taken_s / number / case.units, (before + calibration_s()) / 2)


def usual_s(samples: Iterable[Sample]) -> float:
    """Seconds that the calibration loop took around most of the samples."""
    return statistics.median(sample.loop_s for sample in samples)


def median_s(samples: Sequence[Sample], loop_s: float) -> float:
    """Median seconds, each repetition scaled to the speed at which the calibration loop takes `loop_s`.

    >>> median_s([Sample(1.0, 0.1), Sample(2.0, 0.2), Sample(9.0, 0.1)], loop_s=0.1)
    1.0
    """
    return statistics.median(sample.seconds * loop_s / sample.loop_s for sample in samples)


def growth(seconds: Mapping[int, float]) -> float:
    """Exponent p of the power law ``seconds = c * size ** p`` that fits best; 1 is linear.

    >>> round(growth({10: 1.0, 100: 10.0, 1000: 100.0}), 3)
    1.0
    """
    sizes = [math.log(size) for size in seconds]
    return statistics.linear_regression(sizes, [math.log(taken) for taken in seconds.values()]).slope
