"""Checks: what would go wrong on a cluster is told before a run begins there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from celltask.core.engines.dask.shipment import versions_here
from celltask.core.engines.dask.worker import sees
from celltask.core.stores.choice import where
from celltask.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from distributed import Client

    from celltask.core.budget import Demand
    from celltask.core.task import Task

__all__ = ["SAME_MEND", "Checks", "Workers"]

Workers = dict[str, dict[str, object]]
"""What the scheduler tells of each worker, by address."""

_WORDS = {"cpu": "CPUs", "memory": "bytes of memory", "gpu": "GPUs"}
SAME_MEND = "give the scheduler, the workers and the client the same environment"


class Checks:
    """What is known of one cluster. It holds state: which workers were found to be like the client.

    Args:
        client: The client of the cluster.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._alike: set[str] = set()
        self._seeing: dict[tuple[str, str], bool] = {}
        self._having: set[tuple[str, str, str]] = set()

    def workers(self) -> Workers:
        """The workers that are there now."""
        return cast("Workers", self._client.scheduler_info(n_workers=-1)["workers"])

    def _versions(self, packages: list[str]) -> Mapping[str, Mapping[str, Mapping[str, object]]]:
        """What is installed, as scheduler and workers tell; nothing is imported there for that."""
        told = self._client.get_versions(check=False, packages=packages)
        return cast("Mapping[str, Mapping[str, Mapping[str, object]]]", told)

    def same_everywhere(self) -> None:
        """Look whether the scheduler and all workers have the same Python and packages as this process.

        Raises:
            RunError: If one has not, naming it.
        """
        if self._alike and self._alike >= self.workers().keys():
            return
        # Dask asks without sending code: what another Python would make of code of this one is not tried.
        told = self._versions(["celltask"])
        here = versions_here()
        places = {"scheduler": told["scheduler"], **told["workers"]}
        for place, found in places.items():
            who = "the Dask scheduler" if place == "scheduler" else f"the Dask worker {place}"
            for name, version in _versions_in(cast("Mapping[str, Mapping[str, object]]", found or {})).items():
                if version != here[name]:
                    lacks = f"has no {name}" if version is None else f"has {name} {version}"
                    raise RunError(f"{who} {lacks}, and the client has {here[name]}", mend=SAME_MEND)
        self._alike = set(told["workers"])

    def see_store(self) -> bool:
        """Whether all workers see the folder that this process keeps its results in."""
        store = where()
        asked = [place for place in self.workers() if (place, store) not in self._seeing]
        if asked:
            answers = self._client.run(sees, store, workers=asked, on_error="ignore")
            self._seeing.update({(place, store): answer is True for place, answer in answers.items()})
        return all(self._seeing.get((place, store)) for place in self.workers())

    def packages(self, tasks: Iterable[Task[..., object]]) -> None:
        """Look whether all workers have the packages that the tasks import, in the same versions.

        Raises:
            RunError: If one has not, naming it and a task that needs it.
        """
        wanted: dict[str, tuple[str, Task[..., object]]] = {}
        for task in tasks:
            for key, version in task.fingerprint.parts.items():
                kind, _, name = key.partition(" ")
                if kind == "package":
                    wanted[name] = (version, task)
        addresses = self.workers()
        asked = {name for name, (version, _) in wanted.items()
                 if any((place, name, version) not in self._having for place in addresses)}  # fmt: skip
        if not asked:
            return
        for place, told in self._versions(sorted(asked))["workers"].items():
            versions = cast("Mapping[str, str | None]", told["packages"])
            for name in sorted(asked):
                version, task = wanted[name]
                if versions[name] != version:
                    has = "has no package" if versions[name] is None else f"has {versions[name]} of the package"
                    raise RunError(
                        f"the Dask worker {place} {has} {name}, which task {task.name!r} needs in version {version}",
                        task.place, f"install it there: pip install {name}=={version}",
                    )  # fmt: skip
                self._having.add((place, name, version))

    def resources(self, demands: Iterable[tuple[Task[..., object], Demand]]) -> dict[str, str]:
        """What the workers call each resource, for those that they have declared; amounts are looked at.

        Raises:
            RunError: If a task asks for more than any worker has.
        """
        workers = self.workers()
        named: dict[str, str] = {}
        for task, demand in demands:
            for name, amount in demand.amounts.items():
                if name in demand.places or not workers:
                    continue
                declared, most = _most(workers, name)
                if amount > most:
                    raise _refusal(task, name, amount, most)
                if declared:
                    named[name] = declared
        return named


def _versions_in(found: Mapping[str, Mapping[str, object]]) -> dict[str, str | None]:
    """What Dask tells of one place, under the names of `versions_here`."""
    python = str(found.get("host", {}).get("python", "")).split(".")
    packages = found.get("packages", {})
    names = ("cloudpickle", "distributed", "celltask")
    told = {name: packages.get(name) for name in names}
    return {
        "Python": ".".join(python[:2]) or None,
        **{name: str(text) if text else None for name, text in told.items()},
    }


def _most(workers: Workers, name: str) -> tuple[str, float]:
    """What the workers call a resource, ``""`` if none has declared it, and the most that one has of it."""
    declared, most = "", 0.0
    for worker in workers.values():
        for called, amount in cast("dict[str, float]", worker["resources"]).items():
            if called.lower() == name:
                declared, most = called, max(most, amount)
    if not declared and name == "cpu":
        most = max(float(cast("int", worker["nthreads"])) for worker in workers.values())
    if not declared and name == "memory":
        most = max(float(cast("int", worker["memory_limit"]) or sys.maxsize) for worker in workers.values())
    return declared, most


def _refusal(task: Task[..., object], name: str, amount: float, most: float) -> RunError:
    has = f"no Dask worker has more than {most:g}" if most else "no Dask worker has declared any"
    return RunError(
        f"task {task.name!r} asks for {amount:g} {_WORDS[name]}, and {has}",
        task.place,
        f"start a worker that has them: dask worker … --resources '{name.upper()}={amount:g}'; or ask for less",
    )
