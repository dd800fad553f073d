"""`celltask graph FILE [NAME]`: a workflow's graph as text, SVG, HTML, Mermaid or JSON."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE
from celltask.cli.opening import as_name, open_document, refuse_failed
from celltask.cli.paths import expanded
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.graph import Graph
    from celltask.core.workflow import Workflow
    from celltask.documents.loader import Document

__all__ = ["command"]

_FORMATS = ("text", "svg", "html", "mermaid", "json")
_BY_SUFFIX = {
    ".svg": "svg",
    ".html": "html",
    ".htm": "html",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".json": "json",
    ".txt": "text",
}


def _graph(file: str, name: str | None, form: str | None, out: str) -> int:
    chosen = form or "text" if out == "-" else _format_of(out, form)
    with report.stdout_kept_clean() if out == "-" else nullcontext():
        document = open_document(file, name)
        text = _drawn(_workflow_in(document, name, file).graph, chosen, whole=out != "-" or not sys.stdout.isatty())
    if out == "-":
        report.write(text.rstrip("\n"))
        return DONE
    try:
        Path(expanded(out)).write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or error
        raise CelltaskError(f"the picture cannot be written: {reason}", out, "give another place to -o") from None
    return DONE


def _format_of(out: str, form: str | None) -> str:
    """The format of the file `out`: that of its suffix, or `form` where the suffix says none.

    Raises:
        CelltaskError: If the suffix is that of no format or of another one.
    """
    suffix = Path(out).suffix.lower()
    known = _BY_SUFFIX.get(suffix)
    if known is not None and form not in (None, known):
        mend = f"leave out --format {form}, or end the name in {_suffix_of(form)}"
        raise CelltaskError(f"{suffix!r} is not the format {form}", f"celltask graph -o {out}", mend)
    if known is None and form is None and suffix:
        mend = "use .svg, .html, .mmd, .json or .txt"
        raise CelltaskError(f"{suffix!r} is no format of a graph", f"celltask graph -o {out}", mend)
    return form or known or "text"


def _suffix_of(form: str | None) -> str:
    return next(suffix for suffix, known in _BY_SUFFIX.items() if known == form)


def _workflow_in(document: Document, name: str | None, file: str) -> Workflow[..., object]:
    name = None if name is None else as_name(name)
    names = list(document.workflows)
    if name is None:
        refuse_failed(document, file)
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


def _drawn(graph: Graph, form: str, *, whole: bool) -> str:
    if form == "json":
        import json  # noqa: PLC0415 - only for this

        from celltask.core.graph_secrets import without_secrets  # noqa: PLC0415 - as above

        return json.dumps(without_secrets(graph).to_json())
    from celltask import render  # noqa: PLC0415 - only for pictures

    if form == "text":
        return render.text(graph, width=None) if whole else render.text(graph)
    if form == "html":
        title = escape(graph.name)
        head = f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        return f"{head}{render.html(graph)}\n</html>"
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
            help="text (the default), svg, html, mermaid or json; with -o it follows from the suffix.",
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
