"""``--pdb`` for cells: the debugger of the kernel, where the frames are, with the terminal of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from celltask.documents.engine import engine_of
from celltask.documents.items import CellItem
from celltask.documents.report import tell
from celltask.documents.watching import first_changed
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from celltask.documents.engine import Engine
    from celltask.documents.session import Session

__all__ = ["CellDebugger", "debug_cells"]

_QUITS = frozenset({"q", "quit", "exit"})
_TITLE = "PDB in the kernel of the document"
_KEYS = "IPDB: h for help, c to go on, q to end the tests"
_AGAIN = ", again to execute the cell again from the state before it"


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
        session = item.run.session
        if session is None or session.is_gone:
            terminal.sep(">", _TITLE)
            terminal.line("the kernel has ended; there is nothing to look at")
            return
        can_repeat = session.broken is not None and not session.why_not_again
        terminal.sep(">", f"{_TITLE} ({_KEYS}{_AGAIN if can_repeat else ''})")
        if session.broken is not None and not can_repeat:
            terminal.line(f"the cell cannot be executed again from the state before it: {session.why_not_again}")
        answers = _Answers(can_repeat=can_repeat)
        engine = engine_of(self._config)
        while True:
            engine.run(session.debug(answers.ask, lambda text: terminal.write(text, flush=True)))
            if not can_repeat or answers.last != "again":
                break
            told = _executed_again(item, session, engine)
            terminal.line(told or "the cell passes now; its test has failed as told above")
            if not told or session.is_gone:
                return
        if answers.last in _QUITS:
            pytest.exit("Quitting debugger")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """As pytest does."""
        self._others.pytest_internalerror(excinfo)


def _executed_again(item: CellItem, session: Session, engine: Engine) -> str:
    """Execute the cell that failed as it stands in the document now; why it fails or cannot be, empty if it passes."""
    assert session.broken is not None  # noqa: S101 - else it is not offered
    number = session.broken.number
    try:
        document = item.parent.read()
        if first_changed(session.document.cells, document.cells, number - 1) < number:
            return "a cell above it has changed: begin anew"
        failure = engine.run(session.again(document))
    except DocumentError as error:
        return str(error)
    return tell(failure, document, document.cells[number - 1]).text if failure is not None else ""


class _Answers:
    """What the user types. Holds the last of it.

    Args:
        can_repeat: Whether ``again`` is a command, which the debugger of the kernel knows as the end.
    """

    def __init__(self, *, can_repeat: bool) -> None:
        self._can_repeat = can_repeat
        self.last = ""

    def ask(self, prompt: str) -> str:
        """The next line; the end of the input quits."""
        try:
            self.last = input(prompt).strip()
        except EOFError:
            self.last = "q"
        return "q" if self._can_repeat and self.last == "again" else self.last
