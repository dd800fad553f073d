"""Clusters on this machine for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.engines.dask.embedded import cluster_here

if TYPE_CHECKING:
    from distributed import LocalCluster


def started(workers: int, **options: object) -> LocalCluster:
    """A cluster on loopback that shows nothing; its workers keep their bytecode, and so start in a second."""
    return cluster_here(workers, 1, **options)
