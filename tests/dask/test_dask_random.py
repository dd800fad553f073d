"""Random workflows of every kind of node end on a cluster as they do here."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celltask import workflow

if TYPE_CHECKING:
    from types import ModuleType

    from distributed import Client


def _loaded() -> ModuleType:
    """The members of the random workflows; nobody can import them by name, as if a notebook had defined them."""
    spec = spec_from_file_location("random_members", Path(__file__).parent.parent / "core" / "test_control_random.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


members = _loaded()


def check(client: Client, steps: list[tuple[str, int, int, int]], x: int) -> None:
    """Equal results, equal states of all nodes, equal numbers of attempts."""

    @workflow(failure_policy="finish")
    def wf(x: int) -> int:
        return members.computed(steps, x, members.traced)

    here, there = wf.run(x=x, engine="inline"), wf.run(x=x, engine=client)
    assert members.facts(here) == members.facts(there)
    assert (here.state, here.value) == (there.state, there.value)


@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
@given(members.STEPS, st.integers(-10, 50))
def test_random_workflows_end_as_here(client: Client, steps: list[tuple[str, int, int, int]], x: int) -> None:
    """A few random workflows of every kind of node."""
    check(client, steps, x)


@pytest.mark.heavy
@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
@given(members.STEPS, st.integers(-10, 50))
def test_many_random_workflows_end_as_here(client: Client, steps: list[tuple[str, int, int, int]], x: int) -> None:
    """The same for many."""
    check(client, steps, x)
