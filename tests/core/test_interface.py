"""Interfaces: what annotations, defaults and docstrings of a function say."""

from __future__ import annotations

import pickle
from typing import Annotated, NamedTuple

import pytest

from celltask import task
from celltask.errors import InterfaceError


class Scores(NamedTuple):
    """Two outputs with names."""

    accuracy: float
    recall: float


def test_one_output_is_called_o0() -> None:
    """A task with one output names it o0, as Flyte does."""

    @task
    def one(x: int) -> int:
        return x

    assert str(one.interface) == "(x: int) -> (o0: int)"


def test_a_tuple_gives_numbered_outputs() -> None:
    """A tuple of types is as many outputs: o0, o1."""

    @task
    def two(x: int) -> tuple[int, str]:
        return x, str(x)

    assert [port.name for port in two.interface.outputs] == ["o0", "o1"]


def test_a_named_tuple_gives_its_field_names_and_comes_back_as_itself() -> None:
    """The fields of a NamedTuple name the outputs, and a call returns that NamedTuple."""

    @task
    def score(x: float) -> Scores:
        return Scores(x, recall=x / 2)

    assert [port.name for port in score.interface.outputs] == ["accuracy", "recall"]
    assert score(x=1) == Scores(1.0, 0.5)


def test_a_tuple_of_any_length_is_one_output() -> None:
    """`tuple[int, ...]` is a value, not several outputs."""

    @task
    def many(n: int) -> tuple[int, ...]:
        return tuple(range(n))

    assert [port.name for port in many.interface.outputs] == ["o0"]
    assert many(n=3) == (0, 1, 2)


def test_outputs_can_be_named_in_the_decorator() -> None:
    """`outputs=` replaces o0, o1."""

    @task(outputs=("left", "right"))
    def split(text: str) -> tuple[str, str]:
        return text[:1], text[1:]

    assert [port.name for port in split.interface.outputs] == ["left", "right"]


def test_one_name_is_for_the_whole_value() -> None:
    """With a single name even a tuple is one output."""

    @task(outputs=("pair",))
    def pair(x: int) -> tuple[int, str]:
        return x, str(x)

    assert [port.name for port in pair.interface.outputs] == ["pair"]
    assert pair(1) == (1, "1")


def test_too_many_output_names_are_refused() -> None:
    """One name for each output, no more."""
    with pytest.raises(InterfaceError, match="names 2 outputs .left, right. and returns 1"):

        @task(outputs=("left", "right"))
        def split(text: str) -> str:
            return text


def test_an_input_without_a_type_is_refused_with_name_place_and_mend() -> None:
    """The error for a missing annotation names the input, the line and what to write."""
    with pytest.raises(InterfaceError) as caught:

        @task
        def bad(x: int, y) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001 - what is tested
            return x + y

    error = caught.value
    assert error.what == "input 'y' of task 'bad' has no type"
    assert "test_interface.py, line " in error.where
    assert error.mend == "write its type, for example y: int"


@pytest.mark.parametrize(
    ("source", "what"),
    [
        pytest.param("def f(*xs: int) -> int: return 1", "task 'f' takes *xs, which has no typed inputs", id="args"),
        pytest.param(
            "def f(**xs: int) -> int: return 1", "task 'f' takes **xs, which has no typed inputs", id="kwargs"
        ),
        pytest.param("def f(x: int): return x", "task 'f' returns a value but has no return type", id="no-return-type"),
        pytest.param(
            "def f(x: 'Nope') -> int: return 1",
            "the type of 'x', Nope, cannot be resolved: name 'Nope' is not defined",
            id="unknown-name",
        ),
        pytest.param(
            "def f(x: int = 'a') -> int: return 1",
            "the default of 'x' of task 'f', 'a' (str), is not int",
            id="wrong-default",
        ),
        pytest.param(
            "def f(x: int = None) -> int: return 1",
            "the default of 'x' of task 'f', None (NoneType), is not int",
            id="none-default",
        ),
    ],
)
def test_what_an_interface_cannot_hold_is_refused(source: str, what: str) -> None:
    """Every refusal says what is wrong with which input or output."""
    space: dict[str, object] = {}
    exec(source, space)  # noqa: S102 - the cases above
    with pytest.raises(InterfaceError) as caught:
        task(space["f"])  # type: ignore[type-var]  # a function
    assert caught.value.what == what
    assert caught.value.mend


def test_no_return_type_is_fine_where_nothing_is_returned() -> None:
    """A task that gives no value needs no `->`."""

    @task
    def quiet(x: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - what is tested
        if x:
            return None  # noqa: RET501 - what is tested
        print(x)  # noqa: T201 - a body

    assert quiet.interface.outputs == ()


def test_descriptions_come_from_the_docstring_in_its_three_forms() -> None:
    """Google, NumPy and reST docstrings describe inputs and outputs."""

    @task
    def google(x: int) -> int:
        """Do it.

        Args:
            x: The input,
                told on two lines.

        Returns:
            The output.
        """
        return x

    @task
    def numpy(x: int) -> int:
        """Do it.

        Parameters
        ----------
        x : int
            The input.
        """
        return x

    @task
    def rest(x: int) -> int:
        """Do it.

        :param x: The input.
        """
        return x

    assert google.interface.description_of("x") == "The input, told on two lines."
    assert google.interface.description_of("o0") == "The output."
    assert numpy.interface.description_of("x") == rest.interface.description_of("x") == "The input."
    assert google.doc == numpy.doc == rest.doc == "Do it."


def test_a_docstring_that_begins_with_a_section_has_no_first_line() -> None:
    """A heading such as `Parameters:` is not taken for the description of the task."""

    @task
    def f(x: int) -> int:
        """
        Parameters:
            x (int): The input.
        """  # noqa: D205, D212 - as Flyte's pages write it
        return x

    assert (f.doc, f.interface.description_of("x")) == ("", "The input.")


def test_a_text_in_annotated_is_the_description() -> None:
    """`Annotated[int, "text"]` describes an input."""

    @task
    def f(x: Annotated[int, "how many"]) -> int:
        return x

    assert f.interface.description_of("x") == "how many"


def test_a_literal_tuple_of_types_is_accepted() -> None:
    """`-> (int, str)` means what `-> tuple[int, str]` does, as Flyte's pages write it."""
    space: dict[str, object] = {}
    exec("def f(x: int) -> (int, str): return x, 'a'", space)  # noqa: S102 - a form no type checker accepts
    made = task(space["f"])  # type: ignore[type-var]  # a function
    assert str(made.interface) == "(x: int) -> (o0: int, o1: str)"


def test_named_outputs_can_be_taken_by_name_after_a_call() -> None:
    """A tuple of outputs that were given names knows them, and is still a tuple, also when pickled."""

    @task(outputs=("low", "high"))
    def bounds(xs: list[int]) -> tuple[int, int]:
        return min(xs), max(xs)

    found = bounds([3, 1, 2])
    assert found == (1, 3)
    assert (found.low, found.high) == (1, 3)  # type: ignore[attr-defined]  # names given in the decorator
    assert pickle.loads(pickle.dumps(found)).high == 3  # noqa: S301 - made right here
    assert repr(found) == "(low=1, high=3)"
    assert not hasattr(found, "middle")


def test_an_untyped_helper_in_a_cell_is_told_how_helpers_are_named() -> None:
    """Where code comes from a cell, the mend speaks of the underscore."""
    space: dict[str, object] = {"__celltask__": None}
    exec("def helper(values): return sum(values)", space)  # noqa: S102 - stands for a cell
    with pytest.raises(InterfaceError, match="a helper that is no task has a name with a leading underscore"):
        task(space["helper"])  # type: ignore[type-var]  # a function
