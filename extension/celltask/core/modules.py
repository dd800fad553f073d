"""Modules: which belong to the project, which to installed packages, and what of them a digest takes in.

Nothing is imported here to find out: a module that a function imports when it runs is only looked at as a file,
so that a digest is the same before and after the first run.
"""

from __future__ import annotations

import ast
import linecache
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from celltask.core.normal import dump
from celltask.core.source import parse_file

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Origin", "distributions_of", "file_of", "module_text", "names_imported", "origin_of"]

Origin = Literal["standard", "celltask", "installed", "project"]


def origin_of(name: str) -> Origin:
    """Whose the module called `name` is; a module that cannot be found is the project's.

    >>> origin_of("json.decoder"), origin_of("celltask.core"), origin_of("pytest"), origin_of("__main__")
    ('standard', 'celltask', 'installed', 'project')
    """
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top == "builtins":
        return "standard"
    if top == "celltask":
        return "celltask"
    if top == "__main__":
        return "project"
    file = file_of(name) or file_of(top) or ""
    parts = file.replace("\\", "/").split("/")
    return "installed" if "site-packages" in parts or "dist-packages" in parts else "project"


def file_of(name: str) -> str | None:
    """The file (or folder, for a package without a file) of a module, imported or not; ``None`` if there is none."""
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        folders = list(getattr(module, "__path__", ()))
        return file or (folders[0] if folders else None)
    return _located(name)


def _located(name: str) -> str | None:
    """As importing would find it, but without running the packages around it."""
    path = None
    origin = None
    steps = name.split(".")
    for count in range(1, len(steps) + 1):
        spec = None
        for finder in sys.meta_path:
            spec = finder.find_spec(".".join(steps[:count]), path)
            if spec is not None:
                break
        if spec is None:
            return None
        path = spec.submodule_search_locations
        origin = spec.origin if spec.has_location else next(iter(path or ()), None)
    return origin


@lru_cache(maxsize=256)
def distributions_of(top: str) -> tuple[tuple[str, str], ...]:
    """Name and version of each installed distribution that brings the top-level module `top`.

    >>> [name for name, version in distributions_of("_pytest")]
    ['pytest']
    """
    from importlib import metadata  # noqa: PLC0415 - only code that uses packages needs it

    try:  # most packages are named like their module; reading all of them takes a second
        found = metadata.distribution(top)
    except metadata.PackageNotFoundError:
        pass
    else:
        files = found.read_text("top_level.txt") or found.read_text("RECORD") or ""
        if top in files.split() or f"\n{top}/" in f"\n{files}":
            return ((found.metadata["Name"], found.version),)
    names = metadata.packages_distributions().get(top, ())
    return tuple((name, metadata.version(name)) for name in sorted(set(names)))


def module_text(name: str) -> str:
    """A whole module of the project as a text to hash; its name if it has no Python source."""
    tree = _tree_of(name, file_of(name))
    return dump(tree) if tree else f"no source: {name}"


def _tree_of(name: str, file: str | None) -> ast.Module | None:
    if file is None:
        return None
    if name not in sys.modules:
        linecache.checkcache(file)  # what is not loaded yet will be loaded as the file is then
    return parse_file(file)


def names_imported(name: str) -> Iterator[str]:
    """Names of all modules that a module of the project imports, anywhere in its text."""
    file = file_of(name)
    tree = _tree_of(name, file)
    if tree is None or file is None:
        return
    is_package = file.replace("\\", "/").endswith("/__init__.py")
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from resolved(node.module or "", node.level, tuple(item.name for item in node.names), package)


def resolved(module: str, level: int, names: tuple[str, ...], package: str) -> Iterator[str]:
    """The modules that ``from <module> import <names>`` reaches, `level` dots up from `package`."""
    if level:
        around = package.split(".")[: len(package.split(".")) - level + 1]
        module = ".".join([*around, module] if module else around)
    yield module
    if origin_of(module) == "project":
        yield from (f"{module}.{name}" for name in names if name != "*" and file_of(f"{module}.{name}"))


def assigned_expressions(name: str, variable: str) -> Iterator[ast.expr]:
    """The expressions that the top level of a module assigns to one of its variables, in order."""
    tree = _tree_of(name, file_of(name))
    todo: list[ast.AST] = list(reversed(tree.body)) if tree else []
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(value, ast.expr) and any(
            isinstance(item, ast.Name) and item.id == variable
            for target in targets
            if target
            for item in ast.walk(target)
        ):
            yield value
        todo.extend(child for child in reversed(list(ast.iter_child_nodes(node))) if isinstance(child, ast.stmt))
