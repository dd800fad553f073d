"""`celltask graph FILE [NAME]`: a workflow's graph as text, SVG, Mermaid or JSON."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE
from celltask.cli.opening import open_document
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.graph import Graph
    from celltask.core.workflow import Workflow
    from celltask.documents.loader import Document

__all__ = ["command"]

_FORMATS = ("text", "svg", "mermaid", "json")
_BY_SUFFIX = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".json": "json", ".txt": "text"}


def _graph(file: str, name: str | None, form: str | None, out: str) -> int:
    chosen = form or _BY_SUFFIX.get(Path(out).suffix.lower(), "text")
    with report.stdout_kept_clean() if out == "-" else nullcontext():
        document = open_document(file, name)
        text = _drawn(_workflow_in(document, name, file).graph, chosen)
    if out == "-":
        report.write(text.rstrip("\n"))
        return DONE
    try:
        Path(out).write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or error
        raise CelltaskError(f"the picture cannot be written: {reason}", out, "give another place to -o") from None
    return DONE


def _workflow_in(document: Document, name: str | None, file: str) -> Workflow[..., object]:
    names = list(document.workflows)
    if name is not None and name in document.workflows:
        return document.workflows[name]
    if name is None and len(names) == 1:
        return document.workflows[names[0]]
    if not names:
        what = (
            f"{name!r} is no workflow, and only workflows have a graph" if name else "the document defines no workflow"
        )
        raise DocumentError(what, file, "put %%workflow above a function that calls tasks, or @workflow")
    if name is None:
        raise DocumentError(f"the document defines {len(names)} workflows", file, f"name one of: {', '.join(names)}")
    raise DocumentError(
        f"{name!r} is no workflow, and only workflows have a graph", file, f"use one of: {', '.join(names)}"
    )


def _drawn(graph: Graph, form: str) -> str:
    if form == "json":
        import json  # noqa: PLC0415 - only for this

        return json.dumps(graph.to_json())
    from celltask import render  # noqa: PLC0415 - only for pictures

    draw = cast("Callable[[Graph], str]", getattr(render, form))
    return draw(graph)


command = click.Command(
    "graph",
    callback=_graph,
    params=[
        click.Argument(["file"], metavar="FILE"),
        click.Argument(["name"], metavar="[NAME]", required=False),
        click.Option(
            ["--format", "form"],
            type=click.Choice(_FORMATS),
            metavar="FORMAT",
            help="text (the default), svg, mermaid or json; read off the suffix of -o if not given.",
        ),
        click.Option(
            ["-o", "--out", "out"],
            default="-",
            metavar="PATH",
            help="Write it to this file instead of standard output.",
        ),
    ],
    short_help="Draw a workflow.",
    help="Draw the workflow NAME of the document FILE; without NAME its only workflow. Nothing of it is run.",
)
