"""Cells in words: which cell a code object's file name stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, InteractiveShell

__all__ = ["Places"]

_OLD_NAME = re.compile(r"<ipython-input-(\d+)-")


class Places:
    """The cells of one shell; it holds which of them are running."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self.running: list[ExecutionInfo] = []

    def resolve(self, filename: str, line: int) -> str | None:
        """``"cell 4, line 2"``, or ``None`` for a file that is no cell of this shell."""
        number = self._number(filename)
        return f"cell {number}, line {line}" if number else None

    def _number(self, filename: str) -> str:
        told = getattr(self._shell.compile, "format_code_name", lambda _name: None)(filename)
        match = _OLD_NAME.match(filename) if told is None else re.search(r"\d+", told[1])  # IPython 7 has no names
        return match[match.lastindex or 0] if match else ""

    def current_cell(self) -> str:
        """The cell that runs now: ``"cell 4"``."""
        history = self._shell.history_manager
        if history is not None and any(info.store_history for info in self.running):
            # IPython 9 counts up before the cell runs, earlier ones after; the inputs so far tell in both.
            return f"cell {len(history.input_hist_raw) - 1}"
        return f"cell {self._shell.execution_count}"
