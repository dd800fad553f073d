"""Names: which globals a piece of code reads, and which modules it imports while it runs."""

from __future__ import annotations

import ast
import dis
from typing import TYPE_CHECKING

from celltask.core.nesting import nested_codes

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["Chain", "chains_in_code", "chains_in_expression", "dotted", "imports_in_code"]

Chain = tuple[str, ...]
"""A global and the attributes read from it: ``("np", "linalg", "norm")``."""

_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


def chains_in_code(code: CodeType) -> list[Chain]:
    """Every global that `code` and the code nested in it read, with the attributes read from it at once, sorted.

    >>> chains_in_code((lambda rows: math.sqrt(len(rows))).__code__)
    [('len',), ('math', 'sqrt')]
    """
    found: set[Chain] = set()
    for each in nested_codes(code):
        items = _instructions(each)
        stored = {item.argval for item in items if item.opname == "STORE_NAME"}
        chain: list[str] = []
        for item in items:
            if chain and item.opname in _ATTRIBUTES:
                chain.append(item.argval)
                continue
            if chain:
                found.add(tuple(chain))
            # A class body may read its own names back; these are no globals.
            own = item.opname != "LOAD_GLOBAL" and item.argval in stored
            chain = [item.argval] if item.opname in _LOADS and not own else []
    return sorted(found)


def imports_in_code(code: CodeType) -> list[tuple[str, int, tuple[str, ...]]]:
    """Every import that runs with `code`: module, level (dots before it) and the names taken from it, sorted.

    >>> def draw():
    ...     from matplotlib import pyplot
    >>> imports_in_code(draw.__code__)
    [('matplotlib', 0, ('pyplot',))]
    """
    found = set()
    for each in nested_codes(code):
        items = _instructions(each)
        for place, item in enumerate(items):
            if item.opname == "IMPORT_NAME":
                level, names = items[place - 2].argval, items[place - 1].argval
                found.add((str(item.argval), int(level or 0), tuple(names or ())))
    return sorted(found)


def _instructions(code: CodeType) -> list[dis.Instruction]:
    return [item for item in dis.get_instructions(code) if item.opname != "EXTENDED_ARG"]


def chains_in_expression(node: ast.expr, *, annotation: bool = False) -> list[Chain]:
    """Every name that an expression reads and does not bind itself, with the attributes read from it, sorted.

    Args:
        node: The expression.
        annotation: Whether strings in it are names too, as in ``list["Model"]``.

    >>> chains_in_expression(ast.parse("retry(wait=tools.wait, when=lambda e: e.code)", mode="eval").body)
    [('retry',), ('tools', 'wait')]
    """
    found: set[Chain] = set()
    bound = {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}
    bound |= {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
    _collect(node, found, strings=annotation)
    return sorted(chain for chain in found if chain[0] not in bound)


def _collect(node: ast.AST, found: set[Chain], *, strings: bool) -> None:
    chain = dotted(node)
    if chain is not None:
        found.add(chain)
        return
    if strings and isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            _collect(ast.parse(node.value.strip(), mode="eval").body, found, strings=True)
        except (SyntaxError, ValueError):
            return
    if isinstance(node, ast.Subscript):
        outer = dotted(node.value)
        strings = strings and (outer is None or outer[-1] not in ("Annotated", "Literal"))
    for child in ast.iter_child_nodes(node):
        _collect(child, found, strings=strings)


def dotted(node: ast.AST) -> Chain | None:
    """``("a", "b")`` for the expression ``a.b``, ``None`` for what is no dotted name."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return (node.id, *reversed(attributes))
