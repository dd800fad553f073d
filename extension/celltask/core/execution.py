"""Execution: the state of one run while it lasts, and the loop that every worker of it goes through. It holds state."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextvars import copy_context
from functools import partial
from itertools import repeat
from operator import call
from typing import TYPE_CHECKING

from celltask.core.calling import annotate, checked_inputs, mismatch
from celltask.core.context import ACTIVE, NodeContext
from celltask.core.engines import engine_of
from celltask.core.events import Event, NodeFailed, NodeFinished, NodeSkipped, NodeStarted
from celltask.core.job import run_coroutine
from celltask.core.known import KnownDigests
from celltask.core.ledger import Ledger
from celltask.core.program import program_of
from celltask.core.recording import PERIOD_S
from celltask.core.task import Task
from celltask.core.types.base import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from celltask.core.composite import Composite
    from celltask.core.program import Program, Step
    from celltask.core.recording import Recording
    from celltask.core.settings import Settings
    from celltask.core.tracing import Trace

__all__ = ["Execution"]


class Execution:
    """One run of a program.

    Args:
        run: Id of the run.
        member: The workflow, or the task that is run by itself.
        program: What to run.
        inputs: Validated values, one per input.
        settings: How it is to be carried out.
        on_event: Where events go, or ``None``.
        prefix: What the ids of nodes begin with in events, ``"n1/"`` for the workflow that is node n1.

    Attributes:
        value: What a call returns; ``None`` unless every node has ended well.
        error: What went wrong first; ``None`` if nothing did.
        ledger: What became of each node.
        known: What is known of the content of values.
        recording: What writes down how it goes, for the outermost execution of a run.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a run is made of
        self,
        run: str,
        member: Task[..., object] | Composite,
        program: Program,
        inputs: tuple[object, ...],
        settings: Settings,
        on_event: Callable[[Event], object] | None,
        prefix: str = "",
    ) -> None:
        self.run, self.member, self.program = run, member, program
        self.settings, self.on_event, self.prefix = settings, on_event, prefix
        self.engine = engine_of(settings.engine)
        self.values: list[object] = [*([None] * len(program.steps)), *inputs]
        self.ledger = Ledger(program)
        self.known = KnownDigests(program)
        self.recording: Recording | None = None
        self.value: object = None
        self.error: BaseException | None = None
        self._policy = "stop" if isinstance(member, Task) else member.failure_policy
        self._stopped = False
        self._skipped = [False] * len(program.steps)
        self._wanted = list(program.wanted)
        self._failing = threading.Lock()

    @property
    def state(self) -> str:
        """How the run stands: ``"done"``, ``"failed"`` or ``"cancelled"``."""
        if self.error is None:
            return "done"
        return "failed" if isinstance(self.error, Exception) else "cancelled"

    def carry_out(self) -> None:
        """Run every node that can be run; afterwards `ledger`, `value` and `error` tell what happened."""
        __tracebackhide__ = True
        try:
            if self.engine.workers and len(self.program.steps) > 1:
                Crew(self).work()
            else:
                self._work_alone()
            if self.error is None:
                self.value = _outputs_value(self.member, self)
        except BaseException as error:  # noqa: BLE001 - border: an interrupt, a listener, an output; the run carries it on
            self.abort(error)
        self._tell_skipped()

    def _work_alone(self) -> None:
        for place in range(len(self.program.steps)):
            if self._stopped:
                break
            if not self._skipped[place]:
                self.do(place)
                self.let_go(place)

    def let_go(self, place: int) -> None:
        """Keep no longer what the node at `place`, which has ended, was the last to want."""
        wanted = self._wanted
        for source in self.program.steps[place].waits:
            wanted[source] -= 1
            if not wanted[source]:
                self.values[source] = None

    def do(self, place: int) -> None:
        """Run one node; an error of its body is kept, not raised."""
        __tracebackhide__ = True
        step, ledger = self.program.steps[place], self.ledger
        on_event, node_id = self.on_event, self.prefix + step.node.id
        context = NodeContext(step.member, self.run, node_id, on_event)
        if place in self.known.places:
            self.known.give(step, context)
        ledger.started[place] = started = time.time()
        clock = time.perf_counter()
        if on_event is not None:
            on_event(NodeStarted(self.run, node_id, started))
        token = ACTIVE.set(context)
        try:
            arguments = list(map(call, step.getters, repeat(self.values)))
            self.values[place] = self._perform(step, place, arguments)
        except BaseException as error:  # border: users' code; the run carries the error on
            ledger.durations_s[place] = time.perf_counter() - clock
            self._failed(place, node_id, error)
            if not isinstance(error, Exception):
                raise
        else:
            ledger.durations_s[place] = duration_s = time.perf_counter() - clock
            ledger.states[place] = "reused" if context.reused else "done"
            if place in self.known.places:
                self.known.take(step, context)
            if on_event is not None and not context.reused:
                on_event(NodeFinished(self.run, node_id, duration_s))
        finally:
            ledger.attempts[place] = context.attempt
            ACTIVE.reset(token)
            recording = self.recording
            if recording is not None and started + ledger.durations_s[place] - recording.told_at > PERIOD_S:
                recording.tell(ledger)

    def _perform(self, step: Step, place: int, arguments: list[object]) -> object:
        __tracebackhide__ = True
        member = step.member
        if not isinstance(member, Task):
            return member.carry_out(self, place, arguments)
        value = member.as_node(*arguments)
        if member.is_async:
            coroutine: Coroutine[object, None, object] = value  # type: ignore[assignment]  # what an async body gives
            return run_coroutine(coroutine)
        return value

    def nest(self, member: Composite, trace: Trace, place: int, arguments: list[object]) -> object:
        """What running `trace` gives, as the inside of the node at `place`; `member` has its interface and policy."""
        __tracebackhide__ = True
        inner = Execution(
            self.run, member, program_of(trace), checked_inputs(member, tuple(arguments)),
            self.settings, self.on_event, f"{self.prefix}{self.program.steps[place].node.id}/",
        )  # fmt: skip
        self.ledger.nested[place] = inner.ledger
        inner.carry_out()
        if inner.error is not None:
            raise inner.error
        return inner.value

    def abort(self, error: BaseException) -> None:
        """Start nothing more, because of an error outside of any body: an interrupt, or a listener's own."""
        with self._failing:
            self._stopped = True
            if self.error is None:
                self.error = error
            elif self.error is not error:
                annotate(self.error, f"the run was stopped as well by {type(error).__name__}: {error}")

    def _failed(self, place: int, node_id: str, error: BaseException) -> None:
        self.ledger.states[place] = "failed" if isinstance(error, Exception) else "cancelled"
        self.ledger.errors[place] = error
        label = self.program.steps[place].node.label
        with self._failing:
            if self.error is None:
                self.error = error
                if isinstance(error, Exception) and not isinstance(self.member, Task):
                    annotate(error, f"in node {node_id} ({label}) of workflow {self.member.name!r}")
            elif self.error is not error:
                annotate(self.error, f"node {node_id} ({label}) failed as well: {type(error).__name__}: {error}")
            self._stopped = self._stopped or self._policy == "stop" or not isinstance(error, Exception)
            later = list(self.program.steps[place].unlocks)
            while later:
                near = later.pop()
                if not self._skipped[near]:
                    self._skipped[near] = True
                    later.extend(self.program.steps[near].unlocks)
        if self.on_event is not None:
            self.on_event(NodeFailed(self.run, node_id, error, self.ledger.durations_s[place]))

    def is_over(self, place: int) -> bool:
        """Whether the node at `place` must not start any more."""
        return self._stopped or self._skipped[place]

    def _tell_skipped(self) -> None:
        state = "cancelled" if self.state == "cancelled" else "skipped"
        for place, step in enumerate(self.program.steps):
            if self.ledger.states[place] == "queued":
                self.ledger.states[place] = state
                if self.on_event is not None:
                    reason = "the run was cancelled" if state == "cancelled" else "a node before it failed"
                    self.on_event(NodeSkipped(self.run, self.prefix + step.node.id, state, reason))


class Crew:
    """The threads that work on one execution; the calling one is always among them."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        steps = execution.program.steps
        self._waits = [len(step.waits) for step in steps]
        self._ready = deque(place for place, step in enumerate(steps) if not step.waits)
        self._turn = threading.Condition()
        self._busy = self._helpers = 0

    def work(self) -> None:
        """Run nodes until none can become ready any more."""
        try:
            while (place := self._take(wait=True)) is not None:
                self._do(place)
        except BaseException as error:
            with self._turn:
                self._ready.clear()
                if isinstance(error, Exception):  # after an interrupt, nobody waits for bodies that cannot be stopped
                    self._turn.wait_for(lambda: not self._busy)
            raise

    def _help(self) -> None:
        try:
            while (place := self._take(wait=False)) is not None:
                self._do(place)
        except BaseException as error:
            self.execution.abort(error)
            raise
        finally:
            with self._turn:
                self._helpers -= 1

    def _take(self, *, wait: bool) -> int | None:
        """The next node that is ready; None when there is no more to do (or, for helpers, nothing now)."""
        with self._turn:
            while True:
                while self._ready and self.execution.is_over(self._ready[0]):
                    self._ready.popleft()
                if self._ready:
                    if len(self._ready) > 1 and self._helpers < self.execution.engine.workers:
                        self.execution.engine.submit(partial(copy_context().run, self._help))
                        self._helpers += 1
                    self._busy += 1
                    return self._ready.popleft()
                if not wait or not self._busy:
                    return None
                self._turn.wait()

    def _do(self, place: int) -> None:
        try:
            self.execution.do(place)
        except BaseException as error:
            self.execution.abort(error)
            raise
        finally:
            with self._turn:
                self._busy -= 1
                self.execution.let_go(place)
                for later in self.execution.program.steps[place].unlocks:
                    self._waits[later] -= 1
                    if not self._waits[later] and not self.execution.is_over(later):
                        self._ready.append(later)
                self._turn.notify_all()


def _outputs_value(member: Task[..., object] | Composite, execution: Execution) -> object:
    """What a call of `member` returns, from the results of the nodes.

    Raises:
        ValueMismatchError: If one does not fit the type of its output.
    """
    __tracebackhide__ = True
    interface, values = member.interface, []
    for port, get in zip(interface.outputs, execution.program.outputs, strict=True):
        try:
            values.append(port.handler.release(get(execution.values)))
        except Mismatch as error:
            raise mismatch(f"output {port.name!r}", "", member, error) from None
    if interface.result == "none":
        return None
    if interface.result == "single":
        return values[0]
    return interface.returned(tuple(values))
