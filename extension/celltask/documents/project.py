"""What a project says about its documents, whether pytest has read that or `celltask test` has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from celltask.documents.outline import Nested
    from celltask.documents.settings import Folder

__all__ = ["Settings"]

_NOT_ENTERED = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that matter to documents; the defaults are those of the pytest plugin."""

    root: Path
    """Folder of the file that holds them; the working folder if there is none."""
    documents: tuple[str, ...] = ()
    """Folders, files and patterns, from `root`."""
    timeout_s: float = 300.0
    document_timeout_s: float = float("inf")
    """That all cells of a document together may take."""
    nested: Nested = "run"
    """What becomes of code cells inside of directives, lists and quotations."""
    parametrize: tuple[str, ...] = ()
    """Sets of values for documents, a line each; see `documents.settings.parameters_in`."""
    sanitize: tuple[str, ...] = ()
    """Sanitisers of expected output, a line each."""
    expected_rtol: str = ""
    """Relative tolerance of numbers in it."""
    compares_notebooks: bool = False
    """Whether cells of notebooks must show what is stored there."""
    most_output: int = 20_000_000
    """Characters that a cell may show."""
    memory_mib: float | None = None
    """That a document may take beside what its kernel has from the start, on Linux."""
    folder: Folder = "document"
    """Where cells and shell examples run, if the header does not say so."""
    filters: tuple[tuple[object, ...], ...] = ()
    """Warning filters: action, message, category, module, line."""
    not_entered: tuple[str, ...] = _NOT_ENTERED
    """Patterns of folders in which no document is looked for."""
    test_modules: tuple[str, ...] = ("test_*.py", "*_test.py")
    """Patterns of Python files that are modules of tests, and no documents."""
