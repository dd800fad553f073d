"""Prints one table: what a run costs beside other ways to do the same work, all in one session.

    python benchmarks/runs.py [--quick] [--only KEY]

Systems are asked in turn, round by round, so that a busy moment of the machine hits all of them; medians count, and
ratios are taken within a round. Where nothing runs at the same time, processor time is told, else elapsed time. Runs of
celltask are recorded and told to a listener; the others do less. Ends with status 1 if a promise does not hold.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from bodies import hear
from graphs import chain, fan, inc
from rows import shown, shown_ratio, table

from celltask import ImperativeWorkflow, map_task, task

__all__ = ["main"]

Call = Callable[[], object]
POOL = 2
HALF_SECOND = 0.5
SMALL = 1_000


class Target(NamedTuple):
    """A promise: at most so many seconds, or so many times what a rival takes."""

    limit: float
    rival: str = ""


class Row(NamedTuple):
    """One thing that is measured: a call for each system that can do it."""

    key: str
    title: str
    target: Target
    calls: dict[str, Call]
    units: int = 1
    is_alone: bool = False
    """Whether nothing runs at the same time."""
    rounds: int = 15


@task
def nap(seconds: float) -> float:
    """Wait."""
    time.sleep(seconds)
    return seconds


def plain_inc(x: int) -> int:
    """One more."""
    return x + 1


def plain_burn(seconds: float) -> int:
    """Compute for so many seconds of processor time."""
    rounds, until = 0, time.process_time() + seconds
    while time.process_time() < until:
        rounds += 1
    return rounds


burn = task(plain_burn)


def _run(made: ImperativeWorkflow, x: object, engine: str) -> Call:
    return lambda: made.run(x=x, engine=engine, on_event=hear).result()


def _loop(nodes: int) -> Call:
    def loop() -> int:
        x = 1
        for _ in range(nodes):
            x = plain_inc(x)
        return x

    return loop


def _dask(nodes: int, get: str, *, is_chain: bool) -> Call:
    import dask  # noqa: PLC0415 - may be missing

    x = 1
    if is_chain:
        for _ in range(nodes):
            x = dask.delayed(plain_inc)(x)
        return lambda: dask.compute(x, scheduler=get, optimize_graph=False)
    values = dask.delayed(list)([dask.delayed(plain_inc)(1) for _ in range(nodes)])
    return lambda: dask.compute(values, scheduler=get, optimize_graph=False)


def _hamilton(nodes: int, *, is_chain: bool) -> Call:
    from hamilton import ad_hoc_utils, driver  # noqa: PLC0415 - may be missing

    sys.setrecursionlimit(100_000)  # it goes through a chain by recursion
    space: dict[str, Callable[..., int]] = {}
    for place in range(1, nodes + 1):
        exec(f"def n{place}(n{place - 1 if is_chain else 0}: int) -> int:\n    return 1\n", space)  # noqa: S102 - ours
    functions = [space[f"n{place}"] for place in range(1, nodes + 1)]
    module = ad_hoc_utils.create_temporary_module(*functions, module_name=f"nodes_{nodes}_{is_chain}")
    made = driver.Builder().with_modules(module).build()
    wanted = [f"n{nodes}"] if is_chain else [f"n{place}" for place in range(1, nodes + 1)]
    return lambda: made.execute(wanted, inputs={"n0": 1})


def _joblib(items: range, jobs: int) -> Call:
    import joblib  # noqa: PLC0415 - may be missing

    parallel = joblib.Parallel(n_jobs=jobs)
    return lambda: parallel(joblib.delayed(plain_inc)(item) for item in items)


def _there(calls: dict[str, Callable[[], Call]]) -> dict[str, Call]:
    """Those whose system is installed."""
    found = {}
    for name, make in calls.items():
        with suppress(ImportError):
            found[name] = make()
    return found


def _inline(shape: str, nodes: int) -> Row:
    """Nodes that do next to nothing, one after another."""
    is_chain, is_large = shape == "chain", nodes > SMALL
    made = chain(nodes) if is_chain else fan(nodes)
    calls = {"celltask": lambda: _run(made, 1, "inline"), "plain loop": lambda: _loop(nodes)}
    if not is_large:
        calls["dask sync"] = lambda: _dask(nodes, "sync", is_chain=is_chain)
        calls["hamilton"] = lambda: _hamilton(nodes, is_chain=is_chain)
    title, rounds = f"{shape} of {nodes:,}, inline, per node", 5 if is_large else 15
    return Row(f"{shape}.{nodes}", title, Target(5e-6), _there(calls), nodes, is_alone=True, rounds=rounds)


def _graphs() -> Iterator[Row]:
    """Graphs of nodes that do next to nothing."""
    for shape in ("chain", "fan"):
        for nodes in (SMALL, 100_000):
            yield _inline(shape, nodes)
    threads = ThreadPoolExecutor(32)
    calls = {
        "celltask": lambda: _run(fan(SMALL), 1, "threads"),
        "bare pool": lambda: lambda: [f.result() for f in [threads.submit(plain_inc, 1) for _ in range(SMALL)]],
        "dask threads": lambda: _dask(SMALL, "threads", is_chain=False),
    }
    yield Row("threads", "fan of 1,000, threads, per node", Target(40e-6), _there(calls), SMALL)


def _work(pool: ProcessPoolExecutor) -> Iterator[Row]:
    """Nodes that take their time."""
    list(pool.map(plain_burn, [0.01] * 8))  # they have started
    burning, waiting = fan(8, burn, float), fan(16, nap, float)
    calls: dict[str, Call] = {
        "celltask": _run(burning, HALF_SECOND, "processes"),
        "bare pool": lambda: [f.result() for f in [pool.submit(plain_burn, HALF_SECOND) for _ in range(8)]],
    }
    yield Row("processes", "8 x half a second of computing, processes", Target(1.05, "bare pool"), calls, rounds=7)
    calls = {"celltask": _run(waiting, 0.2, "threads"), "one sleep": lambda: time.sleep(0.2)}
    yield Row("sleep", "16 nodes that sleep for 0.2 s, threads", Target(1.1, "one sleep"), calls)


def _maps(pool: ProcessPoolExecutor) -> Iterator[Row]:
    """A map over many small items."""
    items = range(10_000)
    mapped, xs = map_task(inc), list(items)
    calls = {
        "celltask": lambda: lambda: mapped.run(x=xs, engine="inline", on_event=hear).result(),
        "plain loop": lambda: lambda: [plain_inc(item) for item in items],
        "joblib": lambda: _joblib(items, 1),
    }
    yield Row("map", "map over 10,000, inline, per item", Target(1e-6), _there(calls), 10_000, is_alone=True)
    calls = {
        "celltask": lambda: lambda: mapped.run(x=xs, engine="processes", on_event=hear).result(),
        "bare pool": lambda: lambda: list(pool.map(plain_inc, items, chunksize=1_250)),
        "joblib": lambda: _joblib(items, POOL),
    }
    yield Row("map.processes", "map over 10,000, processes, per item", Target(3e-6), _there(calls), 10_000)


def _measured(row: Row, rounds: int) -> dict[str, list[float]]:
    """Seconds of each system, by round."""
    clock = time.process_time if row.is_alone else time.perf_counter
    for call in row.calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in row.calls}
    for number in range(rounds):
        names = list(row.calls)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            began = clock()
            row.calls[name]()
            times[name].append((clock() - began) / row.units)
    return times


def _cells(row: Row, times: dict[str, list[float]]) -> tuple[list[str], bool]:
    """The row as text, and whether its promise holds."""
    ours = times.pop("celltask")
    told = []
    figure = statistics.median(ours)
    for name, theirs in times.items():
        ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
        told.append(f"{name} {shown(statistics.median(theirs))} ({shown_ratio(ratio)})")
        if name == row.target.rival:
            figure = ratio
    limit = f"{row.target.limit:g} x {row.target.rival}" if row.target.rival else shown(row.target.limit)
    holds = figure <= row.target.limit
    return [row.title, shown(statistics.median(ours)), "; ".join(told), f"<= {limit}", "yes" if holds else "no"], holds


def main() -> int:
    """The table, and 1 if a promise does not hold."""
    parser = argparse.ArgumentParser(description="Runs: celltask beside loops, pools, Dask, Hamilton, joblib.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--only", default="", metavar="KEY", help="rows whose key begins so")
    asked = parser.parse_args()
    lines, failed = [], False
    with tempfile.TemporaryDirectory(prefix="celltask-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["CELLTASK_STORE"] = f"{folder}/store"
        with ProcessPoolExecutor(POOL) as pool:
            for row in (*_work(pool), *_maps(pool), *_graphs()):
                if row.key.startswith(asked.only):
                    cells, holds = _cells(row, _measured(row, max(3, row.rounds // 3) if asked.quick else row.rounds))
                    lines.append(cells)
                    failed = failed or not holds
    print(table(["", "celltask", "others (celltask over theirs)", "target", "holds"], lines))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
