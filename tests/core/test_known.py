"""What is known of the content of values in a run: told once, and never remembered for what may be changed."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from celltask import task, workflow

pytestmark = pytest.mark.usefixtures("own_store")


def test_within_a_run_nothing_is_hashed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large array that goes through three cached nodes is told once, when it is made, and not at all when reused."""
    from celltask.core.types import digest, large  # noqa: PLC0415 - looked into here

    told: list[int] = []
    counted = functools.wraps(large.digest_of_large)(
        lambda data: (told.append(len(data)), large.digest_of_large(data))[1]  # type: ignore[func-returns-value]  # counts
    )
    monkeypatch.setattr(digest, "digest_of_large", counted)

    @task(cache=True)
    def make(x: int) -> np.ndarray[Any, Any]:
        return np.full(500_000, float(x))

    @task(cache=True)
    def total(xs: np.ndarray[Any, Any]) -> float:
        return float(xs.sum())

    @task(cache=True)
    def largest(xs: np.ndarray[Any, Any]) -> float:
        return float(xs.max())

    @workflow
    def wf(x: int) -> tuple[float, float]:
        made = make(x)
        return total(made), largest(made)

    assert wf(x=2) == (1_000_000.0, 2.0)
    assert len(told) == 1
    told.clear()
    assert [node.state for node in wf.run(x=2).nodes] == ["reused"] * 3
    assert told == []


def test_a_shared_value_that_a_task_changes_is_told_anew() -> None:
    """A digest is not remembered for a value that some node may change."""

    @task(share=["xs"])
    def spoil(xs: list[int]) -> int:
        xs.append(9)
        return len(xs)

    @task
    def make(n: int) -> list[int]:
        return list(range(n))

    @task(cache=True)
    def total(xs: list[int]) -> int:
        return sum(xs)

    @workflow
    def wf(n: int) -> tuple[int, int]:
        xs = make(n)
        first = total(xs).with_overrides(name="first")
        spoilt = spoil(xs)
        second = total(xs).with_overrides(name="second")
        first >> spoilt >> second
        return first, second

    assert wf.run(n=3, engine="inline").result() == (3, 12)
