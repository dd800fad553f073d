"""Embedded: a Dask cluster of this machine alone, made by this process and closed when it ends."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
from typing import TYPE_CHECKING

import dask
from distributed import Client, LocalCluster, Nanny
from distributed.deploy.utils import nprocesses_nthreads

from celltask.core.environment import put_back
from celltask.errors import RunError

if TYPE_CHECKING:
    from distributed.core import Status

__all__ = ["cluster_here", "embedded"]

# Bytecode that is not kept makes each worker start six times slower.
_SETTINGS = {"distributed.nanny.pre-spawn-environ.PYTHONDONTWRITEBYTECODE": ""}
_LASTING = {"distributed.deploy.lost-worker-timeout": "1000 days"}


class LastingCluster(LocalCluster):
    """A cluster whose workers all come back: Dask else takes one for lost that is slow to start after a crash."""

    def _update_worker_status(self, op: str, msg: object) -> None:
        with dask.config.set(_LASTING):  # it is looked up there
            super()._update_worker_status(op, msg)  # type: ignore[no-untyped-call]  # distributed has no types there


_before: dict[str, str | None] = {}
"""The variables of this process that Dask sets here for its workers to inherit, as they were."""


class TidyNanny(Nanny):
    """Starts a worker, and leaves the environment of this process as it was."""

    async def instantiate(self) -> Status:
        """Start it, or start it again."""
        try:
            return await super().instantiate()
        finally:
            put_back(_before)


def embedded() -> Client:
    """The client of a cluster on this machine alone, which ends with this process.

    Raises:
        RunError: If its processes cannot be started.
    """
    workers, threads = nprocesses_nthreads()
    try:
        cluster = cluster_here(workers, threads, resources={"CPU": threads}, scheduler_kwargs={"dashboard": False})
    except RuntimeError as error:
        told = f"no Dask cluster could be started on this machine: {error}"
        raise RunError(told, mend="in a script, put what runs below `if __name__ == '__main__':`") from None
    client = Client(cluster, set_as_default=False, direct_to_workers=True)
    atexit.register(_close, client, cluster)
    return client


def cluster_here(workers: int, threads: int, **options: object) -> LastingCluster:
    """A cluster on loopback that shows nothing and changes nothing of this process.

    Args:
        workers: How many processes.
        threads: How many threads each has.
        **options: More for `distributed.LocalCluster`.
    """
    names = ("PYTHONHASHSEED", "__DASK_PARENT_PID", *dask.config.get("distributed.nanny.pre-spawn-environ", {}))
    before = {name: os.environ.get(name) for name in (*names, "PYTHONDONTWRITEBYTECODE")}
    with dask.config.set(_SETTINGS):
        cluster = LastingCluster(  # type: ignore[no-untyped-call]  # distributed has no types there
            worker_class=TidyNanny, n_workers=workers, threads_per_worker=threads, host="127.0.0.1",
            dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL, **options,
        )  # fmt: skip
    _before.update({name: value for name, value in before.items() if name not in _before})
    put_back(_before)  # only now: workers that start at once need what each other's start has set
    return cluster


def _close(client: Client, cluster: LocalCluster) -> None:
    with contextlib.suppress(Exception):  # the interpreter ends: nobody is left to tell
        client.close(timeout=2)
        cluster.close(timeout=5)
