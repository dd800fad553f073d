"""Wiring is refused only where it could never go well; fields and items of future values have types."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import typing

import numpy as np
import numpy.typing as npt
import pandas as pd
import pydantic
import pytest

from celltask.core.types.files import File, kwtypes
from celltask.core.types.fit import field_type, fits, item_type

T = typing.TypeVar("T")
Number = typing.TypeVar("Number", int, float)
UserId = typing.NewType("UserId", int)


class Colour(enum.Enum):
    """An enum."""

    RED = 1


class Animal:
    """A class."""


class Cat(Animal):
    """Its subclass."""


class Stone:
    """Another class."""


class Speaker(typing.Protocol):
    """A protocol."""

    def speak(self) -> str:
        """Say something."""


@dataclasses.dataclass
class Box(typing.Generic[T]):
    """A generic dataclass."""

    content: T
    history: list[T]
    label: str = ""

    @property
    def weight(self) -> float:
        """Kilograms."""
        return 1.0


class Report(typing.TypedDict):
    """A dict with known keys."""

    accuracy: float


class Longer(Report):
    """A dict with more keys."""

    rows: int


class Split(typing.NamedTuple):
    """A tuple with names."""

    train: list[int]
    test: int


class Settings(pydantic.BaseModel):
    """A model."""

    rate: float = 0.1


YES = [
    (int, int),
    (int, float),
    (int, complex),
    (int, decimal.Decimal),
    (float, float),
    (int, object),
    (object, int),
    (typing.Any, int),
    (int, typing.Any),
    (int | None, int),
    (int, int | None),
    (str | int, int | bytes),
    (None, int | None),
    (list, list[int]),
    (list[int], list),
    (list[int], list[float]),
    (list[int], collections.abc.Sequence[int]),
    (tuple[int, ...], collections.abc.Sequence[float]),
    (tuple[int, str], tuple[int, ...] | tuple[int, str]),
    (tuple[int, int], tuple[int, ...]),
    (tuple[int, ...], tuple[int, int]),
    (dict[str, int], dict[str, float]),
    (dict[str, int], collections.abc.Mapping[str, int]),
    (set[int], collections.abc.Iterable[int]),
    (Cat, Animal),
    (Animal, Cat),
    (Stone, Speaker),
    (typing.Literal["a", "b"], str),
    (str, typing.Literal["a", "b"]),
    (typing.Literal["a", "b"], typing.Literal["b", "c"]),
    (UserId, int),
    (int, UserId),
    (int, T),
    (int, Number),
    (typing.Annotated[int, "seconds"], float),
    (str, pathlib.Path),
    (str, File),
    (pathlib.Path, File),
    (np.int64, int),
    (float, np.float64),
    (np.ndarray, npt.NDArray[np.float64]),
    (pd.DataFrame, typing.Annotated[pd.DataFrame, kwtypes(a=int)]),
    (Longer, Report),
    (Report, dict),
    (dict[str, float], Report),
    (Box[int], Box[float]),
    (collections.abc.Callable[[int], int], collections.abc.Callable[..., int]),
    (Colour, Colour),
]
NO = [
    (int, str),
    (str, int),
    (float, int),
    (bool, int),
    (int, bool),
    (bool, float),
    (float, decimal.Decimal),
    (str, bytes),
    (None, int),
    (int, None),
    (str | bytes, int | float),
    (list[int], list[str]),
    (list[int], tuple[int, ...]),
    (tuple[int, str], tuple[int, int]),
    (tuple[int, int, int], tuple[int, int]),
    (tuple[int, str], collections.abc.Sequence[int]),
    (dict[str, int], dict[int, int]),
    (dict[str, int], dict[str, str]),
    (dict[str, list[int]], dict[str, list[str]]),
    (set[int], list[int]),
    (str, list[str]),
    (Animal, Stone),
    (int, Animal),
    (int, Speaker),
    (Colour, int),
    (str, Colour),
    (typing.Literal["a"], int),
    (typing.Literal["a"], typing.Literal["b"]),
    (int, Number.__constraints__ and str),
    (UserId, str),
    (dt.datetime, dt.date),
    (dt.date, dt.datetime),
    (int, pathlib.Path),
    (np.ndarray, pd.DataFrame),
    (pd.DataFrame, pd.Series),
    (Report, Longer),
    (Report, list),
    (int, Report),
    (list[int] | None, list[str]),
]


@pytest.mark.parametrize(("source", "target"), YES)
def test_fits_where_some_value_could_go_through(source: object, target: object) -> None:
    """A wire is allowed where a value of the one type may be one of the other."""
    assert fits(source, target)


@pytest.mark.parametrize(("source", "target"), NO)
def test_fits_not_where_no_value_could_go_through(source: object, target: object) -> None:
    """A wire is refused where no value of the one type is taken by the other."""
    assert not fits(source, target)


@pytest.mark.parametrize(
    ("annotation", "name", "expected"),
    [
        (Box[int], "content", int),
        (Box[int], "history", list[int]),
        (Box, "content", typing.Any),
        (Box[int], "weight", float),
        (Box[int] | None, "label", str),
        (typing.Annotated[Box[str], "a box"], "content", str),
        (Split, "train", list[int]),
        (Settings, "rate", float),
        (pd.DataFrame, "columns", typing.Any),
        (typing.Any, "whatever", typing.Any),
        (Animal, "unknown", typing.Any),
    ],
)
def test_field_type_is_the_declared_one(annotation: object, name: str, expected: object) -> None:
    """`ref.name` has the type that the class declares for it, and `Any` where it declares none."""
    assert field_type(annotation, name) == expected


@pytest.mark.parametrize(
    ("annotation", "name", "told"),
    [
        (Box[int], "contents", "Box[int] has no field 'contents' (it has: content, history, label)"),
        (Split, "validation", "Split has no field 'validation' (it has: train, test)"),
        (Settings, "rates", "Settings has no field 'rates' (it has: rate)"),
        (int | None, "content", "int has no field 'content' (it has: none)"),
    ],
)
def test_field_type_of_a_field_that_does_not_exist_tells_those_that_do(
    annotation: object, name: str, told: str
) -> None:
    """A field that no value has is refused with the list of those it has."""
    with pytest.raises(LookupError) as caught:
        field_type(annotation, name)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("annotation", "key", "expected"),
    [
        (list[float], 0, float),
        (list[float], -1, float),
        (list[float], slice(0, 2), list[float]),
        (list, 0, typing.Any),
        (tuple[int, str], 1, str),
        (tuple[int, ...], 7, int),
        (dict[str, int], "a", int),
        (dict, "a", typing.Any),
        (Report, "accuracy", float),
        (Split, 1, int),
        (str, 0, str),
        (list[int] | None, 0, int),
        (pd.DataFrame, "a", typing.Any),
    ],
)
def test_item_type_is_the_declared_one(annotation: object, key: object, expected: object) -> None:
    """`ref[key]` has the type that the container declares for it, and `Any` where it declares none."""
    assert item_type(annotation, key) == expected


@pytest.mark.parametrize(
    ("annotation", "key", "told"),
    [
        (tuple[int, str], 2, "tuple[int, str] has 2 items, so none has the number 2"),
        (Report, "precision", "Report has no key 'precision' (it has: accuracy)"),
        (dict[str, int], 3, "the keys of dict[str, int] are not int"),
        (list[int], "a", "the items of list[int] have numbers, not 'a'"),
        (int, 0, "int has no items"),
    ],
)
def test_item_type_of_an_item_that_cannot_exist_says_why(annotation: object, key: object, told: str) -> None:
    """An item that no value has is refused in one sentence."""
    with pytest.raises(LookupError) as caught:
        item_type(annotation, key)
    assert str(caught.value) == told
