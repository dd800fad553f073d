"""Gates: approvals and values that a person gives while a workflow runs."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from celltask import approve, conditional, dynamic, task, wait_for_input, workflow
from celltask.core.asking import Question, set_asker
from celltask.errors import BindingError, CallError, InterfaceError, RunError, ValueMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@task
def add(a: int, b: int) -> int:
    """Sum."""
    return a + b


@task
def note(x: int) -> None:
    """No output."""


@workflow
def paying(x: int) -> int:
    """A value is entered, and the sum approved."""
    return approve("payment", add(a=x, b=wait_for_input("extra", int)))


@pytest.fixture
def asked() -> Iterator[list[Question]]:
    """What gates ask; each is answered with its type's plainest yes."""
    questions: list[Question] = []

    def answer(question: Question) -> object:
        questions.append(question)
        return True if question.handler.name == "bool" else question.read("5")

    before = set_asker(answer)
    yield questions
    set_asker(before)


@pytest.mark.parametrize("engine", ["inline", "threads"])
def test_answers_are_given_with_the_run(engine: str) -> None:
    """By the names of the gates, as values of their types."""
    run = paying.run(x=1, engine=engine, answers={"extra": 2, "payment": True})
    assert run.result() == 3
    assert [(node.label, node.state) for node in run.nodes] == [
        ("extra", "done"), ("add", "done"), ("payment", "done"),
    ]  # fmt: skip
    assert [entity.kind for entity in paying.graph.entities.values()] == ["gate", "python", "gate"]


def test_an_answer_that_does_not_fit_is_told() -> None:
    """The type of the gate decides."""
    error = paying.run(x=1, answers={"extra": "2", "payment": True}).error
    assert isinstance(error, ValueMismatchError)
    assert error.what == "the answer to gate 'extra' must be int, got '2' (str)"
    assert error.mend == "answer with int"


def test_what_is_not_approved_fails() -> None:
    """The nodes after it do not run."""

    @workflow
    def wf(x: int) -> int:
        return add(a=approve("go", x), b=1)

    run = wf.run(x=1, answers={"go": False})
    assert isinstance(run.error, RunError)
    assert run.error.what == "gate 'go' was not approved"
    assert [node.state for node in run.nodes] == ["failed", "skipped"]


def test_without_an_answer_or_anybody_to_ask_it_fails_at_once() -> None:
    """It tells how to answer, and never waits."""
    error = paying.run(x=1).error
    assert isinstance(error, RunError)
    assert error.what == "gate 'extra' has no answer, and there is nobody to ask"
    assert error.where.startswith("tests/core/test_gates.py, line ")
    assert error.mend == "give it with the run: run(answers={'extra': …}), or celltask run … --answer extra=…"


def test_one_function_asks(asked: list[Question]) -> None:
    """Whatever is put in its place gets the question with name, text and type."""
    assert paying(x=1) == 6
    assert [(question.name, question.text) for question in asked] == [
        ("extra", "extra (int): "),
        ("payment", "payment: approval of 6 (int)? (yes or no) "),
    ]
    assert wait_for_input("n", int) == 5
    assert approve("n", 7) == 7


def test_gates_stand_in_order_and_in_branches(asked: list[Question]) -> None:
    """A gate without a value is put in order by `>>`, or by the node that it is given."""

    @workflow
    def wf(x: int) -> int:
        approve("first", note(x=x)) >> note(x=2)  # type: ignore[func-returns-value, operator]  # handles of nodes
        return conditional("c").if_(x > 0).then(wait_for_input("n", int)).else_().then(0)

    assert wf(x=1) == 5
    assert sorted(question.name for question in asked) == ["first", "n"]
    assert (wf.graph.nodes[1].after, wf.graph.nodes[2].after) == (("n0",), ("n1",))


def test_answers_nobody_asks_for_are_refused() -> None:
    """With the names of the gates; a graph made while running may have any."""
    with pytest.raises(CallError) as caught:
        paying.run(x=1, answers={"pay": True})
    assert (caught.value.what, caught.value.mend) == (
        "workflow 'paying' has no gate 'pay' to answer",
        "its gates: extra, payment",
    )

    @dynamic
    def grown(name: str) -> int:
        return wait_for_input(name, int)

    assert grown.run({"name": "made"}, answers={"made": 4}).result() == 4


def test_gates_that_make_no_sense_are_refused() -> None:
    """A name is needed, and one value."""

    @task
    def two(x: int) -> tuple[int, int]:
        return x, x

    with pytest.raises(InterfaceError, match="a gate has no name"):
        wait_for_input("", int)
    with pytest.raises(InterfaceError, match="a gate has no name"):

        @workflow
        def other_way_round(x: int) -> int:
            return approve(x, "name")  # type: ignore[call-overload, arg-type, return-value]  # the test

    with pytest.raises(InterfaceError, match="timeout -1 is not a time"):
        wait_for_input("n", int, timeout=-1)
    with pytest.raises(BindingError, match="gate 'g' is given a node with 2 outputs"):

        @workflow
        def wf(x: int) -> tuple[int, int]:
            return approve("g", two(x=x))


PROGRAM = """
from celltask import approve, wait_for_input, workflow

@workflow
def wf(x: int) -> int:
    return approve("go", wait_for_input("n", int, timeout={timeout}))

run = wf.run(x=1)
print(run.value if run.error is None else run.error.what)
"""


def at_terminal(folder: Path, typed: bytes, timeout: float | None) -> str:
    """What a program prints whose terminal is typed on."""
    (folder / "program.py").write_text(PROGRAM.format(timeout=timeout))
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed)
        done = subprocess.run(
            [sys.executable, "program.py"], cwd=folder, stdin=theirs, capture_output=True, text=True, timeout=60,
            check=True,
        )  # fmt: skip
    finally:
        os.close(theirs)
        os.close(ours)
    return done.stderr + done.stdout


def test_a_terminal_is_asked(tmp_path: Path) -> None:
    """On standard error, again while the answer does not fit."""
    said = at_terminal(tmp_path, b"many\n3\nmaybe\nyes\n", None)
    assert said == (
        "n (int): int is wanted. n (int): go: approval of 3 (int)? (yes or no) "
        "yes or no is wanted. go: approval of 3 (int)? (yes or no) 3\n"
    )


def test_a_gate_may_time_out(tmp_path: Path) -> None:
    """It waits no longer than it says."""
    assert at_terminal(tmp_path, b"", 0.2) == "n (int): \ngate 'n' had no answer within 0.2 s\n"


PAGE = """
```{code-cell}
from celltask import wait_for_input, workflow

@workflow
def asking() -> int:
    return wait_for_input("n", int)
```

```{code-cell}
asking()
```
"""


def test_a_document_under_test_has_nobody_to_ask(tmp_path: Path) -> None:
    """A kernel without a front end fails the cell at once."""
    (tmp_path / "page.md").write_text(PAGE)
    done = subprocess.run(
        [sys.executable, "-m", "celltask", "test", "page.md"], cwd=tmp_path, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "gate 'n' has no answer, and there is nobody to ask" in done.stdout + done.stderr
