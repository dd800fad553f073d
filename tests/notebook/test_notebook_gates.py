"""Gates of runs that go on beside the cells of a notebook."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from celltask.errors import CallError, CelltaskError, RunCancelledError, TaskTimeoutError

if TYPE_CHECKING:
    from conftest import Notebook

PAY = """
from celltask import approve, task, wait_for_input, workflow

@task
def total(xs: list[int], limit: int) -> int:
    return min(sum(xs), limit)

@workflow
def paid(xs: list[int]) -> int:
    return approve("payment", total(xs=xs, limit=wait_for_input("limit", int)))

@workflow
def hurried() -> int:
    return wait_for_input("now", int, timeout=0.05)
"""


def answered(notebook: Notebook, line: str) -> str:
    """Answer a gate as soon as it waits; what is printed."""
    until = time.monotonic() + 10
    while True:
        ran = notebook.run(line)
        if not isinstance(ran.error, CallError) or "waits for an answer" not in str(ran.error):
            return str(ran.error or "")
        assert time.monotonic() < until, str(ran.error)
        time.sleep(0.01)


def test_a_run_beside_the_cells_is_answered_by_a_line(notebook: Notebook) -> None:
    """One gate after the other, with values of the type that each wants."""
    notebook("%load_ext celltask")
    notebook(PAY)
    notebook("running = paid.start(xs=[3, 4])")
    assert "gate 'limit' wants int" in answered(notebook, "%answer limit many")
    assert answered(notebook, "%answer limit 5") == ""
    assert answered(notebook, "%answer payment yes") == ""
    assert notebook("running.result(10)") == 5


def test_a_refusal_fails_the_gate(notebook: Notebook) -> None:
    """Nothing behind it runs."""
    notebook("%load_ext celltask")
    notebook(PAY)
    notebook("running = paid.start(xs=[3, 4])")
    answered(notebook, "%answer limit 5")
    answered(notebook, "%answer payment no")
    assert "gate 'payment' was not approved" in str(notebook("running.wait(10).error"))


def test_a_gate_ends_with_its_run_and_its_time(notebook: Notebook) -> None:
    """It does not wait for ever."""
    notebook("%load_ext celltask")
    notebook(PAY)
    assert type(notebook("hurried.start().wait(10).error")) is TaskTimeoutError
    notebook("running = paid.start(xs=[1])")
    notebook("running.cancel()")
    assert type(notebook("running.wait(10).error")) is RunCancelledError


def test_a_gate_does_not_wait_for_that_of_another_run(notebook: Notebook) -> None:
    """Each can be answered, or be too late, while the other waits."""
    notebook("%load_ext celltask")
    notebook(PAY)
    notebook("running, other = paid.start(xs=[3, 4]), paid.start(xs=[1])")
    assert "gate 'limit' wants int" in answered(notebook, "%answer limit many")
    assert type(notebook("hurried.start().wait(10).error")) is TaskTimeoutError
    for line in ("%answer limit 5", "%answer limit 5", "%answer payment yes", "%answer payment yes"):
        assert answered(notebook, line) == ""
    assert notebook("running.result(10), other.result(10)") == (5, 1)


def test_an_answer_to_nothing_says_what_waits(notebook: Notebook) -> None:
    """By name."""
    notebook("%load_ext celltask")
    ran = notebook.run("%answer payment yes")
    assert isinstance(ran.error, CallError)
    assert str(ran.error).startswith("no gate 'payment' waits for an answer\n")
    assert "none waits now" in str(ran.error)


@pytest.mark.parametrize("line", ["%answer", "%answer limit"])
def test_an_answer_without_words_is_refused(notebook: Notebook, line: str) -> None:
    """With what is missing."""
    notebook("%load_ext celltask")
    assert isinstance(notebook.run(line).error, CelltaskError)
