"""Failing: what a workflow does after one of its nodes has failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.calling import annotate
from celltask.core.interface import MISSING
from celltask.core.ledger import told
from celltask.core.registry import registry
from celltask.core.types.fit import fits
from celltask.errors import InterfaceError

if TYPE_CHECKING:
    from celltask.core.composite import Composite
    from celltask.core.execution import Execution
    from celltask.core.ledger import Ledger
    from celltask.core.task import Task
    from celltask.core.workflow import Workflow

__all__ = ["Failed", "Failure", "WorkflowFailurePolicy", "check_handler", "handle"]

ERROR_NAMES = ("err", "error")
"""Inputs of a handler with these names get the error."""


class WorkflowFailurePolicy(Enum):
    """What becomes of other nodes after one failed, in the words of Flyte; ``"stop"`` and ``"finish"`` say the same."""

    FAIL_IMMEDIATELY = "stop"
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = "finish"


@dataclass(frozen=True)
class Failure:
    """What went wrong in a workflow, as its `on_failure` gets it: plain text, which any task can take.

    Attributes:
        workflow: Name of the workflow.
        node: Id of the node that failed, ``"n2"``, ``"n1/n0"``; empty if it was none of them.
        task: Name of what the node runs.
        kind: Class of the exception, ``"ValueError"``.
        message: Its text.
        traceback: All of it, as Python prints it.
    """

    workflow: str
    node: str
    task: str
    kind: str
    message: str
    traceback: str


def check_handler(workflow: Workflow[..., object]) -> None:
    """Refuse an `on_failure` whose inputs cannot all be given.

    Raises:
        InterfaceError: If one is neither an input of the workflow nor the error.
    """
    handler = workflow.on_failure
    if handler is None:
        return
    if not hasattr(handler, "interface"):
        raise InterfaceError(
            f"on_failure of workflow {workflow.name!r} is {handler!r}, which is no task or workflow",
            workflow.place,
            "put @task above the function",
        )
    known = {port.name: port for port in workflow.interface.inputs}
    for port in handler.interface.inputs:
        told = f"input {port.name!r} of {handler.name!r}, on_failure of workflow {workflow.name!r},"
        if port.name in known:
            source, mend = known[port.name].annotation, f"let it be {known[port.name].handler.name}"
        elif port.name in ERROR_NAMES:
            source = Failure if fits(Failure, port.annotation) else str
            mend = f"write {port.name}: Failure (from celltask), or {port.name}: str for the text alone"
        elif port.required:
            raise InterfaceError(
                f"{told} is no input of the workflow",
                workflow.place,
                "name inputs of the workflow, or err for the error; or give it a default",
            )
        else:
            continue
        if not fits(source, port.annotation):
            raise InterfaceError(f"{told} cannot be {port.handler.name}", workflow.place, mend)


class Failed(NamedTuple):
    """A failure, while the run still stands where it happened."""

    error: BaseException
    inputs: tuple[object, ...]
    """Of the workflow, one each."""
    ledger: Ledger | None
    """Of its nodes, if it came to have some."""
    prefix: str
    """What their ids begin with."""
    name: str = ""
    """Id of its own node in the execution that is given, with a slash."""


def handle(workflow: Workflow[..., object], execution: Execution, failed: Failed) -> None:
    """Run the `on_failure` of `workflow`, which failed in `execution`; a failure of its own is noted on the error."""
    if workflow.on_failure is None:
        return
    handler, error = registry.current(workflow.on_failure), failed.error
    name = f"{failed.name}on_failure"
    inner = execution.aside(name, handler, _arguments(workflow, handler, failed))
    execution.ledger.aside[name] = inner.ledger
    inner.carry_out()
    if inner.error is not None:
        annotate(error, f"on_failure {handler.name!r} failed as well: {told(inner.error)}")
        if not isinstance(inner.error, Exception):
            raise inner.error


def _arguments(
    workflow: Workflow[..., object], handler: Task[..., object] | Composite, failed: Failed
) -> tuple[object, ...]:
    given = dict(zip((port.name for port in workflow.interface.inputs), failed.inputs, strict=True))
    values = []
    for port in handler.interface.inputs:
        if port.name in given:
            values.append(given[port.name])
        elif port.name in ERROR_NAMES:
            failure = _failure(workflow, failed)
            values.append(failure if fits(Failure, port.annotation) else f"{failure.kind}: {failure.message}")
        else:
            values.append(None if port.default is MISSING else port.default)
    return tuple(values)


def _failure(workflow: Workflow[..., object], failed: Failed) -> Failure:
    error = failed.error
    node, task = ("", "") if failed.ledger is None else _failed_node(failed.ledger, error, failed.prefix)
    from traceback import format_exception  # noqa: PLC0415 - only for a failure

    message = told(error).partition(": ")[2]
    return Failure(workflow.name, node, task, type(error).__name__, message, "".join(format_exception(error)))


def _failed_node(ledger: Ledger, error: BaseException, prefix: str) -> tuple[str, str]:
    """Id of the innermost node that has `error`, and the name of what it runs."""
    for place, own in ledger.errors.items():
        if own is error:
            step = ledger.program.steps[place]
            found = (prefix + step.node.id, step.member.name)
            inner = _failed_node(ledger.nested[place], error, f"{found[0]}/") if place in ledger.nested else ("", "")
            return inner if inner[0] else found
    return "", ""
