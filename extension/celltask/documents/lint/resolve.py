"""Whether a dotted name exists in what is installed, told from source text: nothing of it is imported."""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

__all__ = ["exists"]

_Body = ast.Module | ast.ClassDef


def exists(name: str) -> bool | None:
    """Whether a module, class, function or attribute of that dotted name exists; None if that cannot be told.

    It cannot be told of packages that are not installed, of compiled modules, and of what is made while they run.

    >>> exists("functools.partial"), exists("functools.partail"), exists("no_such_package.thing")
    (True, False, None)
    """
    parts = name.split(".")
    spec = _spec(parts[0], None)
    if spec is None:
        return True if name in sys.builtin_module_names else None
    for number, part in enumerate(parts[1:], 1):
        inner = _spec(".".join(parts[: number + 1]), spec.submodule_search_locations)
        if inner is None:
            return _in_module(spec, [part, *parts[number + 1 :]])
        spec = inner
    return True


def _spec(name: str, places: list[str] | None) -> ModuleSpec | None:
    if "." in name and places is None:
        return None
    try:
        return PathFinder.find_spec(name, places)
    except (ImportError, ValueError, OSError):
        return None


def _in_module(spec: ModuleSpec, names: list[str]) -> bool | None:
    tree = _tree(spec.origin or "")
    if tree is None:
        return None
    found, is_open = _bound(tree)
    if names[0] not in found:
        return None if is_open or _is_written(tree, names[0]) else False
    node = found[names[0]]
    if len(names) == 1:
        return True
    if not isinstance(node, ast.ClassDef):
        return None
    inner, _ = _bound(node)
    is_whole = not node.bases and not node.decorator_list and not node.keywords
    own = {item.attr for item in ast.walk(node) if isinstance(item, ast.Attribute)}
    return True if names[1] in inner or names[1] in own else (False if is_whole else None)


def _is_written(tree: ast.Module, name: str) -> bool:
    """Whether a string in the module is `name`: modules that load lazily list their names so."""
    return any(isinstance(node, ast.Constant) and node.value == name for node in ast.walk(tree))


@cache
def _tree(path: str) -> ast.Module | None:
    if not path.endswith(".py"):
        return None
    try:
        return ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bound(body: _Body) -> tuple[dict[str, ast.AST], bool]:
    """Names that a module or class binds, and whether it may have more of them."""
    found: dict[str, ast.AST] = {}
    is_open = False
    pending: list[ast.AST] = list(body.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
            is_open |= node.name == "__getattr__"
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in node.names:
                found.setdefault(name.asname or name.name.partition(".")[0], node)
                is_open |= name.name == "*"
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            is_open |= node.func.id in {"globals", "vars", "exec", "setattr"}
        pending.extend(ast.iter_child_nodes(node))
    return found, is_open
