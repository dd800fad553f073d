"""Runs on workers that are jobs of a real Slurm, one of which is cancelled in the middle of a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import dask
import pytest
import slurm

from celltask import map_task, task, workflow
from celltask.core.events import NodeFinished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed import SpecCluster

    from celltask.core.events import Event

WHY_NOT = slurm.missing()
jobqueue = pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed; pip install dask-jobqueue")

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(bool(WHY_NOT), reason=f"there is no Slurm to be had: {WHY_NOT}")]


@task
def slow_square(x: int) -> int:
    """Takes a while."""
    import time  # noqa: PLC0415 - a body brings its imports

    time.sleep(0.1)
    return x * x


@task
def total(xs: list[int]) -> int:
    """Their sum."""
    return sum(xs)


@workflow
def squares(first: int) -> int:
    """Forty nodes, and a map."""
    rows = [slow_square(x=first) for _ in range(40)]
    return total(xs=[total(xs=rows), total(xs=map_task(slow_square)(x=[1, 2, 3]))])


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """That of a Slurm which this process asks."""
    with pytest.MonkeyPatch.context() as patch, slurm.running(tmp_path_factory.mktemp("slurm")) as path:
        patch.setenv("SLURM_CONF", str(path))
        yield path


@pytest.fixture
def cluster(configuration: Path, tmp_path: Path) -> Iterator[SpecCluster]:
    """A cluster whose worker is a job."""
    del configuration
    options = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    folder = str(tmp_path)
    soon = dask.config.set({"distributed.deploy.lost-worker-timeout": "1s"})
    with soon, jobqueue.SLURMCluster(
        cores=1, memory="300MB", job_cpu=1, job_mem="300MB", python=sys.executable, scheduler_options=options,
        worker_extra_args=["--host", "127.0.0.1"], log_directory=folder, local_directory=folder,
    ) as made:  # fmt: skip
        made.scale(jobs=1)
        yield made


def test_a_run_is_carried_out_by_jobs(cluster: SpecCluster) -> None:
    """The cluster object is all that the run needs."""
    run = squares.run(first=3, engine=cluster)
    assert (run.state, run.value) == ("done", 40 * 9 + 14)


@pytest.mark.filterwarnings(
    "ignore::celltask.core.engines.dask.offices.ClusterWarning"
)  # for a while, no worker is there
def test_a_job_that_is_cancelled_in_the_middle_of_a_run_is_made_up_for(
    cluster: SpecCluster, configuration: Path
) -> None:
    """The cluster submits another job, and the run completes with the right result."""
    cancelled: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, NodeFinished) and not cancelled:
            cancelled.extend(slurm.jobs(configuration))
            cluster.adapt(minimum=1, maximum=1)
            slurm.cancel(configuration, cancelled[0])

    run = squares.start(first=2, engine=cluster, on_event=listen).wait(timeout=120)
    assert (run.state, run.value) == ("done", 40 * 4 + 14)
    assert cancelled
    assert cancelled[0] not in slurm.jobs(configuration)
