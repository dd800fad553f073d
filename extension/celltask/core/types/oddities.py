"""What previews of arrays and tables tell of values that the first few do not show: how many are infinite or missing.

The look costs a bounded time: nothing is told of what has more than `MOST_CELLS` cells or `MOST_COLUMNS` columns.
"""

from __future__ import annotations

import typing

from celltask.core.types.naming import place_in_library

__all__ = ["MOST_CELLS", "MOST_COLUMNS", "oddities_of_array", "oddities_of_table"]

MOST_CELLS = 500_000
"""Of larger arrays and tables nothing is told: some 10 ms are what a preview may take."""

MOST_COLUMNS = 200
"""Nor of wider tables, whose columns are looked at one by one."""


def oddities_of_array(array: typing.Any) -> str:  # noqa: ANN401 - of NumPy, which is not imported here
    """``"45 infinite, 0 missing"`` of a NumPy array; empty where there is neither.

    >>> import numpy as np
    >>> oddities_of_array(np.array([1.0, np.inf, np.nan])), oddities_of_array(np.array([1.0]))
    ('1 infinite, 1 missing', '')
    """
    return "" if array.size > MOST_CELLS else _told(*_of_array(array))


def oddities_of_table(table: typing.Any) -> str:  # noqa: ANN401 - of one of three libraries
    """The same of a frame or series of pandas or polars, or of an Arrow table."""
    library, _, kind = place_in_library(type(table)).partition(".")
    rows, columns = (*getattr(table, "shape", ()), 1, 1)[:2]
    if library not in _COUNTS or columns > MOST_COLUMNS or rows * columns > MOST_CELLS or kind == "LazyFrame":
        return ""
    try:
        counts = [_COUNTS[library](column) for column in _columns(table, kind)]
    except Exception:  # noqa: BLE001 - border: libraries differ in what their columns can tell; then nothing is told
        return ""
    return _told(sum(infinite for infinite, _ in counts), sum(missing for _, missing in counts))


def _told(infinite: int, missing: int) -> str:
    return f"{infinite:,} infinite, {missing:,} missing" if infinite or missing else ""


def _columns(table: typing.Any, kind: str) -> list[typing.Any]:  # noqa: ANN401 - as above
    if kind in ("Series", "Index"):
        return [table]
    if kind == "DataFrame" and hasattr(table, "iloc"):
        return [table.iloc[:, at] for at in range(table.shape[1])]
    return list(table.get_columns() if hasattr(table, "get_columns") else table.columns)


def _of_array(array: typing.Any) -> tuple[int, int]:  # noqa: ANN401 - as above
    import numpy as np  # noqa: PLC0415 - loaded already: the array is of it

    if array.dtype.kind in "fc":
        return int(np.isinf(array).sum()), int(np.isnan(array).sum())
    return 0, int(np.isnat(array).sum()) if array.dtype.kind in "mM" else 0


def _of_pandas(column: typing.Any) -> tuple[int, int]:  # noqa: ANN401 - as above
    missing = int(column.isna().sum())
    if getattr(column.dtype, "kind", "O") not in "fc":
        return 0, missing
    infinite, _ = _of_array(column.to_numpy(dtype=complex, na_value=float("nan")))
    return infinite, missing


def _of_polars(column: typing.Any) -> tuple[int, int]:  # noqa: ANN401 - as above
    missing = int(column.null_count())
    if not column.dtype.is_float():
        return 0, missing
    return int(column.is_infinite().sum() or 0), missing + int(column.is_nan().sum() or 0)


def _of_arrow(column: typing.Any) -> tuple[int, int]:  # noqa: ANN401 - as above
    import pyarrow.compute as pc  # noqa: PLC0415 - its package is loaded already: the table is of it

    missing = int(column.null_count)
    if str(column.type) not in ("halffloat", "float", "double"):
        return 0, missing
    infinite, no_numbers = (pc.sum(mask).as_py() or 0 for mask in (pc.is_inf(column), pc.is_nan(column)))
    return int(infinite), missing + int(no_numbers)


_COUNTS = {"pandas": _of_pandas, "polars": _of_polars, "pyarrow": _of_arrow}
