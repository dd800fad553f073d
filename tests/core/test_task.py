"""Tasks: calls, checks, isolation, options."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import threading
import time
import traceback
from datetime import timedelta

import numpy as np
import pytest

from celltask import Resources, current_context, task
from celltask.core.registry import registry
from celltask.errors import CallError, InterfaceError, RunError, TaskTimeoutError, ValueMismatchError


@task
def add(a: int, b: int = 2) -> int:
    """Sum of two numbers."""
    return a + b


@task
def append(xs: list[int], x: int) -> list[int]:
    """Changes its input."""
    xs.append(x)
    return xs


def test_a_task_is_called_like_its_function() -> None:
    """Keywords, positions and defaults work as for the function itself."""
    assert (add(a=1, b=3), add(1, 3), add(1)) == (4, 4, 3)


def test_a_task_keeps_name_doc_and_signature() -> None:
    """Tools that look at functions see the user's own."""
    assert (add.__name__, add.__doc__) == ("add", "Sum of two numbers.")
    assert str(inspect.signature(add)) == "(a: 'int', b: 'int' = 2) -> 'int'"
    assert "return a + b" in inspect.getsource(add)


@pytest.mark.parametrize(
    ("args", "kwargs", "what"),
    [
        pytest.param((), {}, "'add' needs a value for a", id="missing"),
        pytest.param((1, 2, 3), {}, "'add' takes 2 positional inputs and got 3", id="too-many"),
        pytest.param((1,), {"c": 1}, "'add' has no input 'c'", id="unknown"),
        pytest.param((1,), {"a": 1}, "'add' got two values for input 'a'", id="twice"),
    ],
)
def test_arguments_that_do_not_fit_are_told(args: tuple[int, ...], kwargs: dict[str, int], what: str) -> None:
    """A call with wrong names says which, and how the task is called."""
    with pytest.raises(CallError) as caught:
        add(*args, **kwargs)  # type: ignore[arg-type]  # what is tested
    assert caught.value.what == what
    assert "call it as add(a: int, b: int = 2)" in caught.value.mend


def test_a_type_error_of_the_body_is_not_taken_for_a_wrong_call() -> None:
    """Only a mismatch with the task's own names becomes a CallError."""

    @task
    def wrong(x: int) -> int:
        return len(x)  # type: ignore[arg-type]  # what is tested

    with pytest.raises(TypeError, match="has no len") as caught:
        wrong(1)
    assert not isinstance(caught.value, CallError)


@pytest.mark.parametrize("value", ["1", True, 1.5, None, [1]])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    """Validation is strict where the eye would be misled."""
    with pytest.raises(ValueMismatchError, match="input 'a' of 'add' must be int, got"):
        add(a=value)  # type: ignore[arg-type]  # what is tested


def test_the_message_names_the_element_that_does_not_fit() -> None:
    """In a container the way to the wrong value is told."""
    with pytest.raises(ValueMismatchError) as caught:
        append(xs=[1, "2"], x=3)  # type: ignore[list-item]  # what is tested
    assert caught.value.what == "input 'xs' of 'append', at xs[1], must be int, got '2' (str)"


def test_a_wrong_output_is_refused() -> None:
    """What a body returns is checked as well."""

    @task
    def lie(x: int) -> str:
        return x  # type: ignore[return-value]  # what is tested

    with pytest.raises(ValueMismatchError, match="output 'o0' of 'lie' must be str, got 1 .int."):
        lie(1)


def test_a_value_that_is_not_declared_is_refused() -> None:
    """A task without outputs must return nothing."""

    @task
    def void(x: int) -> None:
        return x  # type: ignore[return-value]  # what is tested

    with pytest.raises(ValueMismatchError, match="declares no output and returned 1 .int."):
        void(1)


def test_a_wrong_number_of_outputs_is_refused() -> None:
    """A tuple must have one value for each output."""

    @task
    def two(x: int) -> tuple[int, int]:
        return (x,)  # type: ignore[return-value]  # what is tested

    with pytest.raises(ValueMismatchError, match="declares 2 outputs .o0, o1. and returned 1 values"):
        two(1)


def test_a_task_does_not_change_its_callers_values() -> None:
    """Inputs are the task's own."""
    mine = [1]
    assert append(xs=mine, x=2) == [1, 2]
    assert mine == [1]


def test_a_mutable_default_is_new_at_each_call() -> None:
    """Python's shared default does not leak from one call into the next."""

    @task
    def grow(xs: list[int] = []) -> list[int]:  # noqa: B006 - what is tested
        xs.append(1)
        return xs

    assert (grow(), grow()) == ([1], [1])


def test_a_shared_input_is_the_callers_own() -> None:
    """`share` opts out of isolation for the inputs it names."""

    @task(share=["xs"])
    def change(xs: list[int]) -> None:
        xs.append(1)

    mine: list[int] = []
    change(xs=mine)
    assert mine == [1]


def test_a_partial_task_is_a_task_with_fewer_inputs() -> None:
    """`functools.partial` fixes inputs."""
    assert functools.partial(add, b=10)(a=1) == 11


def test_an_exception_keeps_its_class_and_gains_the_place() -> None:
    """Errors of a body are the user's own, with the task and the line as a note."""

    class OwnError(Exception):
        pass

    @task
    def fail(x: int) -> int:
        raise OwnError(x)

    with pytest.raises(OwnError) as caught:
        fail(1)
    line = inspect.getsourcelines(fail)[1] + 2
    (note,) = caught.value.__notes__
    assert note.startswith("in task 'fail', ")
    assert note.endswith(f"test_task.py, line {line}")


def test_a_task_called_in_a_task_just_runs() -> None:
    """Tasks call each other as functions do."""

    @task
    def outer(x: int) -> int:
        return add(x, 1) * 10

    assert outer(1) == 20


def test_an_async_task_is_awaitable() -> None:
    """`await` gives the checked result."""

    @task
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    async def main() -> int:
        return await later(x=1)

    assert asyncio.run(main()) == 2
    assert later.run(x=1).value == 2


def test_retries_try_again_and_count_attempts() -> None:
    """A task with retries runs until it succeeds, each attempt with inputs as given."""
    seen: list[tuple[int, list[int]]] = []

    @task(retries=2, retry_delay=0, allow_globals=["seen"])
    def flaky(xs: list[int]) -> int:
        xs.append(0)
        seen.append((current_context().attempt, list(xs)))
        if len(seen) < 3:
            raise ConnectionError
        return len(xs)

    assert flaky(xs=[7]) == 2
    assert seen == [(1, [7, 0]), (2, [7, 0]), (3, [7, 0])]


def test_retries_end() -> None:
    """After the last retry the error goes to the caller."""
    count = [0]

    @task(retries=2, retry_delay=0, allow_globals=["count"])
    def broken(x: int) -> int:
        count[0] += 1
        raise ConnectionError

    with pytest.raises(ConnectionError):
        broken(1)
    assert count == [3]


def test_a_wrong_result_is_not_retried() -> None:
    """Trying again does not mend a type."""
    count = [0]

    @task(retries=5, allow_globals=["count"])
    def lie(x: int) -> str:
        count[0] += 1
        return x  # type: ignore[return-value]  # what is tested

    with pytest.raises(ValueMismatchError):
        lie(1)
    assert count == [1]


def test_a_timeout_gives_the_caller_an_error_in_time() -> None:
    """A body that runs too long ends in a TaskTimeoutError that says what became of it."""
    release = threading.Event()

    @task(timeout=0.05, allow_globals=["release"])
    def slow(x: int) -> int:
        release.wait(10)
        return x

    started = time.monotonic()
    with pytest.raises(TaskTimeoutError, match="longer than its timeout of 0.05 s; its thread cannot be stopped"):
        slow(1)
    assert time.monotonic() - started < 5
    release.set()


def test_a_timeout_of_an_async_task_cancels_it() -> None:
    """An async body is really stopped."""

    @task(timeout=timedelta(milliseconds=20))
    async def slow(x: int) -> int:
        await asyncio.sleep(10)
        return x

    with pytest.raises(TaskTimeoutError, match="it was cancelled"):
        slow.run(x=1).result()


def test_environment_is_set_for_the_body_alone() -> None:
    """Variables are there inside and gone after."""

    @task(environment={"CELLTASK_TEST_COLOUR": "red"})
    def colour() -> str:
        return os.environ["CELLTASK_TEST_COLOUR"]

    assert colour() == "red"
    assert "CELLTASK_TEST_COLOUR" not in os.environ


def test_a_cached_task_runs_once_for_equal_inputs() -> None:
    """Equal content gives the stored result, a new object each time."""
    calls: list[int] = []

    @task(cache=True, allow_globals=["calls"])
    def listed(n: int, label: str = "a") -> list[int]:
        calls.append(n)
        return list(range(n))

    first, second = listed(3), listed(3)
    first.append(99)
    assert (second, listed(3), listed(n=2)) == ([0, 1, 2], [0, 1, 2], [0, 1])
    assert calls == [3, 2]


def test_a_cache_version_of_ones_own_stands_for_the_code() -> None:
    """With the same label another body reuses the result; with a new label it does not."""

    def make(version: str, result: int) -> object:
        @task(cache=True, cache_version=version, name="versioned")
        def versioned(x: int) -> int:
            return result

        return versioned(1)

    assert [make("1", 10), make("1", 20), make("2", 30)] == [10, 10, 30]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        pytest.param({"retries": -1}, "retries -1 is not a number of retries", id="retries"),
        pytest.param({"timeout": 0}, "timeout 0 is not a time", id="timeout"),
        pytest.param({"timeout": "1"}, "timeout '1' is not a time", id="timeout-text"),
        pytest.param({"share": ["z"]}, "share names 'z', which is not an input of task 'f'", id="share"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], what: str) -> None:
    """Wrong options are told where the task is defined."""
    with pytest.raises(InterfaceError) as caught:

        @task(**options)  # type: ignore[call-overload]  # what is tested
        def f(x: int) -> int:
            return x

    assert caught.value.what == what


def test_an_unknown_option_is_an_error() -> None:
    """A typing mistake in an option is not swallowed."""
    with pytest.raises(TypeError, match="retry"):
        task(retry=1)  # type: ignore[call-overload]  # what is tested


def test_resources_are_read() -> None:
    """Memory may be given in the usual units."""
    assert Resources(memory="500M").memory_bytes == 500_000_000
    with pytest.raises(InterfaceError, match="memory 'lots' cannot be read"):
        Resources(memory="lots")


def test_the_context_knows_the_task_and_gives_a_folder() -> None:
    """Inside a task there is a scratch folder, a log and a name; outside there is an error."""

    @task
    def look(x: int) -> tuple[str, bool, str]:
        context = current_context()
        same = context.working_directory == current_context().working_directory
        return context.task, same and context.working_directory.is_dir(), context.log.name

    assert look(1) == ("look", True, "celltask.task.look")
    with pytest.raises(RunError, match="no task is running"):
        current_context()


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is not set is told with the variable to set."""
    monkeypatch.setenv("CELLTASK_SECRET_API_KEY", "s3")

    @task
    def use() -> str:
        return current_context().secret("api-key")

    @task
    def miss() -> str:
        return current_context().secret("other")

    assert use() == "s3"
    with pytest.raises(RunError, match="set CELLTASK_SECRET_OTHER"):
        miss()


def test_a_redefinition_takes_the_place_of_the_older_task() -> None:
    """The registry knows the newest task of a name, and counts redefinitions."""

    def define(result: int) -> object:
        @task(name="redefined_here")
        def f() -> int:
            return result

        return f

    older = define(1)
    generation = registry.generation
    newer = define(2)
    assert registry.get("redefined_here") is newer
    assert registry.generation == generation + 1
    assert not registry.is_current(older)  # type: ignore[arg-type]  # a task


def test_only_frames_of_ours_that_hide_themselves_stand_between_caller_and_body() -> None:
    """Every frame of the generated call asks tools to leave it out of tracebacks."""

    @task
    def fail(x: int) -> int:
        raise ValueError(x)

    try:
        fail(1)
    except ValueError as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    between = [frame for frame in frames if frame.f_code.co_filename != __file__]
    assert between
    assert all("__tracebackhide__" in frame.f_locals for frame in between)


def test_a_discarded_task_is_no_longer_known() -> None:
    """What was refused after its definition leaves the registry, and what came after it stays."""

    @task(name="discarded_here")
    def f() -> int:
        return 1

    registry.discard(f)  # type: ignore[arg-type]  # a task
    assert registry.get("discarded_here") is None


def test_what_a_caller_does_with_a_cached_array_stays_with_the_caller() -> None:
    """The stored result is never handed out itself, neither by the call that made it nor by later ones."""

    @task(cache=True)
    def zeros(n: int) -> np.ndarray:
        return np.zeros(n)

    first = zeros(3)
    first[0] = 5
    second = zeros(3)
    second[1] = 7
    assert zeros(3).tolist() == [0.0, 0.0, 0.0]


def test_the_environment_is_part_of_the_key() -> None:
    """Other variables may mean another result."""

    @task(cache=True, environment={"CELLTASK_TEST_MODE": "a"})
    def mode() -> str:
        return os.environ["CELLTASK_TEST_MODE"]

    other = mode.with_options({"environment": {"CELLTASK_TEST_MODE": "b"}})
    assert (mode(), other(), mode()) == ("a", "b", "a")


def test_a_method_cannot_be_a_task() -> None:
    """`self` is told as what it is."""
    with pytest.raises(InterfaceError, match="methods cannot be tasks"):

        class Model:
            @task
            def fit(self, x: int) -> int:
                return x
