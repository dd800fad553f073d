"""Random workflows of every kind of node end on a cluster as they do here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_workflows import Batch, Step, plans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distributed import Client

    from celltask import Run, Workflow

SLOW = list(HealthCheck)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # a failure is told at once, each run takes seconds
PATIENCE_S = 60.0
"""So long one of these runs may take, of which each is over in a few seconds."""

# The scheduler of the tests' cluster is a thread of this process, and uses the module while hypothesis draws.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


def run(
    client: Client,
    workflow: Workflow[..., object],
    inputs: Mapping[str, object],
    *,
    engine: str,
    answers: Mapping[str, object],
) -> Run:
    """A run where "dask" means the cluster of the tests; one that does not end fails by itself."""
    running = workflow.start(inputs, engine=client if engine == "dask" else engine, answers=answers)
    return running.wait(PATIENCE_S)


def test_random_workflows_end_as_here(client: Client) -> None:
    """Equal results, equal states of all nodes, equal attempts, for a few random workflows."""
    batch = Batch(("inline", "dask"))

    @settings(deadline=None, max_examples=5, derandomize=True, database=None, suppress_health_check=SLOW)
    @given(plans(most=12), st.integers(-10, 50))
    def prove(steps: list[Step], x: int) -> None:
        batch.prove(steps, x, partial(run, client))

    prove()
    assert batch.examples >= 5


@pytest.mark.heavy
def test_many_random_workflows_end_as_here(client: Client) -> None:
    """The same for many, with every kind of node among them, and all that can become of one."""
    batch = Batch(("inline", "dask"))

    @settings(deadline=None, max_examples=40, phases=WITHOUT_SHRINKING, suppress_health_check=SLOW)
    @given(plans(most=50), st.integers(-10, 50))
    def prove(steps: list[Step], x: int) -> None:
        batch.prove(steps, x, partial(run, client))

    prove()
    batch.check(30)
