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


class Listing:
    """What `%tasks` answers with.

    Args:
        members: Tasks and workflows, in the order to show them.
    """

    def __init__(self, members: Sequence[Task[..., object] | Workflow[..., object]]) -> None:
        self.rows = [(item.name, item.kind, str(item.interface), item.version, item.place) for item in members]

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
        head = "".join(f'<th style="text-align: left">{name}</th>' for name in _HEADS)
        body = "".join(
            "<tr>" + "".join(f'<td style="text-align: left">{escape(text)}</td>' for text in row) + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
