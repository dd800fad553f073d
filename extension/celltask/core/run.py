"""Run: carries out a traced workflow; the only place where nodes are started.

The calling thread is the first worker, so a chain of nodes runs wholly on it; other threads join only when several
nodes are ready at once. Whoever ends a node looks which nodes that made ready.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

from celltask.core.calling import checked_inputs
from celltask.core.context import FRESH_SINCE
from celltask.core.events import Event, RunFinished, RunStarted
from celltask.core.execution import Execution
from celltask.core.graph import FromNode
from celltask.core.interface import handler_preview
from celltask.core.ledger import Ledger, NodeRecord
from celltask.core.program import program_of
from celltask.core.recording import Recording
from celltask.core.settings import Settings
from celltask.core.task import Task, call_error
from celltask.core.tracing import Trace, Tracer, bound_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celltask.core.composite import Composite
    from celltask.core.graph import Graph
    from celltask.core.workflow import Workflow

__all__ = ["NodeRecord", "Run", "run_task", "run_workflow", "trace_of"]

_MOST_LINES = 60


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
    _draw: Callable[[], Graph] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def graph(self) -> Graph | None:
        """The graph as it was when it ran, as plain data; ``None`` for a task that was run by itself."""
        return self._draw() if self._draw is not None else None

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
        lines = [f"<run {self.id} of {self.name}: {self.state} in {self.duration_s:.3f} s>"]
        shown = self.nodes if len(self.nodes) <= _MOST_LINES else self.nodes[:_MOST_LINES]
        lines += [f"  {node.id:<6} {node.label:<24} {node.state:<9} {node.duration_s:8.3f} s" for node in shown]
        if len(shown) < len(self.nodes):
            lines.append(f"  … and {len(self.nodes) - len(shown)} more nodes")
        if self.error is not None:
            told = handler_preview(self.error)
            with suppress(Exception):  # an error whose own text cannot be made is told by its repr
                told = f"{type(self.error).__name__}: {self.error}"
            where = getattr(self.error, "__notes__", [""])[0]
            lines += [f"  {told}" + (f" ({where})" if where else ""), "  result() raises it"]
        return "\n".join(lines)


def run_workflow(
    workflow: Workflow[..., object],
    values: tuple[object, ...],
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> Run:
    """A run of `workflow` with one value per input; see `Workflow.run`."""
    __tracebackhide__ = True
    checked = checked_inputs(workflow, values)
    trace = workflow.trace
    return _run(workflow, trace, checked, settings, partial(workflow.graph_of, trace))


def run_task(
    task: Task[..., object],
    inputs: Mapping[str, object],
    settings: Settings = Settings(),  # noqa: B008 - frozen
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
    return _run(task, trace_of(task), checked, settings, None)


def trace_of(task: Task[..., object]) -> Trace:
    """The task as the only node of a workflow with the same inputs."""
    tracer = Tracer(task.name, task.interface)
    tracer.add(task, tuple(tracer.input(port) for port in task.interface.inputs))
    tracer.trace.outputs = tuple(FromNode("n0", place) for place in range(len(task.interface.outputs)))
    return tracer.trace


def _run(
    member: Task[..., object] | Composite,
    trace: Trace,
    inputs: tuple[object, ...],
    settings: Settings,
    draw: Callable[[], Graph] | None,
) -> Run:
    __tracebackhide__ = True
    run_id = time.strftime("%Y%m%d-%H%M%S-") + os.urandom(3).hex()
    program = program_of(trace)
    telling = None if settings.on_event is None else _Telling(settings.on_event)
    execution = Execution(run_id, member, program, inputs, settings, telling.tell if telling else None)
    started, clock = time.time(), time.perf_counter()
    if telling is not None:
        telling.tell(RunStarted(run_id, member.name, tuple(step.node.id for step in program.steps), started))
    execution.recording = Recording(run_id, member, settings.engine, len(program.steps), started)
    fresh = FRESH_SINCE.set(started) if settings.refresh else None
    try:
        execution.carry_out()
    finally:
        if fresh is not None:
            FRESH_SINCE.reset(fresh)
    duration_s = time.perf_counter() - clock
    execution.recording.end(execution, duration_s, started)
    state, error, value = execution.state, execution.error, execution.value
    if telling is not None:
        telling.tell(RunFinished(run_id, state, duration_s))
        telling.is_over = True
    if error is not None and not isinstance(error, Exception):
        raise error
    outputs = member.interface.by_name(value) if error is None else {}
    return Run(run_id, member.name, state, value, outputs, error, execution.ledger, started, duration_s, draw)


class _Telling:
    """The way of events to the listener, until the run is over or the listener has failed. It holds state.

    A body that an interrupt left behind in its thread may end after the run has.
    """

    __slots__ = ("is_over", "listener")

    def __init__(self, listener: Callable[[Event], object]) -> None:
        self.listener, self.is_over = listener, False

    def tell(self, event: Event) -> None:
        """Pass `event` on."""
        if self.is_over:
            return
        try:
            self.listener(event)
        except BaseException:
            self.is_over = True
            raise
