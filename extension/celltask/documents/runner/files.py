"""Executed documents as files: a notebook, a page with an output below each cell, or a page of HTML."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltask.documents.expected.shown import shown_text
from celltask.documents.kernels.notebooks import nbformat, new_markdown_cell
from celltask.documents.runner.page import Shown, html_page
from celltask.documents.writing import write_whole
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbformat import NotebookNode

    from celltask.documents.runner.outcome import DocumentOutcome

__all__ = ["SUFFIXES", "markdown_of", "targets", "write_executed"]

SUFFIXES = (".ipynb", ".md", ".html")
_TICKS = re.compile(r"`{3,}")


def targets(documents: Sequence[Path], given: str, suffix: str) -> list[Path]:
    """The file that each document is written to.

    Args:
        documents: Those that are executed.
        given: A file for one document, or a folder, which exists or is written with a slash at its end.
        suffix: Of the files in a folder.

    Raises:
        DocumentError: If two documents would go to one file, one would take the place of a document, or the file is of
            no known format.
    """
    target = Path(given)
    if given.endswith(("/", os.sep)) or target.is_dir():
        found = [target / f"{path.stem}{suffix}" for path in documents]
    else:
        found = [target] * len(documents)
    for number, file in enumerate(found):
        if file.suffix.lower() not in SUFFIXES:
            raise DocumentError(f"nothing is written as {file.suffix or file.name}", given, "use .ipynb, .md or .html")
        if file in found[:number]:
            raise DocumentError(
                f"two documents would be written to {file}", given, "give each an -o of its own, in turn"
            )
        if any(file.resolve() == path.resolve() for path in documents):
            raise DocumentError("this would take the place of the document", str(file), "write -o with another name")
    return found


def write_executed(notebook: NotebookNode, outcome: DocumentOutcome, file: Path) -> None:
    """Write the executed document to `file`, in the format that its suffix says.

    Raises:
        DocumentError: If it cannot be written.
    """
    suffix = file.suffix.lower()
    if suffix == ".ipynb":
        text = f"{nbformat.writes(notebook)}\n"  # type: ignore[no-untyped-call]  # untyped in nbformat
    elif suffix == ".md":
        text = markdown_of(notebook)
    else:
        text = html_page([Shown(outcome, notebook)], title=outcome.chosen.shown)
    write_whole(file, text.encode())


def markdown_of(notebook: NotebookNode) -> str:
    """The notebook as a MyST page, with a fence ``{output}`` below each cell that shows something."""
    import jupytext  # type: ignore[import-untyped]  # noqa: PLC0415 - 0.5 s, and only for pages

    page = nbformat.from_dict({**notebook, "cells": []})  # type: ignore[no-untyped-call]  # untyped in nbformat
    page.cells = list(_with_fences(notebook))
    page.metadata.pop("widgets", None)
    return str(jupytext.writes(page, fmt={"extension": ".md", "format_name": "myst"}))


def _with_fences(notebook: Any) -> Iterator[NotebookNode]:  # noqa: ANN401 - untyped in nbformat
    fence = ""
    for cell in notebook.cells:
        if fence and cell.cell_type == "markdown":  # in one cell with it: between two, a page has a mark
            yield new_markdown_cell(f"{fence}\n\n{cell.source}")  # type: ignore[no-untyped-call]  # untyped there
            fence = ""
            continue
        if fence:
            yield new_markdown_cell(fence)  # type: ignore[no-untyped-call]  # as above
        yield cell
        fence = _fence(shown_text(cell.outputs)) if cell.cell_type == "code" else ""
    if fence:
        yield new_markdown_cell(fence)  # type: ignore[no-untyped-call]  # as above


def _fence(text: str) -> str:
    if not text.strip():
        return ""
    marks = max(["```", *(f"{found}`" for found in _TICKS.findall(text))], key=len)
    return f"{marks}{{output}}\n{text.rstrip(chr(10))}\n{marks}"
