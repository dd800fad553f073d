"""Columns of tables: whether they are there and of the declared type, and tables from and to JSON and files."""

from __future__ import annotations

import datetime as dt
import importlib
import typing

from celltask.core.types.base import Mismatch
from celltask.core.types.naming import library_of, type_name

if typing.TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.types.files import Columns

__all__ = ["checked_columns", "read_table", "table_from_json", "table_to_json"]

Frame = typing.Any
"""A frame or table of one of the three libraries; none of them is imported here until one is met."""

_KINDS: dict[object, str] = {
    int: "integer",
    float: "floating",
    bool: "boolean",
    str: "string",
    bytes: "bytes",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.timedelta: "timedelta",
}


def checked_columns(table: Frame, columns: Columns, name: str) -> Frame:
    """`table`, if it has `columns`; integers are made floats where floats are declared and hold them exactly.

    Raises:
        Mismatch: If a column is missing or of another type; further columns are allowed.
    """
    library = library_of(type(table))
    types = _column_types(library, table)
    for column, declared in columns.types:
        if column not in types:
            known = ", ".join(map(str, types)) or "none"
            raise Mismatch(f"{name} with a column {column!r}", table, hint=f"it has: {known}")
        wanted = _without_none(declared)
        if wanted is typing.Any:
            continue
        found = types[column]
        if _is_of(library, table, column, wanted):
            continue
        if wanted is float and _is_of(library, table, column, int):
            table = _with_floats(library, table, column, name)
            continue
        raise Mismatch(f"a column of {type_name(declared)}", table, (f"[{column!r}]",), f"it is of {found}")
    return table


def _without_none(declared: object) -> object:
    """The type of what is there: missing values are allowed in every column."""
    members = [one for one in typing.get_args(declared) if one is not type(None)]
    return members[0] if len(members) == 1 and type(None) in typing.get_args(declared) else declared


def _column_types(library: str, table: Frame) -> dict[object, object]:
    if library == "pandas":
        return dict(table.dtypes.items())
    if library == "polars":
        return dict(table.collect_schema())
    return {field.name: field.type for field in table.schema}


def _is_of(library: str, table: Frame, column: object, wanted: object) -> bool:
    kind = _KINDS.get(wanted)
    found = _column_types(library, table)[column]
    if kind is None:
        return found == wanted or str(found) == str(wanted)
    return {"pandas": _pandas_kind, "polars": _polars_kind, "pyarrow": _arrow_kind}[library](
        table, column, found
    ) == kind


def _pandas_kind(table: Frame, column: object, found: Frame) -> str:
    import pandas as pd  # noqa: PLC0415 - loaded already: the value is of it

    tests = {
        "boolean": pd.api.types.is_bool_dtype,
        "integer": pd.api.types.is_integer_dtype,
        "floating": pd.api.types.is_float_dtype,
        "datetime": pd.api.types.is_datetime64_any_dtype,
        "timedelta": pd.api.types.is_timedelta64_dtype,
    }
    if found != object:  # noqa: E721 - a dtype equals the class
        named = [kind for kind, test in tests.items() if test(found)]
        return named[0] if named else "string" if pd.api.types.is_string_dtype(found) else str(found)
    classes = set(map(type, table[column].dropna()))
    kinds = {_KINDS.get(one, "") for one in classes}
    return kinds.pop() if len(kinds) == 1 else "string" if not classes else "object"


def _polars_kind(table: Frame, column: object, found: Frame) -> str:
    del table, column
    if found.is_integer():
        return "integer"
    if found.is_float():
        return "floating"
    names = {"Boolean": "boolean", "String": "string", "Binary": "bytes", "Date": "date", "Duration": "timedelta"}
    word = str(found).partition("(")[0]
    return "datetime" if word == "Datetime" else names.get(word, word)


def _arrow_kind(table: Frame, column: object, found: Frame) -> str:
    del table, column
    import pyarrow.types as pt  # noqa: PLC0415 - loaded already: the value is of it

    tests: dict[str, tuple[Callable[[Frame], bool], ...]] = {
        "boolean": (pt.is_boolean,),
        "integer": (pt.is_integer,),
        "floating": (pt.is_floating,),
        "string": (pt.is_string, pt.is_large_string, pt.is_string_view),
        "bytes": (pt.is_binary, pt.is_large_binary),
        "datetime": (pt.is_timestamp,),
        "date": (pt.is_date,),
        "timedelta": (pt.is_duration,),
    }
    return next((kind for kind, several in tests.items() if any(test(found) for test in several)), str(found))


_EXACT = 2**53
"""Up to here a float holds every integer."""


def _with_floats(library: str, table: Frame, column: str, name: str) -> Frame:
    if library == "polars":
        import polars as pl  # noqa: PLC0415 - loaded already: the value is of it

        return table.with_columns(pl.col(column).cast(pl.Float64, strict=True))
    if library == "pandas":
        largest = table[column].abs().max() if len(table) else 0
        if largest > _EXACT:
            raise Mismatch(
                f"{name} whose {column!r} fits floats", table, hint="a float cannot hold all of its integers"
            )
        return table.assign(**{column: table[column].astype("float64")})
    import pyarrow as pa  # noqa: PLC0415 - loaded already: the value is of it

    at = table.schema.get_field_index(column)
    try:
        return table.set_column(at, column, table.column(at).cast(pa.float64()))
    except pa.ArrowInvalid as error:
        raise Mismatch(f"{name} whose {column!r} fits floats", table, hint=str(error)) from None


def table_to_json(cls: type, table: Frame, digest: Callable[[object], str]) -> object:
    """Columns as lists with their types, if a table read back from that has the same digest.

    Raises:
        Mismatch: If it has not.
    """
    library = library_of(cls)
    hint = "its index or the types of its columns are more than JSON can say"
    if cls.__name__ not in ("DataFrame", "Table"):
        raise Mismatch("a table with a JSON form", table, hint=f"a {cls.__name__} has none")
    if library == "pandas":
        columns = {name: _plain_cells(table[name]) for name in table.columns if type(name) is str}
        types = {str(name): str(kind) for name, kind in table.dtypes.items()}
    else:
        listed = table.to_dict(as_series=False) if library == "polars" else table.to_pydict()
        columns = {name: [_plain_cell(cell) for cell in cells] for name, cells in listed.items()}
        types = {str(name): str(kind) for name, kind in _column_types(library, table).items()}
    data: dict[str, object] = {"columns": columns, "types": types}
    try:
        if digest(table_from_json(cls, data, cls.__name__)) == digest(table):
            return data
    except Mismatch as mismatch:
        hint = mismatch.hint or hint
    raise Mismatch("a table with a JSON form", table, hint=hint)


def _plain_cells(column: Frame) -> list[object]:
    return [None if gone else _plain_cell(cell) for cell, gone in zip(column.tolist(), column.isna(), strict=True)]


def _plain_cell(cell: object) -> object:
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else cell


def table_from_json(cls: type, data: object, name: str) -> Frame:
    """A table from a dict of lists, a list of dicts, or what `table_to_json` makes.

    Raises:
        Mismatch: If `data` is none of them, or its columns differ in length.
    """
    types: dict[str, str] = {}
    if isinstance(data, dict) and set(data) == {"columns", "types"} and isinstance(data["columns"], dict):
        data, types = data["columns"], data["types"]
    records = isinstance(data, list) and all(isinstance(row, dict) for row in data)
    if not records and not (isinstance(data, dict) and all(isinstance(cells, list) for cells in data.values())):
        raise Mismatch(f"{name} as lists by column, or as a list of records", data)
    if cls.__name__ not in ("DataFrame", "Table", "LazyFrame"):
        raise Mismatch(name, data, hint=f"a {cls.__name__} cannot be written as JSON")
    try:
        return _build(cls, data, types)
    except Exception as error:  # noqa: BLE001 - border: each library has error classes of its own
        raise Mismatch(name, data, hint=str(error).splitlines()[0]) from None


def _build(cls: typing.Any, data: object, types: dict[str, str]) -> Frame:  # noqa: ANN401 - a class or value of a library that is not imported here
    library = library_of(cls)
    if library == "pandas":
        table = cls(data)
        return table.astype(types) if types else table
    if library == "polars":
        import polars as pl  # noqa: PLC0415 - loaded already: the value is of it

        known = {str(kind): kind for kind in (getattr(pl, one) for one in _POLARS_TYPES)}
        schema = {name: known[word] for name, word in types.items() if word in known}
        return cls(data, schema_overrides=schema)
    import pyarrow as pa  # noqa: PLC0415 - loaded already: the value is of it

    table = cls.from_pylist(data) if isinstance(data, list) else cls.from_pydict(data)
    if not types:
        return table
    return table.cast(pa.schema([(name, pa.type_for_alias(types[name])) for name in table.column_names]))


_POLARS_TYPES = (
    *("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64"),
    *("Boolean", "String", "Null"),
)

_READERS = {
    ".csv": {"pandas": "read_csv", "polars": "read_csv", "pyarrow": "csv:read_csv"},
    ".json": {"pandas": "read_json", "polars": "read_json", "pyarrow": "json:read_json"},
    ".parquet": {"pandas": "read_parquet", "polars": "read_parquet", "pyarrow": "parquet:read_table"},
    ".feather": {"pandas": "read_feather", "polars": "read_ipc", "pyarrow": "feather:read_table"},
    ".arrow": {"pandas": "read_feather", "polars": "read_ipc", "pyarrow": "feather:read_table"},
}


def read_table(cls: type, path: str, name: str) -> Frame:
    """The table in the file at `path`, read by its suffix.

    Raises:
        Mismatch: If there is no such file, or it cannot be read.
    """
    from pathlib import Path  # noqa: PLC0415 - only the command line needs it

    place = Path(path).expanduser()
    suffix = Path(path.removesuffix(".gz")).suffix.lower()
    library = library_of(cls)
    if suffix not in _READERS or cls.__name__ not in ("DataFrame", "Table"):
        raise Mismatch(f"{name} as JSON, or a path that ends in {', '.join(_READERS)}", path)
    if not place.is_file():
        raise Mismatch(name, path, hint="there is no such file")
    module, _, function = _READERS[suffix][library].rpartition(":")
    read = getattr(importlib.import_module(f"{library}.{module}" if module else library), function)
    try:
        return read(str(place))
    except Exception as error:  # noqa: BLE001 - border: each library has error classes of its own
        raise Mismatch(name, path, hint=str(error).splitlines()[0]) from None
