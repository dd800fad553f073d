"""A cluster of two workers on this machine, for all tests of this folder."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import dask
import pytest
from distributed import Client, LocalCluster

if TYPE_CHECKING:
    from collections.abc import Iterator


def started(workers: int, **options: object) -> LocalCluster:
    """A cluster on loopback that shows nothing; its workers keep their bytecode, and so start in a second."""
    with dask.config.set({"distributed.nanny.pre-spawn-environ.PYTHONDONTWRITEBYTECODE": ""}):
        return LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL, **options,
        )  # fmt: skip


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """The client of a cluster of two workers, each with one thread and one CPU declared."""
    with started(2, resources={"CPU": 1}) as cluster, Client(cluster, set_as_default=False) as made:
        yield made


@pytest.fixture
def lonely() -> Iterator[Client]:
    """The client of a cluster of one worker, which the test may spoil; a body that kills it is not tried again."""
    once = dask.config.set({"distributed.scheduler.allowed-failures": 0})
    with once, started(1) as cluster, Client(cluster, set_as_default=False) as made:
        yield made
