"""`celltask outline DOC`: the cells of a document, as tests call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE

if TYPE_CHECKING:
    from celltask.documents.outline import Cell

__all__ = ["command"]

_HEADINGS = ("cell", "line", "name", "tags", "options")


def _outline(file: str, *, as_json: bool) -> int:
    from celltask.documents.cell_names import cell_names  # noqa: PLC0415 - only for this command
    from celltask.documents.reader import read_document  # noqa: PLC0415 - as above

    cells = read_document(file).cells
    named = list(zip(cells, cell_names(cells), strict=True))
    if as_json:
        import json  # noqa: PLC0415 - only for this

        report.write(json.dumps([_told(cell, name) for cell, name in named], default=str))
    else:
        rows = [_row(cell, name) for cell, name in named]
        report.write(report.table([_HEADINGS, *rows]) if rows else f"{file} has no code cell")
    return DONE


def _row(cell: Cell, name: str) -> tuple[str, ...]:
    options = [f"{option}={value}" if value not in ("", None) else option for option, value in _options(cell).items()]
    marks = ["nested"] if cell.nested else []
    place = f"{cell.line}:{cell.column}"
    return str(cell.number), place, name, ", ".join(cell.tags), ", ".join([*marks, *options])


def _options(cell: Cell) -> dict[str, object]:
    return {name: value for name, value in cell.options.items() if name not in {"tags", "tag"}}


def _told(cell: Cell, name: str) -> dict[str, object]:
    return {
        "cell": cell.number,
        "line": cell.line,
        "column": cell.column,
        "name": name,
        "tags": list(cell.tags),
        "options": _options(cell),
        "nested": cell.nested,
    }


command = click.Command(
    "outline",
    callback=_outline,
    params=[
        click.Argument(["file"], metavar="FILE"),
        report.json_option("a JSON array"),
    ],
    short_help="List the cells of a document.",
    help="""List the code cells of the document FILE: number, place, name, tags and options.

    The place is the first line of the code and the column of the cell's fence. Lines count in the document; in a
    notebook, within its cell. The name is what the cell is called in test ids. A cell that stands inside a directive,
    a list or a quotation is marked as nested.
    """,
)
