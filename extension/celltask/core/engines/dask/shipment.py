"""Shipment: what a part of a run is made of, as it goes to the workers of a cluster, once to each of them.

The graph that Dask gets has only numbers in it: which shipment, and which part of that. Tasks with their code, what
is bound to what, and small values of the workflow's inputs go here.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.graph import Binding
    from celltask.core.interface import Interface

__all__ = ["Border", "Carried", "Part", "Shipment", "Space", "Values", "versions_here"]

Values = tuple[tuple[int, int | None], ...]
"""Where the values go that a part gets from other parts: a place, and the item of the value that belongs there, or
``None`` for the whole."""


class Border(NamedTuple):
    """What a workflow within the workflow checks of the values that go in and out."""

    name: str
    place: str
    interface: Interface


class Space(NamedTuple):
    """One execution as the workers know it: its names and values, by place."""

    places: Mapping[str, int]
    several: frozenset[int]
    known: Mapping[int, object]


class Part(NamedTuple):
    """One thing for a worker to do: a node, or what stands before and behind the nodes of an inner workflow.

    `member` is the digest of a task (``kind="node"``) or the number of a border (``"enter"``, ``"leave"``); for
    ``"order"``, which only says that something has ended, it is ``""``.
    """

    kind: str
    space: int
    place: int
    node: str
    member: str | int
    bindings: tuple[Binding | None, ...]
    sources: Values
    permits: tuple[tuple[str, int], ...] = ()
    """Names of places of which so many are to be had, and one is taken while it runs."""
    digests: tuple[tuple[int, int, int], ...] = ()
    """For inputs of a cached task whose content another one may have told: input, place it comes from, output."""


class Carried(NamedTuple):
    """The value of a cached task with the digests of its outputs, which so are told to whoever gets it."""

    value: object
    digests: tuple[str, ...]


class Shipment(NamedTuple):
    """The parts of a run that are handed over at once.

    `store` is the store of the client, for workers that see its folder; `fresh_since` as in the context there.
    """

    run: str
    topic: str
    store: str
    fresh_since: float
    spaces: tuple[Space, ...]
    borders: tuple[Border, ...]
    parts: tuple[Part, ...]


def versions_here() -> dict[str, str]:
    """What must be the same wherever parts of a run are."""
    found = {name: version(name) for name in ("cloudpickle", "distributed")}
    from celltask import __version__  # noqa: PLC0415 - the package is loaded by whoever asks

    return {"Python": "{}.{}".format(*sys.version_info), "celltask": __version__, **found}
