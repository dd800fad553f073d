"""Warnings in a cell: they name the cell that they come from, and not the file of this machine that stands for it."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import ExitStack

    from celltask.notebook.places import Places

__all__ = ["install_warnings"]


def install_warnings(places: Places, undo: ExitStack) -> None:
    """Let warnings be told with places as errors have them, ``"cell 4, line 2"``, until `undo` is closed.

    Files below the working directory are told from there on, all others as Python does.
    """
    theirs = warnings.formatwarning
    active = True

    def formatwarning(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        text = theirs(message, category, filename, lineno, line)
        where = f"{filename}:{lineno}"
        if not active or not text.startswith(where):
            return text
        return (places.resolve(filename, lineno) or _from_here(where)) + text.removeprefix(where)

    def restore() -> None:
        nonlocal active
        active = False  # others may have wrapped this function, and keep it alive
        if warnings.formatwarning is formatwarning:
            warnings.formatwarning = theirs

    warnings.formatwarning = formatwarning
    undo.callback(restore)


def _from_here(path: str) -> str:
    try:
        return path.removeprefix(os.getcwd() + os.sep)  # noqa: PTH109 - a text to compare with
    except OSError:  # the working directory was removed
        return path
