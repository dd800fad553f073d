"""What a reader of a live picture is shown of values: a line, the first rows of a table, a small image.

Nothing that a value says of itself is ever HTML here: texts are texts, cells are texts, images are PNG that were
made from pixels. The code of values is code of users, and may do anything: whatever it raises, a line is shown.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from celltask.core.interface import handler_preview
from celltask.render.page import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.core.types.base import TypeHandler

__all__ = ["shown_value"]

_MOST_ROWS, _MOST_COLUMNS, _LONGEST_CELL = 5, 8, 24
_IMAGE_PX = 160
_MOST_PIXELS = 50_000_000


def shown_value(handler: TypeHandler, value: object) -> Value:
    """A value of the type of `handler` as readers are shown it.

    >>> from celltask.core.types.lookup import handler_for
    >>> shown_value(handler_for(int), 3)
    Value(text='3', table=(), image='')
    """
    try:
        text = handler.preview(value)
    except Exception:  # noqa: BLE001 - border: a value's own code, or one that does not fit its type
        text = handler_preview(handler.masked(value))
    try:
        return Value(text, _first_rows(value), _thumbnail(value))
    except Exception:  # noqa: BLE001 - border: as above; the line tells it
        return Value(text)


def _is_of(value: object, module: str, name: str) -> Any:  # noqa: ANN401 - a library's class, or nothing
    """Whether `value` is of a class of a library, which is loaded if it is."""
    cls = getattr(sys.modules.get(module), name, None)
    return isinstance(cls, type) and isinstance(value, cls)


def _first_rows(value: Any) -> tuple[tuple[str, ...], ...]:  # noqa: ANN401 - a table of one of three libraries
    """Names of the columns and the first rows; empty for what is no table."""
    if _is_of(value, "pandas", "DataFrame"):
        few = value.iloc[:_MOST_ROWS, :_MOST_COLUMNS]
        names: Iterable[object] = few.columns
        rows: Iterable[Iterable[object]] = few.itertuples(index=False)
    elif _is_of(value, "polars", "DataFrame"):
        few = value[:_MOST_ROWS, :_MOST_COLUMNS]
        names, rows = few.columns, few.rows()
    elif _is_of(value, "pyarrow", "Table"):
        few = value.slice(0, _MOST_ROWS).select(range(min(_MOST_COLUMNS, value.num_columns)))
        names, rows = few.column_names, zip(*(column.to_pylist() for column in few.columns), strict=True)
    else:
        return ()
    told = [tuple(map(_cell, names)), *(tuple(map(_cell, row)) for row in islice(rows, _MOST_ROWS))]
    return tuple(told) if told[0] else ()


def _cell(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else " ".join(str(value)[: 4 * _LONGEST_CELL].split())
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def _thumbnail(value: Any) -> str:  # noqa: ANN401 - a figure or an image of a library
    """Address of a small PNG of a figure or an image; empty for what is none."""
    file = BytesIO()
    if _is_of(value, "matplotlib.figure", "Figure"):
        value.savefig(file, format="png", dpi=_IMAGE_PX / max(*value.get_size_inches(), 1.0))
    elif _is_of(value, "PIL.Image", "Image") and value.width * value.height <= _MOST_PIXELS:
        small = value.copy()
        small.thumbnail((_IMAGE_PX, _IMAGE_PX))
        small.convert("RGBA").save(file, format="PNG")
    else:
        return ""
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode('ascii')}"
