"""What surrounds the cells of a document in its kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Scene"]


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
