"""Run: carries out a traced workflow; the only place where nodes are started.

The calling thread is the first worker, so a chain of nodes runs wholly on it; other threads join only when several
nodes are ready at once. Whoever ends a node looks which nodes that made ready.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from celltask.core.calling import checked_inputs
from celltask.core.engines import engine_of
from celltask.core.events import Event, RunFinished, RunStarted
from celltask.core.execution import Execution, outputs_value
from celltask.core.graph import FromNode
from celltask.core.ledger import Ledger, NodeRecord
from celltask.core.program import program_of
from celltask.core.task import Task, call_error
from celltask.core.tracing import Trace, Tracer, bound_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celltask.core.interface import Interface
    from celltask.core.workflow import Workflow

__all__ = ["NodeRecord", "Run", "run_task", "run_workflow"]


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    Attributes:
        id: Unique name, beginning with the time it started.
        name: Name of the workflow or task.
        state: ``"done"``, ``"failed"`` or ``"cancelled"``.
        value: What a plain call returns; ``None`` unless done.
        outputs: The same by output name.
        error: The first error, as the body raised it; ``None`` if done.
        ledger: What became of each node, as columns.
        started: Seconds since the epoch.
        duration_s: Seconds.
    """

    id: str
    name: str
    state: str
    value: object
    outputs: Mapping[str, object]
    error: BaseException | None
    ledger: Ledger
    started: float
    duration_s: float

    @cached_property
    def nodes(self) -> tuple[NodeRecord, ...]:
        """What became of each node, in the order of definition."""
        return tuple(self.ledger.records())

    def result(self) -> object:
        """What a plain call returns.

        Raises:
            BaseException: What went wrong, if the run is not done.
        """
        __tracebackhide__ = True
        if self.error is not None:
            raise self.error
        return self.value

    def node(self, name: str) -> NodeRecord:
        """The record of the node with this id or label.

        Raises:
            KeyError: If there is none.
        """
        for record in self.nodes:
            if name in (record.id, record.label):
                return record
        raise KeyError(name)

    def __repr__(self) -> str:
        head = f"<run {self.id} of {self.name}: {self.state} in {self.duration_s:.3f} s>"
        lines = [f"  {node.id:<6} {node.label:<24} {node.state:<9} {node.duration_s:8.3f} s" for node in self.nodes]
        return "\n".join([head, *lines])


def run_workflow(
    workflow: Workflow[..., object],
    values: tuple[object, ...],
    *,
    engine: str = "threads",
    on_event: Callable[[Event], object] | None = None,
) -> Run:
    """A run of `workflow` with one value per input; see `Workflow.run`."""
    checked = checked_inputs(workflow, values)
    return _run(workflow.name, workflow.trace, workflow.interface, checked, workflow.failure_policy, engine, on_event)


def run_task(
    task: Task[..., object],
    inputs: Mapping[str, object],
    *,
    engine: str = "threads",
    on_event: Callable[[Event], object] | None = None,
) -> Run:
    """A run of one task by itself, with its record and events.

    Raises:
        CallError: If the inputs do not fit the task's names.
        ValueMismatchError: If a value does not fit its type.

    >>> from celltask import task
    >>> @task
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> run_task(double, {"x": 2}).outputs
    {'o0': 4}
    """
    values = bound_arguments(task.interface, (), inputs)
    if values is None:
        raise call_error(task.name, task.interface, (), inputs, task.place)
    checked = checked_inputs(task, values)
    return _run(task.name, _trace_of(task), task.interface, checked, "stop", engine, on_event)


def _trace_of(task: Task[..., object]) -> Trace:
    tracer = Tracer(task.name, task.interface)
    tracer.add(task, tuple(tracer.input(port) for port in task.interface.inputs))
    tracer.trace.outputs = tuple(FromNode("n0", place) for place in range(len(task.interface.outputs)))
    return tracer.trace


def _run(  # noqa: PLR0913, PLR0917 - what a run is made of
    name: str,
    trace: Trace,
    interface: Interface,
    inputs: tuple[object, ...],
    policy: str,
    engine: str,
    on_event: Callable[[Event], object] | None,
) -> Run:
    run_id = time.strftime("%Y%m%d-%H%M%S-") + os.urandom(3).hex()
    program = program_of(trace)
    execution = Execution(run_id, name, program, inputs, policy, engine_of(engine), on_event)
    started, clock = time.time(), time.perf_counter()
    if on_event is not None:
        on_event(RunStarted(run_id, name, tuple(step.node.id for step in program.steps), started))
    execution.carry_out()
    value: object = None
    outputs: dict[str, object] = {}
    if execution.error is None:
        value = outputs_value(interface, execution)
        outputs = interface.by_name(value)
    duration_s = time.perf_counter() - clock
    state = execution.state
    if on_event is not None:
        on_event(RunFinished(run_id, state, duration_s))
    if isinstance(execution.error, KeyboardInterrupt):
        raise execution.error
    return Run(run_id, name, state, value, outputs, execution.error, execution.ledger, started, duration_s)
