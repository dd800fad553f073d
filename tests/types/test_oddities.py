"""Infinite and missing values are told by previews, since the first few values seldom show them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from celltask.core.types.lookup import handler_for
from celltask.core.types.oddities import MOST_CELLS, MOST_COLUMNS

INF, NAN = float("inf"), float("nan")
NUMBERS = [1.0, INF, -INF, NAN]

TOLD = {
    "array": (np.array(NUMBERS), "array of 4, float64, 2 infinite, 1 missing: [ 1. inf -inf nan]"),
    "half": (np.array(NUMBERS, "f2"), "array of 4, float16, 2 infinite, 1 missing: [ 1. inf -inf nan]"),
    "complex": (np.array([1j, INF]), "array of 2, complex128, 1 infinite, 0 missing: [ 0.+1.j inf+0.j]"),
    "dates": (
        np.array(["2026-01-01", "NaT"], "M8[D]"),
        "array of 2, datetime64[D], 0 infinite, 1 missing: ['2026-01-01' 'NaT']",
    ),
    "finite": (np.array([1.0, 2.0]), "array of 2, float64: [1. 2.]"),
    "whole": (np.array([1, 2]), "array of 2, int64: [1 2]"),
    "empty": (np.array([]), "array of 0, float64: []"),
    "frame": (
        pd.DataFrame({"a": NUMBERS, "b": ["x", None, "y", "z"]}),
        "table of 4 x 2, 2 infinite, 2 missing: a, b",
    ),
    "frame-of-nullable": (
        pd.DataFrame({"a": pd.array([1.5, None, INF], "Float64"), "b": pd.array([1, None, 3], "Int64")}),
        "table of 3 x 2, 1 infinite, 2 missing: a, b",
    ),
    "frame-with-equal-names": (
        pd.DataFrame([[NAN, INF]], columns=["a", "a"]),
        "table of 1 x 2, 1 infinite, 1 missing: a, a",
    ),
    "frame-without": (pd.DataFrame({"a": [1.0]}), "table of 1 x 1: a"),
    "frame-of-times": (pd.DataFrame({"a": [pd.NaT, pd.Timestamp(0)]}), "table of 2 x 1, 0 infinite, 1 missing: a"),
    "series": (pd.Series(NUMBERS), "pandas.Series of 4, float64, 2 infinite, 1 missing"),
    "index": (pd.Index([1.0, NAN]), "pandas.Index of 2, float64, 0 infinite, 1 missing"),
    "polars": (
        pl.DataFrame({"a": NUMBERS, "b": [None, 1, 2, 3]}),
        "table of 4 x 2, 2 infinite, 2 missing: a, b",
    ),
    "polars-series": (pl.Series([None, INF]), "polars.Series of 2, Float64, 1 infinite, 1 missing"),
    "polars-lazy": (pl.LazyFrame({"a": NUMBERS}), "polars.LazyFrame"),
    "arrow": (
        pa.table({"a": NUMBERS, "b": [None, "x", "y", "z"]}),
        "table of 4 x 2, 2 infinite, 2 missing: a, b",
    ),
}


@pytest.mark.parametrize(("value", "told"), TOLD.values(), ids=TOLD)
def test_a_preview_counts_infinite_and_missing_values(value: object, told: str) -> None:
    """Beside the size, and only where there are any."""
    assert handler_for(type(value)).preview(value) == told


def test_a_preview_of_much_data_counts_nothing() -> None:
    """Beyond a stated number of cells or columns, only the size is told."""
    assert "missing" in handler_for(np.ndarray).preview(np.full(MOST_CELLS, np.nan))
    assert "missing" not in handler_for(np.ndarray).preview(np.full(MOST_CELLS + 1, np.nan))
    frames = handler_for(pd.DataFrame)
    assert "missing" in frames.preview(pd.DataFrame(np.full((2, MOST_COLUMNS), np.nan)))
    assert "missing" not in frames.preview(pd.DataFrame(np.full((2, MOST_COLUMNS + 1), np.nan)))
    assert "missing" not in frames.preview(pd.DataFrame(np.full((MOST_CELLS // 2 + 1, 2), np.nan)))


def test_a_preview_with_counts_is_still_one_line() -> None:
    """It is cut at 80 characters, as ever."""
    line = handler_for(pd.DataFrame).preview(pd.DataFrame({"a" * 90: NUMBERS}))
    assert len(line) == 80
    assert line.startswith("table of 4 x 1, 2 infinite, 1 missing: aaa")
