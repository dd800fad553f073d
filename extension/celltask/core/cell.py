r"""From the text of a cell to Python that defines its tasks: text in, text or syntax tree out, no notebook needed.

    cell text ─ rewrite_source ─► Python text ─ ast.parse ─► tree ─ decorate_tree ─► tree that defines the tasks

>>> import ast
>>> text = "%%task measure -> area: float\nwidth: float\nheight: float = 1.0\narea = width * height\n"
>>> print(ast.unparse(decorate_tree(ast.parse(rewrite_source(text)))))
@__celltask__.task(outputs=('area',))
def measure(width: float, height: float=1.0) -> float:
    area = width * height
    return area
"""

from __future__ import annotations

from celltask.core.decorate import decorate_tree, run_in
from celltask.core.header import RUNTIME_NAME, Header, decorator_source, parse_header
from celltask.core.options import OPTIONS, Option, flags, help_text
from celltask.core.rewrite import has_header, rewrite_source

__all__ = [
    "HELP",
    "OPTIONS",
    "RUNTIME_NAME",
    "Header",
    "Option",
    "decorate_tree",
    "decorator_source",
    "flags",
    "has_header",
    "help_text",
    "parse_header",
    "rewrite_source",
    "run_in",
]

HELP = {kind: help_text(kind) for kind in ("task", "workflow")}
"""The help of each magic, by kind."""
