"""The module that a document becomes: its name, its place among the imported modules, its folder on the path."""

# ruff: noqa: PTH110, PTH118, PTH122 - pathlib costs more than all that is done here
from __future__ import annotations

import keyword
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["module_name", "registered"]

_MARK = "__celltask_document__"
"""Attribute of a module that says which document it was made from."""


@contextmanager
def registered(module: ModuleType, path: str, root: str) -> Iterator[None]:
    """`module` made from the document at `path`, in `sys.modules` from now on, unless the block raises.

    Within the block the folder `root` stands first on `sys.path`.
    """
    name = module.__name__
    module.__dict__[_MARK] = path
    sys.path.insert(0, root)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        _import_packages(name, path)
        yield
    except BaseException:
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before
        raise
    finally:
        if root in sys.path:
            sys.path.remove(root)


def _import_packages(name: str, path: str) -> None:
    """Import what a module inside a package finds imported.

    Raises:
        DocumentError: If that ends the process.
    """
    package = name.rpartition(".")[0]
    if package:
        from importlib import import_module  # noqa: PLC0415 - few documents stand in a package

        try:
            import_module(package)
        except SystemExit as stop:
            what = f"the package {package}, which the document stands in, ends the process ({stop!r})"
            raise DocumentError(what, path, "take the exit out of its __init__.py") from None


def module_name(path: str) -> tuple[str, str]:
    """The name of the module for the document at `path`, and the folder that imports are looked for in first.

    A Python file in a package has its dotted name. Any other document is called like its file, with ``document_``
    before it where an import of that name would find something else.
    """
    folder, file = os.path.split(path)
    stem, suffix = os.path.splitext(file)
    if suffix.lower() == ".py" and os.path.exists(os.path.join(folder, "__init__.py")):
        dotted, root = _in_package(folder, stem)
        if all(part.isidentifier() for part in dotted.split(".")):
            return dotted, root
    plain = "".join(char if char.isalnum() or char == "_" else "_" for char in stem)
    if not plain.isidentifier() or keyword.iskeyword(plain):
        plain = f"document_{plain}"
    name, number = plain, 1
    while not _is_free(name, path, folder):
        number += 1
        name = f"document_{plain}" if number == 2 else f"document_{plain}_{number - 1}"  # noqa: PLR2004 - the second try
    return name, folder


def _in_package(folder: str, stem: str) -> tuple[str, str]:
    parts = [] if stem == "__init__" else [stem]
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    return ".".join(parts), folder


def _is_free(name: str, path: str, folder: str) -> bool:
    known = sys.modules.get(name)
    if known is not None:
        return getattr(known, _MARK, getattr(known, "__file__", None)) == path and name != "__main__"
    if name in sys.stdlib_module_names:
        return False
    from importlib.machinery import PathFinder  # noqa: PLC0415 - once a document

    found = PathFinder.find_spec(name, [folder, *sys.path])
    return found is None or found.origin == path or found.loader is None
