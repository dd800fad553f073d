"""celltask: typed tasks and workflows that live in notebook cells and in MyST documents.

    %load_ext celltask

    %%task --cache
    def train(C: float, seed: int = 42) -> LogisticRegression:
        ...

Every public name is imported at its first use, so that ``import celltask`` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import would cost more than all of this module
if TYPE_CHECKING:
    from types import ModuleType

    from IPython.core.interactiveshell import InteractiveShell

    from celltask.core.context import current_context
    from celltask.core.defining import task
    from celltask.core.kinds.shell import OutputLocation, ShellTask
    from celltask.core.resources import Resources
    from celltask.core.run import Run
    from celltask.core.task import Task
    from celltask.core.types.base import Mismatch, TypeHandler
    from celltask.core.types.files import Directory, File, kwtypes
    from celltask.core.types.lookup import register_type
    from celltask.core.workflow import ImperativeWorkflow, Workflow, workflow
    from celltask.documents.loader import load_document
    from celltask.errors import CelltaskError
    from celltask.testing import mock_task

__version__ = "0.1.0"

__all__ = [
    "CelltaskError",
    "Directory",
    "File",
    "ImperativeWorkflow",
    "Mismatch",
    "OutputLocation",
    "Resources",
    "Run",
    "ShellTask",
    "Task",
    "TypeHandler",
    "Workflow",
    "current_context",
    "kwtypes",
    "load_document",
    "load_ipython_extension",
    "mock_task",
    "register_type",
    "task",
    "unload_ipython_extension",
    "workflow",
]

_PLACES = {
    "CelltaskError": "celltask.errors",
    "current_context": "celltask.core.context",
    "Directory": "celltask.core.types.files",
    "File": "celltask.core.types.files",
    "ImperativeWorkflow": "celltask.core.workflow",
    "kwtypes": "celltask.core.types.files",
    "load_document": "celltask.documents.loader",
    "Mismatch": "celltask.core.types.base",
    "mock_task": "celltask.testing",
    "OutputLocation": "celltask.core.kinds.shell",
    "register_type": "celltask.core.types.lookup",
    "Resources": "celltask.core.resources",
    "Run": "celltask.core.run",
    "ShellTask": "celltask.core.kinds.shell",
    "Task": "celltask.core.task",
    "task": "celltask.core.defining",
    "TypeHandler": "celltask.core.types.base",
    "Workflow": "celltask.core.workflow",
    "workflow": "celltask.core.workflow",
}


def _late(module: str) -> ModuleType:
    """A module by name: nothing is imported before it is needed, and the core never reaches notebooks through here."""
    from importlib import import_module  # noqa: PLC0415 - not even this

    return import_module(module)


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'celltask' has no attribute {name!r}")
    found: object = getattr(_late(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%load_ext celltask`` does: adds ``%%task``, ``%%workflow`` and the line magics to `shell`."""
    _late("celltask.notebook.extension").load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%unload_ext celltask`` does: takes everything back that loading added to `shell`."""
    _late("celltask.notebook.extension").unload(shell)
