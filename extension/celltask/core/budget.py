"""The budget of this machine: CPUs, memory, GPUs and named places, which nodes that ask for some take and give back.

It holds state: what is taken, and who waits. One budget serves all runs of a process.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from celltask.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from celltask.core.task import Task

__all__ = ["Budget", "Demand", "budget", "demand_of"]

_SAID = {"cpu": "CPUs", "memory": "bytes of memory", "gpu": "GPUs"}


class Demand(NamedTuple):
    """What one node takes while it runs: amounts by name, and for named places how many there are at all."""

    amounts: Mapping[str, float]
    places: Mapping[str, int]


def demand_of(task: Task[..., object]) -> Demand | None:
    """What `task` asks for; ``None`` if nothing."""
    asked = task.options.resources
    places = {f"place {name or 'of task ' + task.name}": count for name, count in task.options.concurrency}
    amounts: dict[str, float] = dict.fromkeys(places, 1)
    if asked is not None:
        given = {"cpu": asked.cpu, "memory": asked.memory_bytes, "gpu": asked.gpu}
        amounts |= {name: amount for name, amount in given.items() if amount}
    return Demand(amounts, places) if amounts else None


class Budget:
    """What there is, and what is taken of it.

    Args:
        total: Amounts by name.
    """

    def __init__(self, total: Mapping[str, float]) -> None:
        self.total = dict(total)
        self._taken: dict[str, float] = {}
        self._turn = threading.Condition(threading.RLock())
        self._waiting: list[Callable[[], None]] = []

    def check(self, task: Task[..., object], demand: Demand) -> None:
        """Refuse what can never be given.

        Raises:
            RunError: If it asks for more than there is.
        """
        for name, amount in demand.amounts.items():
            there = self.total.get(name)
            if there is not None and amount > there:
                raise RunError(
                    f"task {task.name!r} asks for {amount:g} {_SAID[name]}, and this machine has {there:g}",
                    task.place,
                    "ask for less (resources=…), or run it on an engine that has them",
                )

    def take(self, demand: Demand) -> bool:
        """Take what `demand` says, if it is there now."""
        with self._turn:
            for name, amount in demand.amounts.items():
                there = demand.places.get(name, self.total.get(name))
                if there is not None and self._taken.get(name, 0) + amount > there:
                    return False
            for name, amount in demand.amounts.items():
                self._taken[name] = self._taken.get(name, 0) + amount
            return True

    def wait_for(self, demand: Demand) -> None:
        """Take what `demand` says, as soon as it is there."""
        with self._turn:
            while not self.take(demand):
                self._turn.wait()

    @contextmanager
    def lent(self, demand: Demand | None) -> Iterator[None]:
        """Within it, what `demand` says is taken."""
        if demand is None:
            yield
            return
        self.wait_for(demand)
        try:
            yield
        finally:
            self.give_back(demand)

    def give_back(self, demand: Demand) -> None:
        """Give back what was taken, and wake who waits."""
        with self._turn:
            for name, amount in demand.amounts.items():
                self._taken[name] -= amount
            waiting = list(self._waiting)
            self._turn.notify_all()
        for wake in waiting:
            wake()

    def tell(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever something is given back; what is returned ends that."""
        with self._turn:
            self._waiting.append(wake)

        def undo() -> None:
            with self._turn:
                self._waiting.remove(wake)

        return undo


def _here() -> dict[str, float]:
    memory = 0
    if hasattr(os, "sysconf"):
        try:
            memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, OSError):  # not told on this system
            memory = 0
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"cpu": cpus, **({"memory": memory} if memory > 0 else {})}


budget = Budget(_here())
"""What this machine has."""
