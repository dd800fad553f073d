"""Options and definitions at their edges: what is refused where it is written, and what is left alone."""

from __future__ import annotations

import functools
import gc
import linecache
import math
import threading
import time
from collections.abc import Callable, Iterator  # noqa: TC003 - annotations of tests are read
from pathlib import Path

import pytest

from celltask import OutputLocation, Resources, ShellTask, mock_task, task, workflow
from celltask.core.purity import captured, check
from celltask.errors import InterfaceError, PurityError, TaskExitError, ValueMismatchError


class Lock:
    """A value that cannot be copied."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.uses = 0


@pytest.mark.parametrize(
    ("options", "what"),
    [
        pytest.param({"timeout": math.nan}, "timeout nan is not a time", id="timeout-nan"),
        pytest.param({"timeout": math.inf}, "timeout inf is not a time", id="timeout-inf"),
        pytest.param({"cache_version": 2}, "cache_version 2 is not text", id="cache-version"),
        pytest.param({"cache_version": 0}, "cache_version 0 is not text", id="cache-version-0"),
        pytest.param(
            {"environment": {"A=B": "1"}}, "environment 'A=B=1' is not a variable with its value", id="variable"
        ),
        pytest.param({"environment": {"": "1"}}, "environment '=1' is not a variable with its value", id="no-name"),
        pytest.param({"environment": ["A"]}, "environment ['A'] is not a variable with its value", id="list"),
    ],
)
def test_options_that_would_fail_later_are_refused_at_once(options: dict[str, object], what: str) -> None:
    """An option that no call could use is an error of the definition."""
    with pytest.raises(InterfaceError) as caught:

        @task(**options)  # type: ignore[call-overload]  # what is tested
        def f(x: int) -> int:
            return x

    assert caught.value.what == what
    assert "test_options.py, line " in caught.value.where


@pytest.mark.parametrize("asked", [{"memory": -5}, {"memory": "0GiB"}, {"cpu": math.nan}, {"gpu": -1}, {"cpu": 0}])
def test_resources_below_nothing_are_refused(asked: dict[str, object]) -> None:
    """Amounts are above 0."""
    with pytest.raises(InterfaceError, match="asks for less than nothing"):
        Resources(**asked)  # type: ignore[arg-type]  # what is tested


def test_changed_options_are_checked_as_new_ones() -> None:
    """`with_options` cannot share an input that there is not."""

    @task
    def f(x: int) -> int:
        return x

    with pytest.raises(InterfaceError, match="share names 'y', which is not an input"):
        f.with_options({"share": ["y"]})


def test_a_shared_input_stays_shared_in_every_attempt() -> None:
    """With retries, too, `share` hands over the caller's own object, also one that cannot be copied."""

    @task(share=["lock"], retries=3, retry_delay=0)
    def use(lock: Lock) -> int:
        with lock.lock:
            lock.uses += 1
            if lock.uses < 3:
                raise ConnectionError
        return lock.uses

    mine = Lock()
    assert (use(lock=mine), mine.uses) == (3, 3)


def test_a_function_that_calls_itself_can_be_a_task_inside_another() -> None:
    """Its own name, not bound yet when it is defined, is no fault of its annotations."""

    @task
    def down(x: int) -> int:
        return 0 if x <= 0 else down(x=x - 1)

    assert down(3) == 0


@pytest.mark.parametrize("kind", [task, workflow], ids=["task", "workflow"])
def test_attributes_of_the_function_do_not_replace_ours(kind: Callable[..., object]) -> None:
    """What other decorators left on a function is kept, where the name is free."""

    def marked(function: Callable[..., object]) -> Callable[..., object]:
        vars(function).update(name="evil", interface=None, plan=None, marks=["slow"])
        return function

    def f(x: int) -> int:
        return x

    made = kind(marked(f))
    assert (made.name, made.marks) == ("f", ["slow"])  # type: ignore[attr-defined]  # a task or workflow
    assert made(x=3) == 3  # type: ignore[operator]  # a task or workflow


def test_a_generator_is_refused_at_its_definition() -> None:
    """With or without a return type, a generator is told as what it is."""
    with pytest.raises(InterfaceError, match="task 'numbers' is a generator, which can be read only once"):

        @task
        def numbers(n: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - what is tested
            yield n

    with pytest.raises(InterfaceError, match="is a generator"):

        @task
        def typed(n: int) -> Iterator[int]:
            yield n


@task
def number(x: int) -> int:
    """Takes a number."""
    return x


def test_a_value_without_a_repr_is_told_all_the_same() -> None:
    """An object whose own repr fails does not hide what is wrong with it."""

    class Mute:
        def __repr__(self) -> str:
            raise RuntimeError

    with pytest.raises(ValueMismatchError, match="must be int, got a Mute without a repr .Mute."):
        number(Mute())  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("long", [list, tuple, lambda items: dict.fromkeys(items, 0)], ids=["list", "tuple", "dict"])
def test_only_the_beginning_of_a_long_value_is_looked_at(long: Callable[[object], object]) -> None:
    """An error about a value with many items does not write all of them down first."""
    asked: list[int] = []

    class Item:
        def __repr__(self) -> str:
            asked.append(1)
            return "item"

    with pytest.raises(ValueMismatchError, match="must be int, got .item"):
        number(long([Item() for _ in range(1000)]))  # type: ignore[arg-type]  # what is tested
    assert len(asked) <= 60


def test_generated_calls_leave_nothing_behind() -> None:
    """The text of a call that is not used any more is forgotten."""

    def texts() -> int:
        gc.collect()
        return sum(name.startswith("<celltask call ") for name in linecache.cache)

    number(1)
    before = texts()
    for _ in range(5):
        with mock_task(number) as mock:
            mock.return_value = 2
            assert number(1) == 2
    assert texts() <= before + 2


def test_a_script_may_write_any_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    """Output that is no text in this locale is shown as well as can be."""
    ShellTask("binary", script=r"printf 'a\377b'")()
    assert capsys.readouterr().out == "a�b"


def test_an_output_that_a_script_left_out_is_an_error(tmp_path: Path) -> None:
    """A script that ended well without its file is told at once, not where the file is read."""
    lazy = ShellTask("lazy", script="true", output_locs=[OutputLocation("made", Path, f"{tmp_path}/made.txt")])
    with pytest.raises(TaskExitError, match=r"the script of task 'lazy' did not leave made \(.*made.txt\)"):
        lazy()


def test_each_closure_of_a_factory_is_looked_into() -> None:
    """Two functions with equal code may hold different helpers; both are read."""
    space: dict[str, object] = {"__name__": "factory", "rows": [1], "functools": functools}
    exec(  # noqa: S102 - stands for a cell
        "def make(inner):\n"
        "    def call(x): return inner(x)\n"
        "    return call\n"
        "def harmless(x): return x\n"
        "def reading(x): return rows\n"
        "first, second = make(harmless), make(reading)\n"
        "def root(x): return first(x), second(x)\n",
        space,
    )
    with pytest.raises(PurityError, match="reads data that is not one of its inputs: rows"):
        check(space["root"])  # type: ignore[arg-type]  # a function


def _cell(text: str) -> dict[str, object]:
    space: dict[str, object] = {"__name__": "settled"}
    exec(text, space)  # noqa: S102 - stands for a cell
    return space


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("RATE = [1]; rate = [1]", id="rebound"),
        pytest.param("len = [1]", id="builtin-hidden"),
        pytest.param("later = [1]", id="bound-at-last"),
        pytest.param("def far(x): return rows", id="redefined"),
        pytest.param("far.__code__ = (lambda x: rows).__code__", id="reloaded"),
    ],
)
def test_what_helpers_read_is_looked_at_again_when_it_changed(change: str) -> None:
    """That helpers were fine at one definition says nothing once a name that they read means something else."""
    unbound = " + later" if "later" in change else ""
    space = _cell(
        "rows, rate = [1], 0.5\n"
        f"def far(x): return len(x) * rate{unbound}\n"
        "def near(x): return far(x)\n"
        "def first(x): return near(x)\n"
        "def second(x): return near(x)\n"
    )
    check(space["first"])  # type: ignore[arg-type]  # a function
    check(space["second"])  # type: ignore[arg-type]  # a function
    exec(change, space)  # noqa: S102 - stands for a later cell
    with pytest.raises(PurityError, match="reads data that is not one of its inputs"):
        check(space["second"])  # type: ignore[arg-type]  # a function


def test_many_tasks_over_one_chain_of_helpers_do_not_read_it_each() -> None:
    """The chain is gone through for the first task that reaches it, and only compared for the next ones."""
    count = 2000
    lines = [f"def h{number}(x): return h{number + 1}(x)" for number in range(count)]
    space = _cell("\n".join([*lines, f"def h{count}(x): return x", "def first(x): return h0(x)"]))

    def taken_s() -> float:
        started = time.perf_counter()
        check(space["first"])  # type: ignore[arg-type]  # a function
        return time.perf_counter() - started

    once = taken_s()
    assert min(taken_s() for _ in range(5)) < once / 3


def test_a_long_chain_of_helpers_is_read_to_its_end() -> None:
    """Thousands of helpers that call each other are no matter of depth, and each is read once."""
    count = 5000
    lines = [f"h{number} = lambda x: h{number + 1}(x)" for number in range(count)]
    space: dict[str, object] = {"__name__": "chain"}
    exec("\n".join([*lines, f"h{count} = lambda x: RATE * x", "RATE = 2", "def root(x): return h0(x)"]), space)  # noqa: S102 - stands for a cell
    found = captured(space["root"])  # type: ignore[arg-type]  # a function
    assert len(found) == count + 2
    assert check(space["root"]) == ()  # type: ignore[arg-type]  # a function
