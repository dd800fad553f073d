"""Functions over arrays and tables that every system gets as they are. Imports numpy and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["array_of_100_mb", "frame_of_a_million_rows", "length", "size"]


def size(values: np.ndarray) -> int:
    """Number of elements."""
    return int(values.size)


def length(values: pd.DataFrame) -> int:
    """Number of rows."""
    return len(values)


def array_of_100_mb() -> object:
    """100 MB of floats, shape (12_500_000,)."""
    return np.arange(12_500_000, dtype="float64")


def frame_of_a_million_rows() -> object:
    """1,000,000 rows: a float, an integer and another float in each."""
    rng = np.random.default_rng(0)
    rows = 1_000_000
    return pd.DataFrame({"x": rng.random(rows), "n": rng.integers(0, 100, rows), "y": rng.random(rows)})
