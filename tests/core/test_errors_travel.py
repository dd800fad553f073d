"""Errors that come back from another process are those of one process, with all that was before them."""

from __future__ import annotations

import traceback

import pytest

from celltask import task


@task
def raise_from(x: int) -> int:
    """Fail because of a failure, amid a failure."""
    try:
        try:
            x // 0
        except ZeroDivisionError as first:
            raise KeyError("second") from first
    except KeyError:
        raise ValueError("third")  # noqa: B904 - what is tested


def test_errors_before_an_error_come_back_with_it() -> None:
    """The whole chain is told as in one process: what it was raised from, and what it was raised amid."""

    def chain(error: BaseException | None) -> list[tuple[str, bool, str]]:
        told = []
        while error is not None:
            lines = [frame.line for frame in traceback.extract_tb(error.__traceback__)]
            told.append((type(error).__name__, error.__suppress_context__, str(lines[-1])))
            error = error.__cause__ or error.__context__
        return told

    there = raise_from.run(x=1, engine="processes").error
    assert (
        chain(there)
        == chain(raise_from.run(x=1, engine="inline").error)
        == [
            ("ValueError", False, 'raise ValueError("third")  # noqa: B904 - what is tested'),
            ("KeyError", True, 'raise KeyError("second") from first'),
            ("ZeroDivisionError", False, "x // 0"),
        ]
    )
    assert there is not None
    assert not vars(there).keys() - {"__notes__"}


@task
def stop(x: int) -> int:
    """Raise what ends an iteration."""
    raise StopIteration(x)


@pytest.mark.parametrize("engine", ["inline", "processes"])
def test_an_error_that_ends_iterations_stays_itself(engine: str) -> None:
    """Though what runs the body is a coroutine inside."""
    assert type(stop.run(x=1, engine=engine).error) is StopIteration
    assert type(stop.with_options({"retries": 1, "retry_delay": 0}).run(x=1, engine=engine).error) is StopIteration
