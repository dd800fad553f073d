"""What surrounds the cells of a document in its kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Scene", "for_kernels"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a kernel is given before the first cell of a document.

    Filters are those of `warnings.filterwarnings`: action, message, full name of the category, module, line.
    """

    folder: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of this process, in whose place they stand."""
    filters: Sequence[Sequence[object]] = ()
    coverage: Mapping[str, object] | None = None
    """Arguments of `coverage.Coverage`, if the kernel is to be measured."""
    most_output: int = 20_000_000
    """Characters that a cell may show; one that shows more fails."""
    memory_mib: float | None = None
    """MiB that the document may take beside what its kernel has from the start; on Linux."""


def for_kernels(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process as its kernels have them, and the servers that these are forked from.

    >>> for_kernels({"HOME": "/home/ada", "MPLBACKEND": "agg", "PYTEST_VERSION": "8.4.0"})
    {'HOME': '/home/ada', 'MPLBACKEND': 'agg'}
    """
    # Not PYTEST_…: ipykernel captures less under pytest, and a reader has no pytest around the page. Not
    # PYTHONWARNINGS: as "error" it would stop the kernel at the first deprecation in its own imports.
    left_out = ("PYTEST_", "PYTHONWARNINGS")
    kept = {name: value for name, value in environment.items() if not name.startswith(left_out)}
    # As ipykernel has it at its start. Matplotlib looks once, when it is imported, which may be in a server.
    kept.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    return kept
