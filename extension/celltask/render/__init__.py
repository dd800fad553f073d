"""Graphs and tasks as pictures, text and pages: plain data in, strings out, nothing but the standard library.

Each function is loaded on first use: who only shows a card need not load what lays out graphs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celltask.render.card import card_bundle, card_html, card_text
    from celltask.render.flowchart import mermaid
    from celltask.render.outline import text
    from celltask.render.page import html, mime_bundle
    from celltask.render.picture import svg

__all__ = ["card_bundle", "card_html", "card_text", "html", "mermaid", "mime_bundle", "svg", "text"]

_PLACES = {
    "card_bundle": "card",
    "card_html": "card",
    "card_text": "card",
    "html": "page",
    "mermaid": "flowchart",
    "mime_bundle": "page",
    "svg": "picture",
    "text": "outline",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found: object = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
