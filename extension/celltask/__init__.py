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

    from celltask.core.conditional import conditional
    from celltask.core.context import current_context
    from celltask.core.defining import task
    from celltask.core.dynamic import dynamic
    from celltask.core.failing import Failure, WorkflowFailurePolicy
    from celltask.core.gates import approve, wait_for_input
    from celltask.core.history import RunRecord, runs
    from celltask.core.imperative import ImperativeWorkflow
    from celltask.core.kinds.shell import OutputLocation, ShellTask
    from celltask.core.mapping import map_task
    from celltask.core.plan import Plan, plan
    from celltask.core.presets import preset
    from celltask.core.resources import Resources
    from celltask.core.run import Run
    from celltask.core.task import Task
    from celltask.core.types.base import Mismatch, TypeHandler
    from celltask.core.types.files import Directory, File, kwtypes
    from celltask.core.types.lookup import register_type
    from celltask.core.types.marks import MultiLine, Secret
    from celltask.core.workflow import Workflow, workflow
    from celltask.documents.loader import load_document
    from celltask.errors import CelltaskError
    from celltask.testing import mock_task

__version__ = "0.1.0"

__all__ = [
    "CelltaskError",
    "Directory",
    "Failure",
    "File",
    "ImperativeWorkflow",
    "Mismatch",
    "MultiLine",
    "OutputLocation",
    "Plan",
    "Resources",
    "Run",
    "RunRecord",
    "Secret",
    "ShellTask",
    "Task",
    "TypeHandler",
    "Workflow",
    "WorkflowFailurePolicy",
    "approve",
    "conditional",
    "current_context",
    "dynamic",
    "kwtypes",
    "load_document",
    "load_ipython_extension",
    "map_task",
    "mock_task",
    "plan",
    "preset",
    "register_type",
    "runs",
    "task",
    "unload_ipython_extension",
    "wait_for_input",
    "workflow",
]

_PLACES = {
    "approve": "celltask.core.gates",
    "CelltaskError": "celltask.errors",
    "conditional": "celltask.core.conditional",
    "current_context": "celltask.core.context",
    "dynamic": "celltask.core.dynamic",
    "Directory": "celltask.core.types.files",
    "Failure": "celltask.core.failing",
    "File": "celltask.core.types.files",
    "ImperativeWorkflow": "celltask.core.imperative",
    "kwtypes": "celltask.core.types.files",
    "load_document": "celltask.documents.loader",
    "map_task": "celltask.core.mapping",
    "Mismatch": "celltask.core.types.base",
    "mock_task": "celltask.testing",
    "MultiLine": "celltask.core.types.marks",
    "OutputLocation": "celltask.core.kinds.shell",
    "Plan": "celltask.core.plan",
    "plan": "celltask.core.plan",
    "preset": "celltask.core.presets",
    "register_type": "celltask.core.types.lookup",
    "Resources": "celltask.core.resources",
    "Run": "celltask.core.run",
    "RunRecord": "celltask.core.history",
    "runs": "celltask.core.history",
    "Secret": "celltask.core.types.marks",
    "ShellTask": "celltask.core.kinds.shell",
    "Task": "celltask.core.task",
    "task": "celltask.core.defining",
    "TypeHandler": "celltask.core.types.base",
    "wait_for_input": "celltask.core.gates",
    "Workflow": "celltask.core.workflow",
    "WorkflowFailurePolicy": "celltask.core.failing",
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
