"""Uncommon but lawful uses of tasks and workflows."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any, NamedTuple

import cloudpickle
import pytest

from celltask import ImperativeWorkflow, Resources, ShellTask, Task, task, workflow
from celltask.core.registry import registry
from celltask.errors import GraphError, InterfaceError, PurityError


class Mute:
    """A value that cannot tell what it is."""

    def __repr__(self) -> str:
        raise RuntimeError


@task
def add(a: int, b: int = 2) -> int:
    """Sum."""
    return a + b


def test_shell_tasks_differ_by_their_script() -> None:
    """Another script is another task: other digest, told by diff, and no cached result of the first."""
    one = ShellTask("sh", script="exit 0", cache=True)
    two = ShellTask("sh", script="exit 0 ", cache=True)
    assert one.digest != two.digest
    assert one.diff(two)
    assert one.digest == ShellTask("other", script="exit 0").digest


def test_a_result_of_an_older_class_is_not_reused() -> None:
    """When the class of a cached result was defined again, the task runs again."""
    source = """
class P:
    def __init__(self, x):
        self.x = x

@task(cache=True)
def mk(x: int) -> P:
    return P(x)
"""
    space: dict[str, Any] = {"task": task, "__name__": "cells_of_p"}
    for _ in range(2):
        exec(source, space)  # noqa: S102 - stands for a cell that is run twice
        assert isinstance(space["mk"](x=1), space["P"])


def test_inputs_may_be_called_self_or_be_positional_only() -> None:
    """Names and kinds of parameters that Python allows work in tasks and workflows."""

    @task
    def named(self: int, inputs: int = 1) -> int:
        return self + inputs

    @task
    def positional(x: int, /, y: int = 1) -> int:
        return x + y

    @workflow
    def wf(x: int, /, y: int = 2) -> int:
        return positional(named(x), y)

    assert named(self=1, inputs=2) == 3
    assert wf(1, y=3) == 5


@pytest.mark.parametrize("name", ["_ct_body", "__tracebackhide__"])
def test_names_that_celltask_uses_itself_are_refused(name: str) -> None:
    """An input cannot take a name of the generated call."""
    space: dict[str, Any] = {"task": task}
    with pytest.raises(InterfaceError, match="a name that celltask uses itself"):
        exec(f"@task\ndef f({name}: int) -> int: return 1", space)  # noqa: S102 - the name is the case


def test_an_unrelated_redefinition_leaves_a_workflow_as_it_was_traced() -> None:
    """Only what the workflow uses makes it traced anew."""
    source = """
def make(k):
    @workflow
    def wf() -> int:
        return add(k, 0)
    return wf
"""
    space: dict[str, Any] = {"task": task, "workflow": workflow, "add": add, "__name__": "cells_of_k"}
    exec(source, space)  # noqa: S102 - stands for a cell
    made = [space["make"](k) for k in (1, 2)]
    traces = [wf.trace for wf in made]
    generation = registry.generation
    exec("@task\ndef other() -> int: return 1\n" * 2, space)  # noqa: S102 - stands for two cells
    assert registry.generation > generation
    assert [wf() for wf in made] == [1, 2]
    assert [wf.trace for wf in made] == traces


def test_a_workflow_follows_the_constants_and_helpers_that_it_reads() -> None:
    """As a function does, it uses the value that a name has when it is called."""
    source = """
ROUNDS = 1
def started(x):
    return add(x, 0)

@workflow
def wf(x: int) -> int:
    x = started(x)
    for _ in range(ROUNDS):
        x = add(x, 1)
    return x
"""
    space: dict[str, Any] = {"task": task, "workflow": workflow, "add": add, "__name__": "cells_of_rounds"}
    exec(source, space)  # noqa: S102 - stands for a cell
    wf = space["wf"]
    first = wf.digest
    assert (wf(0), len(wf.graph.nodes)) == (1, 2)
    space["ROUNDS"] = 3
    assert (wf(0), len(wf.graph.nodes)) == (3, 4)
    space["started"] = lambda x: add(x, 10)
    assert wf(0) == 13
    assert wf.digest != first


def test_a_cached_task_whose_constant_became_data_is_refused() -> None:
    """A name that is bound to data after the definition cannot give a stale result."""
    source = "rate = 1.0\n@task(cache=True)\ndef f(x: float) -> float: return x * rate"
    space: dict[str, Any] = {"task": task, "__name__": "cells_of_rate"}
    exec(source, space)  # noqa: S102 - stands for a cell
    assert space["f"](x=1.0) == 1.0
    space["rate"] = [5.0]
    with pytest.raises(PurityError, match="'f' reads data that is not one of its inputs: rate"):
        space["f"](x=1.0)


def test_parts_of_anything_are_allowed() -> None:
    """Where the type says nothing of a part, the run finds out."""

    @task
    def config() -> dict[str, Any]:
        return {"model": {"depth": 3}}

    @workflow
    def wf() -> int:
        return add(config()["model"]["depth"], 1)

    assert wf() == 4


def test_a_field_type_that_cannot_be_resolved_is_told() -> None:
    """A NamedTuple with an unknown type is refused as an annotation is."""
    space: dict[str, Any] = {"task": task, "NamedTuple": NamedTuple}
    source = "class R(NamedTuple):\n    x: 'Nope'\n@task\ndef f() -> R: ..."
    with pytest.raises(InterfaceError, match="a field type of R, which task 'f' returns, cannot be resolved"):
        exec(source, space)  # noqa: S102 - an annotation no checker accepts


def test_a_list_beside_a_reference_is_the_graphs_own() -> None:
    """Changing a list after the workflow was defined does not change the graph."""
    mine = [1]

    @task
    def total(xs: list[list[int]]) -> int:
        return sum(map(sum, xs))

    @task
    def listed(x: int) -> list[int]:
        return [x]

    @workflow(allow_globals=["mine"])
    def wf() -> int:
        return total([mine, listed(2)])

    mine.append(100)
    assert wf() == 3


@pytest.mark.parametrize("member", ["task", "workflow"])
def test_tasks_and_workflows_travel_after_they_were_called(member: str) -> None:
    """What a call generates stays behind when a task is pickled by value."""

    @task
    def double(x: int) -> int:
        return 2 * x

    @workflow
    def twice(x: int) -> int:
        return double(double(x))

    found: Any = double if member == "task" else twice
    before = found(x=1)
    assert pickle.loads(cloudpickle.dumps(found))(x=1) == before  # noqa: S301 - made right here


def test_an_error_that_takes_no_notes_keeps_its_class() -> None:
    """Where nothing can be added to an error, it still reaches the caller as it is."""

    @dataclasses.dataclass(frozen=True)
    class FrozenFaultError(Exception):
        code: int

    @task
    def fail() -> int:
        raise FrozenFaultError(3)

    @workflow
    def wf() -> int:
        return fail()

    for call in (fail, wf):
        with pytest.raises(FrozenFaultError):
            call()


def test_resources_are_read_as_other_systems_write_them() -> None:
    """Text for numbers is fine; a mapping means the same as `Resources`."""
    assert Resources(cpu="2", gpu="1") == Resources(cpu=2.0, gpu=1)  # type: ignore[arg-type]  # as Flyte's pages write it

    @task(resources={"cpu": 2})  # type: ignore[call-overload]  # a mapping
    def f() -> int:
        return 1

    assert f.options.resources == Resources(cpu=2)
    with pytest.raises(InterfaceError, match="cpu 'two' is not a number"):
        Resources(cpu="two")  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize(
    ("option", "what"),
    [
        pytest.param({"cache": "yes"}, "cache 'yes' is neither on nor off", id="cache"),
        pytest.param({"share": 3}, "share 3 is not a list of names", id="share"),
        pytest.param({"resources": 3}, "resources 3 are no resources", id="resources"),
    ],
)
def test_options_of_a_wrong_kind_are_refused_wherever_they_stand(option: dict[str, object], what: str) -> None:
    """In the decorator and in `with_overrides` alike."""
    with pytest.raises(InterfaceError, match=what):
        task(**option)(lambda: 1)  # type: ignore[call-overload]  # what is tested

    def overridden(x: int) -> int:
        return add(x).with_overrides(**option)  # type: ignore[attr-defined, no-any-return]  # a reference

    if "share" not in option:
        with pytest.raises(GraphError, match=what):
            workflow(overridden)


def test_defaults_of_an_imperative_workflow_are_checked() -> None:
    """A default that does not fit is told when it is given."""
    made = ImperativeWorkflow("checked")
    with pytest.raises(InterfaceError, match="the default of 'x' of workflow 'checked' is not int"):
        made.add_input("x", int, "bad")


def test_a_default_whose_repr_raises_can_be_shown() -> None:
    """An object that cannot tell what it is does not break the interface's text."""

    @task
    def f(x: Mute = Mute()) -> None:  # noqa: B008 - what is tested
        del x

    assert isinstance(f, Task)
    assert str(f.interface) == "(x: Mute = a Mute without a repr) -> ()"
