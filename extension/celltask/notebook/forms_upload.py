"""Files that were uploaded in a form: kept beside the notebook, where code can name them."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FOLDER", "TABLES", "accepted_files", "kept_upload", "reading_of"]

FOLDER = "uploads"
"""Folder in the notebook's working directory."""

TABLES = ("pandas.DataFrame", "polars.DataFrame")
"""What can be read from an uploaded file."""

_READERS = {
    "pandas": {
        ".csv": "read_csv",
        ".json": "read_json",
        ".parquet": "read_parquet",
        ".feather": "read_feather",
        ".arrow": "read_feather",
    },
    "polars": {
        ".csv": "read_csv",
        ".json": "read_json",
        ".parquet": "read_parquet",
        ".feather": "read_ipc",
        ".arrow": "read_ipc",
    },
}


def accepted_files(kind: str) -> str:
    """The suffixes from which a table of that class can be read, as the page's file dialog takes them.

    >>> accepted_files("pandas.DataFrame")
    '.csv,.json,.parquet,.feather,.arrow'
    """
    return ",".join(_READERS[kind.partition(".")[0]])


def kept_upload(name: str, content: bytes) -> str:
    """Where a file uploaded as `name` is kept; one of the same name and other content stays, and gets a neighbour."""
    plain = re.sub(r"[^\w.()\- ]", "_", re.split(r"[\\/]", name)[-1]).lstrip(". ")[:120] or "file"
    folder = Path(FOLDER)
    folder.mkdir(exist_ok=True)
    place, count = folder / plain, 1
    while place.exists() and place.read_bytes() != content:
        count += 1
        place = folder / f"{Path(plain).stem}-{count}{Path(plain).suffix}"
    place.write_bytes(content)
    return place.as_posix()


def reading_of(place: str, library: str, namespace: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The expression that reads the table at `place`, and the module that it needs beside the notebook's variables."""
    reader = _READERS[library].get(Path(place).suffix.lower(), "read_csv")
    module = sys.modules.get(library)
    for alias, known in namespace.items():
        if isinstance(known, ModuleType) and known is module and not alias.startswith("_"):
            return f"{alias}.{reader}({place!r})", {}
    return f"{library}.{reader}({place!r})", {library: import_module(library)}
