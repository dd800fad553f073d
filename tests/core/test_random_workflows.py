"""Random workflows of every kind of node give what plain Python gives, on every engine in the same way."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_workflows import Batch, Step, answers_of, plans, workflow_of

ENGINES = ("inline", "threads", "processes")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def test_random_workflows_give_the_same_on_every_engine() -> None:
    """Equal results, equal states of all nodes, equal attempts: one after another, side by side, in processes."""
    batch = Batch(ENGINES)

    @settings(deadline=None, max_examples=15, derandomize=True, database=None, suppress_health_check=SLOW)
    @given(plans(most=25), st.integers(-10, 50))
    def prove(steps: list[Step], x: int) -> None:
        batch.prove(steps, x)

    prove()
    batch.check(15)


@pytest.mark.heavy
def test_many_random_workflows_give_the_same_on_every_engine() -> None:
    """The same for many more, different ones each time."""
    batch = Batch(ENGINES)

    @settings(deadline=None, max_examples=250, suppress_health_check=SLOW)
    @given(plans(), st.integers(-10, 50))
    def prove(steps: list[Step], x: int) -> None:
        batch.prove(steps, x)

    prove()
    batch.check(200)


@settings(deadline=None, max_examples=10, suppress_health_check=SLOW)
@given(plans(most=20), st.integers(-10, 50))
def test_a_run_that_stops_at_once_ends_as_one_that_finishes(steps: list[Step], x: int) -> None:
    """What fails is the same: with the policy "stop", other nodes are done with the same attempts or did not run."""
    answers = answers_of(steps)
    finished = workflow_of(steps).run(x=x, salt=-1, answers=answers, engine="inline")
    for engine in ENGINES[:2]:
        stopped = workflow_of(steps, "stop").run(x=x, salt=-1, answers=answers, engine=engine)
        assert (stopped.state, stopped.value) == (finished.state, finished.value)
        for node in stopped.nodes:
            if node.state not in ("skipped", "cancelled") and not node.id.startswith("on_failure"):
                assert node.attempts == finished.node(node.id).attempts
                assert node.state.replace("reused", "done") == finished.node(node.id).state.replace("reused", "done")
