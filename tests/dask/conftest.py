"""A cluster of two workers on this machine, for all tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import dask
import pytest
from distributed import Client
from local_clusters import started

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.append(str(Path(__file__).parent.parent / "core"))  # random workflows, for this process and the workers


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """The client of a cluster of two workers, each with one thread and one CPU declared."""
    # Else the cluster takes a worker for lost that happens to start anew some time after another loss.
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"})
    with patient, started(2, resources={"CPU": 1}) as cluster, Client(cluster, set_as_default=False) as made:
        yield made


@pytest.fixture
def lonely() -> Iterator[Client]:
    """The client of a cluster of one worker, which the test may spoil; a body that kills it is not tried again."""
    once = dask.config.set({"distributed.scheduler.allowed-failures": 0})
    with once, started(1) as cluster, Client(cluster, set_as_default=False) as made:
        yield made
