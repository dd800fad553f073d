"""Modules of the core that stand above the one that needs them, reached by name when they are needed.

Defining and tracing tasks needs no runner; calling a workflow does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["late"]


def late(name: str) -> ModuleType:
    """The module ``celltask.core.NAME``."""
    return import_module(f"celltask.core.{name}")
