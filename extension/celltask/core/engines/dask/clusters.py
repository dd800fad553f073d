"""Clusters: which one is meant, and what this process has at it: a client, and listeners for its runs."""

from __future__ import annotations

import contextlib
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from distributed import Client, default_client

from celltask.core.engines.dask.checks import Checks
from celltask.core.engines.dask.embedded import embedded
from celltask.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fleet", "Hold", "fleet_at"]

_CONNECTING_S = 10

_lock = threading.Lock()
_fleets: WeakKeyDictionary[Client, Fleet] = WeakKeyDictionary()
_clients: dict[str, Client] = {}


class Hold:
    """What one run has on a cluster, through all its crews. It holds state.

    Attributes:
        crews: How many are at work.
        tasks: The digests of the tasks that its shipments have brought.
        names: The shipments that stay until the run is over.
    """

    def __init__(self) -> None:
        self.crews = 0
        self.tasks: set[str] = set()
        self.names: list[str] = []
        self.shipping = threading.Lock()


class Fleet:
    """A cluster as this process sees it. It holds state: who listens for what the workers tell.

    Args:
        client: The client of the cluster.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.topic = f"celltask-{client.id}"
        self.checks = Checks(client)
        self.holds: dict[str, Hold] = {}
        self._listeners: dict[str, Callable[[tuple[object, ...]], None]] = {}
        client.subscribe_topic(self.topic, self._heard)

    def listen(self, name: str, listener: Callable[[tuple[object, ...]], None] | None) -> None:
        """Call `listener` with whatever is told of the shipment `name`; ``None`` ends that."""
        if listener is None:
            self._listeners.pop(name, None)
        else:
            self._listeners[name] = listener

    def hold(self, run: str) -> Hold:
        """What the run has here; whoever takes it gives it back with `let_go`."""
        with _lock:
            found = self.holds.setdefault(run, Hold())
            found.crews += 1
            return found

    def let_go(self, run: str) -> list[str]:
        """The shipments that are to be taken away, since nobody of the run is here any more."""
        with _lock:
            found = self.holds[run]
            found.crews -= 1
            return self.holds.pop(run).names if not found.crews else []

    def _heard(self, event: tuple[float, object]) -> None:
        if not isinstance(event[1], bytes):
            return
        for message in pickle.loads(event[1]):  # noqa: S301 - from the workers, whose code runs with the same rights
            listener = self._listeners.get(message[0])
            if listener is not None:
                listener(message)


def fleet_at(where: object) -> Fleet:
    """The cluster that `DaskEngine` was told of.

    Raises:
        RunError: If nobody answers there, or the client cannot be used.
    """
    with _lock:
        client = _client_at(where) if isinstance(where, str) else _client_of(where)
        if client not in _fleets:
            _fleets[client] = Fleet(client)
        return _fleets[client]


def _client_of(thing: object) -> Client:
    if not isinstance(thing, Client):
        return cast("Client", thing.get_client())  # type: ignore[attr-defined]  # a cluster
    if thing.asynchronous:
        raise RunError("the Dask client given as engine is asynchronous", mend="make it with asynchronous=False")
    if thing.status != "running":
        raise RunError(f"the Dask client given as engine is {thing.status}", mend="make a new Client")
    return thing


def _client_at(where: str) -> Client:
    """The client of an address, of a scheduler file, or, for ``""``, the last one made; else one of a cluster here."""
    if not where:
        with contextlib.suppress(ValueError):
            return _client_of(default_client())
    known = _clients.get(where)
    if known is None or known.status != "running":
        known = _clients[where] = _connected(where) if where else embedded()
    return known


def _connected(where: str) -> Client:
    is_file = "://" not in where
    if is_file and not Path(where).is_file():
        told = f"there is no scheduler file {where}"
        raise RunError(told, mend="start a scheduler with `dask scheduler --scheduler-file FILE`, or give its address")
    try:
        if is_file:
            return Client(scheduler_file=where, timeout=_CONNECTING_S, set_as_default=False)
        return Client(where, timeout=_CONNECTING_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        told = f"no Dask scheduler answers at {where}: {error}"
        raise RunError(told, mend="start one with `dask scheduler`, or look at the address") from None
