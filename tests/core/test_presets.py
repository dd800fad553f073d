"""Presets: workflows with inputs settled, under names of their own."""

from __future__ import annotations

from typing import Any

import pytest

from celltask import dynamic, map_task, preset, task, workflow
from celltask.core.registry import registry
from celltask.errors import CallError, InterfaceError


@task
def power(x: int, n: int) -> int:
    """Raise."""
    return x**n


@workflow
def raised(x: int, n: int = 1, *, sign: int = 1) -> tuple[int, int]:
    """Both ways."""
    return power(x=x, n=n), power(x=sign, n=n)


square = preset(raised, "square", defaults={"x": 3}, fixed={"n": 2})


def test_defaults_may_be_changed_and_fixed_values_not() -> None:
    """What is fixed is no input any more."""
    assert (square(), square(x=5)) == ((9, 1), (25, 1))
    assert [port.name for port in square.interface.inputs] == ["x", "sign"]
    with pytest.raises(CallError, match="'square' has no input 'n'"):
        square(n=3)
    assert repr(square) == "<preset square(x: int = 3, sign: int = 1) -> (o0: int, o1: int) of raised>"


def test_a_preset_is_a_workflow_like_others() -> None:
    """It is listed, runs with a record, has a graph and a description, and can be a node or be mapped."""
    assert registry.workflows()["square"] is square
    assert [node.id for node in square.run(x=2).nodes] == ["n0", "n0/n0", "n0/n1"]
    assert square.graph.entities["raised"].graph is not None
    assert square.doc == "Both ways."
    assert square.digest != preset(raised, "cube", fixed={"n": 3}).digest

    @workflow
    def around(x: int) -> int:
        return square(x=x)[0]

    assert around(x=4) == 16
    assert map_task(square)(x=[1, 2]) == [(1, 1), (4, 1)]
    assert preset(square, "nine", fixed={"x": 3})() == (9, 1)


def test_dynamic_workflows_have_presets() -> None:
    """They are workflows too."""

    @dynamic
    def repeated(x: int, times: int) -> int:
        for _ in range(times):
            x = power(x=x, n=2)
        return x

    assert preset(repeated, "twice", fixed={"times": 2})(x=2) == 16


def test_values_are_kept_apart() -> None:
    """A list that is given may be changed afterwards."""

    @task
    def total(xs: list[int]) -> int:
        return sum(xs)

    @workflow
    def summed(xs: list[int]) -> int:
        return total(xs=xs)

    xs = [1, 2]
    three = preset(summed, "three", fixed={"xs": xs})
    xs.append(4)
    assert three() == 3


def test_a_preset_follows_its_workflow() -> None:
    """Defined again, the workflow of that name is the one that runs."""
    space: dict[str, Any] = {**globals(), "__name__": "notebook"}
    text = "@workflow\ndef wf(x: int) -> int:\n    return power(x=x, n={n})\n"
    exec(text.format(n=2), space)  # noqa: S102 - a cell
    made = preset(space["wf"], "made", defaults={"x": 3})
    assert made() == 9
    exec(text.format(n=3), space)  # noqa: S102 - the cell, changed
    assert made() == 27


@pytest.mark.parametrize(
    ("given", "what", "mend"),
    [
        (
            {"defaults": {"y": 1}},
            "preset 'bad' names 'y', which is not an input of 'raised'",
            "use one of: x, n, sign",
        ),
        (
            {"fixed": {"x": "1"}},
            "preset 'bad' gives 'x' as '1' (str), which is not int",
            "give a value that is int",
        ),
        (
            {"fixed": {"x": 1}, "defaults": {"x": 1}},
            "preset 'bad' gives 'x' as a default and fixes it too",
            "leave it out of one of them",
        ),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], what: str, mend: str) -> None:
    """At its definition, with the place."""
    with pytest.raises(InterfaceError) as caught:
        preset(raised, "bad", **given)
    assert (caught.value.what, caught.value.mend) == (what, mend)
    assert caught.value.where.startswith("tests/core/test_presets.py, line ")


def test_only_workflows_with_names_have_presets() -> None:
    """A task is settled by functools.partial."""
    with pytest.raises(InterfaceError, match="which is no workflow"):
        preset(power, "p")
    with pytest.raises(InterfaceError, match="'every night' is no name for a preset"):
        preset(raised, "every night")
