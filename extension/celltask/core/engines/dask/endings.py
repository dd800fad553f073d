"""Endings: what is told of nodes that did not end by themselves, and errors that come from workers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

from distributed import KilledWorker

from celltask.core.engines.dask.checks import SAME_MEND
from celltask.core.engines.dask.worker import NotLoadedError
from celltask.core.engines.traces import raise_again
from celltask.core.engines.wire import unpacked
from celltask.errors import WorkerDiedError

if TYPE_CHECKING:
    from celltask.core.composite import Composite
    from celltask.core.task import Task

__all__ = ["error_in", "given_up"]


def given_up(member: Task[..., object] | Composite, error: BaseException) -> WorkerDiedError:
    """The error of a node that Dask gave up."""
    mend = (
        "look for what ends its process: a crash, or too little memory; with a timeout=… it gets a process of its own"
    )
    if isinstance(error, KilledWorker):
        told = f"task {member.name!r} was running on several Dask workers that died one after another, and is given up"
        return WorkerDiedError(told, member.place, mend)
    if isinstance(error, NotLoadedError):
        return WorkerDiedError(f"task {member.name!r} could not run: {error}", member.place, SAME_MEND)
    told = f"task {member.name!r} was given up by Dask: {type(error).__name__}: {error}"
    return WorkerDiedError(told, member.place, "look into the logs of the workers")


def error_in(told: tuple[bytes, list[bytes]]) -> BaseException:
    """An error that a worker told of, with its traceback."""
    __tracebackhide__ = True
    error, rows = cast("tuple[BaseException, list[object]]", unpacked(cast("tuple[bytes, list[object]]", told)))  # type: ignore[arg-type]  # bytes are buffers
    with contextlib.suppress(type(error)):
        raise_again(error, rows)  # type: ignore[arg-type]  # rows, as packed there
    return error
