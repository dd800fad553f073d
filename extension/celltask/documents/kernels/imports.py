"""What documents import, and in which order servers import it so that as much as possible is imported once.

A kernel is forked only from a server that has imported nothing but what the document itself imports: a page that reads
``sklearn.datasets`` without importing it must not pass because another page imports it.
"""

from __future__ import annotations

import ast
import sysconfig
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.magics import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from celltask.documents.outline import Cell

__all__ = ["imports_of", "shared_paths"]

_NOT_FORKED = frozenset({"celltask", "grpc", "jax", "mpi4py", "pyspark", "ray", "tensorflow"})
"""Packages that must not be imported before a fork: they start threads, or hold what a fork cannot copy."""
_NOT_RUN = frozenset({"skip-execution", "raises-exception"})


def imports_of(cells: Sequence[Cell]) -> frozenset[str]:
    r"""Third-party modules that the cells import at their top level: ``"pandas"``, or ``"sklearn:datasets"``.

    A name after a colon is imported from the module, of which it may be a part or not.

    >>> from celltask.documents.outline import Cell
    >>> imports_of([Cell(1, "import json\nfrom pydantic import fields", first_line=1)])
    frozenset({'pydantic:fields'})
    """
    found: set[str] = set()
    for cell in cells:
        if not cell.is_python or _NOT_RUN.intersection(cell.tags) or "import" not in cell.source:
            continue
        tree = tree_of(cell.source)
        found.update(name for node in (tree.body if tree else ()) for name in _imported(node))
    return frozenset(name for name in found if _is_third_party(name.partition(":")[0].partition(".")[0]))


def _imported(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}:{alias.name}" for alias in node.names if alias.name != "*")


@cache
def _is_third_party(package: str) -> bool:
    if package in _NOT_FORKED:
        return False
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return False
    origin = spec and spec.origin
    if not origin:
        return False
    installed = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return any(Path(origin).resolve().is_relative_to(folder) for folder in installed)


def shared_paths(wanted: Sequence[frozenset[str]]) -> list[tuple[tuple[str, ...], ...]]:
    """For each document, what servers on the way to its kernel import, one after the other.

    The sets are ordered by how many documents want each module, and laid into a tree of common beginnings (as FP-trees
    are, Han, Pei and Yin 2000); what only one document wants is left to its kernel.

    Args:
        wanted: By document, as `imports_of` tells them.

    >>> sets = [{"numpy"}, {"numpy", "pandas"}, {"numpy", "pandas", "polars"}]
    >>> shared_paths([frozenset(names) for names in sets])
    [(('numpy',),), (('numpy',), ('pandas',)), (('numpy',), ('pandas',))]
    """
    counts = Counter(name for names in wanted for name in names)
    ordered = [tuple(sorted(names, key=lambda name: (-counts[name], name))) for names in wanted]
    sharing = Counter(names[:end] for names in ordered for end in range(1, len(names) + 1))
    paths = []
    for names in ordered:
        groups: list[list[str]] = []
        before = 0
        for end in range(1, len(names) + 1):
            sharers = sharing[names[:end]]
            if sharers < 2:  # noqa: PLR2004 - shared with nobody
                break
            if sharers == before:
                groups[-1].append(names[end - 1])
            else:
                groups.append([names[end - 1]])
            before = sharers
        paths.append(tuple(tuple(group) for group in groups))
    return paths
