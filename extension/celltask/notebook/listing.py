"""Listing: a table of tasks and workflows, as text and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celltask.core.task import Task
    from celltask.core.workflow import Workflow

__all__ = ["Listing"]

_HEADS = ("name", "kind", "interface", "version", "place")
_LEFT, _WHOLE = ' style="text-align:left"', ' style="text-align:left;white-space:nowrap"'


class Listing:
    """What `%tasks` answers with.

    Args:
        members: Tasks and workflows, in the order to show them.
    """

    def __init__(self, members: Sequence[Task[..., object] | Workflow[..., object]]) -> None:
        self.rows = [(item.name, item.kind, str(item.interface), _version(item), item.place) for item in members]

    def __repr__(self) -> str:
        if not self.rows:
            return "nothing is defined yet"
        widths = [max(len(row[column]) for row in [_HEADS, *self.rows]) for column in range(len(_HEADS))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            for row in [_HEADS, *self.rows]
        ]
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        if not self.rows:
            return "<p>nothing is defined yet</p>"
        head = "".join(f"<th{_LEFT}>{name}</th>" for name in _HEADS)
        body = "".join(f"<tr>{''.join(map(_cell, _HEADS, row))}</tr>" for row in self.rows)
        return f'<table style="margin:.4em 0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(head: str, text: str) -> str:
    """One cell of the table; only interfaces are broken into lines, and what is code looks like it."""
    told = escape(text) if head in ("kind", "place") or text == _BROKEN else f"<code>{escape(text)}</code>"
    return f"<td{_LEFT if head == 'interface' else _WHOLE}>{told}</td>"


_BROKEN = "uses what is gone"


def _version(item: Task[..., object] | Workflow[..., object]) -> str:
    try:
        return item.version
    except Exception:  # noqa: BLE001 - border: tracing calls the user's function, which may need what was deleted
        return _BROKEN
