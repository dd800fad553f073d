"""Outputs stored in a notebook: read from its JSON, and put into it with every other byte kept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.expected.promote import Promotion
from celltask.documents.json_spans import cell_spans
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from celltask.documents.json_spans import Span

__all__ = ["promoted_notebook", "stored_outputs", "with_outputs"]

_KEPT = {
    "stream": ("name", "text"),
    "execute_result": ("data", "metadata"),
    "display_data": ("data", "metadata"),
    "error": ("ename", "evalue", "traceback"),
}
"""What nbformat 4 allows in an output of each type, besides the type and the count."""


def stored_outputs(text: str) -> dict[int, list[Mapping[str, object]]]:
    """The outputs of each code cell of the notebook in `text`, by the number of the cell.

    >>> stored_outputs('{"cells": [{"cell_type": "code", "outputs": []}]}')
    {1: []}
    """
    cells = [cell for cell in json.loads(text).get("cells", ()) if cell["cell_type"] == "code"]
    return {number: cell.get("outputs", []) for number, cell in enumerate(cells, 1)}


def promoted_notebook(path: str, text: str, shown: Mapping[int, Sequence[Mapping[str, object]]]) -> Promotion:
    """The notebook at `path` with what its cells show.

    Args:
        path: Of the notebook.
        text: It, as it was before its cells were executed.
        shown: Outputs by the number of the cell.

    Raises:
        DocumentError: If the file was changed meanwhile.
    """
    try:
        data = Path(path).read_bytes()
    except OSError:
        data = b""
    if data.decode("utf-8-sig", errors="replace") != text:
        raise DocumentError("the document was changed while its cells were executed", path, "run it again")
    mark = data[: len(data) - len(text.encode())]
    return Promotion(path, data, mark + with_outputs(text, shown).encode())


def with_outputs(text: str, shown: Mapping[int, Sequence[Mapping[str, object]]]) -> str:
    """The notebook in `text` with other outputs of some cells; its layout, and all other text, stay.

    Args:
        text: JSON of nbformat 4.
        shown: Outputs by the number of the cell; a cell that stores none is left alone if it has no place for them.

    >>> print(with_outputs('{"cells": [{"cell_type": "code", "outputs": []}]}',
    ...     {1: [{"output_type": "stream", "name": "stdout", "text": "a"}]}))
    {"cells": [{"cell_type": "code", "outputs": [{"name": "stdout", "output_type": "stream", "text": ["a"]}]}]}
    """
    spans = list(_output_spans(text))
    unit = re.match(r"\s*\{\r?\n([ \t]+)", text)
    counts = [cell.get("execution_count") for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    for number, span in reversed(list(enumerate(spans, 1))):
        if span is None or number not in shown:
            continue
        outputs = [_stored(output, counts[number - 1]) for output in shown[number]]
        indent = unit[1] if unit else None
        written = json.dumps(outputs, indent=indent, ensure_ascii=text.isascii() and "\\u" in text, sort_keys=True)
        end = "\r\n" if "\r\n" in text else "\n"
        text = text[: span.start] + written.replace("\n", f"{end}{span.indent}") + text[span.stop :]
    return text


def _stored(output: Mapping[str, object], count: object) -> dict[str, object]:
    kind = str(output["output_type"])
    kept: dict[str, object] = {"output_type": kind}
    for name in _KEPT[kind]:
        value = output.get(name, {} if name == "metadata" else "")
        if name == "data" and isinstance(value, dict):
            value = {key: _lines(part) if not key.endswith("json") else part for key, part in value.items()}
        kept[name] = _lines(value) if name == "text" else value
    if kind == "execute_result":
        kept["execution_count"] = count
    return kept


def _lines(text: object) -> object:
    """Text as it stands in a file: its lines, for the sake of diffs."""
    return text.splitlines(keepends=True) if isinstance(text, str) else text


def _output_spans(text: str) -> Iterator[Span | None]:
    """Where the outputs of each code cell stand; None for a cell without."""
    for spans in cell_spans(text):
        kind = spans.get("cell_type")
        if kind is not None and json.loads(text[kind.start : kind.stop]) == "code":
            yield spans.get("outputs")
