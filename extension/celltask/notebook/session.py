"""Session: what celltask knows of one shell, and what it does when a cell begins and ends. It holds state."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.cell import RUNTIME_NAME
from celltask.core.registry import registry
from celltask.core.task import Task
from celltask.core.workflow import Workflow
from celltask.errors import CellError, CelltaskError, GraphError, InterfaceError, PurityError
from celltask.notebook.display import show_definitions
from celltask.notebook.forms_display import Forms
from celltask.notebook.live_stale import Pictures

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from celltask.core.fingerprint import Fingerprint
    from celltask.notebook.places import Places

__all__ = ["Defined", "Session"]

_UNBOUND = object()

_REFUSALS = (CellError, InterfaceError, PurityError, GraphError)
"""What a definition is refused with; then the cell defines nothing at all."""


class Defined(NamedTuple):
    """One definition of a task, as it was at the end of its cell."""

    task: Task[..., object]
    place: str
    fingerprint: Fingerprint | None


class Session:
    """The state of one shell.

    Attributes:
        shell: The shell.
        places: Its cells in words.
        cards: Whether cells show cards and graphs.
        forms: The forms that were shown.
        live: How runs show themselves while they last: ``"on"`` (in a widget), ``"static"`` or ``"off"``.
        pictures: The pictures that are shown.
        history: For each task name its last two definitions, the newest last.
    """

    def __init__(self, shell: InteractiveShell, places: Places) -> None:
        self.shell, self.places = shell, places
        self.cards = True
        self.forms = Forms(shell)
        self.live = "on"
        self.pictures = Pictures(shell)
        self.history: dict[str, list[Defined]] = {}
        self._defined: list[dict[str, object]] = []
        self._last: dict[str, Task[..., object]] = dict(registry.tasks())

    def begin_cell(self, info: ExecutionInfo) -> None:
        """Called before each cell."""
        module = sys.modules["celltask"]
        if self.shell.user_ns.get(RUNTIME_NAME) is not module:
            if RUNTIME_NAME not in self.shell.user_ns:  # %reset took it away, and all tasks with it
                self._forget()
            self.shell.push({RUNTIME_NAME: module}, interactive=False)  # type: ignore[no-untyped-call]  # IPython gives it no types
        self.places.running.append(info)
        self._defined.append({})

    def _forget(self) -> None:
        """Take the tasks and workflows of the notebook, whose names are gone, out of the registry."""
        for item in registry:
            if item.module == "__main__":
                registry.discard(item)

    def note_definitions(self, names: list[str]) -> None:
        """Called by the transformer, before the cell runs, with the names that its headers define."""
        if self._defined:
            space = self.shell.user_ns
            self._defined[-1].update({name: space.get(name, _UNBOUND) for name in names})

    def end_cell(self, result: ExecutionResult | None) -> None:
        """Called after each cell, failed or not; ``None`` if it was broken off."""
        if not self.places.running or (result is not None and result.info is not self.places.running[-1]):
            return  # an empty cell, or the one that loaded the extension
        self.places.running.pop()
        before = self._defined.pop()
        registry.touch()
        self.forms.after_cell()
        if result is not None and result.success:
            self._finish(before, result)
        elif result is not None and isinstance(result.error_in_exec, _REFUSALS):
            self._take_back(before, self._made(before))
        self._remember()
        if self.cards:
            self.pictures.refresh()

    def _made(self, before: dict[str, object]) -> list[Task[..., object] | Workflow[..., object]]:
        """What the headers of the cell defined, of all that they may define."""
        space = self.shell.user_ns
        found = [space[name] for name, earlier in before.items() if space.get(name, earlier) is not earlier]
        return [item for item in found if isinstance(item, Task | Workflow)]

    def _finish(self, before: dict[str, object], result: ExecutionResult) -> None:
        """Look again at what the cell's headers defined, now that all its names are bound, and show it."""
        space = self.shell.user_ns
        made = [space[name] for name in before if isinstance(space.get(name), Task | Workflow)]
        try:
            for item in made:
                if isinstance(item, Task):
                    item.settle()
        except CelltaskError as error:
            self._take_back(before, made)
            self._fail(error, result)
            return
        try:
            if self.cards:
                shown = [item for item in made if item is not result.result]
                show_definitions(self.shell, shown, self.pictures)
                for item in shown:
                    if isinstance(item, Workflow) or item.options.card:
                        self.forms.offer(item)
        except CelltaskError as error:
            self._fail(error, result)

    def _fail(self, error: CelltaskError, result: ExecutionResult) -> None:
        """Let the cell count as failed by `error`: the reply to the front end is made from the result."""
        self.shell.showtraceback((type(error), error, error.__traceback__))
        result.error_in_exec = error
        self.shell.last_execution_succeeded = False

    def _take_back(self, before: dict[str, object], made: list[Task[..., object] | Workflow[..., object]]) -> None:
        """Bind the names as they were before the refused cell."""
        space = self.shell.user_ns
        for item in made:
            registry.discard(item)
        for name, earlier in before.items():
            if not any(space.get(name) is item for item in made):
                continue
            if earlier is _UNBOUND:
                del space[name]
            else:
                space[name] = earlier
            if isinstance(earlier, Task | Workflow):
                registry.add(earlier)

    def _remember(self) -> None:
        """Keep the fingerprints of new definitions, since later cells may change what their code means."""
        tasks = registry.tasks()
        for name, task in tasks.items():
            if self._last.get(name) is not task and task.module == "__main__":
                known = self.history.setdefault(name, [])
                known.append(Defined(task, task.place, _fingerprint(task)))
                del known[:-2]
        self._last = tasks


def _fingerprint(task: Task[..., object]) -> Fingerprint | None:
    try:
        return task.fingerprint
    except CelltaskError:
        return None
