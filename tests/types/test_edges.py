"""The edges where text and JSON come in: more is accepted there than in a call, and nothing is guessed."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import json
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
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from steady import steady_id

from celltask.core.types.base import Mismatch
from celltask.core.types.lookup import handler_for
from celltask.core.types.marks import Secret


class Colour(enum.Enum):
    """Members with values of several kinds."""

    RED = "red"
    BLUE = 2
    CORNER = (0, 1)


class Access(enum.Flag):
    """Members that can be joined."""

    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Order:
    """A dataclass with required and other fields."""

    day: dt.date
    lines: list[int] = dataclasses.field(default_factory=list)
    colour: Colour = Colour.RED
    scale: dataclasses.InitVar[int] = 1
    total: int = dataclasses.field(init=False, default=0)

    def __post_init__(self, scale: int) -> None:
        if scale < 1:
            raise ValueError("scale must be positive")


class Settings(pydantic.BaseModel):
    """A model."""

    rate: float = pydantic.Field(default=0.1, ge=0)
    day: dt.date | None = None


class Report(typing.TypedDict, total=False):
    """A dict with one required key, said in words that only `typing` can read later."""

    accuracy: typing.Required[float]
    rows: int


class Split(typing.NamedTuple):
    """A tuple with names."""

    train: int
    test: int = 1


PARSED: list[tuple[object, str, object]] = [
    (int, "42", 42),
    (int, " -1 ", -1),
    (int, "1_000", 1000),
    (int, "0x1f", 31),
    (int, "007", 7),
    (float, "0.2", 0.2),
    (float, "1e-3", 1e-3),
    (float, "5", 5.0),
    (float, "inf", float("inf")),
    (str, " as it is ", " as it is "),
    (str, "5", "5"),
    (str, "", ""),
    *((bool, text, True) for text in ("true", "True", "yes", "1", "on")),
    *((bool, text, False) for text in ("false", "FALSE", "no", "0", "off")),
    (bytes, "aGk=", b"hi"),
    (complex, "1+2j", 1 + 2j),
    (None, "none", None),
    (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
    (dt.date, "2026-01-31", dt.date(2026, 1, 31)),
    (dt.datetime, "2026-01-31", dt.datetime(2026, 1, 31)),  # noqa: DTZ001 - naive stays naive
    (dt.datetime, "2026-01-31T09:30Z", dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC)),
    (dt.datetime, "2026-01-31 09:30:01.5", dt.datetime(2026, 1, 31, 9, 30, 1, 500000)),  # noqa: DTZ001 - naive
    (dt.time, "09:30", dt.time(9, 30)),
    (dt.timedelta, "10m", dt.timedelta(minutes=10)),
    (dt.timedelta, "1h 30m", dt.timedelta(minutes=90)),
    (dt.timedelta, "1h30m", dt.timedelta(minutes=90)),
    (dt.timedelta, "1.5 hours", dt.timedelta(minutes=90)),
    (dt.timedelta, "1:24", dt.timedelta(hours=1, minutes=24)),
    (dt.timedelta, "0:00:01.5", dt.timedelta(seconds=1.5)),
    (dt.timedelta, "1 day", dt.timedelta(days=1)),
    (dt.timedelta, "1 day, 2:03:04", dt.timedelta(days=1, hours=2, minutes=3, seconds=4)),
    (dt.timedelta, "2 weeks and 1 day", dt.timedelta(days=15)),
    (dt.timedelta, "-5s", dt.timedelta(seconds=-5)),
    (dt.timedelta, "250 ms", dt.timedelta(milliseconds=250)),
    (dt.timedelta, "P1DT2H", dt.timedelta(days=1, hours=2)),
    (dt.timedelta, "PT0S", dt.timedelta(0)),
    (dt.timedelta, "0s", dt.timedelta(0)),
    (Colour, "RED", Colour.RED),
    (Colour, "red", Colour.RED),
    (Colour, "Colour.RED", Colour.RED),
    (Colour, "blue", Colour.BLUE),
    (Colour, "2", Colour.BLUE),
    (Access, "READ", Access.READ),
    (Access, "READ|WRITE", Access.READ | Access.WRITE),
    (typing.Literal["a", 1] | None, "a", "a"),
    (typing.Literal["a", 1] | None, "1", 1),
    (typing.Literal["a", 1] | None, "none", None),
    (typing.Literal["1", 1], "1", "1"),
    (typing.Literal[Colour.RED], "red", Colour.RED),
    (list[int], "[1, 2]", [1, 2]),
    (list[dt.date], '["2026-01-31"]', [dt.date(2026, 1, 31)]),
    (tuple[int, Colour], '[1, "red"]', (1, Colour.RED)),
    (set[int], "[1, 2]", {1, 2}),
    (dict[str, float], '{"C": 1}', {"C": 1.0}),
    (dict, '{"C": 0.1, "deep": [1, null]}', {"C": 0.1, "deep": [1, None]}),
    (dict[int, str], '{"1": "a"}', {1: "a"}),
    (dict[dt.date, int], '{"2026-01-31": 1}', {dt.date(2026, 1, 31): 1}),
    (int | None, "5", 5),
    (int | None, "none", None),
    (str | None, "", ""),
    (int | str, "5", 5),
    (int | str, "five", "five"),
    (int | float, "5", 5),
    (int | float, "5.5", 5.5),
    (bool | int, "5", 5),
    (bool | int, "1", 1),
    (bool | int, "true", True),
    (dt.date | str, "2026-01-31", dt.date(2026, 1, 31)),
    (dt.date | dt.datetime, "2026-01-31", dt.date(2026, 1, 31)),
    (list[int] | int, "[1]", [1]),
    (typing.Any, '{"a": 1}', {"a": 1}),
    (typing.Any, "plain text", "plain text"),
    (Order, '{"day": "2026-01-31", "lines": [1], "colour": "blue"}', Order(dt.date(2026, 1, 31), [1], Colour.BLUE)),
    (Settings, '{"rate": 0.5, "day": "2026-01-31"}', Settings(rate=0.5, day=dt.date(2026, 1, 31))),
    (Report, '{"accuracy": 1}', {"accuracy": 1.0}),
    (Split, '{"train": 3}', Split(3)),
    (Split, "[3, 4]", Split(3, 4)),
    (typing.Annotated[int, at.Ge(0)], "5", 5),
    (pathlib.Path, "a/b.csv", pathlib.Path("a/b.csv")),
    (collections.abc.Sequence[int], "[1]", [1]),
]


@pytest.mark.parametrize(("annotation", "text", "expected"), PARSED, ids=steady_id)
def test_text_becomes_the_value_that_a_reader_sees_in_it(annotation: object, text: str, expected: object) -> None:
    """On the command line a value is written in the plainest form that its type has."""
    made = handler_for(annotation).parse(text)
    assert made == expected
    assert type(made) is type(expected)


NOT_PARSED: list[tuple[object, str, str]] = [
    (int, "1.0", "expected int"),
    (int, "", "expected int"),
    (int, "five", "expected int"),
    (float, "a", "expected float"),
    (bool, "maybe", "expected bool (write true or false)"),
    (bool, "", "expected bool (write true or false)"),
    (bytes, "é", "expected bytes (write it in base64)"),
    (dt.date, "31.1.2026", "expected date (write it like 2026-01-31)"),
    (dt.timedelta, "10", "expected timedelta (write it like 10m, 1h 30m, 1:24 or 1 day)"),
    (dt.timedelta, "", "expected timedelta (write it like 10m, 1h 30m, 1:24 or 1 day)"),
    (dt.timedelta, "10 parsecs", "expected timedelta (write it like 10m, 1h 30m, 1:24 or 1 day)"),
    (dt.timedelta, "9" * 40 + "d", "expected timedelta (write it like 10m, 1h 30m, 1:24 or 1 day)"),
    (Colour, "pink", "expected one of Colour.RED, Colour.BLUE, Colour.CORNER"),
    (Access, "READ|RUN", "expected one of Access.READ, Access.WRITE"),
    (typing.Literal["a", 1], "b", "expected one of 'a', 1"),
    (list[int], "1, 2", "expected list[int] as JSON"),
    (list[int], '["1"]', "expected int at [0]"),
    (list[int], '{"a": 1}', "expected list[int]"),
    (dict[str, int], '{"a": "b"}', "expected int at ['a']"),
    (dict[str, int], "[1]", "expected dict[str, int]"),
    (tuple[int, int], "[1]", "expected tuple[int, int] (it takes 2 values, and this has 1)"),
    (set[int], "[1, 1]", "expected set[int] with each value once"),
    (int | None, "five", "expected int | None"),
    (
        float | decimal.Decimal,
        "1.5",
        "expected float | Decimal (it could be float or Decimal; pass a value that is one of them exactly)",
    ),
    (Order, '{"lines": []}', "expected Order with 'day'"),
    (Order, '{"day": "2026-01-31", "line": []}', "expected Order, which has no field 'line' (did you mean 'lines'?)"),
    (Order, '{"day": "2026-01-31", "lines": ["a"]}', "expected int at .lines[0]"),
    (Order, '{"day": "2026-01-31", "scale": 0}', "expected Order (scale must be positive)"),
    (Settings, '{"rate": -1}', "expected greater than or equal to 0 at .rate"),
    (Report, "{}", "expected Report with 'accuracy'"),
    (Report, '{"accuracy": 1, "row": 1}', "expected Report, which has no field 'row' (did you mean 'rows'?)"),
    (Split, "{}", "expected Split with 'train'"),
    (typing.Annotated[int, at.Ge(0)], "-5", "expected int ≥ 0"),
    (LogisticRegression, "{}", "expected LogisticRegression (a LogisticRegression cannot be written as text)"),
    (
        npt.NDArray[np.float64],
        "[[1], [1, 2]]",
        "expected ndarray[float64] (the lists in it differ in length)",
    ),
]


@pytest.mark.parametrize(("annotation", "text", "told"), NOT_PARSED, ids=steady_id)
def test_text_that_says_no_value_is_refused_in_one_sentence(annotation: object, text: str, told: str) -> None:
    """What cannot be read, or could be read in two ways, is told with the place and the way to write it."""
    with pytest.raises(Mismatch) as caught:
        handler_for(annotation).parse(text)
    assert str(caught.value) == told


ANNOTATIONS = [
    *(int, float, bool, str, bytes, complex, decimal.Decimal, dt.date, dt.datetime, dt.time, dt.timedelta),
    *(Colour, Access, typing.Literal["a", 1], list[int], dict[str, int], dict[int, str], set[int], tuple[int, ...]),
    *(int | None, int | str, dt.date | str, bool | int | float, typing.Any, Order, Settings, Report, Split),
    *(pathlib.Path, np.ndarray, npt.NDArray[np.float64], np.float64, pd.DataFrame, pl.DataFrame, pa.Table),
    *(typing.Annotated[int, at.Ge(0)], LogisticRegression, list[Order], object),
]


@given(
    annotation=st.sampled_from(ANNOTATIONS), text=st.text() | st.from_regex(r'[\[{"0-9a-z:\-., ]{0,12}', fullmatch=True)
)
def test_no_text_ends_in_anything_but_a_value_or_a_mismatch(annotation: object, text: str) -> None:
    """Whatever is typed on a command line, the answer is a value that fits, or one sentence."""
    handler = handler_for(annotation)
    for made in _made_or_refused(handler.parse, text):
        handler.validate(made)


def _made_or_refused(act: typing.Callable[[typing.Any], object], given: object) -> list[object]:
    """The value that `act` makes, or nothing where it refuses."""
    try:
        return [act(given)]
    except Mismatch:
        return []


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(annotation=st.sampled_from(ANNOTATIONS), data=json_data)
def test_no_json_ends_in_anything_but_a_value_or_a_mismatch(annotation: object, data: object) -> None:
    """Whatever JSON comes in, the answer is a value that fits, or one sentence."""
    handler = handler_for(annotation)
    for made in _made_or_refused(handler.from_json, data):
        handler.validate(made)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (float, float("nan"), "nan"),
        (float, 0.5, 0.5),
        (bytes, b"hi", "aGk="),
        (dt.timedelta, dt.timedelta(hours=1, microseconds=5), "P0DT3600.000005S"),
        (Colour, Colour.CORNER, "CORNER"),
        (set[str], {"b", "a"}, ["a", "b"]),
        (dict[int, str], {1: "a"}, [[1, "a"]]),
        (dict[Colour, int], {Colour.RED: 1}, {"RED": 1}),
        (tuple[int, str], (1, "a"), [1, "a"]),
        (dt.date | str, dt.date(2026, 1, 31), {"type": "date", "value": "2026-01-31"}),
        (int | str, "5", "5"),
        (npt.NDArray[np.float64], np.eye(2), [[1.0, 0.0], [0.0, 1.0]]),
        (pd.DataFrame, pd.DataFrame({"a": [1, 2]}), {"columns": {"a": [1, 2]}, "types": {"a": "int64"}}),
        (Settings, Settings(rate=0.5), {"rate": 0.5, "day": None}),
        (Split, Split(1, 2), {"train": 1, "test": 2}),
    ],
)
def test_json_of_a_value_is_what_a_reader_expects(annotation: object, value: object, expected: object) -> None:
    """JSON is as plain as it can be while it says all."""
    data = handler_for(annotation).to_json(value)
    assert data == expected
    json.dumps(data, allow_nan=False)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (typing.Any, (1, 2)),
        (LogisticRegression, LogisticRegression()),
        (Settings, type("Tuned", (Settings,), {})()),
        (Order, dataclasses.make_dataclass("Express", ["more"], bases=(), kw_only=True)(more=1)),
        (Report, {"accuracy": 0.5, "more": 1}),
        (pd.DataFrame, pd.DataFrame({"a": [1]}, index=["x"])),
        (pd.Series, pd.Series([1])),
        (np.ndarray, np.array([object()])),
    ],
    ids=steady_id,
)
def test_value_that_json_cannot_say_whole_has_no_json(annotation: object, value: object) -> None:
    """JSON that would be read as another value is refused rather than written."""
    with pytest.raises(Mismatch):
        handler_for(annotation).to_json(value)


def test_union_reads_what_it_wrote_even_where_two_members_look_alike() -> None:
    """A date in a union with strings is marked as a date, and a string that looks like one stays a string."""
    handler = handler_for(dt.date | str)
    for value in (dt.date(2026, 1, 31), "2026-01-31", "x"):
        assert handler.from_json(json.loads(json.dumps(handler.to_json(value)))) == value


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet", ".feather"])
@pytest.mark.parametrize("cls", [pd.DataFrame, pl.DataFrame, pa.Table])
def test_table_on_the_command_line_is_the_path_of_a_file(cls: typing.Any, suffix: str, tmp_path: pathlib.Path) -> None:  # noqa: ANN401 - a class of three libraries
    """A table is read from the file that is named, by its suffix."""
    if cls is pa.Table and suffix == ".json":
        (tmp_path / "t.json").write_text('{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n')  # Arrow reads records by line
    else:
        frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
        write = {".csv": "to_csv", ".json": "to_json", ".parquet": "to_parquet", ".feather": "to_feather"}[suffix]
        options: dict[str, typing.Any] = {"index": False} if suffix == ".csv" else {}
        options |= {"orient": "records"} if suffix == ".json" else {}
        getattr(frame, write)(tmp_path / f"t{suffix}", **options)
    made: typing.Any = handler_for(cls).parse(str(tmp_path / f"t{suffix}"))
    assert made.shape == (2, 2)
    assert list(made["a"] if cls is not pa.Table else made["a"].to_pylist()) == [1, 2]


def test_table_on_the_command_line_may_be_json() -> None:
    """Columns as lists, or a list of records."""
    for text in ('{"a": [1, 2]}', '[{"a": 1}, {"a": 2}]'):
        for table in (pd.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 2]}), pa.table({"a": [1, 2]})):
            parsed: typing.Any = handler_for(type(table)).parse(text)
            assert table.equals(parsed)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no.csv", "expected pandas.DataFrame (there is no such file)"),
        (
            "table.xlsx",
            "expected pandas.DataFrame as JSON, or a path that ends in .csv, .json, .parquet, .feather, .arrow",
        ),
        ('{"a": 1}', "expected pandas.DataFrame as lists by column, or as a list of records"),
        ('{"a": [1], "b": [1, 2]}', "expected pandas.DataFrame (All arrays must be of the same length)"),
    ],
)
def test_table_that_cannot_be_read_says_why(text: str, told: str) -> None:
    """A path or JSON that is no table is refused in one sentence."""
    with pytest.raises(Mismatch) as caught:
        handler_for(pd.DataFrame).parse(text)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, {"type": "integer"}),
        (list[float], {"type": "array", "items": {"type": "number"}}),
        (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}], "x-members": ["int", "None"]}),
        (
            dict[int, bool],
            {
                "type": "object",
                "additionalProperties": {"type": "boolean"},
                "propertyNames": {"type": "integer"},
                "x-pairs": True,
            },
        ),
        (typing.Annotated[list[int], at.MinLen(2)], {"type": "array", "items": {"type": "integer"}, "minItems": 2}),
        (typing.Annotated[str, Secret], {"type": "string", "format": "password", "writeOnly": True}),
        (pydantic.SecretStr, {"type": "string", "format": "password", "writeOnly": True}),
        (Colour, {"enum": ["RED", "BLUE", "CORNER"]}),
        (typing.Literal["a", 1], {"enum": ["a", 1]}),
        (dt.date, {"type": "string", "format": "date"}),
        (typing.Annotated[int, at.Ge(0), at.Lt(9)], {"type": "integer", "minimum": 0, "exclusiveMaximum": 9}),
        (typing.Annotated[str, pydantic.Field(pattern="^a")], {"type": "string", "pattern": "^a"}),
        (
            Split,
            {
                "type": "object",
                "title": "Split",
                "properties": {"train": {"type": "integer"}, "test": {"type": "integer", "default": 1}},
                "required": ["train"],
                "additionalProperties": False,
            },
        ),
        (LogisticRegression, {"x-python": "LogisticRegression"}),
    ],
)
def test_description_of_a_type_is_json_schema(annotation: object, expected: object) -> None:
    """Forms and help read a JSON Schema."""
    assert handler_for(annotation).describe() == expected


@pytest.mark.parametrize(
    ("annotation", "value", "line"),
    [
        (int, 5, "5"),
        (str, "a\nb", "'a\\nb'"),
        (
            np.ndarray,
            np.zeros((1000, 3)),
            "array of 1000 x 3, float64: [[0. 0. 0.] [0. 0. 0.] ... [0. 0. 0.] [0. 0. 0.]]",
        ),
        (pd.DataFrame, pd.DataFrame({"a": [1], "b": [2]}), "table of 1 x 2: a, b"),
        (pd.Series, pd.Series([1, 2]), "pandas.Series of 2, int64"),
        (pa.Table, pa.table({"a": [1]}), "table of 1 x 1: a"),
        (Colour, Colour.RED, "Colour.RED"),
        (
            list[int],
            list(range(1000)),
            "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, …",
        ),
    ],
)
def test_preview_is_one_line(annotation: object, value: object, line: str) -> None:
    """One line tells a person what a value is."""
    assert handler_for(annotation).preview(value) == line
