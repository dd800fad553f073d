"""Tables at the edges of a command: from the text of standard input, and to records and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from celltask.cli.inputs import TABLES
from celltask.core.types.base import Mismatch
from celltask.core.types.lookup import handler_for
from celltask.core.types.naming import place_in_library

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import polars as pl

    from celltask.core.types.base import TypeHandler

__all__ = ["is_table_value", "records", "rows_in", "table_of_text", "write_table"]


class _Frame(Protocol):
    """What of the three libraries is used here."""

    shape: tuple[int, int]


def table_of_text(handler: TypeHandler, text: str) -> object:
    """The table that `text` says, as JSON or else as CSV.

    Raises:
        Mismatch: If it says none.
    """
    if text.lstrip()[:1] in ("{", "["):
        return handler.parse(text)
    if not text.strip():
        raise Mismatch(f"{handler.name} as CSV or JSON", "", hint="standard input is empty")
    from pathlib import Path  # noqa: PLC0415 - only for a table from standard input
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - as above

    with TemporaryDirectory(prefix="celltask-") as folder:
        path = Path(folder, "table.csv")
        path.write_text(text, encoding="utf-8")
        try:
            return handler.parse(str(path))
        except Mismatch as error:
            value = "-" if error.value == str(path) else error.value
            raise Mismatch(error.expected, value, error.path, error.hint) from None


def is_table_value(value: object) -> bool:
    """Whether `value` is a table that files can hold.

    >>> is_table_value([1])
    False
    """
    return place_in_library(type(value)) in TABLES


def rows_in(table: object) -> int:
    """How many rows `table` has."""
    return cast("_Frame", table).shape[0]


def records(table: object) -> list[dict[str, object]]:
    """The rows of `table`, each as an object by column; an index with a name is a column.

    Raises:
        Mismatch: If JSON cannot say them.
    """
    flat = _without_index(table)
    told = handler_for(type(flat)).to_json(flat)
    columns = cast("dict[str, dict[str, list[object]]]", told)["columns"]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _without_index(table: object) -> object:
    """A frame of pandas with its index as columns, or without it if it only numbers the rows; others as they are."""
    if place_in_library(type(table)) != "pandas.DataFrame":
        return table
    from pandas.api.types import is_integer_dtype  # noqa: PLC0415 - loaded already: the table is of it

    frame = cast("pd.DataFrame", table)
    names_nothing = not any(frame.index.names) and is_integer_dtype(frame.index.dtype)
    try:
        return frame.reset_index(drop=names_nothing)
    except ValueError as error:  # the index has the name of a column
        raise Mismatch("a table with columns of different names", table, hint=str(error)) from None


def write_table(table: object, path: Path) -> None:
    """Write `table` to `path` as CSV or Parquet, by the suffix of `path`."""
    library = place_in_library(type(table)).partition(".")[0]
    as_csv = path.suffix.lower() == ".csv"
    if library == "pandas":
        frame = cast("pd.DataFrame", _without_index(table) if as_csv else table)
        frame.to_csv(path, index=False) if as_csv else frame.to_parquet(path)
    elif library == "polars":
        data = cast("pl.DataFrame", table)
        data.write_csv(path) if as_csv else data.write_parquet(path)
    elif as_csv:
        from pyarrow import csv  # noqa: PLC0415 - loaded already: the table is of it

        csv.write_csv(table, path)
    else:
        from pyarrow import parquet  # noqa: PLC0415 - loaded already: the table is of it

        parquet.write_table(table, path)
