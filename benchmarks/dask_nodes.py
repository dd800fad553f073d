"""Prints what a node costs on a Dask cluster: celltask beside bare `client.submit` with futures as arguments.

    python benchmarks/dask_nodes.py [--nodes 1000] [--repeat 5]

Both run on the same cluster of two workers on this machine, in turn. Ends with status 1 if celltask takes more than
1.15 times as long.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
import uuid
from typing import TYPE_CHECKING

from distributed import Client, LocalCluster
from graphs import chain, inc

from celltask import ImperativeWorkflow, map_task, task, workflow

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1.15


@task
def total(xs: list[int]) -> int:
    """The sum."""
    return sum(xs)


@workflow
def mapped(xs: list[int]) -> list[int]:
    """A map over all."""
    return map_task(inc)(x=xs)


def out_and_in(nodes: int) -> ImperativeWorkflow:
    """All nodes need the first, and the last needs all."""
    made = ImperativeWorkflow(f"out to {nodes} and in")
    first = made.add_task(inc, x=made.add_input("x", int))
    made.add_output("y", made.add_task(total, xs=[made.add_task(inc, x=first) for _ in range(nodes)]), int)
    return made


def bare_inc(x: int) -> int:
    """One more."""
    return x + 1


def bare_total(*xs: int) -> int:
    """The sum."""
    return sum(xs)


def bare_chain(client: Client, nodes: int) -> object:
    """The same with nothing but Dask."""
    x: object = 0
    name = uuid.uuid4().hex
    for number in range(nodes):
        x = client.submit(bare_inc, x, key=(f"inc-{name}", number))
    return x.result()  # type: ignore[attr-defined]  # a future


def bare_fan(client: Client, nodes: int) -> object:
    """The same with nothing but Dask."""
    name = uuid.uuid4().hex
    first = client.submit(bare_inc, 0, key=f"first-{name}")
    middle = [client.submit(bare_inc, first, key=(f"inc-{name}", number)) for number in range(nodes)]
    return client.submit(bare_total, *middle, key=f"total-{name}").result()


def bare_map(client: Client, nodes: int) -> object:
    """The same with nothing but Dask."""
    return client.gather(client.map(bare_inc, range(nodes), pure=False))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def measure(client: Client, nodes: int, repeat: int) -> bool:
    """Print one line for each shape; whether all are within the limit."""
    items = 10 * nodes
    made_chain, made_fan = chain(nodes), out_and_in(nodes)
    shapes: dict[str, tuple[int, Callable[[], object], Callable[[], object]]] = {
        "chain": (nodes, lambda: made_chain.run(x=0, engine=client).result(), lambda: bare_chain(client, nodes)),
        "fan-out": (nodes, lambda: made_fan.run(x=0, engine=client).result(), lambda: bare_fan(client, nodes)),
        "map": (items, lambda: mapped.run(xs=list(range(items)), engine=client).result(),
                lambda: bare_map(client, items)),
    }  # fmt: skip
    holds = True
    for name, (count, ours, bare) in shapes.items():
        pairs = [(seconds(ours), seconds(bare)) for _ in range(repeat)]
        best, theirs = (min(column) for column in zip(*pairs, strict=True))
        ratio = best / theirs
        holds = holds and ratio <= LIMIT
        print(f"{name:8} {count:6} nodes  celltask {best / count * 1e3:6.3f} ms  bare {theirs / count * 1e3:6.3f} ms  "
              f"ratio {ratio:.2f} (<= {LIMIT})")  # fmt: skip
    return holds


def main() -> int:
    """Start a cluster and measure on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
        silence_logs=logging.ERROR,
    )  # fmt: skip
    with cluster, Client(cluster) as client:
        return 0 if measure(client, given.nodes, given.repeat) else 1


if __name__ == "__main__":
    sys.exit(main())
