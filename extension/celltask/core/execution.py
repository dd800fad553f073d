"""Execution: the state of one run while it lasts, and the loop that every worker of it goes through. It holds state."""

from __future__ import annotations

import threading
import time
from itertools import repeat
from operator import call
from typing import TYPE_CHECKING, cast

from celltask.core import forks
from celltask.core.budget import budget
from celltask.core.calling import annotate, checked_inputs
from celltask.core.context import ACTIVE, NodeContext, RunControl
from celltask.core.crew import Crew
from celltask.core.endings import cancelled, outputs_value
from celltask.core.engines import engine_of
from celltask.core.events import Event, NodeFailed, NodeFinished, NodeStarted
from celltask.core.known import KnownDigests, facts_of
from celltask.core.ledger import Ledger, state_after, told
from celltask.core.logs import let_out
from celltask.core.program import program_of
from celltask.core.recording import PERIOD_S
from celltask.core.skipping import behind, never_begun, skip
from celltask.core.task import Task
from celltask.core.tracing import trace_of
from celltask.errors import RunCancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from celltask.core.composite import Composite
    from celltask.core.engines.base import Engine, Hands
    from celltask.core.program import Program, Step
    from celltask.core.recording import Recording
    from celltask.core.settings import Settings
    from celltask.core.tracing import Trace

__all__ = ["Execution"]

_event = tuple.__new__
"""Makes an event in less than half the time that its class takes: two are made for each node."""


class Execution:
    """One run of a program.

    Args:
        run: Id of the run.
        member: The workflow, or the task that is run by itself.
        program: What to run.
        inputs: Validated values, one per input.
        settings: How it is to be carried out.
        on_event: Where events go, or ``None``.
        outer: The execution that this one is a node of, and what ids of nodes begin with in events: ``"n1/"``.

    Attributes:
        value: What a call returns; ``None`` unless every node has ended well.
        error: What went wrong first; ``None`` if nothing did.
        policy: ``"stop"`` or ``"finish"``: what becomes of other nodes after one failed.
        ledger: What became of each node.
        known: What is known of the content of values.
        steps: Those of the program.
        wanted: By place, how many nodes and outputs still want what the node there gave.
        crew: Who works on it, if not the calling thread alone.
        recording: What writes down how it goes, for the outermost execution of a run.
        failing: Held while it is settled what a failure means for other nodes.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a run is made of
        self,
        run: str,
        member: Task[..., object] | Composite,
        program: Program,
        inputs: tuple[object, ...],
        settings: Settings,
        on_event: Callable[[Event], object] | None,
        outer: tuple[Execution, str] | None = None,
    ) -> None:
        self.run, self.member, self.program = run, member, program
        self.settings, self.on_event = settings, on_event
        self.engine: Engine = engine_of(settings.engine) if outer is None else outer[0].engine
        self.inputs = inputs
        self.control: RunControl = RunControl() if outer is None else outer[0].control
        self.prefix = "" if outer is None else outer[1]
        self.crew: Hands | None = None
        self.values: list[object] = [*([None] * len(program.steps)), *inputs]
        self.ledger = Ledger(program)
        self.known = KnownDigests(program)
        self.steps, self._keyed = program.steps, self.known.places
        self.recording: Recording | None = None
        self.value: object = None
        self.error: BaseException | None = None
        self.policy = "stop" if isinstance(member, Task) else member.failure_policy
        self._stopped = False
        self.taken: int | None = None
        self._skipped = [False] * len(program.steps)
        self.wanted = list(program.wanted)
        self.failing = threading.Lock()
        self._is_cancelled = False
        self._why_skipped = "the run was stopped"
        self._forks = forks.count

    @property
    def state(self) -> str:
        """How the run stands: ``"done"``, ``"failed"`` or ``"cancelled"``."""
        return "done" if self.error is None else state_after(self.error)

    def carry_out(self) -> None:
        """Run every node that can be run; afterwards `ledger`, `value` and `error` tell what happened."""
        __tracebackhide__ = True
        self.control.live.add(self)
        try:
            self._work()
            if self.error is None and self.taken is not None:
                self.value = self.values[self.taken]
            elif self.error is None:
                self.value = outputs_value(self.member, self.program.outputs, self.values)
        except Exception as error:  # noqa: BLE001 - border: a listener, an output; the run carries it on
            self.abort(error)
        except BaseException as error:  # noqa: BLE001 - border: an interrupt; the run carries it on
            self.cancel(error)
        finally:
            self.control.live.discard(self)
        self.close()

    def close(self) -> None:
        """Tell which nodes did not run, and do what is to be done after a failure; the last thing of all."""
        self._tell_skipped()
        if self.state == "failed" and not isinstance(self.member, Task):
            try:
                self.member.after_failure(self)
            except BaseException as error:  # noqa: BLE001 - border: an interrupt, a listener; the run carries it on
                self.error = error

    def _work(self) -> None:
        __tracebackhide__ = True
        if self.control.cancelled.is_set():  # before `cancel` could see this execution
            raise cancelled()
        if self.engine.crew is not None:
            self.crew = self.engine.crew(self)
            self.crew.work()
            return
        for place, demand in self.program.demands.items():
            budget.check(cast("Task[..., object]", self.steps[place].member), demand)
        if self.engine.workers and len(self.program.steps) > 1:
            self.crew = Crew(self)
            self.crew.work()
        else:
            self._work_alone()

    def _work_alone(self) -> None:
        demands = self.program.demands
        for place in range(len(self.program.steps)):
            if self._stopped:
                break
            if self._skipped[place]:
                continue
            if place in demands:
                with budget.lent(demands[place]):
                    self.do(place)
            else:
                self.do(place)
            self.let_go(place)

    def let_go(self, place: int) -> None:
        """Keep no longer what the node at `place`, which has ended, was the last to want."""
        wanted = self.wanted
        for source in self.steps[place].waits:
            wanted[source] -= 1
            if not wanted[source]:
                self.values[source] = None

    def do(self, place: int) -> None:
        """Run one node; an error of its body is kept, not raised."""
        __tracebackhide__ = True
        step, values = self.steps[place], self.values
        context, clock = self.begin(place)
        token, onlooker = ACTIVE.set(context), self.control.onlooker
        try:
            arguments = list(map(call, step.getters, repeat(values)))  # no frame of ours in users' tracebacks
            if onlooker is not None:
                onlooker.given(context.node, step.member, arguments)
            values[place] = self._perform(step, place, arguments)
            if forks.count != self._forks:
                forks.leave()
            if onlooker is not None:
                onlooker.gave(context.node, step.member, values[place])
        except BaseException as error:  # border: users' code; the run carries the error on
            if forks.count != self._forks:
                forks.leave()
            self.failed(place, context, clock, error)
            if not isinstance(error, Exception):
                raise
        else:
            self.finished(place, context, clock)
        finally:
            self.ledger.attempts[place] = context.attempt
            ACTIVE.reset(token)
            self.record(place)

    def record(self, place: int) -> None:
        """After a node has ended, have it written how the run goes, if that was last done a while ago."""
        recording, ledger = self.recording, self.ledger
        if recording is not None and ledger.started[place] + ledger.durations_s[place] - recording.told_at > PERIOD_S:
            recording.tell(ledger)

    def floats(self, place: int) -> bool:
        """Whether the node at `place` is an async task, which holds no thread while it waits."""
        member = self.steps[place].member
        return isinstance(member, Task) and member.is_async

    async def do_afloat(self, place: int) -> None:
        """Run one async node on the loop; otherwise as `do`."""
        __tracebackhide__ = True
        step = self.steps[place]
        context, clock = self.begin(place)
        token, onlooker = ACTIVE.set(context), self.control.onlooker
        try:
            arguments = list(map(call, step.getters, repeat(self.values)))
            if onlooker is not None:
                onlooker.given(context.node, step.member, arguments)
            self.values[place] = await self._called(step.member)(*arguments)  # type: ignore[misc]  # an async task
            if onlooker is not None:
                onlooker.gave(context.node, step.member, self.values[place])
        except BaseException as error:  # border: users' code; the run carries the error on
            if self._stopped and type(error).__name__ == "CancelledError":
                error = self.error or error
            self.failed(place, context, clock, error)
            if not isinstance(error, Exception):
                raise
        else:
            self.finished(place, context, clock)
        finally:
            self.ledger.attempts[place] = context.attempt
            ACTIVE.reset(token)
            self.record(place)

    def begin(self, place: int) -> tuple[NodeContext, float]:
        """Note that a node begins, and tell it; its context, and `time.perf_counter` at its beginning."""
        step = self.steps[place]
        on_event, node_id = self.on_event, self.prefix + step.node.id
        context = NodeContext(step.member, self.run, node_id, on_event, self.engine.guests, self.control)
        if place in self._keyed:
            self.known.give(step, context)
        clock = time.perf_counter()
        self.ledger.started[place] = started = self.control.epoch + clock
        if on_event is not None:
            on_event(_event(NodeStarted, (self.run, node_id, started)))
        return context, clock

    def finished(self, place: int, context: NodeContext, clock: float) -> None:
        """Note that a node ended well, and tell it; `clock` is as `begin` gave it."""
        ledger = self.ledger
        ledger.durations_s[place] = duration_s = time.perf_counter() - clock
        ledger.states[place] = "reused" if context.reused else "done"
        if context.held:
            let_out(context)
        if place in self._keyed:
            self.known.take(self.steps[place], context)
        if context.printed or context.calls is not None:
            ledger.keep(place, context)
        if self.on_event is not None and not context.reused:
            self.on_event(_event(NodeFinished, (self.run, context.node, duration_s)))

    def _called(self, member: Task[..., object] | Composite) -> Callable[..., object]:
        task = cast("Task[..., object]", member)
        return task.as_node if self.engine.guests is None else task.as_guest

    def _perform(self, step: Step, place: int, arguments: list[object]) -> object:
        __tracebackhide__ = True
        member = step.member
        if not isinstance(member, Task):
            return member.carry_out(self, place, arguments)
        value = (member.as_node if self.engine.guests is None else member.as_guest)(*arguments)
        if member.is_async:
            from celltask.core.loop import run_coroutine  # noqa: PLC0415 - only async tasks need a loop

            return run_coroutine(cast("Coroutine[object, None, object]", value), here=not self.engine.workers)
        return value

    def nest(
        self, member: Composite, trace: Trace, place: int, arguments: list[object], *, taken: int | None = None
    ) -> object:
        """What running `trace` gives, as the inside of the node at `place`; `member` has its interface and policy.

        With `taken`, only the node at that place of `trace` runs, and gives the value.
        """
        __tracebackhide__ = True
        inner = self.inside(member, trace, place, checked_inputs(member, tuple(arguments)))
        if taken is not None:
            inner.take(taken)
        inner.carry_out()
        if inner.error is not None:
            raise inner.error
        if member.kind != "dynamic" and inner.ledger.is_reused():
            cast("NodeContext", ACTIVE.get()).reuse("all nodes of it are reused")
        return inner.value

    def inside(self, member: Composite, trace: Trace, place: int, inputs: tuple[object, ...]) -> Execution:
        """The execution of `trace` as the inside of the node at `place`, not begun."""
        outer = (self, f"{self.prefix}{self.steps[place].node.id}/")
        inner = Execution(self.run, member, program_of(trace), inputs, self.settings, self.on_event, outer)
        self.ledger.nested[place] = inner.ledger
        return inner

    def aside(self, name: str, member: Task[..., object] | Composite, inputs: tuple[object, ...]) -> Execution:
        """An execution beside the nodes of this one, not begun; ids of its nodes begin with `name`."""
        return Execution(
            self.run, member, program_of(trace_of(member)), checked_inputs(member, inputs),
            self.settings, self.on_event, (self, f"{self.prefix}{name}/"),
        )  # fmt: skip

    def take(self, place: int) -> None:
        """Let no node run but the one at `place`; its value is the value of all."""
        self.taken = place
        self._skipped = [other != place for other in range(len(self.program.steps))]
        skip(self, [other for other, skipped in enumerate(self._skipped) if skipped], "another branch was taken")

    def abort(self, error: BaseException) -> None:
        """Start nothing more, because of an error outside of any body: an interrupt, or a listener's own."""
        with self.failing:
            self._is_cancelled |= not self._stopped and state_after(error) == "cancelled"
            self._stopped = True
            if self.error is None:
                self.error = error
            elif self.error is not error:
                annotate(self.error, f"the run was stopped as well by {told(error)}")
        if self.crew is not None:
            self.crew.stop()

    def cancel(self, error: BaseException | None = None) -> None:
        """Stop the run: nothing more starts, and what runs in a process or waits on the loop is ended.

        A body in a thread cannot be ended; `current_context().is_cancelled` tells it.
        """
        error = error or cancelled()
        self.control.cancelled.set()
        for end in list(self.control.enders):
            end()
        for execution in list(self.control.live):
            execution.abort(error)
        if self.engine.guests is not None:
            self.engine.guests.end(self.run)

    def failed(self, place: int, context: NodeContext, clock: float, error: BaseException) -> None:
        """Note that a node ended with `error`, and what does not run because of that; tell it."""
        node_id = context.node
        self.ledger.durations_s[place] = time.perf_counter() - clock
        self.ledger.states[place] = state_after(error)
        self.ledger.errors[place] = error
        if context.held:
            let_out(context)
        self.ledger.keep(place, context)
        if place in self._keyed and context.input_digests:
            self.ledger.missed[place] = facts_of(self.steps[place], context.input_digests)
        label = self.steps[place].node.label
        with self.failing:
            was_stopped = self._stopped
            if self.error is None:
                self.error = error
                self._why_skipped = f"{label} failed"
                if isinstance(error, Exception) and self._is_within(place):
                    annotate(error, f"in node {node_id} ({label}) of {self.member.kind} {self.member.name!r}")
            elif self.error is not error and not isinstance(error, RunCancelledError):
                annotate(self.error, f"node {node_id} ({label}) failed as well: {told(error)}")
            self._stopped = self._stopped or self.policy == "stop" or not isinstance(error, Exception)
            lost = behind(self.program, place, self._skipped)
        if self.on_event is not None:
            self.on_event(NodeFailed(self.run, node_id, error, self.ledger.durations_s[place]))
        if self.state == "failed":
            skip(self, lost, f"{label} failed")
            if self._stopped and not was_stopped:
                skip(self, never_begun(self), f"{label} failed")

    def _is_within(self, place: int) -> bool:
        """Whether an error says more with the node at `place`: not of a branch, nor at each level of a recursion."""
        member = self.steps[place].member
        recurs = member.kind == self.member.kind == "dynamic"
        return self.taken is None and member is not self.member and not recurs

    @property
    def is_stopped(self) -> bool:
        """Whether no node must start any more."""
        return self._stopped

    def is_over(self, place: int) -> bool:
        """Whether the node at `place` must not start any more."""
        return self._stopped or self._skipped[place]

    def _tell_skipped(self) -> None:
        is_cancelled = self._is_cancelled or self.state == "cancelled"
        reason = "the run was cancelled" if is_cancelled else self._why_skipped
        skip(self, range(len(self.steps)), reason, "cancelled" if is_cancelled else "skipped")
