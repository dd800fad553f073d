"""Digests of tables: by the types, names and cells of their columns, however their memory is laid out."""

from __future__ import annotations

import typing

from celltask.core.types.arrays import digest_array
from celltask.core.types.naming import place_in_library

if typing.TYPE_CHECKING:
    from celltask.core.types.digest import Hasher

__all__ = [
    "digest_arrow_array",
    "digest_arrow_table",
    "digest_frame",
    "digest_index",
    "digest_polars",
    "digest_polars_series",
    "digest_series",
]

Table = typing.Any
"""A value of one of the three libraries; each is loaded when a value of it is met, and not imported here before."""


def digest_frame(value: Table, hasher: Hasher) -> bytes:
    """A frame of pandas: index, column labels, and each column in its order."""
    parts = [digest_index(value.index, hasher), digest_index(value.columns, hasher), _attrs(value, hasher)]
    parts.extend(_column(value.iloc[:, at], hasher) for at in range(value.shape[1]))
    return hasher.node(f"frame {place_in_library(type(value))}", parts)


def digest_series(value: Table, hasher: Hasher) -> bytes:
    """A series of pandas: index, name and cells."""
    parts = [digest_index(value.index, hasher), hasher.token(value.name), _attrs(value, hasher)]
    return hasher.node(f"series {place_in_library(type(value))}", [*parts, _column(value, hasher)])


def digest_index(value: Table, hasher: Hasher) -> bytes:
    """An index of pandas: names and labels; a range counts as the range that it is."""
    import pandas as pd  # noqa: PLC0415 - loaded already: the value is of it

    names = hasher.token(list(value.names))
    if isinstance(value, pd.RangeIndex):
        return hasher.node("range", [names, hasher.token([value.start, value.step, len(value)])])
    if isinstance(value, pd.MultiIndex):
        levels = [_column(value.get_level_values(at), hasher) for at in range(value.nlevels)]
        return hasher.node("levels", [names, *levels])
    return hasher.node("index", [names, _column(value, hasher)])


def _attrs(value: Table, hasher: Hasher) -> bytes:
    return hasher.token(value.attrs)


def _column(column: Table, hasher: Hasher) -> bytes:
    """The cells of a series or index, and what kind they are of."""
    import numpy as np  # noqa: PLC0415 - loaded already: the table is made of it
    import pandas as pd  # noqa: PLC0415 - loaded already: the value is of it

    cells = column.array
    head = f"column {column.dtype}"
    if isinstance(cells, pd.Categorical):
        labels = digest_index(cells.categories, hasher)
        return hasher.node(head, [labels, digest_array(np.asarray(cells.codes), hasher), hasher.token(cells.ordered)])
    if hasattr(cells, "asi8"):  # dates, durations, periods: what they count from is in the name of the type
        return hasher.node(head, [digest_array(cells.asi8, hasher)])
    if isinstance(column.dtype, np.dtype) and not column.dtype.hasobject:
        return hasher.node(head, [digest_array(column.to_numpy(), hasher)])
    if hasattr(cells, "_mask"):  # Int64, boolean, …: what lies below a missing value does not count
        gone = np.asarray(cells.isna())
        known = cells.to_numpy(dtype=cells.dtype.numpy_dtype, na_value=cells.dtype.numpy_dtype.type(0))
        return hasher.node(head, [digest_array(gone, hasher), digest_array(known, hasher)])
    listed = column.astype(object).tolist()
    if not isinstance(column.dtype, np.dtype):
        listed = [None if gone else cell for cell, gone in zip(listed, np.asarray(cells.isna()), strict=True)]
    return hasher.node(head, [hasher.token(listed)])


def digest_polars(value: Table, hasher: Hasher) -> bytes:
    """A frame of polars: its columns in their order."""
    return hasher.node(
        "polars frame", [hasher.token(value.height), *(digest_polars_series(one, hasher) for one in value)]
    )


def digest_polars_series(value: Table, hasher: Hasher) -> bytes:
    """A series of polars: name, type and cells."""
    import polars as pl  # noqa: PLC0415 - loaded already: the value is of it

    head = [hasher.token(value.name), hasher.token(repr(value.dtype))]
    if value.dtype == pl.Object:
        return hasher.node("polars objects", [*head, hasher.token(value.to_list())])
    if value.dtype in (pl.Categorical, pl.Enum):
        value = value.cast(pl.String)
    return hasher.node("polars series", [*head, digest_arrow_array(value.to_arrow(), hasher)])


def digest_arrow_table(value: Table, hasher: Hasher) -> bytes:
    """An Arrow table: the schema with its metadata, and each column in its order."""
    fields = [
        [field.name, str(field.type), field.nullable, sorted((field.metadata or {}).items())] for field in value.schema
    ]
    head = hasher.token([value.num_rows, fields, sorted((value.schema.metadata or {}).items())])
    return hasher.node("arrow table", [head, *(digest_arrow_array(column, hasher) for column in value.columns)])


def digest_arrow_array(value: Table, hasher: Hasher) -> bytes:
    """An Arrow array: type, which cells are missing, and the others; chunks and offsets do not count."""
    import pyarrow as pa  # noqa: PLC0415 - loaded already: the value is of it
    import pyarrow.types as pt  # noqa: PLC0415 - loaded already: the value is of it

    if isinstance(value, pa.ChunkedArray):
        value = pa.concat_arrays(value.chunks) if value.num_chunks else pa.array([], value.type)
    if isinstance(value, pa.ExtensionArray):
        value = value.storage
    head = [hasher.token(str(value.type)), hasher.token(len(value))]
    if pt.is_string(value.type) or pt.is_binary(value.type) or pt.is_string_view(value.type):
        value = value.cast(pa.large_string() if not pt.is_binary(value.type) else pa.large_binary())
    gone = _missing_token(value, hasher)
    if pt.is_large_string(value.type) or pt.is_large_binary(value.type):
        return hasher.node("arrow texts", [*head, gone, *_text_tokens(value, hasher)])
    flat = pt.is_integer(value.type) or pt.is_floating(value.type) or pt.is_temporal(value.type)
    if (flat and not pt.is_interval(value.type)) or pt.is_boolean(value.type):
        return hasher.node("arrow numbers", [*head, gone, _number_token(value, hasher)])
    return hasher.node("arrow cells", [*head, hasher.token(value.to_pylist())])


def _missing_token(value: Table, hasher: Hasher) -> bytes:
    if not value.null_count:
        return hasher.token(None)
    return digest_array(value.is_null().to_numpy(zero_copy_only=False), hasher)


def _number_token(value: Table, hasher: Hasher) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - loaded already: the value is of it
    import pyarrow.types as pt  # noqa: PLC0415 - loaded already: the value is of it

    if pt.is_temporal(value.type):
        value = value.cast(pa.int32() if value.type.bit_width == 32 else pa.int64())  # noqa: PLR2004 - bits
    if value.null_count:
        value = value.fill_null(False if pt.is_boolean(value.type) else 0)
    return digest_array(value.to_numpy(zero_copy_only=False), hasher)


def _text_tokens(value: Table, hasher: Hasher) -> list[bytes]:
    """Lengths and text of all cells, straight from the buffers."""
    import numpy as np  # noqa: PLC0415 - loaded already: the table is made of it

    if value.null_count:
        value = value.fill_null("" if "string" in str(value.type) else b"")
    _, offsets, text = value.buffers()
    if offsets is None or not len(value):
        return [hasher.token(b""), hasher.token(b"")]
    ends = np.frombuffer(offsets, dtype=np.int64)[value.offset : value.offset + len(value) + 1]
    body = memoryview(text)[ends[0] : ends[-1]] if text is not None else memoryview(b"")
    return [digest_array(np.diff(ends), hasher), hasher.node("text", [body])]
