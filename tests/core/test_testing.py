"""`mock_task`: a stand-in for a task, inside and outside of workflows."""

from __future__ import annotations

import asyncio

import pytest

from celltask import mock_task, task, workflow
from celltask.errors import CelltaskError, ValueMismatchError


@task
def fetch(url: str) -> int:
    """A task that needs the network."""
    raise ConnectionError(url)


@task(retries=3, cache=True)
def cached_fetch(url: str) -> int:
    """The same with options."""
    raise ConnectionError(url)


@workflow
def wf(url: str) -> tuple[int, int]:
    """Two nodes, one with overrides."""
    return fetch(url=url), fetch(url=url).with_overrides(retries=1)


def test_a_mock_stands_in_for_every_use_of_the_task() -> None:
    """Direct calls, nodes, and nodes with overrides all reach the mock."""
    with mock_task(fetch) as mock:
        mock.return_value = 3
        assert fetch(url="a") == 3
        assert wf(url="b") == (3, 3)
    assert [call.args for call in mock.call_args_list] == [("a",), ("b",), ("b",)]


def test_a_mock_is_taken_back_also_after_an_error() -> None:
    """The task is itself again when the block has raised."""
    with pytest.raises(ZeroDivisionError), mock_task(fetch):
        raise ZeroDivisionError
    with pytest.raises(ConnectionError):
        fetch(url="a")


def test_types_are_still_checked() -> None:
    """A mock must take and give what the task declares."""
    with mock_task(fetch) as mock:
        mock.return_value = "three"
        with pytest.raises(ValueMismatchError, match="output 'o0' of 'fetch' must be int"):
            fetch(url="a")
        with pytest.raises(ValueMismatchError, match="input 'url' of 'fetch' must be str"):
            fetch(url=1)  # type: ignore[arg-type]  # what is tested


def test_cache_and_retries_are_left_out() -> None:
    """A mocked task is neither looked up nor tried again."""
    with mock_task(cached_fetch) as mock:
        mock.side_effect = ConnectionError
        with pytest.raises(ConnectionError):
            cached_fetch(url="a")
        mock.side_effect = None
        mock.return_value = 1
        assert (cached_fetch(url="a"), cached_fetch(url="a")) == (1, 1)
    assert mock.call_count == 3


def test_an_async_task_can_be_mocked() -> None:
    """The mock's value is what awaiting gives."""

    @task
    async def later(x: int) -> int:
        return x

    async def main() -> int:
        return await later(x=1)

    with mock_task(later) as mock:
        mock.return_value = 7
        assert asyncio.run(main()) == 7


def test_only_tasks_can_be_mocked() -> None:
    """Anything else is told what is expected."""
    with pytest.raises(CelltaskError, match="is not a task"), mock_task(len):  # type: ignore[arg-type]  # what is tested
        pass
