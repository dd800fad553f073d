"""What the cells of a document are called in test ids and outlines: names that stay when lines move."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from celltask.documents.magics import tree_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celltask.documents.outline import Cell

__all__ = ["cell_names"]

_HEADER = re.compile(r"%%(?:task|workflow)[ \t]+([A-Za-z_]\w*)(?=\s|$)")
_TASK = re.compile(r"%%?(?:task|workflow)(?:\s|$)", re.MULTILINE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def cell_names(cells: Sequence[Cell]) -> list[str]:
    r"""One name a cell: its task's, else the first that it defines, else ``cell-3``; a second ``train`` is ``train-2``.

    >>> from celltask.documents.outline import Cell
    >>> texts = ["import os", "%%task\ndef train(x: int) -> int: ...", "y = train(1)", "y = 2", "print(y)"]
    >>> cell_names([Cell(number, text, first_line=1) for number, text in enumerate(texts, 1)])
    ['cell-1', 'train', 'y', 'y-2', 'cell-5']
    """
    taken: dict[str, int] = {}
    names = []
    for cell in cells:
        name = (_own_name(cell.source) if cell.is_python else "") or f"cell-{cell.number}"
        taken[name] = taken.get(name, 0) + 1
        names.append(name if taken[name] == 1 else f"{name}-{taken[name]}")
    return names


def _own_name(source: str) -> str:
    header = _HEADER.match(source)
    if header:
        return header[1]
    tree = tree_of(source)
    body = tree.body if tree else []
    functions = [node.name for node in body if isinstance(node, _FUNCTIONS)]
    if functions and _TASK.search(source):
        return functions[0]
    return next((name for node in body for name in _bound(node)), "")


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        names = [name for target in node.targets for name in _targets(target)]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        names = [node.target.id] if isinstance(node.target, ast.Name) else []
    else:
        return []
    return [name for name in names if name.strip("_")]


def _targets(target: ast.expr) -> list[str]:
    names = [item for item in ast.walk(target) if isinstance(item, ast.Name)]
    return [item.id for item in names if isinstance(item.ctx, ast.Store)]
