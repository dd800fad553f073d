"""What a document is given that its reader does not see: variables, hidden code, parameters, stand-ins for tasks."""

from __future__ import annotations

import base64
import pickle
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from celltask.documents.outline import Cell, DocumentText

__all__ = ["DocumentSetUp", "hidden_code"]

_MOCK = "__import__('celltask.documents.stand_ins', fromlist=['put'])"
_MISSING = object()


class DocumentSetUp:
    """How one document is run; what the fixture ``celltask_document`` gives. It holds what it is told.

    Args:
        path: Of the document.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env: dict[str, str] = {}
        """Environment variables of the kernel, beside those of the tests."""
        self.is_made = False
        """Whether a fixture is made for the document, whatever it tells."""
        self.folder: Path | None = None
        """Working folder of the kernel; None for the one that the settings say."""
        self._code: list[tuple[str, str]] = []

    def execute(self, code: str, *, after: str = "") -> None:
        """Have `code` executed in the kernel, seen by no reader.

        Args:
            code: Statements; names that they bind are there for the cells.
            after: Name of the cell after which to do it; before the first by default.
        """
        self._code.append((after, code))

    def mock_task(self, name: str, *, returns: object = None, raises: BaseException | None = None) -> None:
        """Let the task `name` return or raise something else than its body would.

        Args:
            name: Of a task that the document defines; or with its module, ``"project.steps.fetch"``, of one that it
                imports.
            returns: What it returns; it is pickled, and checked against the task's interface when it is called.
            raises: What it raises instead.
        """
        values = _pickled((returns, raises), name)
        module, _, last = name.rpartition(".")
        if module:
            target = f"__import__({module!r}, fromlist=[{last!r}]).{last}"
            self._code.append(("", f"{_MOCK}.put({target}, {values!r})"))
        else:
            self._code.append((f"def {name}", f"{_MOCK}.put({name}, {values!r})"))

    def mock(self, target: str, *, returns: object = _MISSING, value: object = None) -> None:
        """Put something else in the place of a name of a module, before any cell imports it.

        Args:
            target: ``"requests.get"``, as `unittest.mock.patch` takes it.
            returns: What a call of it returns.
            value: What stands there, if it is not called.
        """
        values = _pickled((value if returns is _MISSING else returns, returns is not _MISSING), target)
        self._code.append(("", f"{_MOCK}.patch({target!r}, {values!r})"))

    def hidden(self, document: DocumentText, names: Sequence[str]) -> dict[int, list[str]]:
        """The code, by the number of the cell after which it is executed; 0 is before the first.

        Raises:
            DocumentError: If there is no such cell or task in `document`.
        """
        found: dict[int, list[str]] = defaultdict(list)
        for after, code in self._code:
            for number in _numbers(after, document, names):
                found[number].append(code)
        return found


def _numbers(after: str, document: DocumentText, names: Sequence[str]) -> list[int]:
    if not after:
        return [0]
    if after.startswith("def "):
        found = [cell.number for cell in document.cells if _defines(cell, after.removeprefix("def "))]
        what = f"the document defines no task {after.removeprefix('def ')!r}"
    else:
        found = [cell.number for cell, name in zip(document.cells, names, strict=True) if name == after]
        what = f"the document has no cell {after!r}"
    if not found:
        raise DocumentError(what, document.path, "see its names by: celltask outline")
    return found


def _defines(cell: Cell, name: str) -> bool:
    header = rf"^(#\s?)?%%?(task|workflow)\s.*\b{re.escape(name)}\b"
    return re.search(rf"^(async\s+)?def\s+{re.escape(name)}\b|{header}", cell.source, re.MULTILINE) is not None


def _pickled(values: object, name: str) -> str:
    try:
        return base64.b64encode(pickle.dumps(values)).decode()
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        what = f"the stand-in for {name} cannot be sent to the kernel: {error}"
        raise DocumentError(what, mend="give a value that can be pickled, or use celltask_document.execute") from None


def hidden_code(document: DocumentText, parameters: Mapping[str, object]) -> dict[int, list[str]]:
    """Code that sets `parameters`: after the cell tagged ``parameters``, as papermill has it, or before the first.

    Raises:
        DocumentError: If such a cell gives no default to one of them.
    """
    if not parameters:
        return {}
    cell = next((cell for cell in document.cells if "parameters" in cell.tags), None)
    if cell is None:
        number = 0
    else:
        number = cell.number
        for name in parameters:
            if not re.search(rf"^{re.escape(name)}\s*(:[^=\n]+)?=", cell.source, re.MULTILINE):
                what = f"the cell tagged parameters does not set {name}"
                raise DocumentError(what, f"{document.path}:{cell.first_line}", f"add {name} = … to it")
    return {number: ["\n".join(f"{name} = {value!r}" for name, value in parameters.items())]}
