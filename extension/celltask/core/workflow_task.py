"""A workflow as a task, for maps over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.task import Task
from celltask.core.task_options import Options

if TYPE_CHECKING:
    from celltask.core.workflow import Workflow

__all__ = ["WorkflowTask"]


class WorkflowTask(Task[..., object]):
    """A workflow as the task that a map calls: each call is a run of its own."""

    kind = "workflow"

    def __init__(self, workflow: Workflow[..., object]) -> None:
        self.workflow = workflow
        super().__init__(
            workflow.__call__, workflow.interface, Options(), name=workflow.name, module=workflow.module,
            place=workflow.place,
        )  # fmt: skip

    @property
    def digest(self) -> str:
        """Identity of the workflow."""
        return self.workflow.digest

    def is_current(self) -> bool:
        """Whether the workflow is."""
        return self.workflow.is_current()
