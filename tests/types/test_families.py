"""Every family of types keeps the handler's promises, for values that fit and for values that do not."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import pathlib
import typing
import uuid
import zoneinfo

import annotated_types as at
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from steady import steady_id

from celltask.core.types.check import check_type_handler
from celltask.core.types.files import kwtypes

T = typing.TypeVar("T")
Number = typing.TypeVar("Number", int, str)
UserId = typing.NewType("UserId", int)


class Colour(enum.Enum):
    """Members of several kinds of value."""

    RED = "red"
    GREEN = 2
    CORNER = (0, 0)


class Level(enum.IntEnum):
    """Members that are integers."""

    LOW = 1


class Access(enum.Flag):
    """Members that can be joined."""

    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Leaf:
    """A dataclass that contains itself, and a default of a list."""

    size: int
    notes: list[str] = dataclasses.field(default_factory=list)
    next: Leaf | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A frozen dataclass with slots and a field that is computed."""

    low: float
    high: float
    width: float = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", self.high - self.low)


@dataclasses.dataclass
class Box(typing.Generic[T]):
    """A generic dataclass."""

    content: T


class Settings(pydantic.BaseModel):
    """A model."""

    rate: float = 0.1
    name: str = pydantic.Field(default="iris", alias="Name")
    tags: set[str] = set()


class Odd(pydantic.BaseModel):
    """A model with a default that does not fit its own type, and with a validator."""

    first: int = None  # type: ignore[assignment]  # what is tested: pydantic believes defaults
    second: str = "x"

    @pydantic.field_validator("second")
    @classmethod
    def _doubled(cls, value: str) -> str:
        return value * 2


class Report(typing.TypedDict):
    """A dict with a key that may be missing."""

    accuracy: float
    rows: typing.NotRequired[int]


class Split(typing.NamedTuple):
    """A tuple with names and a default."""

    train: list[int]
    test: int = 0


class Plain:
    """Any class."""

    def __init__(self, parts: list[int]) -> None:
        self.parts = parts


class Speaker(typing.Protocol):
    """A protocol."""

    def speak(self) -> str:
        """Say something."""


class Dog(Plain):
    """It fits the protocol."""

    def speak(self) -> str:
        """Say something."""
        return "woof"


NOW = dt.datetime(2026, 1, 31, 9, 30, 0, 123456)  # noqa: DTZ001 - naive, since naive ones must stay so
FIELD = pydantic.Field(pattern="^a+$")

FAMILIES: list[tuple[object, list[object], list[object]]] = [
    (int, [0, -5, 10**40], ["1", True, 1.0, None, 1j, decimal.Decimal(1)]),
    (float, [0.5, -0.0, float("nan"), float("inf"), 1e-320], ["1.5", True, None, 1j, 10**400, 2**53 + 1]),
    (str, ["", "a", "\ud800", "\0"], [1, b"a", None]),
    (bool, [True, False], [1, 0, "true", None]),
    (bytes, [b"", b"\xff\0"], ["a", bytearray(b"a"), None]),
    (complex, [1j, complex(-0.0, 2)], ["1j", True]),
    (None, [None], [0, False, ""]),
    (decimal.Decimal, [decimal.Decimal("1.10"), decimal.Decimal("NaN")], [1.5, "1", True]),
    (fractions.Fraction, [fractions.Fraction(1, 3)], [0.5, True]),
    (uuid.UUID, [uuid.UUID(int=7)], [7, str(uuid.UUID(int=7))]),
    (typing.Any, [1, [1, {"a": (1,)}], None, "x", Plain([1])], []),
    (object, [1, [[1]], Plain([1])], []),
    (dt.date, [dt.date(2026, 1, 31)], [NOW, "2026-01-31"]),
    (dt.datetime, [NOW, NOW.replace(tzinfo=dt.UTC)], [dt.date(2026, 1, 1), 0, str(NOW)]),
    (dt.datetime, [dt.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")).astimezone(dt.UTC)], []),
    (dt.time, [dt.time(9, 30), dt.time(9, 30, tzinfo=dt.UTC)], [NOW]),
    (dt.timedelta, [dt.timedelta(0), dt.timedelta(-3, 5, 7), dt.timedelta(400)], [5, 1.5, "5m"]),
    (Colour, list(Colour), ["red", "RED", 2, Level.LOW]),
    (Level, [Level.LOW], [1, "LOW"]),
    (Access, [Access.READ, Access.READ | Access.WRITE, Access(0)], [1]),
    (typing.Literal["a", 1, Colour.RED] | None, ["a", 1, None, Colour.RED], ["b", True, 1.0, "red", [1]]),
    (list[int], [[], [1, 2]], [(1,), ["1"], [True], "12", {1}, None, iter([1])]),
    (list, [[], [1, "a", [2]]], [(1,)]),
    (list[list[dict[str, int]]], [[[{"a": 1}], []]], [[[{"a": "1"}]], [[1]]]),
    (dict[str, float], [{}, {"a": 0.5}], [{1: 0.5}, {"a": "x"}, [("a", 0.5)]]),
    (dict, [{}, {1: [2], (1, 2): {"a"}}], [[1]]),
    (dict[int, list[str]], [{1: ["a"]}], [{"1": ["a"]}]),
    (dict[tuple[int, int], str], [{(0, 1): "a"}], [{(0, 1, 2): "a"}]),
    (dict[dt.date, Colour], [{dt.date(2026, 1, 1): Colour.RED}], []),
    (tuple[int, str], [(1, "a")], [(1,), (1, "a", 2), ("a", 1), [1, "a"]]),
    (tuple[int, ...], [(), (1, 2, 3)], [(1, "a"), [1]]),
    (tuple[()], [()], [(1,)]),
    (tuple, [(), (1, [2])], [[1]]),
    (set[int], [set(), {1, 2}], [[1], {"a"}, frozenset({1})]),
    (frozenset[str], [frozenset(), frozenset({"a"})], [{"a"}]),
    (collections.abc.Sequence[int], [[1], []], ["12", {1}, ["a"]]),
    (collections.abc.Mapping[str, int], [{"a": 1}], [[("a", 1)]]),
    (collections.abc.Iterable[int], [[1]], ["12", iter([1]), 3]),
    (collections.OrderedDict[str, int], [collections.OrderedDict(a=1)], [{"a": 1}]),
    (collections.defaultdict[str, list[int]], [collections.defaultdict(None, {"a": [1]})], [{"a": [1]}]),
    (collections.Counter[str], [collections.Counter("aab")], [{"a": 1}]),
    (collections.deque[int], [collections.deque([1, 2])], [[1]]),
    (int | str, [1, "a", "1"], [1.5, True, None]),
    (int | None, [1, None], ["a", True]),
    (dt.date | str, ["2026-01-31", dt.date(2026, 1, 31)], [1]),
    (list[int] | list[str], [[], [1], ["a"]], [[1, "a"], "a"]),
    (dict[str, int] | list[int] | None, [{"a": 1}, [1], None], [{"a": "b"}]),
    (Leaf, [Leaf(1), Leaf(1, ["a"], Leaf(2))], [Leaf("1"), {"size": 1}, Leaf(1, [2])]),  # type: ignore[arg-type, list-item]  # what is tested
    (Span, [Span(1.0, 2.5)], [(1.0, 2.5), None]),
    (Box[int], [Box(1)], [Box("a"), 1]),
    (Box[list[int]], [Box([1])], [Box(["a"])]),
    (list[Leaf], [[Leaf(1)]], [[Leaf(1), 2]]),
    (Settings, [Settings(), Settings(Name="a", tags={"x", "y"})], [{"rate": 1.0}, Settings.model_construct(rate="x")]),
    (Odd, [Odd(), Odd(first=1)], [Odd.model_construct(_fields_set={"first"}, first="x")]),
    (Report, [{"accuracy": 0.5}, {"accuracy": 0.5, "rows": 3}], [{}, {"accuracy": "x"}, [("accuracy", 0.5)]]),
    (Split, [Split([1]), Split([1], 2)], [([1], 2), Split(["a"])]),  # type: ignore[list-item]  # what is tested
    (UserId, [5], ["5", True]),
    (T, [5, [1]], []),
    (Number, [5, "a"], [1.5]),
    (typing.Annotated[int, "seconds"], [5], ["5"]),
    (typing.Annotated[int, at.Ge(0), at.Lt(10)], [0, 9], [-1, 10, "1", True]),
    (typing.Annotated[float, at.Interval(gt=0, le=1)], [0.5, 1.0], [0.0, 1.5]),
    (typing.Annotated[int, at.MultipleOf(5)], [10], [11]),
    (typing.Annotated[list[int], at.Len(1, 2)], [[1], [1, 2]], [[], [1, 2, 3], ["a"]]),
    (typing.Annotated[str, at.MinLen(2)], ["ab"], ["a"]),
    (typing.Annotated[str, at.Predicate(str.islower)], ["ab"], ["AB"]),
    (typing.Annotated[int, pydantic.Field(ge=0, description="age")], [0], [-1]),
    (typing.Annotated[str, FIELD], ["aa"], ["b", 1]),
    (list[typing.Annotated[int, at.Gt(0)]], [[1, 2]], [[1, 0]]),
    (pathlib.Path, [pathlib.Path("a/b"), pathlib.Path("/")], [1, b"a", ""]),
    (pathlib.PurePosixPath, [pathlib.PurePosixPath("a")], [1]),
    (np.ndarray, [np.arange(3.0), np.eye(2, dtype="f4"), np.array(5), np.array(["2026"], "M8[D]")], [[1.0], 1, None]),
    (np.ndarray, [np.array([1, [2], None], dtype=object), np.array([], dtype=bool), np.array(["a", "bc"])], []),
    (npt.NDArray[np.float64], [np.array([1.5])], [np.array([1]), np.array([1.5], "f4")]),
    (npt.NDArray[np.floating[typing.Any]], [np.array([1.5], "f4")], [np.array([1])]),
    (np.ndarray[tuple[int, int], np.dtype[np.int64]], [np.eye(2, dtype="i8")], [np.arange(3)]),
    (np.float32, [np.float32(0.5)], ["a", 0.1]),
    (np.int64, [np.int64(5)], [2**70, 1.5, "a"]),
    (pd.DataFrame, [pd.DataFrame(), pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, None]})], [{}, [[1]]]),
    (pd.DataFrame, [pd.DataFrame({"a": [[1], [2]]}), pd.DataFrame({"a": [1]}, index=["x"])], [pd.Series([1])]),
    (pd.Series, [pd.Series([1, 2], name="a"), pd.Series(pd.to_datetime(["2026-01-01"]))], [[1], pd.DataFrame()]),
    (pd.Index, [pd.Index(["a", "b"]), pd.MultiIndex.from_tuples([(1, "a")])], [["a"]]),
    (typing.Annotated[pd.DataFrame, kwtypes(a=int, b=str)], [pd.DataFrame({"a": [1], "b": ["x"]})], [pd.DataFrame()]),
    (pl.DataFrame, [pl.DataFrame({"a": [1, None], "b": ["x", "y"]}), pl.DataFrame()], [pd.DataFrame(), 1]),
    (pl.DataFrame, [pl.DataFrame({"a": [[1], [2, 3]], "b": [dt.date(2026, 1, 1), None]})], []),
    (pl.Series, [pl.Series("a", [1, 2])], [[1]]),
    (typing.Annotated[pl.DataFrame, kwtypes(a=float)], [pl.DataFrame({"a": [0.5]})], [pl.DataFrame({"a": ["x"]})]),
    (pa.Table, [pa.table({"a": [1, None], "b": ["x", "y"]}), pa.table({"a": [[1], None]})], [1]),
    (typing.Annotated[pa.Table, kwtypes(a=str)], [pa.table({"a": ["x"]})], [pa.table({"a": [1]}), pa.table({})]),
    (
        LogisticRegression,
        [LogisticRegression(), LogisticRegression().fit([[0.0], [1.0]], [0, 1])],
        [LinearRegression()],
    ),
    (BaseEstimator, [LogisticRegression(), LinearRegression()], ["model", None]),
    (Plain, [Plain([1]), Dog([2])], [[1], None]),
    (Speaker, [Dog([1])], [Plain([1]), 1]),
    (type[Plain], [Dog, Plain], [int, Plain([1])]),
    (collections.abc.Callable[[int], int], [abs, Dog.speak], [1, "abs"]),
    (collections.abc.Hashable, [1, "a", (1,)], [[1]]),
]


@pytest.mark.parametrize(("annotation", "values", "wrong"), FAMILIES, ids=steady_id)
def test_family_keeps_the_promises_of_its_handler(
    annotation: object, values: list[object], wrong: list[object]
) -> None:
    """Values come through calls, bytes and JSON as they were, and those that do not fit are refused."""
    check_type_handler(annotation, values=values, wrong=wrong)


def test_check_type_handler_notices_a_handler_that_breaks_a_promise() -> None:
    """The proof itself fails where a value declared as wrong is taken."""
    with pytest.raises(AssertionError, match=r"validate\(\) of int takes 5"):
        check_type_handler(int, values=[], wrong=[5])
    with pytest.raises(AssertionError, match="changes 1 as float"):
        check_type_handler(float, values=[1])
