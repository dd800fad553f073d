"""A form where nothing can be filled in: inputs with types, defaults and descriptions, and the command line.

It stands beside each living form, hidden while that lives, so that a saved notebook, GitHub and Sphinx have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.render.lettering import clean, escape
from celltask.render.markup import code, table

if TYPE_CHECKING:
    from celltask.notebook.forms import Field, Form

_MOST = 4_000

__all__ = ["LIVE", "hiding_dead_widgets", "table_bundle", "twin_class"]

LIVE = "celltask-form-lives"
"""Class of what a widget draws; where it is missing, there is no living widget."""


def twin_class(token: str) -> str:
    """Class of the table that stands beside the widget with that token."""
    return f"celltask-twin-{token}"


def hiding_dead_widgets(token: str) -> str:
    """Style that hides the next output for as long as it holds no living widget, so that no ruin of one is seen."""
    rule = f".jp-OutputArea-child:has(.{twin_class(token)}) + .jp-OutputArea-child:not(:has(.{LIVE}))"
    return f"<style>{rule}{{display:none}}</style>"


def table_bundle(form: Form, token: str = "", *, outcome: str = "") -> dict[str, str]:
    """The table by MIME type.

    Args:
        form: Whose values are told, where they differ from the defaults.
        token: Of the living form beside it.
        outcome: What became of the last run, as HTML.
    """
    values = {field.port.name: _value(field) for field in form.fields}
    heads = ("input", "type", "default", "value", "description")
    rows = [
        (
            code(field.port.name),
            code(field.port.handler.name),
            code(field.default_told) or "required",
            code(values[field.port.name]),
            escape(clean(field.description)),
        )
        for field in form.fields
    ]
    command = form.command()
    html = f"<p><strong>{code(form.member.name)}</strong> &#183; inputs</p>"
    html += table(heads, rows) or "<p>no inputs</p>"
    html += f'<pre style="font-family:monospace">{escape(clean_lines(command))}</pre>{outcome}'
    marked = f'<div class="{twin_class(token)}">{html}</div>{hiding_dead_widgets(token)}' if token else html
    lines = [f"{form.member.name}: inputs"]
    for field in form.fields:
        given = values[field.port.name] or field.default_told
        value = f" = {given}" if given else ""
        told = f"  {clean(field.description)}" if field.description else ""
        lines.append(f"  {field.port.name}: {field.port.handler.name}{value}{told}")
    return {"text/html": marked, "text/plain": "\n".join([*lines, f"  $ {clean_lines(command)}"])}


def clean_lines(text: str) -> str:
    """`text` with no more lines and characters than a page has room for."""
    shown = "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text[:_MOST])
    return shown + ("…" if len(text) > _MOST else "")


def _value(field: Field) -> str:
    """The present value as text; empty if it is the default, or there is none."""
    if field.is_secret or field.is_left_out:
        return ""
    text = field.source().text
    return "" if text in ("...", field.default_text) else text[:200]
