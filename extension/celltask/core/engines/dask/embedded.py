"""Embedded: a Dask cluster of this machine alone, made by this process and closed when it ends."""

from __future__ import annotations

import atexit
import contextlib
import logging

import dask
from distributed import Client, LocalCluster
from distributed.deploy.utils import nprocesses_nthreads

from celltask.errors import RunError

__all__ = ["embedded"]

# Bytecode that is not kept makes each worker start six times slower.
_SETTINGS = {"distributed.nanny.pre-spawn-environ.PYTHONDONTWRITEBYTECODE": ""}
_LASTING = {"distributed.deploy.lost-worker-timeout": "1000 days"}


class LastingCluster(LocalCluster):
    """A cluster whose workers all come back: Dask else takes one for lost that is slow to start after a crash."""

    def _update_worker_status(self, op: str, msg: object) -> None:
        with dask.config.set(_LASTING):  # it is looked up there
            super()._update_worker_status(op, msg)  # type: ignore[no-untyped-call]  # distributed has no types there


def embedded() -> Client:
    """The client of a cluster on this machine alone, which ends with this process.

    Raises:
        RunError: If its processes cannot be started.
    """
    workers, threads = nprocesses_nthreads()
    try:
        with dask.config.set(_SETTINGS):
            cluster = LastingCluster(  # type: ignore[no-untyped-call]  # as above
                n_workers=workers, threads_per_worker=threads, host="127.0.0.1", dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL, resources={"CPU": threads}, scheduler_kwargs={"dashboard": False},
            )  # fmt: skip
    except RuntimeError as error:
        told = f"no Dask cluster could be started on this machine: {error}"
        raise RunError(told, mend="in a script, put what runs below `if __name__ == '__main__':`") from None
    client = Client(cluster, set_as_default=False, direct_to_workers=True)
    atexit.register(_close, client, cluster)
    return client


def _close(client: Client, cluster: LocalCluster) -> None:
    with contextlib.suppress(Exception):  # the interpreter ends: nobody is left to tell
        client.close(timeout=2)
        cluster.close(timeout=5)
