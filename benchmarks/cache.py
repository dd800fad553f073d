"""Prints one table: what a cached call costs, beside joblib.Memory and diskcache, all in one session.

    python benchmarks/cache.py [--quick]

Systems are asked in turn, repetition by repetition, so that a busy moment of the machine hits all of them; medians
count. The function in the rows of misses writes nothing and takes no time: what is measured is the cache. joblib and
diskcache do less: joblib's key is the source of the function alone, diskcache's its name, while celltask's has all the
code that the function reaches; and neither checks or isolates values. Ends with status 1 if a promise does not hold.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from rows import shown, shown_ratio

__all__ = ["main"]

Call = Callable[[], object]
SYSTEMS = ("celltask", "joblib", "diskcache")


class Row(NamedTuple):
    """One thing that is measured: a call for each system that can do it, and what celltask promises."""

    title: str
    limit_s: float
    calls: dict[str, Call]
    at_once: int


def same(x: int) -> int:
    """Give a number back."""
    return x


def total(xs: np.ndarray) -> float:
    """Sum of an array."""
    return float(xs[0])


def zeros(size: int) -> np.ndarray:
    """A new array."""
    return np.zeros(size)


def _joblib(folder: str) -> dict[str, Call]:
    from joblib import Memory  # noqa: PLC0415 - may be missing

    memory = Memory(folder, verbose=0)
    return {function.__name__: memory.cache(function) for function in (same, total, zeros)}


def _diskcache(folder: str) -> dict[str, Call]:
    from diskcache import Cache  # noqa: PLC0415 - may be missing

    return {"same": Cache(folder).memoize()(same)}


def _celltask() -> dict[str, Call]:
    from celltask import task  # noqa: PLC0415 - after the store is chosen

    return {function.__name__: task(cache=True)(function) for function in (same, total, zeros)}


def _rows(folder: str) -> list[Row]:
    cached = {"celltask": _celltask()}
    for name, make in (("joblib", _joblib), ("diskcache", _diskcache)):
        try:
            cached[name] = make(f"{folder}/{name}")
        except ImportError:
            print(f"{name} is missing; to install it: pip install -e '.[bench]'")
    size = 12_500_000
    array = np.random.default_rng(0).random(size)
    numbers = {name: itertools.count(1) for name in cached}
    whole = {name: calls for name, calls in cached.items() if "total" in calls}
    misses = {name: _next(made["same"], numbers[name]) for name, made in cached.items()}
    hashed = {name: _bound(made["total"], array) for name, made in whole.items()}
    rows = [
        Row("hit, small input", 30e-6, {name: _bound(made["same"], 0) for name, made in cached.items()}, 200),
        Row("miss, beyond the body", 100e-6, misses, 50),
        Row("hit, 100 MB input hashed anew", 40e-3, hashed, 1),
        Row("hit, 100 MB output", 0.3e-3, {name: _bound(made["zeros"], size) for name, made in whole.items()}, 5),
    ]
    return [*rows, Row("hit, 100 MB from task to task", 0.3e-3, {"celltask": _chain(size)}, 1)]


def _bound(function: Callable[..., object], value: object) -> Call:
    return lambda: function(value)


def _next(function: Callable[..., object], numbers: itertools.count[int]) -> Call:
    return lambda: function(next(numbers))


def _chain(size: int) -> Call:
    """A run of two cached nodes with 100 MB between them; its time is that of both nodes, halved."""
    from celltask import task, workflow  # noqa: PLC0415 - as above

    make, use = task(cache=True)(zeros), task(cache=True)(total)

    @workflow
    def chain(size: int) -> float:
        return use(make(size))

    return lambda: sum(node.duration_s for node in chain.run(size=size, engine="inline").nodes) / 2


def _seconds(row: Row, call: Call) -> float:
    if row.title.endswith("task to task"):
        return float(call())  # type: ignore[arg-type]  # it tells the time itself
    clock = time.perf_counter()
    for _ in range(row.at_once):
        call()
    return (time.perf_counter() - clock) / row.at_once


def _measured(row: Row, repetitions: int) -> dict[str, float]:
    for call in row.calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in row.calls}
    for _ in range(repetitions):
        for name, call in row.calls.items():
            times[name].append(_seconds(row, call))
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> int:
    """The table, and 1 if a promise does not hold."""
    parser = argparse.ArgumentParser(description="Cached calls: celltask, joblib.Memory, diskcache.")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    repetitions = 7 if parser.parse_args().quick else 25
    failed = False
    with tempfile.TemporaryDirectory(prefix="celltask-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["CELLTASK_STORE"], os.environ["CELLTASK_KEY_FILE"] = f"{folder}/store", f"{folder}/key"
        print(f"{'':32}", *(f"{name:>10}" for name in SYSTEMS), f"{'vs joblib':>10}", f"{'target':>10}", "holds")
        for row in _rows(folder):
            found = _measured(row, repetitions)
            ours = found["celltask"]
            holds = ours <= row.limit_s
            failed = failed or not holds
            cells = [shown(found[name]) if name in found else "-" for name in SYSTEMS]
            ratio = shown_ratio(ours / found["joblib"]) if "joblib" in found else "-"
            told = "yes" if holds else f"no, {ours / row.limit_s - 1:+.0%}"
            print(f"{row.title:32}", *(f"{cell:>10}" for cell in [*cells, ratio, shown(row.limit_s)]), told)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
