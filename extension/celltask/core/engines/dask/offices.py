"""Office: the dealings of one crew with its cluster: what was sent, what is kept there, and how it stands."""

from __future__ import annotations

import contextlib
import os
import pickle
import time
import warnings
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, cast

import cloudpickle
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from dask.sizeof import sizeof
from distributed import KilledWorker, wait

from celltask.core.context import FRESH_SINCE
from celltask.core.distant import Distant
from celltask.core.engines.dask.chunks import Chunk, carry_items
from celltask.core.engines.dask.endings import error_in, given_up
from celltask.core.engines.dask.handing import SMALL
from celltask.core.engines.dask.shipment import Shipment, versions_here
from celltask.core.engines.dask.worker import Delivery, PartFailedError, begun, cancel, stop
from celltask.core.stores.choice import where
from celltask.core.travel import luggage_of
from celltask.errors import RunCancelledError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from distributed import Future

    from celltask.core.calls import Calls
    from celltask.core.context import RunControl
    from celltask.core.engines.dask.clusters import Fleet
    from celltask.core.engines.dask.handing import Load
    from celltask.core.engines.dask.scopes import Key, Scope
    from celltask.core.items import Items, Outcome
    from celltask.core.task import Task

__all__ = ["ClusterWarning", "Office", "Owner"]

Owner = tuple["Scope", int, str]
"""Whose place a part of a shipment is: scope, place, kind of the part."""

_BROADCAST = 2
"""On so many workers a large value of this process lies, so that it outlasts the loss of one."""

_TRIES, _PAUSE_S = 20, 0.25
_PATIENCE = 10
"""So many times nothing happens before it is looked whether there is a worker at all."""


class ClusterWarning(UserWarning):
    """A run waits for something that may not come."""


class Office:
    """What one crew has on its cluster. It holds state.

    Args:
        fleet: The cluster.
        run: Id of the run.
        control: How the run is told that it was cancelled.
        listener: Called with each message from the workers.
    """

    def __init__(
        self, fleet: Fleet, run: str, control: RunControl, listener: Callable[[tuple[object, ...]], None]
    ) -> None:
        self.fleet, self._run, self._listener = fleet, run, listener
        self._client, self._control = fleet.client, control
        self._is_closed = False
        self._address = fleet.client.scheduler_info()["address"]
        self._sent: dict[str, Load] = {}
        self._hold = fleet.hold(run)
        self._own: list[str] = []
        self._kept: dict[Key, Future[object]] = {}
        self._held: dict[Key, Future[object]] = {}
        self._told: set[Key] = set()
        self._lasting: set[Key] = set()
        self._quiet = 0
        self._chunks: set[Future[Outcome]] = set()
        self._fixed: dict[int, tuple[object, Future[object]]] = {}  # by id: the value stays, so that no other has it
        self._items: list[str] = []

    def send(self, name: str, load: Load) -> None:
        """Hand a load over: the code to every worker, once in a run, then the graph.

        Raises:
            RunError: If a worker cannot take it.
        """
        if not load.graph:
            return
        self._sent[name] = load
        self._deliver(name, load.shipment, load.tasks)
        futures = self._client.get(_graph_of(load), [*load.keep, *load.held.values()], sync=False)
        self._kept.update(zip(load.keep, futures, strict=False))
        self._held.update(zip(load.held.values(), futures[len(load.keep) :], strict=True))

    def over(self, name: str, number: int) -> None:
        """Hold a part no longer that has ended: Dask still has its value for as long as others need it."""
        key = self._sent[name].held.get(number)
        if key is not None:
            self._held.pop(key, None)

    def _deliver(self, name: str, shipment: Shipment, tasks: dict[str, bytes]) -> None:
        """Bring a shipment to every worker, with the tasks that no other of the run has brought."""
        self.fleet.listen(name, self._listener)
        with self._hold.shipping:
            new = {digest: blob for digest, blob in tasks.items() if digest not in self._hold.tasks}
            delivery = Delivery(name, cloudpickle.dumps(shipment, protocol=5), new, versions_here())
            self._register(delivery, name)
            (self._hold.names if new else self._own).append(name)
            self._hold.tasks.update(new)

    def _register(self, delivery: Delivery, name: str) -> None:
        for left in reversed(range(_TRIES)):
            try:
                self._client.register_plugin(delivery, name=name)
            except RunError:
                raise
            except Exception as error:  # noqa: BLE001 - border: a worker's own, from unpacking users' code
                if not (left and isinstance(error, OSError)):
                    raise _undelivered(error) from None
                time.sleep(_PAUSE_S)  # a worker is just being lost, and the scheduler has not noticed
            else:
                return

    def run_items(self, items: Items) -> Outcome:
        """What calling the task for each item gives, on a worker.

        Raises:
            RunError: If the cluster is lost, or has given it up.
        """
        name, digest = self._items_of(items.task)
        calls = cast("Calls", items.calls)
        chunk = Chunk(digest, items.first, items.size, items.stops, items.node, items.concurrency, calls.reserve())
        fixed = [self._carried(value) for value in items.fixed]
        label = f"{items.task.name}-{name}-{os.urandom(4).hex()}"
        future = self._client.submit(carry_items, name, chunk, items.columns, *fixed, key=label, pure=False)
        self._chunks.add(future)
        try:
            outcome = future.result()
        except CancelledError as error:
            told = f"the map {items.node} was ended, because the run was cancelled"
            raise self.lost() or RunCancelledError(told) from error
        except KilledWorker as error:
            raise given_up(items.task, error) from None
        finally:
            self._chunks.discard(future)
        errors = {place: error_in(cast("tuple[bytes, list[bytes]]", told)) for place, told in outcome.errors.items()}
        if outcome.calls is not None:
            calls.take(outcome.calls)
        return outcome._replace(errors=errors)

    def _items_of(self, task: Task[..., object]) -> tuple[str, str]:
        """A shipment of the run that this crew listens to and the digest of the task; sent now if it was not."""
        luggage = luggage_of(task)
        if self._items and luggage.digest in self._hold.tasks:
            return self._items[0], luggage.digest
        name = f"{self._run}-{os.urandom(3).hex()}"
        shipment = Shipment(self._run, self.fleet.topic, where(), FRESH_SINCE.get(), (), (), ())
        self._deliver(name, shipment, {luggage.digest: luggage.blob})
        self._items.append(name)
        return name, luggage.digest

    def _carried(self, value: object) -> object:
        """A value that is the same for all items: large ones are put on the cluster once."""
        if sizeof(value) <= SMALL:
            return value
        if id(value) not in self._fixed:
            self._fixed[id(value)] = value, self._client.scatter([value], hash=False)[0]
        return self._fixed[id(value)][1]

    def put(self, value: object) -> Key:
        """Put a value of this process on the cluster."""
        future = self._client.scatter([value], hash=False, broadcast=_BROADCAST)[0]
        self._kept[future.key] = future
        self._lasting.add(future.key)  # it cannot be computed again
        return cast("Key", future.key)

    def adopt(self, value: Distant) -> tuple[Key, int | None]:
        """Keep what another crew of the run has left on the cluster; where it is."""
        self._kept[value.key] = cast("Future[object]", value.hold)
        self._lasting.add(value.key)  # several nodes may have it
        return value.key, value.item

    def let_go(self, key: Key) -> None:
        """Keep a value no longer that only one node gave and no other wants."""
        if key not in self._lasting:
            self._kept.pop(key, None)

    def distant(self, key: Key, item: int | None) -> Distant:
        """What stands for a value that is kept."""
        return Distant(key, item, self._kept[key])

    def owner(self, name: str, number: int) -> Owner:
        """Whose place a part is."""
        return self._sent[name].owners[number]

    def gather(self, keys: Iterable[Key]) -> dict[Key, object]:
        """The values of these keys, brought here.

        Raises:
            RunCancelledError: If the run is cancelled before they are known.
        """
        wanted = {key: self._kept[key] for key in keys}
        while any(not future.done() for future in wanted.values()):
            if self._is_closed or self._control.cancelled.is_set():
                told = "the values that a node waits for are not computed, because the run was cancelled"
                raise RunCancelledError(told)
            with contextlib.suppress(TimeoutError), self._client.as_current():
                wait(list(wanted.values()), timeout=_PAUSE_S)
        return cast("dict[Key, object]", self._client.gather(wanted)) if wanted else {}

    def stop(self, space: int) -> list[Owner]:
        """Let the workers begin nothing more in this space; what has begun anywhere."""
        return self._asked(stop, frozenset({space}))

    def begun(self) -> list[Owner]:
        """What has begun on workers that are alive."""
        return self._asked(begun)

    def cancel(self) -> None:
        """End what runs of the whole run, as far as it can be ended, and begin nothing more.

        Dask is not asked to cancel what is kept: a scheduler that is told to cancel something which others need whom
        nobody wants drops the client. It forgets all when nothing is kept any more.
        """
        self._asked(cancel)
        self._client.cancel(list(self._chunks))

    def _asked(self, question: Callable[..., object], *args: object) -> list[Owner]:
        found: list[Owner] = []
        for name in [*self._sent, *self._items]:
            answers = self._client.run(question, name, *args, on_error="ignore")
            for numbers in answers.values():
                found += [self._sent[name].owners[number] for number in cast("set[int] | None", numbers) or ()]
        return found

    def lost(self) -> RunError | None:
        """The error to tell if the scheduler is gone, or gave up what it was asked for."""
        comm = self._client.scheduler_comm
        if self._client.status == "running" and comm is not None and comm.comm is not None:
            gone = [key for key, future in self._futures() if future.status in ("cancelled", "lost")]
            told = f"the Dask cluster has lost {gone[0][0] if gone else ''}, which cannot be computed again there"
            return RunError(told, mend="run again: what is cached is reused") if gone else None
        return RunError(
            f"the Dask scheduler at {self._address} was lost, and with it all that was not cached",
            mend="start a scheduler and run again: what is cached is reused",
        )

    def _futures(self) -> list[tuple[Key, Future[object]]]:
        return [*self._kept.items(), *self._held.items()]

    def tell_if_nobody(self) -> None:
        """Warn, once, if there is no worker, so that the run waits for one."""
        self._quiet += 1
        if self._quiet == _PATIENCE and not self.fleet.checks.workers():
            told = f"there is no worker at the Dask scheduler {self._address}; the run waits for one"
            warnings.warn(told, ClusterWarning, stacklevel=2)

    def given_up(self) -> list[tuple[Scope, int, str, BaseException]]:
        """The nodes that Dask itself has given up, each with its error."""
        found: list[tuple[Scope, int, str, BaseException]] = []
        for key, future in self._futures():
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

    def close(self, *, is_whole: bool, is_outermost: bool) -> None:
        """Leave nothing on the cluster.

        Args:
            is_whole: Whether the crew has come to its end by itself; else nothing more of it begins.
            is_outermost: Whether the run ends with the crew; a crew within it leaves alone what others of the run do.
        """
        self._is_closed = True
        for name in [*self._sent, *self._items]:
            self.fleet.listen(name, None)
        names = [*self._own, *self.fleet.let_go(self._run)]
        if self._client.status == "running":
            gone = contextlib.suppress(OSError, TimeoutError, RuntimeError)  # it, or a worker, is lost just now
            with gone:
                if not is_whole:
                    self.cancel() if is_outermost else self._asked(stop)
            for name in names:
                with gone:
                    self._client.unregister_worker_plugin(name)
        self._fixed.clear()
        self._kept.clear()
        self._held.clear()


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
