"""Office: the dealings of one crew with its cluster: what was sent, what is kept there, and how it stands."""

from __future__ import annotations

import contextlib
import pickle
from typing import TYPE_CHECKING, cast

import cloudpickle
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from distributed import KilledWorker

from celltask.core.engines.dask.shipment import versions_here
from celltask.core.engines.dask.worker import Delivery, PartFailedError, begun, cancel, stop
from celltask.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from distributed import Future

    from celltask.core.engines.dask.clusters import Fleet
    from celltask.core.engines.dask.handing import Load
    from celltask.core.engines.dask.scopes import Key, Scope

__all__ = ["Office", "Owner"]

Owner = tuple["Scope", int, str]
"""Whose place a part of a shipment is: scope, place, kind of the part."""

_BROADCAST = 2
"""On so many workers a large value of this process lies, so that it outlasts the loss of one."""


class Office:
    """What one crew has on its cluster. It holds state.

    Args:
        fleet: The cluster.
        run: Id of the run.
        listener: Called with each message from the workers.
    """

    def __init__(self, fleet: Fleet, run: str, listener: Callable[[tuple[object, ...]], None]) -> None:
        self.fleet, self._run, self._listener = fleet, run, listener
        self._client = fleet.client
        self._sent: dict[str, Load] = {}
        self._shipped: set[str] = set()
        self._kept: dict[Key, Future[object]] = {}
        self._told: set[Key] = set()

    def send(self, name: str, load: Load) -> None:
        """Hand a load over: the code to every worker, once in a run, then the graph.

        Raises:
            RunError: If a worker cannot take it.
        """
        if not load.graph:
            return
        self._sent[name] = load
        self.fleet.listen(name, self._listener)
        new = {digest: blob for digest, blob in load.tasks.items() if digest not in self._shipped}
        delivery = Delivery(name, cloudpickle.dumps(load.shipment, protocol=5), new, versions_here())
        try:
            self._client.register_plugin(delivery, name=name)
        except RunError:
            raise
        except Exception as error:  # noqa: BLE001 - border: a worker's own, from unpacking users' code
            raise _undelivered(error) from None
        self._shipped |= new.keys()
        futures = self._client.get(_graph_of(load), load.keep, sync=False)
        self._kept.update(zip(load.keep, futures, strict=True))

    def put(self, value: object) -> Key:
        """Put a value of this process on the cluster."""
        future = self._client.scatter([value], hash=False, broadcast=False)[0]
        self._kept[future.key] = future
        return cast("Key", future.key)

    def owner(self, name: str, number: int) -> Owner:
        """Whose place a part is."""
        return self._sent[name].owners[number]

    def gather(self, keys: Iterable[Key]) -> dict[Key, object]:
        """The values of these keys, brought here."""
        wanted = {key: self._kept[key] for key in keys}
        return cast("dict[Key, object]", self._client.gather(wanted)) if wanted else {}

    def stop(self, space: int) -> list[Owner]:
        """Let the workers begin nothing more in this space; what has begun anywhere."""
        return self._asked(stop, frozenset({space}))

    def begun(self) -> list[Owner]:
        """What has begun on workers that are alive."""
        return self._asked(begun)

    def cancel(self) -> None:
        """End what runs, as far as it can be ended, and begin nothing more."""
        self._asked(cancel)
        self._client.cancel(list(self._kept.values()), force=True)

    def _asked(self, question: Callable[..., object], *args: object) -> list[Owner]:
        found: list[Owner] = []
        for name, load in self._sent.items():
            answers = self._client.run(question, name, *args, on_error="ignore")
            for numbers in answers.values():
                found += [load.owners[number] for number in cast("set[int] | None", numbers) or ()]
        return found

    def lost(self) -> RunError | None:
        """The error to tell if the scheduler is gone, or gave up what it was asked for."""
        gone = [future for future in self._kept.values() if future.status in ("cancelled", "lost")]
        if self._client.status == "running" and not gone:
            return None
        where = self._client.scheduler.address if self._client.scheduler is not None else "its address"
        return RunError(
            f"the Dask scheduler at {where} was lost, and with it all that was not cached",
            mend="start a scheduler and run again: what is cached is reused",
        )

    def given_up(self) -> list[tuple[Scope, int, str, BaseException]]:
        """The nodes that Dask itself has given up, each with its error."""
        found: list[tuple[Scope, int, str, BaseException]] = []
        for key, future in self._kept.items():
            if future.status != "error" or key in self._told:
                continue
            self._told.add(key)
            error = future.exception()
            if isinstance(error, PartFailedError):
                continue  # it is told by whoever raised it
            culprit = key
            if isinstance(error, KilledWorker):
                culprit = cast("Key", error.task)
            loads = [load for load in self._sent.values() if culprit in load.graph]
            found.extend((*load.owners[culprit[1]], cast("BaseException", error)) for load in loads)
        return found

    def close(self, *, is_whole: bool) -> None:
        """Leave nothing on the cluster; `is_whole`: whether the run has come to its end by itself."""
        for name in self._sent:
            self.fleet.listen(name, None)
        if self._client.status == "running":
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):  # it is lost just now
                if not is_whole:
                    self.cancel()
                for name in self._sent:
                    self._client.unregister_worker_plugin(name)
        self._kept.clear()


def _graph_of(load: Load) -> object:
    """The graph as Dask takes it; nodes that ask for resources are layers of their own."""
    if not load.demands:
        return load.graph
    groups: dict[bytes, dict[Key, object]] = {}
    for key, node in load.graph.items():
        groups.setdefault(pickle.dumps(sorted(load.demands.get(key, {}).items())), {})[key] = node
    layers = {}
    for number, (demand, group) in enumerate(groups.items()):
        asked = dict(pickle.loads(demand))  # noqa: S301 - made above
        layers[f"demand {number}"] = MaterializedLayer(group, annotations={"resources": asked} if asked else None)
    return HighLevelGraph(layers, {name: layers.keys() - {name} for name in layers})


def _undelivered(error: Exception) -> RunError:
    told = f"a Dask worker cannot load the code of the run: {type(error).__name__}: {error}"
    mend = "install there what it imports, or send a module of yours with client.upload_file('module.py')"
    return RunError(told, mend=mend)
