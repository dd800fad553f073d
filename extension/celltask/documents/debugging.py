"""``--pdb`` for cells: the debugger of the kernel, where the frames are, with the terminal of pytest."""

from __future__ import annotations

from typing import Any

import pytest

from celltask.documents.engine import engine_of
from celltask.documents.items import CellItem

__all__ = ["CellDebugger", "debug_cells"]

_QUITS = frozenset({"q", "quit", "exit"})


def debug_cells(config: pytest.Config) -> None:
    """Put the debugger of cells in the place of pytest's, which still serves all other tests."""
    manager = config.pluginmanager
    pytests_own = manager.unregister(name="pdbinvoke")
    manager.register(CellDebugger(config, pytests_own), "pdbinvoke")


class CellDebugger:
    """Takes failures of cells into the kernel, and hands all others on."""

    def __init__(self, config: pytest.Config, pytests_own: Any) -> None:  # noqa: ANN401 - a plugin has no type
        self._config, self._others = config, pytests_own

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object], report: pytest.TestReport
    ) -> None:
        """Open the debugger at what failed."""
        if not isinstance(node, CellItem):
            self._others.pytest_exception_interact(node, call, report)
            return
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.suspend(in_=True)
        try:
            self._debug(node, report)
        finally:
            if capture is not None:
                capture.resume()

    def _debug(self, item: CellItem, report: pytest.TestReport) -> None:
        terminal = self._config.get_terminal_writer()
        terminal.line()
        terminal.line(report.longreprtext)
        terminal.sep(">", "PDB in the kernel of the document (IPDB: h for help, c to go on, q to end the tests)")
        session = item.run.session
        quits = False
        if session is None or session.is_gone:
            terminal.line("the kernel has ended; there is nothing to look at")
        else:
            answers = _Answers()
            engine_of(self._config).run(session.debug(answers.ask, lambda text: terminal.write(text, flush=True)))
            quits = answers.last in _QUITS
        if quits:
            pytest.exit("Quitting debugger")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """As pytest does."""
        self._others.pytest_internalerror(excinfo)


class _Answers:
    """What the user types. Holds the last of it."""

    last = ""

    def ask(self, prompt: str) -> str:
        """The next line; the end of the input quits."""
        try:
            self.last = input(prompt).strip()
        except EOFError:
            self.last = "q"
        return self.last
