"""What is converted on a call, exactly; what is kept whole; and how a value that does not fit is told."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import typing

import annotated_types as at
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest

from celltask.core.types.base import Mismatch
from celltask.core.types.files import kwtypes
from celltask.core.types.lookup import handler_for
from celltask.core.types.naming import MADE_AGAIN


class Colour(enum.Enum):
    """An enum."""

    RED = "red"
    BLUE = 2


class Level(enum.IntEnum):
    """Members that are integers."""

    LOW = 1


@dataclasses.dataclass
class Order:
    """A dataclass."""

    price: float
    lines: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Express(Order):
    """A dataclass with more fields."""

    hours: float = 24.0


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A frozen dataclass."""

    price: float


class Settings(pydantic.BaseModel):
    """A model."""

    rate: float = 0.1


class Tuned(Settings):
    """A model with more fields."""

    extra: int = 1


class Report(typing.TypedDict):
    """A dict with known keys."""

    accuracy: float


class Split(typing.NamedTuple):
    """A tuple with names."""

    share: float


@pytest.mark.parametrize(
    ("annotation", "given", "expected"),
    [
        (float, 1, 1.0),
        (complex, 1, 1 + 0j),
        (complex, 0.5, 0.5 + 0j),
        (decimal.Decimal, 3, decimal.Decimal(3)),
        (int, np.int32(5), 5),
        (float, np.float32(0.5), 0.5),
        (float, np.float64(0.1), 0.1),
        (float, np.int64(3), 3.0),
        (bool, np.bool_(True), True),  # noqa: FBT003 - a value
        (str, np.str_("a"), "a"),
        (dt.datetime, pd.Timestamp("2026-01-01 10:00"), dt.datetime(2026, 1, 1, 10)),  # noqa: DTZ001 - naive stays naive
        (dt.timedelta, pd.Timedelta("5m"), dt.timedelta(minutes=5)),
        (dt.date, np.datetime64("2026-01-01"), dt.date(2026, 1, 1)),
        (np.float64, 0.5, np.float64(0.5)),
        (np.int8, 5, np.int8(5)),
        (pathlib.Path, "a/b", pathlib.Path("a/b")),
        (list[float], [1, 0.5], [1.0, 0.5]),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (dict[float, str], {1: "a"}, {1.0: "a"}),
        (tuple[float, ...], (1, 2), (1.0, 2.0)),
        (tuple[float, int], (1, 2), (1.0, 2)),
        (set[float], {1, 2}, {1.0, 2.0}),
        (frozenset[float], frozenset({1}), frozenset({1.0})),
        (collections.deque[float], collections.deque([1], 3), collections.deque([1.0], 3)),
        (collections.abc.Sequence[float], (1, 2), (1.0, 2.0)),
        (float | None, 1, 1.0),
        (int | float, np.float64(0.5), 0.5),
        (int | float, np.int64(1), 1),
        (Order, Order(1), Order(1.0)),
        (Frozen, Frozen(1), Frozen(1.0)),
        (Split, Split(1), Split(1.0)),
        (Report, {"accuracy": 1}, {"accuracy": 1.0}),
    ],
)
def test_value_is_converted_where_that_is_exact(annotation: object, given: object, expected: object) -> None:
    """A value that says exactly the same in the declared type is taken, and arrives in it."""
    handler = handler_for(annotation)
    for made in (handler.validate(given), handler.receive(given), handler.release(given)):
        assert made == expected
        assert repr(made) == repr(expected)


@pytest.mark.parametrize(
    ("annotation", "given"),
    [
        (Order, Express(1.0, [], 2.0)),
        (Settings, Tuned(extra=5)),
        (int, Level.LOW),
        (collections.abc.Mapping[str, int], collections.OrderedDict(a=1)),
        (dict[str, int], collections.Counter("aab")),
        (Report, {"accuracy": 0.5, "more": [1]}),
    ],
)
def test_value_of_a_subclass_is_kept_whole(annotation: object, given: object) -> None:
    """What a subclass has beyond the declared class arrives with it."""
    made = handler_for(annotation).receive(given)
    assert made == given
    assert type(made) is type(given)


def test_declared_fields_of_a_subclass_are_converted_and_the_others_kept() -> None:
    """A field that the declared class has is converted in a value of its subclass too."""
    made = handler_for(Order).receive(Express(1, [2], 3))
    assert repr(made) == "Express(price=1.0, lines=[2], hours=3.0)"


MISMATCHES = [
    (int, "1", "expected int"),
    (int, True, "expected int"),
    (float, 2**53 + 1, "expected float (a float cannot hold this integer exactly)"),
    (dt.date, dt.datetime(2026, 1, 1), "expected date (the time of day would be lost; pass .date())"),  # noqa: DTZ001 - a value
    (dt.datetime, pd.Timestamp("2026-01-01 00:00:00.000000001"), "expected datetime (it is finer than microseconds)"),
    (list[int], [1, 2, 3, "x"], "expected int at [3]"),
    (list[int], (1, 2), "expected list[int] (convert it with list(…))"),
    (list[str], "ab", "expected list[str] (a string counts as one value here, not as a row of them)"),
    (list[int], iter([1]), "expected list[int] (an iterator can be read only once; pass a list)"),
    (dict[str, list[float]], {"k": [1.0, "z"]}, "expected float at ['k'][1]"),
    (dict[str, int], {3: 1}, "expected str at [3] (this is a key)"),
    (tuple[int, str], (1, 2), "expected str at [1]"),
    (tuple[int, str], (1,), "expected tuple[int, str] (it takes 2 values, and this has 1)"),
    (tuple[int], (1, 2), "expected tuple[int] (it takes 1 value, and this has 2)"),
    (set[int], {"a"}, "expected int at {'a'}"),
    (int | str, 1.5, "expected int | str"),
    (
        float | decimal.Decimal,
        1,
        "expected float | Decimal (it could be float or Decimal; pass a value that is one of them exactly)",
    ),
    (list[int] | None, [1, "a"], "expected int at [1]"),
    (Colour, "red", "expected one of Colour.RED, Colour.BLUE (pass Colour.RED)"),
    (Colour, "pink", "expected one of Colour.RED, Colour.BLUE"),
    (typing.Literal["a", "b"], "c", "expected one of 'a', 'b'"),
    (typing.Literal[1], True, "expected 1"),
    (Order, Order("x"), "expected float at .price"),  # type: ignore[arg-type]  # what is tested
    (Order, {"price": 1.0}, "expected Order (make one with Order(…))"),
    (list[Order], [Order(1.0, [1, "a"])], "expected int at [0].lines[1]"),  # type: ignore[list-item]  # what is tested
    (Settings, {"rate": 1.0}, "expected Settings (make one with Settings(**…))"),
    (Settings, Settings.model_construct(rate="x"), "expected float at .rate"),
    (Report, {"precision": 0.5}, "expected Report with 'accuracy'"),
    (Report, {"accuracy": "x"}, "expected float at ['accuracy']"),
    (Split, (0.5,), "expected Split (make one with Split(…))"),
    (typing.Annotated[int, at.Ge(0)], -1, "expected int ≥ 0"),
    (typing.Annotated[list[int], at.MinLen(1)], [], "expected list[int] of length ≥ 1"),
    (typing.Annotated[str, pydantic.Field(pattern="^a")], "b", "expected str (String should match pattern '^a')"),
    (
        typing.Annotated[str, at.Ge(0)],
        "b",
        "expected str ≥ 0 ('>=' not supported between instances of 'str' and 'int')",
    ),
    (np.ndarray, [1.0], "expected ndarray (convert it with np.asarray(…))"),
    (npt.NDArray[np.float64], np.arange(3), "expected ndarray[float64] (its elements are int64)"),
    (
        np.ndarray[tuple[int, int], np.dtype[np.int64]],
        np.arange(3),
        "expected ndarray[int64] of 2 dimensions (it has 1)",
    ),
    (pd.DataFrame, pl.DataFrame(), "expected pandas.DataFrame"),
    (
        typing.Annotated[pd.DataFrame, kwtypes(price=float)],
        pd.DataFrame({"prize": [1.0]}),
        "expected pandas.DataFrame[price] with a column 'price' (it has: prize)",
    ),
    (
        typing.Annotated[pd.DataFrame, kwtypes(price=float)],
        pd.DataFrame({"price": pd.Series(["a"], dtype="string")}),
        "expected a column of float at ['price'] (it is of string)",
    ),
    (
        typing.Annotated[pl.DataFrame, kwtypes(price=str)],
        pl.DataFrame({"price": [1]}),
        "expected a column of str at ['price'] (it is of Int64)",
    ),
    (
        typing.Annotated[pa.Table, kwtypes(price=bool)],
        pa.table({"price": [1]}),
        "expected a column of bool at ['price'] (it is of int64)",
    ),
    (type[Order], Settings, "expected a subclass of Order"),
    (pathlib.Path, 3, "expected Path"),
]


@pytest.mark.parametrize(("annotation", "given", "told"), MISMATCHES, ids=[one[2][:60] for one in MISMATCHES])
def test_mismatch_tells_what_was_expected_and_where(annotation: object, given: object, told: str) -> None:
    """The refusal names the type that was expected, the way to the value, and what to change if that is known."""
    for how in (handler_for(annotation).validate, handler_for(annotation).receive, handler_for(annotation).release):
        with pytest.raises(Mismatch) as caught:
            how(given)
        assert str(caught.value) == told


def test_value_of_an_older_class_of_the_same_name_is_told_as_such() -> None:
    """Where a cell that defines a class was run again, a value made before says so."""

    def define() -> type:
        @dataclasses.dataclass
        class Point:
            x: int

        return Point

    older, newer = define(), define()
    with pytest.raises(Mismatch) as caught:
        handler_for(newer).validate(older(1))
    assert str(caught.value) == f"expected Point ({MADE_AGAIN})"


@pytest.mark.parametrize(
    ("table", "columns", "expected"),
    [
        (pd.DataFrame({"a": [1, 2]}), kwtypes(a=float), pd.DataFrame({"a": [1.0, 2.0]})),
        (pl.DataFrame({"a": [1, 2]}), kwtypes(a=float), pl.DataFrame({"a": [1.0, 2.0]})),
        (pa.table({"a": [1, 2]}), kwtypes(a=float), pa.table({"a": [1.0, 2.0]})),
    ],
    ids=["pandas", "polars", "arrow"],
)
def test_column_of_integers_becomes_one_of_floats_where_declared(
    table: typing.Any,  # noqa: ANN401 - one of three classes
    columns: object,
    expected: typing.Any,  # noqa: ANN401 - one of three classes
) -> None:
    """Integers in a column declared as floats arrive as floats, and the caller's table keeps its integers."""
    made = handler_for(typing.Annotated[type(table), columns]).receive(table)
    assert expected.equals(made)
    assert not table.equals(expected) or str(table["a"].dtype) != str(expected["a"].dtype)


def test_columns_may_hold_what_the_library_has_for_their_types() -> None:
    """Every scalar type has its column types in each of the libraries; missing values are allowed."""
    day = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - naive
    data = {
        "i": [1, 2],
        "f": [0.5, None],
        "b": [True, False],
        "s": ["a", None],
        "d": [day, None],
        "t": [dt.timedelta(1), None],
        "y": [day.date(), None],
        "x": [b"a", None],
    }
    columns = kwtypes(i=int, f=float, b=bool, s=str | None, d=dt.datetime, t=dt.timedelta, y=dt.date, x=bytes)
    for table in (pd.DataFrame(data), pl.DataFrame(data), pa.table(data)):
        handler_for(typing.Annotated[type(table), columns]).validate(table)
    handler_for(typing.Annotated[pd.DataFrame, kwtypes(c="category", a=typing.Any)]).validate(
        pd.DataFrame({"c": pd.Categorical(["u"]), "a": [object]})
    )


def test_pandas_integers_that_floats_cannot_hold_are_refused() -> None:
    """A column is converted only where every one of its numbers stays what it is."""
    handler = handler_for(typing.Annotated[pd.DataFrame, kwtypes(a=float)])
    with pytest.raises(Mismatch, match="cannot hold all of its integers"):
        handler.validate(pd.DataFrame({"a": [2**60 + 1]}))
