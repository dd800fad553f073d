"""Run: carries out a traced workflow; the only place where nodes are started.

The calling thread is the first worker, so a chain of nodes runs wholly on it; other threads join only when several
nodes are ready at once. Whoever ends a node looks which nodes that made ready.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

from celltask.core.calling import bound_arguments, checked_inputs
from celltask.core.calls import more_told
from celltask.core.context import FRESH_SINCE
from celltask.core.engines import name_of
from celltask.core.events import Event, NodeProgress, RunFinished, RunStarted
from celltask.core.execution import Execution
from celltask.core.interface import handler_preview
from celltask.core.ledger import Ledger, NodeRecord
from celltask.core.logs import noted
from celltask.core.onlookers import onlooker_of
from celltask.core.program import program_of
from celltask.core.recording import Recording
from celltask.core.settings import Settings
from celltask.core.task import Task
from celltask.core.telling import Telling, both
from celltask.core.tracing import Trace, alone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celltask.core.composite import Composite
    from celltask.core.graph import Graph
    from celltask.core.workflow import Workflow

__all__ = ["NodeRecord", "Run", "Running", "prepared_task", "prepared_workflow", "run_task", "run_workflow"]

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
        """The graph as it became when it ran, as plain data; ``None`` for a task that was run by itself."""
        from celltask.core.growth import grown  # noqa: PLC0415 - only pictures need it

        return grown(self._draw(), self.ledger) if self._draw is not None else None

    @cached_property
    def nodes(self) -> tuple[NodeRecord, ...]:
        """What became of each node, in the order of definition, and behind each of what its body called."""
        return tuple(self.ledger.records())

    @property
    def missed(self) -> Mapping[str, Mapping[str, object]]:
        """Of cached nodes that failed, the digests of their code and inputs, by id."""
        return self.ledger.all_missed()

    def why(self, name: str) -> str:
        """Why the node with this id or label was run or reused, in the words of `plan`; ``""`` if that is not known.

        It is found out when it is asked, from the results that are kept: the run only looks whether there is one.

        Raises:
            KeyError: If there is no such node.

        >>> from celltask import task
        >>> @task(cache=True)
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> double.run(x=-1).why("n0"), double.run(x=-1).why("n0"), double.run(x=-2).why("n0")
        ('no earlier run', 'same code, same inputs', 'input `x` changed')
        """
        from celltask.core.reasons import why_they_ran  # noqa: PLC0415 - only asked for by people
        from celltask.core.stores.choice import current_store  # noqa: PLC0415 - as above

        node = self.node(name)
        member = self.ledger.member_of(node.id)
        task = getattr(member, "task", member)
        if isinstance(task, Task) and not task.options.cache:
            return "not cached"
        return why_they_ran(self, [node], current_store())[0]

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
        ids = max((len(node.id) for node in shown), default=0)
        labels = max((len(node.label) for node in shown), default=0)
        lines += [
            f"  {node.id:<{max(ids, 6)}} {node.label:<{max(labels, 24)}} {node.state:<9} {node.duration_s:8.3f} s"
            for node in shown
        ]
        if len(shown) < len(self.nodes):
            lines.append(f"  … and {len(self.nodes) - len(shown)} more nodes")
        lines += [f"  {node.id:<{max(ids, 6)}} … {more_told(node.more_calls)}" for node in shown if node.more_calls]
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
    return prepared_workflow(workflow, values, settings).carry_out()


def prepared_workflow(workflow: Workflow[..., object], values: tuple[object, ...], settings: Settings) -> Running:
    """The same, not begun.

    Raises:
        ValueMismatchError: If a value does not fit its type.
    """
    __tracebackhide__ = True
    checked = checked_inputs(workflow, values)
    if settings.answers:
        from celltask.core.gates import check_answers  # noqa: PLC0415 - only where gates are answered

        check_answers(workflow, settings.answers)
    trace = workflow.trace
    return Running(workflow, trace, checked, settings, partial(workflow.graph_of, trace))


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
    __tracebackhide__ = True
    return prepared_task(task, inputs, settings).carry_out()


def prepared_task(task: Task[..., object], inputs: Mapping[str, object], settings: Settings) -> Running:
    """The same, not begun."""
    __tracebackhide__ = True
    values = bound_arguments(task, (), inputs)
    return Running(task, alone(task), checked_inputs(task, values), settings, None)


def run_alone(
    member: Composite,
    values: tuple[object, ...],
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> Run:
    """A run of a map, or of what else is a node beside a task, by itself; it checks the values itself."""
    __tracebackhide__ = True
    return Running(member, alone(member), values, settings, None).carry_out()


class Running:
    """A run that may still be under way. It holds state: the run, once it is over.

    Made by `Workflow.start` and `Task.start`.

    Attributes:
        id: Id of the run.
        name: Name of the workflow or task.
        trace: What is run.
        is_apart: Whether it is carried out on a thread of its own.
    """

    def __init__(
        self,
        member: Task[..., object] | Composite,
        trace: Trace,
        inputs: tuple[object, ...],
        settings: Settings,
        draw: Callable[[], Graph] | None,
    ) -> None:
        self.id = time.strftime("%Y%m%d-%H%M%S-") + os.urandom(3).hex()
        self.name, self.trace = member.name, trace
        self._telling = None if settings.on_event is None else Telling(settings.on_event)
        tell = self._telling.tell if self._telling else None
        self._execution = Execution(self.id, member, program_of(trace), inputs, settings, tell)
        self._draw = draw
        self.is_apart = False
        self._over = threading.Event()
        self._run: Run | None = None
        self._interrupt: BaseException | None = None

    def carry_out(self) -> Run:
        """Carry it out on this thread; the run, when it is over.

        Raises:
            BaseException: An interrupt or an exit, after the run was cancelled by it.
        """
        __tracebackhide__ = True
        run: Run | None = None
        onlooker = onlooker_of(self)
        if onlooker is not None:
            self._execution.on_event = both(onlooker.look, self._execution.on_event)
            self._execution.control.onlooker = onlooker if onlooker.wants_values else None
        try:
            run = self._carried_out()
        finally:
            if onlooker is not None:
                onlooker.end(run)
        if run.error is not None and not isinstance(run.error, Exception):
            raise run.error
        return run

    def _carried_out(self) -> Run:
        __tracebackhide__ = True
        execution, member = self._execution, self._execution.member
        clock = time.perf_counter()
        started = execution.control.epoch + clock
        if execution.on_event is not None:
            nodes = tuple(step.node.id for step in execution.program.steps)
            self._tell(RunStarted(self.id, member.name, nodes, started))
        count, settings = len(execution.program.steps), execution.settings
        execution.recording = Recording(self.id, member, name_of(settings.engine), count, started)
        fresh = FRESH_SINCE.set(started) if settings.refresh else None
        try:
            with noted():
                execution.carry_out()
        finally:
            if fresh is not None:
                FRESH_SINCE.reset(fresh)
        duration_s = time.perf_counter() - clock
        execution.recording.end(execution, duration_s, started)
        self._tell(RunFinished(self.id, execution.state, duration_s))
        if self._telling is not None:
            self._telling.is_over = True
        state, error = execution.state, execution.error
        value = execution.value if error is None else None
        outputs = member.interface.by_name(value) if error is None else {}
        ledger = execution.ledger
        return Run(self.id, member.name, state, value, outputs, error, ledger, started, duration_s, self._draw)

    @property
    def steps(self) -> int:
        """Number of nodes."""
        return len(self._execution.program.steps)

    @property
    def has_graph(self) -> bool:
        """Whether it is a run of a workflow."""
        return self._draw is not None

    def graph(self) -> Graph | None:
        """The graph as it was before the run, as plain data; ``None`` for a task that is run by itself."""
        return self._draw() if self._draw is not None else None

    def _tell(self, event: Event) -> None:
        """Tell of the run as a whole; what a listener raises becomes the run's error."""
        if self._execution.on_event is None:
            return
        try:
            self._execution.on_event(event)
        except Exception as error:  # noqa: BLE001 - border: a listener; the run carries the error on
            self._execution.abort(error)

    def begin(self) -> Running:
        """Carry it out on a thread of its own."""
        self.is_apart = self._execution.control.is_apart = True
        work = partial(copy_context().run, self._carry_out_apart)
        threading.Thread(target=work, daemon=True, name=f"celltask run {self.id}").start()
        return self

    def _carry_out_apart(self) -> None:
        try:
            self._run = self.carry_out()
        except BaseException as error:  # noqa: BLE001 - border: told to whoever waits for the run
            self._interrupt = error
        finally:
            self._over.set()

    def progress(self) -> list[NodeProgress]:
        """How many items of each map that is under way have ended by now; of quick items events tell less."""
        return [sharing.progress() for sharing in list(self._execution.control.maps)]

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._over.is_set()

    def cancel(self) -> None:
        """Stop it: nothing more starts, bodies in processes are ended, those in threads are told."""
        self._execution.cancel()

    def wait(self, timeout: float | None = None) -> Run:
        """The run, when it is over.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: If it is not over by then; it goes on.
        """
        __tracebackhide__ = True
        if not self._over.wait(timeout):
            raise TimeoutError(f"run {self.id} of {self.name} is not over after {timeout} s")
        if self._run is None:
            raise cast("BaseException", self._interrupt)
        return self._run

    def result(self, timeout: float | None = None) -> object:
        """What a plain call returns, when it is over; see `wait` and `Run.result`."""
        __tracebackhide__ = True
        return self.wait(timeout).result()
