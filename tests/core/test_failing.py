"""What a workflow does after a failure: policies and handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from celltask import Failure, ImperativeWorkflow, WorkflowFailurePolicy, dynamic, runs, task, workflow
from celltask.core.events import Event, NodeFailed, NodeFinished, RunFinished
from celltask.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable

TOLD: list[object] = []


@task
def inc(x: int) -> int:
    """One more."""
    return x + 1


@task
def fail(x: int) -> int:
    """Always an error."""
    message = f"no {x}"
    raise ValueError(message)


@task(allow_globals=["TOLD"])
def clean_up(x: int, err: Failure) -> None:
    """Note what is told."""
    TOLD.append((x, err))


@task(allow_globals=["TOLD"])
def tell(error: str, level: int = 3) -> None:
    """Note the text."""
    TOLD.append((error, level))


@task
def breaks(err: Failure | None = None) -> None:
    """Fail too."""
    message = "and so did I"
    raise KeyError(message)


@workflow
def cleaning(x: int, err: Failure) -> None:
    """A handler of two nodes."""
    clean_up(x=inc(x=x), err=err) >> tell(error="done")  # type: ignore[operator, func-returns-value]  # handles of nodes


@workflow(on_failure=clean_up)
def wf(x: int, y: int = 2) -> int:
    """Fails in its second node."""
    return inc(x=fail(x=inc(x=x)))


@pytest.fixture(autouse=True)
def told() -> list[object]:
    """What handlers note, empty at first."""
    TOLD.clear()
    return TOLD


@pytest.mark.parametrize("engine", ["inline", "threads"])
def test_the_handler_gets_inputs_and_the_error(told: list[Any], engine: str) -> None:
    """It runs after the failure, with the inputs it names and what went wrong; the run fails all the same."""
    events: list[Event] = []
    run = wf.run(x=1, engine=engine, on_event=events.append)
    assert run.state == "failed"
    [(x, failure)] = told
    assert x == 1
    assert (failure.workflow, failure.node, failure.task) == ("wf", "n1", "fail")
    assert (failure.kind, failure.message) == ("ValueError", "no 2")
    assert failure.traceback.startswith("Traceback (most recent call last):")
    assert [(node.id, node.state) for node in run.nodes] == [
        ("n0", "done"), ("n1", "failed"), ("n2", "skipped"), ("on_failure/n0", "done"),
    ]  # fmt: skip
    kinds = [(type(event), getattr(event, "node", "")) for event in events]
    assert kinds.index((NodeFailed, "n1")) < kinds.index((NodeFinished, "on_failure/n0"))
    assert kinds[-1] == (RunFinished, "")


def test_nothing_is_handled_when_all_goes_well(told: list[Any]) -> None:
    """A run that is done needs no handler."""

    @workflow(on_failure=clean_up)
    def fine(x: int) -> int:
        return inc(x=x)

    assert fine(x=1) == 2
    assert told == []


def test_the_text_alone_and_a_default(told: list[Any]) -> None:
    """An error declared as text is told as its class and message."""

    @workflow(on_failure=tell)
    def failing(x: int) -> int:
        return fail(x=x)

    failing.run(x=1)
    assert told == [("ValueError: no 1", 3)]


def test_a_workflow_may_be_the_handler(told: list[Any]) -> None:
    """Its nodes stand under the handler's name."""

    @workflow(on_failure=cleaning)
    def failing(x: int) -> int:
        return fail(x=x)

    run = failing.run(x=1)
    assert [node.id for node in run.nodes] == ["n0", "on_failure/n0", "on_failure/n1", "on_failure/n2"]
    assert [item[0] for item in told] == [2, "done"]


def test_the_handler_of_an_inner_workflow_runs_first(told: list[Any]) -> None:
    """Each workflow handles its own failure; the error tells the innermost node."""

    @workflow(on_failure=clean_up)
    def outer(x: int) -> int:
        return wf(x=x)

    run = outer.run(x=5)
    assert [(failure.workflow, failure.node) for _, failure in told] == [("wf", "n0/n1"), ("outer", "n0/n1")]
    assert [node.id for node in run.nodes if "on_failure" in node.id] == ["n0/on_failure/n0", "on_failure/n0"]


@pytest.mark.usefixtures("own_store", "told")
def test_the_record_of_a_run_has_the_handler_behind_the_nodes() -> None:
    """Of an inner workflow and of the whole, with what they printed and when."""

    @workflow(on_failure=clean_up)
    def inner(x: int) -> int:
        return fail(x=inc(x=x))

    @workflow(on_failure=clean_up)
    def outer(x: int) -> int:
        return inc(x=inner(x=x))

    run = outer.run(x=1)
    recorded = next(iter(runs()))
    told = [(node.id, node.label, node.state) for node in recorded.nodes]
    assert told == [(node.id, node.label, node.state) for node in run.nodes]
    assert told[-3:] == [
        ("n0/on_failure/n0", "clean_up", "done"),
        ("n1", "inc", "skipped"),
        ("on_failure/n0", "clean_up", "done"),
    ]


def test_a_failure_of_the_handler_is_noted() -> None:
    """The first error stays the error."""

    @workflow(on_failure=breaks)
    def failing(x: int) -> int:
        return fail(x=x)

    error = failing.run(x=1).error
    assert isinstance(error, ValueError)
    assert error.__notes__[-1] == "on_failure 'breaks' failed as well: KeyError: 'and so did I'"


def test_dynamic_and_imperative_workflows_have_handlers(told: list[Any]) -> None:
    """They take them as others do."""

    @dynamic(on_failure=clean_up)
    def growing(x: int) -> int:
        return fail(x=x)

    run = growing.run(x=1)
    assert [node.id for node in run.nodes] == ["n0", "n0/n0", "n0/on_failure/n0"]
    assert run.graph is not None
    became = run.graph.entities["growing in n0"].graph
    assert became is not None
    assert became.on_failure == "clean_up"
    made = ImperativeWorkflow("made")
    x = made.add_input("x", int)
    made.add_task(fail, x=x)
    made.add_on_failure(clean_up)
    made.run(x=2)
    assert [(value, failure.workflow) for value, failure in told] == [(1, "growing"), (2, "made")]


def test_policies_by_their_names_in_flyte() -> None:
    """Both names say the same."""

    def states(policy: str | WorkflowFailurePolicy) -> list[str]:
        @workflow(failure_policy=policy)
        def two(x: int) -> tuple[int, int]:
            return fail(x=x), inc(x=x)

        return [node.state for node in two.run(x=1, engine="inline").nodes]

    assert states("stop") == states(WorkflowFailurePolicy.FAIL_IMMEDIATELY) == ["failed", "skipped"]
    finish = WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
    assert states("finish") == states(finish) == states("FAIL_AFTER_EXECUTABLE_NODES_COMPLETE") == ["failed", "done"]
    with pytest.raises(InterfaceError, match='failure_policy \'go on\' is not known\n  mend: use "stop" or "finish"'):
        states("go on")


@task
def wants_more(z: int) -> None:
    """Needs what is not there."""


@task
def wants_number(err: int) -> None:
    """Takes the error for a number."""


@task
def wants_text(x: str) -> None:
    """Takes the input for text."""


@pytest.mark.parametrize(
    ("handler", "what", "mend"),
    [
        (
            wants_more,
            "input 'z' of 'wants_more', on_failure of workflow 'bad', is no input of the workflow",
            "name inputs of the workflow, or err for the error; or give it a default",
        ),
        (
            wants_number,
            "input 'err' of 'wants_number', on_failure of workflow 'bad', cannot be int",
            "write err: Failure (from celltask), or err: str for the text alone",
        ),
        (wants_text, "input 'x' of 'wants_text', on_failure of workflow 'bad', cannot be str", "let it be int"),
    ],
)
def test_a_handler_that_cannot_be_called_is_refused(handler: Callable[..., object], what: str, mend: str) -> None:
    """At the definition of the workflow."""
    with pytest.raises(InterfaceError) as caught:

        @workflow(on_failure=handler)  # type: ignore[call-overload]  # what is tested
        def bad(x: int) -> int:
            return inc(x=x)

    assert (caught.value.what, caught.value.mend) == (what, mend)
