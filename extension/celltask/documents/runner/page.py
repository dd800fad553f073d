"""One page of HTML with executed documents: it needs no network, and reads in light and in dark."""

from __future__ import annotations

import base64
import re
from html import escape, unescape
from mimetypes import guess_type
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import unquote

from markdown_it import MarkdownIt

from celltask.documents.expected.shown import shown_text
from celltask.documents.runner.style import STYLE, code_styles
from celltask.documents.runner.telling import document_line, duration, summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nbformat import NotebookNode

    from celltask.documents.runner.outcome import CellOutcome, DocumentOutcome

__all__ = ["Shown", "html_page"]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_IMAGES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
_IMAGE = re.compile(r'<img src="([^"]*)"')
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-src 'self'"
"""Nothing is fetched, and no script runs, whatever outputs hold."""
_ROW, _LEAST, _MOST = 30, 90, 480
"""Pixels: of a row of a table in an output, and of the frame around it."""
_FRAME = (
    "<style>:root{color-scheme:light dark}body{font:14px system-ui,sans-serif;margin:4px}td,th{padding:2px 8px}</style>"
)


class Shown(NamedTuple):
    """A document for a page: what became of it, and its notebook with all outputs; None if it was not executed."""

    outcome: DocumentOutcome
    notebook: NotebookNode | None


def html_page(documents: Sequence[Shown], *, title: str, seconds: float | None = None) -> str:
    """The page; documents that failed are open, and their failures stand first, each with a link.

    Args:
        documents: In the order of the page.
        title: Of the page.
        seconds: How long all took.
    """
    outcomes = [document.outcome for document in documents]
    took = f" in {duration(seconds)}" if seconds is not None else ""
    body = [f"<h1>{escape(title)}</h1>", f'<p class="summary">{escape(summary(outcomes))}{took}</p>']
    links = [line for number, document in enumerate(documents) for line in _failures(number, document.outcome)]
    if links:
        body += ['<ul class="failures">', *links, "</ul>"]
    for number, document in enumerate(documents):
        body += _document(number, document, is_open=document.outcome.failed or len(documents) == 1)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{STYLE}{code_styles()}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _failures(number: int, outcome: DocumentOutcome) -> Iterator[str]:
    if outcome.chosen.error is not None:
        yield f'<li><a href="#d{number}">{escape(outcome.chosen.shown)}</a> {escape(outcome.chosen.error.what)}</li>'
    for cell in outcome.cells:
        if cell.told is not None:
            name = f"{outcome.chosen.shown}::{cell.name}"
            anchor = f"d{number}" if cell.is_example else f"d{number}c{cell.cell.number}"
            yield f'<li><a href="#{anchor}">{escape(name)}</a> {escape(cell.told.what)}</li>'


def _document(number: int, document: Shown, *, is_open: bool) -> Iterator[str]:
    outcome = document.outcome
    state = "failed" if outcome.failed else "passed"
    yield f'<details id="d{number}" class="document {state}"{" open" if is_open else ""}>'
    yield f"<summary>{escape(document_line(outcome))}</summary>"
    if outcome.chosen.error is not None:
        yield f'<pre class="error">{escape(str(outcome.chosen.error))}</pre>'
    for cell in outcome.cells:
        if cell.is_example and cell.told is not None:
            yield f'<pre class="error">{escape(cell.told.text.rstrip())}</pre>'
    if document.notebook is not None:
        markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        known = {one.cell.number: one for one in outcome.executed}
        place = 0
        for node in document.notebook.cells:
            if node.cell_type == "code":
                place += 1
                yield from _cell(f"d{number}c{place}", node, known.get(place), markdown)
            elif node.cell_type == "markdown":
                prose = markdown.render(node.source)
                yield f'<div class="prose">{_with_images(prose, outcome.chosen.path.parent, node)}</div>'
    yield "</details>"


def _with_images(prose: str, folder: Path, node: NotebookNode) -> str:
    """The prose with images in it that lie beside the document, or are attached to the cell of a notebook."""

    def embedded(found: re.Match[str]) -> str:
        name = unquote(unescape(found[1]))
        attached = node.get("attachments", {}).get(name.removeprefix("attachment:"), {})
        for kind, coded in attached.items():
            return f'<img src="data:{kind};base64,{coded}"'
        kind = guess_type(name)[0] or ""
        try:
            data = (folder / name).read_bytes() if kind.startswith("image/") else b""
        except (OSError, ValueError):
            data = b""
        return f'<img src="data:{kind};base64,{base64.b64encode(data).decode()}"' if data else found[0]

    return _IMAGE.sub(embedded, prose)


def _cell(anchor: str, node: NotebookNode, outcome: CellOutcome | None, markdown: MarkdownIt) -> Iterator[str]:
    verdict = outcome.verdict if outcome else "skipped"
    label = f"{outcome.name} · {outcome.where} · {verdict}" if outcome else verdict
    reason = f": {outcome.reason}" if outcome and outcome.reason else ""
    took = f" · {duration(outcome.seconds)}" if outcome and outcome.reply else ""
    yield f'<section id="{anchor}" class="cell {verdict}"><header>{escape(f"{label}{took}{reason}")}</header>'
    yield _code(str(node.source))
    told = outcome.told if outcome else None
    for output in node.outputs:
        if told is None or output.output_type != "error":  # a failure is told in the lines of the document
            yield from _output(cast("Mapping[str, object]", output), markdown)
    if told is not None:
        yield f'<pre class="error">{escape(told.text.rstrip())}</pre>'
    yield "</section>"


def _code(source: str) -> str:
    from pygments import highlight  # type: ignore[import-untyped]  # noqa: PLC0415 - no types; 30 ms, only for a page
    from pygments.formatters.html import HtmlFormatter  # type: ignore[import-untyped]  # noqa: PLC0415 - as above
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    return str(highlight(source, PythonLexer(), HtmlFormatter(cssclass="code")))


def _output(output: Mapping[str, object], markdown: MarkdownIt) -> Iterator[str]:
    kind = output["output_type"]
    if kind == "stream":
        yield f'<pre class="{escape(str(output["name"]))}">{_plain(output["text"])}</pre>'
    elif kind == "error":
        yield f'<pre class="stderr">{_plain(shown_text([output]))}</pre>'
    else:
        yield _value(cast("Mapping[str, object]", output["data"]), markdown)


def _value(data: Mapping[str, object], markdown: MarkdownIt) -> str:
    """The richest form of a value that the page can hold."""
    if "text/html" in data:
        return _frame(_joined(data["text/html"]))
    for kind in _IMAGES:
        if kind in data:
            raw = _joined(data[kind])
            coded = base64.b64encode(raw.encode()).decode() if kind == "image/svg+xml" else "".join(raw.split())
            alternative = escape(_joined(data.get("text/plain", "")), quote=True)
            return f'<img src="data:{kind};base64,{escape(coded)}" alt="{alternative}">'
    if "text/markdown" in data:
        return f'<div class="prose">{markdown.render(_joined(data["text/markdown"]))}</div>'
    return f"<pre>{_plain(data.get('text/plain', ''))}</pre>"


def _frame(html: str) -> str:
    height = min(_MOST, max(_LEAST, _ROW * (html.count("<tr") + html.count("<li") + html.count("<p") + 2)))
    if "<img" in html or "<svg" in html:
        height = _MOST
    return f'<iframe sandbox="" style="height:{height}px" srcdoc="{escape(_FRAME + html, quote=True)}"></iframe>'


def _joined(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def _plain(text: object) -> str:
    return escape(_ANSI.sub("", _joined(text)).rstrip("\n"))
