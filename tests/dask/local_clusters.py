"""Clusters on this machine for the tests of this folder."""

from __future__ import annotations

import logging

import dask
from distributed import LocalCluster


def started(workers: int, **options: object) -> LocalCluster:
    """A cluster on loopback that shows nothing; its workers keep their bytecode, and so start in a second."""
    with dask.config.set({"distributed.nanny.pre-spawn-environ.PYTHONDONTWRITEBYTECODE": ""}):
        return LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL, **options,
        )  # fmt: skip
