"""Tables: pandas, polars and Arrow, handed over without copying their data, with columns checked where declared.

pandas from version 3 on, polars and Arrow share memory until one side writes; older pandas is copied whole. What
lies in object columns is copied at every level, since none of the libraries looks after it.
"""

from __future__ import annotations

import io
import sys
import typing

from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler
from celltask.core.types.columns import checked_columns, read_table, table_from_json, table_to_json
from celltask.core.types.copying import SHARED
from celltask.core.types.lending import is_lent, lend
from celltask.core.types.naming import place_in_library
from celltask.core.types.oddities import oddities_of_table

if typing.TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.core.types.copying import Copier
    from celltask.core.types.files import Columns

__all__ = ["TableHandler", "copy_arrow", "copy_frame", "copy_polars"]

Table = typing.Any
"""A value of one of the three libraries; each is loaded when a value of it is met, and not imported here before."""

_TABULAR = ("pandas.DataFrame", "polars.DataFrame", "polars.LazyFrame", "pyarrow.Table")
_ROWS = ("pandas.Series", "pandas.Index", "polars.Series")


class TableHandler(BuiltInHandler):
    """A data frame, a series or an Arrow table; subclasses of them are objects like any."""

    def __init__(self, annotation: object, cls: type, columns: Columns | None) -> None:
        name = place_in_library(cls)
        if columns is not None:
            name += f"[{', '.join(name for name, _ in columns.types)}]"
        super().__init__(annotation, name)
        self.cls, self.columns = cls, columns

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of a table class of one of the three libraries."""
        plain = typing.get_origin(annotation) or annotation
        if not isinstance(plain, type) or place_in_library(plain) not in (*_TABULAR, *_ROWS):
            return None
        return cls(annotation, plain, None)

    @classmethod
    def with_columns(cls, base: object, columns: Columns) -> TypeHandler | None:
        """The handler of `Annotated[base, columns]`; None if `base` has no columns."""
        if not isinstance(base, type) or place_in_library(base) not in _TABULAR:
            return None
        return cls(typing.Annotated[base, columns], base, columns)

    def validate(self, value: object) -> object:
        """`value`, if it is such a table and has the declared columns."""
        if not isinstance(value, self.cls):
            raise Mismatch(self.name, value)
        return value if self.columns is None else checked_columns(value, self.columns, self.name)

    def to_json(self, value: object) -> object:
        """Columns as lists, with their types.

        Raises:
            Mismatch: If that does not say all of the table.
        """
        return table_to_json(self.cls, value, self.digest)

    def from_json(self, data: object) -> object:
        """From columns as lists, from a list of records, or from what `to_json` makes."""
        if isinstance(data, self.cls):
            return self.validate(data)
        return self.validate(table_from_json(self.cls, data, self.name))

    def parse(self, text: str) -> object:
        """From JSON, or from the CSV, JSON, Parquet or Arrow file at a path."""
        if text.lstrip()[:1] in ("{", "["):
            return super().parse(text)
        return self.validate(read_table(self.cls, text, self.name))

    def describe(self) -> dict[str, object]:
        """What the table is, for forms."""
        told = super().describe()
        if self.columns is not None:
            told["x-columns"] = {name: getattr(kind, "__name__", str(kind)) for name, kind in self.columns.types}
        return told

    def preview(self, value: object) -> str:
        """Rows, columns and the first names."""
        return preview_table(value)


def preview_table(value: object) -> str:
    """One line that tells size and columns of a table, and how many of its values are infinite or missing."""
    shape = getattr(value, "shape", None)
    odd = oddities_of_table(value)
    odd = f", {odd}" if odd else ""
    if shape is None or len(shape) != 2:  # noqa: PLR2004 - rows and columns
        head = (
            f"{place_in_library(type(value))} of {len(value)}"
            if hasattr(value, "__len__")
            else place_in_library(type(value))
        )
        kind = getattr(value, "dtype", "")
        return f"{head}{f', {kind}' if str(kind) else ''}{odd}"[:80]
    names = getattr(value, "column_names", None) or list(getattr(value, "columns", ()))
    line = f"table of {shape[0]} x {shape[1]}{odd}: {', '.join(map(str, names))}"
    return line if len(line) <= 80 else line[:79] + "…"  # noqa: PLR2004 - one line, as promised


def copy_frame(value: Table, copier: Copier) -> object:
    """A frame, series or index of pandas that shares memory with `value` until one of them is written to."""
    import pandas as pd  # noqa: PLC0415 - loaded already: the value is of it

    shares = int(pd.__version__.partition(".")[0]) >= 3 or isinstance(value, pd.Index)  # noqa: PLR2004 - the first with copy-on-write
    arrays = _arrays(value)
    blocks = list(_memory(arrays))
    if copier.releasing and blocks and is_lent(map(_region, blocks), tables_too=False):
        shares = False
    new = value.copy(deep=not shares)
    copier.remember(value, new)
    if not copier.releasing and shares:
        for block in blocks:
            lend(block, of_table=True)
    if isinstance(value, pd.Index) or not _has_objects(arrays):
        return new
    return _with_own_objects(value, new, copier)


def _arrays(value: Table) -> list[Table]:
    """The arrays that a frame, series or index is made of, without a copy."""
    manager = getattr(value, "_mgr", None)
    if getattr(value, "nlevels", 1) > 1:
        return []  # an index of several levels cannot be written to
    try:
        # A tenth of the time that the public way takes, and the same answer.
        return [block.values for block in manager.blocks] if manager is not None else [value.array]  # noqa: PD011 - of a block, which has no other
    except AttributeError:
        columns = [value] if value.ndim == 1 else [value.iloc[:, at] for at in range(value.shape[1])]
        return [column.array for column in columns]


def _memory(arrays: list[Table]) -> Iterator[Table]:
    """The NumPy arrays below those that a frame, series or index is made of."""
    import numpy as np  # noqa: PLC0415 - loaded already: the table is made of it

    for found in arrays:
        if isinstance(found, np.ndarray):
            if not found.dtype.hasobject:
                yield found
            continue
        for name in ("_ndarray", "_data", "_codes", "_mask"):
            array = getattr(found, name, None)
            if isinstance(array, np.ndarray) and not array.dtype.hasobject:
                yield array


def _region(array: Table) -> tuple[int, int]:
    from numpy.lib.array_utils import byte_bounds  # noqa: PLC0415 - loaded already: the table is made of it

    low, high = byte_bounds(array)
    return low, high - low


def _has_objects(arrays: list[Table]) -> bool:
    return any(getattr(found, "dtype", None) == object for found in arrays)  # noqa: E721 - a dtype equals the class


def _with_own_objects(value: Table, new: Table, copier: Copier) -> object:
    """`new`, a copy of `value`, with the cells of its object columns copied at every level."""
    import numpy as np  # noqa: PLC0415 - loaded already: pandas is
    import pandas as pd  # noqa: PLC0415 - loaded already: `value` is of it

    if value.ndim == 1:
        if SHARED.issuperset(map(type, value.array)):
            return new
        own = np.empty(len(value), dtype=object)
        made = type(value)(own, index=new.index, name=new.name, dtype=object, copy=False).__finalize__(new)
        copier.remember(value, made)  # before the cells are copied, in which it may be mentioned again
        _fill(own, value.array, copier, value.name)
        return made
    for at in range(value.shape[1]):
        column = value.iloc[:, at]
        if _has_objects([column]) and not SHARED.issuperset(map(type, column.array)):
            own = np.empty(len(value), dtype=object)
            _fill(own, column.array, copier, value.columns[at])
            new.isetitem(at, pd.Series(own, index=new.index, dtype=object, copy=False))
    return new


def _fill(own: Table, cells: Table, copier: Copier, name: object) -> None:
    for at, cell in enumerate(cells):
        try:
            own[at] = copier.copy(cell)
        except Mismatch as mismatch:
            raise mismatch.inside(f"[{at}]").inside(f"[{name!r}]") from None


def copy_polars(value: Table, copier: Copier) -> object:
    """A frame or series of polars on the same memory, which polars does not write to while it is shared."""
    import polars as pl  # noqa: PLC0415 - loaded already: the value is of it

    new = value.clone()
    copier.remember(value, new)
    if isinstance(value, pl.LazyFrame):
        return new
    columns = [value] if isinstance(value, pl.Series) else value.get_columns()
    changed = []
    for column in columns:
        if column.dtype == pl.Object:
            own = [copier.copy(cell) for cell in column.to_list()]
            changed.append(pl.Series(column.name, own, dtype=pl.Object))
        elif copier.releasing and _lies_on_lent(column):
            changed.append(_detached(column))
    if isinstance(value, pl.Series):
        return changed[0] if changed else new
    return new.with_columns(changed) if changed else new


def _lies_on_lent(column: Table) -> bool:
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        return False  # NumPy has no other memory that polars could take over
    regions = []
    for chunk in column.to_physical().get_chunks():
        try:
            regions.append(_region(chunk.to_numpy(allow_copy=False)))
        except RuntimeError:  # it has missing values, so polars does not show where it lies
            return is_lent([(0, sys.maxsize)])
    return is_lent(regions)


def _detached(column: Table) -> Table:
    """`column` on memory of its own; `extend`, `rechunk` and `clone` would all keep the old."""
    import polars as pl  # noqa: PLC0415 - loaded already: the value is of it

    return column.gather(pl.int_range(0, len(column), eager=True))


def copy_arrow(value: Table, copier: Copier) -> object:
    """An Arrow value, all of which are immutable; written out anew if it lies on memory of an array that was lent."""
    import pyarrow as pa  # noqa: PLC0415 - loaded already: the value is of it

    if not copier.releasing or not isinstance(value, pa.Table | pa.RecordBatch | pa.ChunkedArray | pa.Array):
        return value
    if not is_lent(_buffers(value)):
        return value
    if isinstance(value, pa.Table | pa.RecordBatch):
        columns = [_own_arrow(column) for column in value.columns]
        return type(value).from_arrays(columns, schema=value.schema)
    return _own_arrow(value)


def _buffers(value: Table) -> Iterator[tuple[int, int]]:
    for column in getattr(value, "columns", None) or [value]:
        for chunk in getattr(column, "chunks", None) or [column]:
            if hasattr(chunk, "buffers"):
                yield from ((one.address, one.size) for one in chunk.buffers() if one is not None)


def _own_arrow(column: Table) -> Table:
    import pyarrow as pa  # noqa: PLC0415 - loaded already: the value is of it

    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([_own_arrow(chunk) for chunk in column.chunks], type=column.type)
    return column.take(pa.array(range(len(column)), pa.int64()))


def encode(value: object) -> bytes | None:
    """The bytes of an Arrow stream; None where that would not give back the same table."""
    file = io.BytesIO()
    if place_in_library(type(value)) == "pyarrow.Table":
        import pyarrow as pa  # noqa: PLC0415 - loaded already: the value is of it

        table: Table = value
        with pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
        return file.getvalue()
    frame: Table = value
    if any(kind.is_object() if hasattr(kind, "is_object") else str(kind) == "Object" for kind in frame.dtypes):
        return None
    frame.write_ipc_stream(file)
    return file.getvalue()


def decode(mark: bytes, data: memoryview) -> object:
    """The table that `encode` made `data` of."""
    if mark == b"A":
        import pyarrow as pa  # noqa: PLC0415 - loaded already: the value is of it

        return pa.ipc.open_stream(pa.py_buffer(data)).read_all()
    import polars as pl  # noqa: PLC0415 - loaded already: the value is of it

    return pl.read_ipc_stream(io.BytesIO(data))
