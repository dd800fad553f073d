"""Maps: one task over lists, in workflows and outside of them."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Any, NamedTuple

import pytest

from celltask import current_context, map_task, mock_task, task, workflow
from celltask.core.events import Event, NodeProgress, NodeRetried, NodeReused
from celltask.errors import BindingError, CallError, InterfaceError, RunError, ValueMismatchError

ENGINES = pytest.mark.parametrize("engine", ["inline", "threads"])


class Sizes(NamedTuple):
    """Two named outputs."""

    width: int
    height: int


@task
def add(a: int, b: int = 10) -> int:
    """Sum."""
    return a + b


@task
def odd(x: int) -> int:
    """The number, if it is odd."""
    if x % 2 == 0:
        message = f"{x} is even"
        raise ValueError(message)
    return x


@task
def total(xs: list[int]) -> int:
    """Sum of a list."""
    return sum(xs)


@task
def size(x: int) -> Sizes:
    """Two outputs."""
    return Sizes(x, 2 * x)


@workflow
def twice(x: int) -> int:
    """A workflow to map."""
    return add(a=add(a=x), b=x)


@ENGINES
def test_a_map_gives_a_list_in_order(engine: str) -> None:
    """One call for each item; a list may be empty, and what is left out has its default."""
    assert map_task(add).run(a=[1, 2, 3], engine=engine).result() == [11, 12, 13]
    assert map_task(add).run(a=[1, 2], b=[3, 4], engine=engine).result() == [4, 6]
    assert map_task(add)(a=[]) == []
    assert map_task(add)([1, 2], [3, 4]) == [4, 6]
    assert map_task(size)(x=[1]) == [Sizes(1, 2)]


@ENGINES
def test_a_map_within_a_workflow(engine: str) -> None:
    """Lists may be references or hold some, and fixed values may be references."""

    @workflow
    def wf(xs: list[int], n: int) -> tuple[int, list[int]]:
        one = add(a=n)
        fixed = map_task(partial(add, b=one))(a=xs)
        return total(xs=fixed), map_task(add, concurrency=2)(a=[one, 3, n], b=fixed)

    run = wf.run(xs=[1, 2, 3], n=5, engine=engine)
    assert run.result() == (51, [31, 20, 23])
    assert [(node.label, node.state) for node in run.nodes][1] == ("map add", "done")
    entity = wf.graph.entities["map add"]
    assert [(port.name, port.type) for port in entity.inputs] == [("a", "list[int]"), ("b", "int")]
    assert (entity.kind, entity.outputs[0].type) == ("map", "list[int]")


def test_a_partial_is_a_task_with_fewer_inputs() -> None:
    """In a workflow, outside of one, and by position."""

    @workflow
    def wf(x: int) -> int:
        return partial(add, b=x)(a=1)

    assert wf(x=4) == 5
    assert partial(add, b=3)(a=1) == 4
    assert map_task(partial(add, 1))(b=[1, 2]) == [2, 3]


def test_what_is_wired_to_a_map_is_checked() -> None:
    """The type of a list is told while the workflow is traced."""
    with pytest.raises(BindingError, match=r"input 'x' is int and cannot be input 'a' of 'map add', which is list"):

        @workflow
        def wf(x: int) -> list[int]:
            return map_task(add)(a=x)


@ENGINES
def test_a_failure_names_its_item(engine: str) -> None:
    """The exception of the body, with the place of the item and what it was given."""
    run = map_task(odd, concurrency=1).run(x=[1, 3, 4, 5, 6], engine=engine)
    assert isinstance(run.error, ValueError)
    assert str(run.error) == "4 is even"
    assert run.error.__notes__[1:] == ["in item 2 of 5 (counted from 0) of the map over 'odd': x=4 (int)"]
    with pytest.raises(ValueMismatchError) as caught:
        map_task(odd)(x=[1, "3"])
    assert caught.value.what == "input 'x' of 'odd' must be int, got '3' (str)"
    assert caught.value.__notes__ == ["in item 1 of 2 (counted from 0) of the map over 'odd': x='3' (str)"]


def test_several_failures_are_summed_up() -> None:
    """Where the workflow goes on after a failure, every item has its turn."""

    @workflow(failure_policy="finish")
    def wf(xs: list[int]) -> list[int]:
        return map_task(odd)(x=xs)

    error = wf.run(xs=list(range(20))).error
    assert isinstance(error, ValueError)
    told = (
        "10 of 20 items failed; also item 2, ValueError: 2 is even; item 4, ValueError: 4 is even; "
        "item 6, ValueError: 6 is even; item 8, ValueError: 8 is even; item 10, ValueError: 10 is even; and 4 more"
    )
    assert error.__notes__[2:] == [told, "in node n0 (map odd) of workflow 'wf'"]
    error = wf.run(xs=[2, 1, 2, 4, 2]).error
    assert error is not None
    assert error.__notes__[2] == "4 of 5 items failed; also item 3, ValueError: 4 is even; and 2 more"
    error = wf.run(xs=[2, 1, 2]).error
    assert error is not None
    assert error.__notes__[2] == "2 of 3 items failed, all with this error"


@ENGINES
def test_some_items_may_fail(engine: str) -> None:
    """With fewer successes asked for than there are items, those that failed give None."""
    xs = [1, 2, 3, 4]
    assert map_task(odd, min_success_ratio=0.5).run(x=xs, engine=engine).result() == [1, None, 3, None]
    assert map_task(odd, min_successes=1).run(x=xs, engine=engine).result() == [1, None, 3, None]
    assert map_task(odd, min_successes=9)(x=[1]) == [1]
    error = map_task(odd, min_success_ratio=0.6).run(x=xs, engine=engine).error
    assert isinstance(error, RunError)
    assert error.what == "2 of 4 items of the map over 'odd' failed, and 3 must succeed"
    assert error.mend == "mend what failed, or ask for fewer: min_successes, min_success_ratio"
    assert isinstance(error.__cause__, ValueError)
    assert "in item 1 of 4 (counted from 0) of the map over 'odd': x=2 (int)" in error.__notes__


def test_the_type_tells_that_items_may_be_missing() -> None:
    """A lenient map gives a list of values or None."""

    @workflow
    def wf(xs: list[int]) -> list[int | None]:
        return map_task(odd, min_successes=0)(x=xs)

    assert wf.graph.entities["map odd"].outputs[0].type == "list[int | None]"
    assert wf(xs=[1, 2]) == [1, None]


def test_items_run_at_once_up_to_the_limit() -> None:
    """`concurrency` bodies are inside at the same time, and never more."""
    together = threading.Barrier(3, timeout=20)
    inside: list[int] = []
    most: list[int] = []

    @task(allow_globals=["together", "inside", "most"])
    def meet(x: int) -> int:
        inside.append(x)
        most.append(len(inside))
        together.wait()
        inside.remove(x)
        return x

    assert map_task(meet, concurrency=3)(x=[1, 2, 3]) == [1, 2, 3]
    assert max(most) == 3


def test_async_tasks_wait_together() -> None:
    """The items of an async task share one loop."""
    import asyncio  # noqa: PLC0415 - only here

    waiting: list[asyncio.Future[None]] = []

    @task(allow_globals=["waiting"])
    async def meet(x: int) -> int:
        if x < 2:
            waiting.append(asyncio.get_running_loop().create_future())
            await waiting[-1]
        else:
            for one in waiting:
                one.set_result(None)
        return x + 1

    assert map_task(meet)(x=[0, 1, 2]) == [1, 2, 3]


def test_retries_and_cache_hold_for_each_item() -> None:
    """An item is retried by itself, its result is reused by itself, and events name it."""
    failed: set[int] = set()

    @task(retries=1, allow_globals=["failed"])
    def flaky(x: int) -> int:
        if x == 1 and x not in failed:
            failed.add(x)
            message = "once"
            raise ValueError(message)
        return x

    @task(cache=True)
    def kept(x: int) -> int:
        return x + 1

    events: list[Event] = []
    assert map_task(flaky).run(x=[0, 1, 2], on_event=events.append).result() == [0, 1, 2]
    assert [event.node for event in events if isinstance(event, NodeRetried)] == ["n0[1]"]
    kept(x=5)
    run = map_task(kept, concurrency=1).run(x=[4, 5], on_event=events.append)
    assert run.result() == [5, 6]
    assert [event.node for event in events if isinstance(event, NodeReused)] == ["n0[1]"]
    assert run.ledger.items[0] == bytearray([1, 3])


def test_progress_is_told() -> None:
    """The last event before the end of the node tells how many items are done."""
    events: list[Event] = []
    map_task(odd, min_successes=0).run(x=list(range(5000)), engine="inline", on_event=events.append)
    told = [event for event in events if isinstance(event, NodeProgress)]
    assert told[-1][2:] == (2500, 2500, 5000)
    assert len(told) < 100


def test_a_workflow_is_mapped_too() -> None:
    """Each item is a run of the workflow."""
    assert map_task(twice)(x=[1, 2]) == [12, 14]

    @workflow
    def wf(xs: list[int]) -> list[int]:
        return map_task(twice)(x=xs)

    assert wf(xs=[1, 2]) == [12, 14]
    assert wf.digest != ""


def test_an_item_knows_its_task() -> None:
    """The context names the task and the node."""

    @task
    def who(x: int) -> str:
        context = current_context()
        return f"{context.task} in {context.node}"

    assert map_task(who)(x=[1]) == ["who in n0"]


def test_stop_iteration_is_an_error_and_no_end() -> None:
    """A body that raises what ends iterators neither ends the map nor shifts its values."""

    @task
    def ends(x: int) -> int:
        if x == 1:
            raise StopIteration
        return x

    assert map_task(ends, min_successes=2)(x=[0, 1, 2]) == [0, None, 2]
    with pytest.raises(RunError, match="the body of task 'ends' raised StopIteration"):
        map_task(ends)(x=[0, 1, 2])


def test_an_interrupt_ends_the_map() -> None:
    """It is no failure of an item."""

    @task
    def stopped(x: int) -> int:
        if x == 3:
            raise KeyboardInterrupt
        return x

    with pytest.raises(KeyboardInterrupt):
        map_task(stopped, min_successes=0)(x=list(range(5)))


def test_items_wait_for_what_their_task_asks_for() -> None:
    """The task's own limit holds for all items together."""
    inside: list[int] = []
    most: list[int] = []

    @task(concurrency=1, allow_globals=["inside", "most"])
    def alone(x: int) -> int:
        inside.append(x)
        most.append(len(inside))
        threading.Event().wait(0.005)
        inside.remove(x)
        return x

    assert map_task(alone)(x=[1, 2, 3, 4]) == [1, 2, 3, 4]
    assert max(most) == 1


def test_bodies_run_in_processes() -> None:
    """With that engine, each item runs in a process of its own."""

    @task
    def where(x: int) -> int:
        return os.getpid()

    pids = map_task(where).run(x=[1, 2, 3], engine="processes").result()
    assert isinstance(pids, list)
    assert os.getpid() not in pids


def test_a_task_defined_again_is_the_one_that_is_mapped() -> None:
    """A workflow that maps it, or has it in a branch, is traced again."""
    space: dict[str, Any] = {"__name__": "notebook"}
    head = "from celltask import conditional, map_task, task, workflow\n"
    text = "@task\ndef step(x: int) -> int:\n    return x * {n}\n"
    flow = (
        "@workflow\ndef wf(x: int) -> tuple[list[int], int]:\n"
        "    return map_task(step)(x=[x]), conditional('c').if_(x > 0).then(step(x=x)).else_().then(0)\n"
    )
    exec(head + text.format(n=2) + flow, space)  # noqa: S102 - cells
    assert space["wf"](x=1) == ([2], 2)
    exec(text.format(n=3), space)  # noqa: S102 - the first cell, changed
    assert space["wf"](x=1) == ([3], 3)


def test_a_stand_in_is_mapped_in_the_place_of_the_body() -> None:
    """Tests replace the task for its maps too."""
    with mock_task(add) as mock:
        mock.side_effect = lambda a, b: a * b
        assert map_task(add)(a=[2, 3]) == [20, 30]
    assert map_task(add)(a=[2, 3]) == [12, 13]


def test_what_a_listener_raises_ends_the_map() -> None:
    """It is the error of the run, whichever thread was telling."""

    def listen(event: Event) -> None:
        message = "enough"
        if type(event) is NodeProgress:
            raise LookupError(message)

    run = map_task(odd, min_successes=0).run(x=list(range(50)), on_event=listen)
    assert isinstance(run.error, LookupError)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"a": [1, 2], "b": [1]}, "the lists of the map over 'add' have different lengths: a has 2, b has 1"),
        ({"a": 3}, "input 'a' of 'map add' must be list[int], got 3 (int)"),
        ({"c": [3]}, "'add' has no input 'c'"),
        ({"b": [3]}, "'add' needs a value for a"),
    ],
)
def test_wrong_lists_are_told(given: dict[str, object], what: str) -> None:
    """Lengths, types and names."""
    with pytest.raises((ValueMismatchError, CallError)) as caught:
        map_task(add)(**given)
    assert caught.value.what == what


def test_what_cannot_be_mapped_is_refused() -> None:
    """Functions that are no tasks, inputs fixed twice, options without sense."""
    with pytest.raises(InterfaceError, match="which is no task\n  mend: put @task above the function"):
        map_task(len)
    with pytest.raises(CallError, match="input 'b' of the map over 'add' is fixed already"):
        map_task(partial(add, b=1))(a=[1], b=[2])
    with pytest.raises(CallError, match="'add' has no input 'c'"):
        map_task(partial(add, c=1))
    with pytest.raises(CallError, match=r"the map over 'add' is given no list"):
        map_task(partial(add, a=1))()
    for wrong, what in {
        "concurrency": (0, "concurrency 0 is not a number of items"),
        "min_successes": (-1, "min_successes -1 is not a number of items"),
        "min_success_ratio": (2, "min_success_ratio 2 is not a part of the items"),
    }.items():
        with pytest.raises(InterfaceError, match=f"map over 'add': {what[1]}"):
            map_task(add, **{wrong: what[0]})  # type: ignore[call-overload]  # the test
