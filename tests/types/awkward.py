"""Values that are hard to tell apart, or easy to tell apart wrongly: pairs, and what their digests must be.

Run as a program, it prints the digest of every first value as JSON, for a comparison between processes.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import json
import operator
import pathlib
import random
import re
import sys
import threading
import typing
import uuid
import zoneinfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

SAME, DIFFERENT, REFUSED = "same", "different", "refused"


@dataclasses.dataclass
class Order:
    """A dataclass with a mutable field."""

    number: int
    lines: dict[str, set[int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """A frozen dataclass without a `__dict__`."""

    x: int
    y: tuple[int, ...]


@dataclasses.dataclass
class Base:
    """A dataclass with the same field as the next one."""

    x: int


@dataclasses.dataclass
class Sub(Base):
    """Told apart from `Base` by its class alone."""


class Slotted:
    """A class whose state lies in slots."""

    __slots__ = ("left", "right")

    def __init__(self, left: int, right: list[int]) -> None:
        self.left, self.right = left, right


class Colour(enum.Enum):
    """Members with names."""

    RED = 1
    GREEN = 2


class Access(enum.Flag):
    """Members that can be joined."""

    READ = 1
    WRITE = 2


class Words:
    """An object that holds a set of strings, whose order differs between processes."""

    def __init__(self) -> None:
        self.words = {"alpha", "beta", "gamma", "delta", "epsilon"}


class Backwards(Words):
    """The same attributes, set in another order."""

    def __init__(self, *, first: bool) -> None:
        names = ("one", "two") if first else ("two", "one")
        for name in names:
            setattr(self, name, len(name))


class Locked:
    """An object that cannot be told, because of one attribute."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class Model(pydantic.BaseModel):
    """A pydantic model."""

    name: str = "iris"
    sizes: list[float] = []


class Pair(typing.NamedTuple):
    """A tuple with names."""

    left: int
    right: int


def _list_in_itself() -> list[object]:
    made: list[object] = [1]
    made.append(made)
    return made


def _dict_in_itself(number: int = 1) -> dict[str, object]:
    made: dict[str, object] = {"number": number}
    made["self"] = made
    return made


def _shared() -> list[list[int]]:
    part = [1, 2]
    return [part, part]


def _shared_deeply() -> list[object]:
    made: list[object] = []
    for _ in range(60):  # told part by part, this would be 2 to the power of 60 lists
        made = [made, made]
    return made


def _forest(seed: int = 0) -> object:
    rows, labels = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    return RandomForestClassifier(n_estimators=3, random_state=seed).fit(rows, labels)


def _regression() -> object:
    rows, labels = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    return LogisticRegression().fit(rows, labels)


def _frame() -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": pd.Categorical(["u", "v", "u"])})


GRID = np.arange(100.0).reshape(10, 10)
STAMP = dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC)
Maker = typing.Callable[[], object]

AWKWARD: dict[str, tuple[Maker, Maker, str]] = {
    "dict, other order": (lambda: {"a": 1, "b": 2}, lambda: {"b": 2, "a": 1}, DIFFERENT),
    "set, other order": (lambda: {"a", "b", "c", "d"}, lambda: {"d", "c", "b", "a"}, SAME),
    "set within an object": (Words, Words, SAME),
    "column of an array, view and copy": (lambda: GRID[:, 3], GRID[:, 3].copy, SAME),
    "array, rows first and columns first": (lambda: GRID, lambda: np.asfortranarray(GRID), SAME),
    "array of 32 and of 64 bits": (lambda: np.arange(4, dtype="i4"), lambda: np.arange(4, dtype="i8"), DIFFERENT),
    "one and true": (lambda: [1], lambda: [True], DIFFERENT),
    "one and one point nought": (lambda: [1], lambda: [1.0], DIFFERENT),
    "array of objects": (
        lambda: np.array(["a", None, 1.5], dtype=object),
        lambda: np.array(["a", None, 1.5], dtype=object),
        SAME,
    ),
    "frame and its copy": (_frame, lambda: _frame().copy(deep=True), SAME),
    "rows of a frame, view and copy": (lambda: _frame()[1:], _frame()[1:].copy, SAME),
    "frame with another index": (_frame, lambda: _frame().set_axis([5, 6, 7]), DIFFERENT),
    "frame with another column order": (_frame, lambda: _frame()[["b", "a", "c"]], DIFFERENT),
    "frame with a cell missing": (_frame, lambda: _frame().fillna({"b": "z"}), DIFFERENT),
    "categories in another order": (
        lambda: pd.Series(pd.Categorical(["u", "v"], ["u", "v"])),
        lambda: pd.Series(pd.Categorical(["u", "v"], ["v", "u"])),
        DIFFERENT,
    ),
    "column of Int64, what lies below NA": (
        lambda: pd.Series(pd.arrays.IntegerArray(np.array([1, 7]), np.array([False, True]))),
        lambda: pd.Series(pd.arrays.IntegerArray(np.array([1, 9]), np.array([False, True]))),
        SAME,
    ),
    "forest fitted again": (_forest, _forest, SAME),
    "forest of another seed": (_forest, lambda: _forest(1), DIFFERENT),
    "regression fitted again": (_regression, _regression, SAME),
    "dataclass with a dict of sets": (lambda: Order(1, {"a": {3, 1, 2}}), lambda: Order(1, {"a": {2, 1, 3}}), SAME),
    "dataclass and its subclass": (lambda: Base(1), lambda: Sub(1), DIFFERENT),
    "frozen dataclass with slots": (lambda: Point(1, (2,)), lambda: Point(1, (2,)), SAME),
    "list in itself": (_list_in_itself, _list_in_itself, SAME),
    "dict in itself": (_dict_in_itself, _dict_in_itself, SAME),
    "dict in itself, other number": (_dict_in_itself, lambda: _dict_in_itself(2), DIFFERENT),
    "one list twice and two equal lists": (_shared, lambda: [[1, 2], [1, 2]], SAME),
    "shared parts, sixty levels deep": (_shared_deeply, _shared_deeply, SAME),
    "one string twice and two equal strings": (
        lambda: ["hello 123"] * 2,
        lambda: ["hello 123", "hello " + str(123)],
        SAME,
    ),
    "two ways to not-a-number": (lambda: [float("nan"), 1], lambda: [-float("nan"), 1], SAME),
    "not-a-number in a row": (lambda: [float("nan"), 1.0], lambda: [-float("nan"), 1.0], SAME),
    "nought and minus nought": (lambda: 0.0, lambda: -0.0, DIFFERENT),
    "minus nought in a row": (lambda: [0.0, 1.0], lambda: [-0.0, 1.0], DIFFERENT),
    "minus nought in an array": (lambda: np.array([0.0]), lambda: np.array([-0.0]), DIFFERENT),
    "enum, date, Decimal, path": (
        lambda: [Colour.RED, dt.date(2026, 1, 1), decimal.Decimal("1.0"), pathlib.Path("a/b")],
        lambda: [Colour.RED, dt.date(2026, 1, 1), decimal.Decimal("1.0"), pathlib.Path("a/b")],
        SAME,
    ),
    "enum members": (lambda: Colour.RED, lambda: Colour.GREEN, DIFFERENT),
    "joined flags": (lambda: Access.READ | Access.WRITE, lambda: Access.WRITE | Access.READ, SAME),
    "object with slots": (lambda: Slotted(1, [2]), lambda: Slotted(1, [2]), SAME),
    "object with slots, other content": (lambda: Slotted(1, [2]), lambda: Slotted(1, [3]), DIFFERENT),
    "attributes set in another order": (lambda: Backwards(first=True), lambda: Backwards(first=False), SAME),
    "partial of a builtin": (lambda: functools.partial(max, 1), lambda: functools.partial(max, 1), SAME),
    "text and bytes": (lambda: "abc", lambda: b"abc", DIFFERENT),
    "bytes and bytearray": (lambda: b"abc", lambda: bytearray(b"abc"), DIFFERENT),
    "tuple and list": (lambda: (1, 2), lambda: [1, 2], DIFFERENT),
    "named tuple and tuple": (lambda: Pair(1, 2), lambda: (1, 2), DIFFERENT),
    "set and frozenset": (lambda: {1}, lambda: frozenset({1}), DIFFERENT),
    "nested and flat": (lambda: [1, [2]], lambda: [1, 2], DIFFERENT),
    "texts cut elsewhere": (lambda: ["ab", "c"], lambda: ["a", "bc"], DIFFERENT),
    "numbers cut elsewhere": (lambda: [1, 23], lambda: [12, 3], DIFFERENT),
    "empty list and empty dict": (list, dict, DIFFERENT),
    "empty arrays of two shapes": (lambda: np.empty((0, 3)), lambda: np.empty((3, 0)), DIFFERENT),
    "key and value swapped": (lambda: {"a": "b"}, lambda: {"b": "a"}, DIFFERENT),
    "one moment in two zones": (
        lambda: STAMP,
        lambda: STAMP.astimezone(zoneinfo.ZoneInfo("Europe/Paris")),
        DIFFERENT,
    ),
    "naive and aware": (lambda: STAMP.replace(tzinfo=None), lambda: STAMP, DIFFERENT),
    "Decimal with and without a zero": (lambda: decimal.Decimal("1.0"), lambda: decimal.Decimal("1.00"), DIFFERENT),
    "fraction reduced": (lambda: fractions.Fraction(2, 4), lambda: fractions.Fraction(1, 2), SAME),
    "complex": (lambda: complex(1, -0.0), lambda: complex(1, 0.0), DIFFERENT),
    "very large integers": (lambda: 10**5000, lambda: 10**5000 + 1, DIFFERENT),
    "lone surrogate": (lambda: "\ud800", lambda: "\ud800", SAME),
    "path put together in two ways": (lambda: pathlib.Path("a") / "b", lambda: pathlib.Path("a/b"), SAME),
    "identifier": (lambda: uuid.UUID(int=5), lambda: uuid.UUID(int=5), SAME),
    "pattern": (lambda: re.compile("a+"), lambda: re.compile("a+", re.IGNORECASE), DIFFERENT),
    "random generator in the same state": (lambda: random.Random(1), lambda: random.Random(1), SAME),  # noqa: S311 - not for secrets
    "NumPy generator in another state": (lambda: np.random.default_rng(1), lambda: np.random.default_rng(2), DIFFERENT),
    "ordered dict and dict": (lambda: collections.OrderedDict(a=1), lambda: {"a": 1}, DIFFERENT),
    "counter": (lambda: collections.Counter("abca"), lambda: collections.Counter("aabc"), SAME),
    "deque of another length": (lambda: collections.deque([1]), lambda: collections.deque([1], 3), DIFFERENT),
    "model, default given and not given": (Model, lambda: Model(name="iris"), SAME),
    "model of other content": (Model, lambda: Model(sizes=[1.0]), DIFFERENT),
    "masked array, other mask": (
        lambda: np.ma.masked_array([1, 2], [True, False]),
        lambda: np.ma.masked_array([1, 2], [False, False]),
        DIFFERENT,
    ),
    "records": (
        lambda: np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        lambda: np.array([(1, 2.0)], dtype=np.dtype([("a", "i4"), ("b", "f8")], align=True)),
        SAME,
    ),
    "NumPy's and Python's float": (lambda: np.float64(1), lambda: 1.0, DIFFERENT),
    "polars frame": (lambda: pl.DataFrame({"a": [1, 2]}), lambda: pl.DataFrame({"a": [0, 1, 2]})[1:], SAME),
    "polars text, missing or empty": (lambda: pl.Series(["a", None]), lambda: pl.Series(["a", ""]), DIFFERENT),
    "polars categories made in another order": (
        lambda: pl.Series(["u", "v"], dtype=pl.Categorical),
        lambda: pl.Series(["v", "u", "v"], dtype=pl.Categorical)[1:],
        SAME,
    ),
    "arrow, slice and copy": (
        lambda: pa.table({"a": list(range(10)), "b": list("abcdefghij")}).slice(2, 3),
        lambda: pa.table({"a": [2, 3, 4], "b": ["c", "d", "e"]}),
        SAME,
    ),
    "arrow, two chunks and one": (
        lambda: pa.chunked_array([[1, None], [3]]),
        lambda: pa.chunked_array([[1, None, 3]]),
        SAME,
    ),
    "arrow, lists": (lambda: pa.array([[1], [2, 3]]), lambda: pa.array([[1, 2], [3]]), DIFFERENT),
    "itemgetter": (lambda: operator.itemgetter("a"), lambda: operator.itemgetter("b"), DIFFERENT),
    "lock within an object": (Locked, Locked, REFUSED),
    "generator": (lambda: (one for one in [1]), lambda: (one for one in [1]), REFUSED),
    "bare object": (object, object, REFUSED),
    "function": (lambda: _frame, lambda: _frame, REFUSED),
    "lambda": (lambda: lambda: 1, lambda: lambda: 1, REFUSED),
    "open file": (lambda: sys.__stdout__, lambda: sys.__stdout__, REFUSED),
}


if __name__ == "__main__":
    from celltask.core.types.digest import digest_value

    told = {name: digest_value(made()) for name, (made, _, how) in AWKWARD.items() if how != REFUSED}
    print(json.dumps(told))  # noqa: T201 - what it is for
