"""Where jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from celltask.core.engines.base import Engine
from celltask.errors import PluginError
from celltask.plugins import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Engine", "engine_of", "name_of"]

shelf = Shelf(
    "celltask.engines",
    {
        "dask": "celltask.core.engines.dask:DaskEngine",
        "inline": "celltask.core.engines.inline:InlineEngine",
        "processes": "celltask.core.engines.processes:ProcessesEngine",
        "threads": "celltask.core.engines.threads:ThreadsEngine",
    },
)

_made: dict[str, Engine] = {}
_made_of: WeakKeyDictionary[object, Engine] = WeakKeyDictionary()

_ADDRESSES = ("tcp", "tls", "ucx", "ws", "wss")


def engine_of(choice: object) -> Engine:
    """The engine that `choice` says, one for this process.

    Args:
        choice: A name, alone or with where it is: ``"dask:tcp://10.0.0.5:8786"``; an address alone means Dask; or an
            object that an engine works with: a Dask client or cluster.

    Raises:
        PluginError: If there is none of that name, or it is nowhere, or none works with such an object.
    """
    if not isinstance(choice, str):
        return _engine_with(choice)
    if choice not in _made:
        name, colon, where = choice.partition(":")
        if name in _ADDRESSES:
            name, where = "dask", choice
        make = cast("Callable[..., Engine]", shelf.get(name))
        if colon and not hasattr(make, "takes_place"):
            raise PluginError(f"engine {name!r} is at no place, and {choice!r} names one", mend=f"use {name!r} alone")
        _made[choice] = make(where) if colon else make()
    return _made[choice]


def name_of(choice: object) -> str:
    """What a choice of engine is called where it is written down."""
    return choice if isinstance(choice, str) else "dask"  # so far, no other engine works with objects


def _engine_with(thing: object) -> Engine:
    """The engine that works with this object, told by the package that its class, or one of its bases, is from."""
    bases = [base.__module__.partition(".")[0] for base in type(thing).__mro__]
    if "distributed" not in bases:
        told = f"there is no engine that works with a {type(thing).__name__}"
        raise PluginError(told, mend="give the name of an engine, or a Dask client or cluster")
    if thing not in _made_of:
        _made_of[thing] = cast("Callable[..., Engine]", shelf.get("dask"))(thing)
    return _made_of[thing]
