"""Pieces of HTML that notebooks, GitHub and mail leave standing, all in ASCII."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from celltask.render.lettering import clean, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["code", "image", "table"]

_LEFT = ' style="text-align:left"'
_CLOSE = ' style="margin:.4em 0"'


def image(picture: str, alt: str) -> str:
    """An ``<img>`` that holds the SVG `picture` in its address."""
    # ASCII before base64: browsers' atob() gives bytes, and scripts that read the picture back would garble the rest.
    data = b64encode(picture.encode("ascii")).decode("ascii")
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}" style="max-width:100%">'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, is_data: bool = False) -> str:
    """An HTML table whose cells hold `rows` as they are; columns that are empty throughout are left out.

    Args:
        heads: Names of the columns, as text.
        rows: Cells as HTML.
        is_data: Whether the cells stand as those of data do on the page, not all to the left: a style in each cell
            would weigh more than its number.
    """
    if not rows:
        return ""
    kept = [column for column in range(len(heads)) if column == 0 or any(row[column] for row in rows)]
    left = "" if is_data else _LEFT
    head = "".join(f"<th{left}>{escape(heads[column])}</th>" for column in kept)
    body = "".join("<tr>" + "".join(f"<td{left}>{row[column]}</td>" for column in kept) + "</tr>" for row in rows)
    return f"<table{_CLOSE}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def code(told: str) -> str:
    """`told` as ``<code>``; empty for nothing."""
    return f"<code>{escape(clean(told))}</code>" if told else ""
