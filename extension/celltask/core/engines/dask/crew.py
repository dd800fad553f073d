"""Crew: who works on one execution on a cluster: hands nodes over, and follows what the workers tell of them."""

from __future__ import annotations

import os
import queue
import sys
import time
from operator import itemgetter
from typing import TYPE_CHECKING, NoReturn, cast

from celltask.core.calls import calls_of
from celltask.core.context import ACTIVE
from celltask.core.distant import Distant
from celltask.core.engines.dask.endings import error_in, given_up
from celltask.core.engines.dask.handing import Handout, outputs_of
from celltask.core.engines.dask.here import Here
from celltask.core.engines.dask.offices import Office
from celltask.core.engines.dask.scopes import LEAVING, Scope
from celltask.core.events import NodePrinted, NodeRepeated, NodeRetried
from celltask.core.task import Task
from celltask.errors import RunCancelledError, WorkerDiedError

if TYPE_CHECKING:
    from celltask.core.calls import Told
    from celltask.core.context import NodeContext
    from celltask.core.engines.dask.clusters import Fleet
    from celltask.core.events import Event
    from celltask.core.execution import Execution
    from celltask.core.items import Items, Outcome
    from celltask.errors import RunError

__all__ = ["DaskCrew"]

_QUIET_S = 0.5


class DaskCrew:
    """Works on one execution, and on those of the workflows within it. It holds state: how far each node is.

    Args:
        execution: What to work on.
        fleet: The cluster.
    """

    def __init__(self, execution: Execution, fleet: Fleet) -> None:
        self._root = Scope(execution, 0)
        self._scopes = [self._root]
        self._messages: queue.SimpleQueue[tuple[object, ...]] = queue.SimpleQueue()
        self._office = Office(fleet, execution.run, execution.control, self._messages.put)
        self._here = Here(self._office, self._messages.put)
        for place, value in enumerate(execution.values):
            if isinstance(value, Distant):
                self._root.keys[place] = self._office.adopt(value)
        self._looked = time.monotonic()
        self._resources: dict[str, str] = {}

    def work(self) -> None:
        """Run nodes until none can become ready any more.

        Raises:
            RunError: If the cluster cannot run them, or is lost.
            BaseException: An interrupt, or what a listener raises.
        """
        __tracebackhide__ = True
        is_whole = False
        try:
            self._check()
            self._hand_over()
            while self._root.left:
                self._follow()
            if self._root.execution.error is None:
                self._give()
            is_whole = not self._root.execution.control.cancelled.is_set()
        except Exception as error:
            self._abort_within(error)
            raise
        finally:
            self._here.close()
            self._office.close(is_whole=is_whole, is_outermost=not self._root.execution.prefix)

    def _abort_within(self, error: Exception) -> None:
        """Let what works within this execution begin nothing more: nobody waits for it any longer."""
        root = self._root.execution
        for execution in list(root.control.live):
            if execution is not root and execution.prefix.startswith(root.prefix):
                execution.abort(error)

    def _give(self) -> None:
        """Fetch the outputs of the run; those of a graph within it stay where they are, for others of its nodes."""
        execution, places = self._root.execution, outputs_of(self._root)
        is_whole = execution.taken is not None or all(isinstance(get, itemgetter) for get in execution.program.outputs)
        if not execution.prefix or not is_whole:
            self._here.fetch(self._root, places)
            return
        for place in places:
            if place in self._root.keys:
                execution.values[place] = self._office.distant(*self._root.keys[place])

    def run_items(self, items: Items) -> Outcome:
        """Carry out some items of a map on a worker."""
        return self._office.run_items(items)

    def stop(self) -> None:
        """Look at once what is to be stopped."""
        self._messages.put(("", 0, "stop"))

    def untaken(self) -> tuple[int, ...]:
        """None: a worker may have begun what it has not told of yet."""
        return ()

    def _check(self) -> None:
        """Refuse, before anything runs, what this cluster can never run."""
        program, checks = self._root.execution.program, self._office.fleet.checks
        checks.same_everywhere()
        members = [step.member for step in program.steps]
        checks.packages({id(member): member for member in members if isinstance(member, Task)}.values())
        asking = [(cast("Task[..., object]", members[place]), demand) for place, demand in program.demands.items()]
        self._resources = checks.resources(asking)

    def _hand_over(self) -> None:
        """Hand over what does not wait for this process, and begin what is to run here."""
        if any(scope.todo for scope in self._scopes):
            office = self._office
            name = f"{self._root.execution.run}-{os.urandom(3).hex()}"
            execution = self._root.execution
            handout = Handout(
                name, execution.run, office.fleet.topic, self._scopes, self._resources, office.put,
                is_shared=office.fleet.checks.see_store,
            )  # fmt: skip
            load = handout.load()
            for scope in self._scopes:
                scope.execution.crew = self
            office.send(name, load)
        self._begin_here()

    def _begin_here(self) -> None:
        for scope in self._scopes:
            for place in list(scope.here) if scope.has_begun else ():
                if place in scope.left and scope.ended.issuperset(scope.step(place).waits):
                    scope.here.discard(place)
                    self._here.begin(scope, place)

    def _follow(self) -> None:
        """Wait for one message and act on it; now and then, look how the cluster is."""
        now = time.monotonic()
        try:
            message = self._messages.get(timeout=_QUIET_S)
        except queue.Empty:
            message = None
        if message is None or now - self._looked > 2 * _QUIET_S:
            self._looked = now
            self._look_after()
        if message is None:
            self._office.tell_if_nobody()
            return
        name, number, kind = cast("tuple[str, int, str]", message[:3])
        rest = message[3:]
        if kind == "stop":
            self._stopped()
        elif kind == "item":
            self._on_item(cast("Event", rest[0]), cast("tuple[bytes, list[bytes]] | None", rest[1]))
        elif kind == "here":
            self._ended_here(*cast("tuple[Scope, int, BaseException | None]", rest))
        else:
            scope, place, part = self._office.owner(name, number)
            if kind in {"ended", "failed"}:
                self._office.over(name, number)
            if part != "again":
                getattr(self, f"_on_{kind}")(scope, place, part, *rest)
            elif kind == "failed":  # what was kept is kept no more, and cannot be made again
                raise error_in(cast("tuple[bytes, list[bytes]]", rest[-1]))

    def _node_of(self, scope: Scope, place: int, part: str) -> tuple[Scope, int]:
        """The node that a part stands for: the ends of a workflow stand for its own node in the one around it."""
        return (scope, place) if part == "node" else cast("tuple[Scope, int]", scope.outer)

    def _on_began(self, scope: Scope, place: int, part: str, address: str) -> None:
        if part == "leave":
            return
        owner, at = self._node_of(scope, place, part)
        if at not in owner.contexts:
            owner.contexts[at] = owner.execution.begin(at)
            return
        context = owner.contexts[at][0]
        owner.before[at] = owner.before.get(at, 0) + context.attempt
        reason = f"what it gave, or the worker that it ran on, was lost; it runs on {address} now"
        context.tell(NodeRepeated(context.run_id, context.node, reason))

    def _on_printed(self, scope: Scope, place: int, part: str, stream: str, text: str) -> None:
        token = ACTIVE.set(self._context(scope, place, part))
        try:
            getattr(sys, stream).write(text)  # where it is noted with the node
        finally:
            ACTIVE.reset(token)

    def _on_item(self, event: Event, told: tuple[bytes, list[bytes]] | None) -> None:
        """Pass on what happens to an item of a map."""
        execution = self._root.execution
        if isinstance(event, NodePrinted):
            getattr(sys, event.stream).write(event.text)
        if execution.on_event is not None:
            execution.on_event(event._replace(error=error_in(told)) if told is not None else event)  # type: ignore[call-arg]  # only retries have one

    def _on_retried(  # noqa: PLR0913, PLR0917 - as the worker tells it
        self, scope: Scope, place: int, part: str, attempt: int, told: tuple[bytes, list[bytes]], delay_s: float
    ) -> None:
        context = self._context(scope, place, part)
        context.attempt = attempt + 1
        context.tell(NodeRetried(context.run_id, context.node, attempt, error_in(told), delay_s))

    def _on_reused(self, scope: Scope, place: int, part: str, reason: str) -> None:
        self._context(scope, place, part).reuse(reason)

    def _context(self, scope: Scope, place: int, part: str) -> NodeContext:
        owner, at = self._node_of(scope, place, part)
        return owner.contexts[at][0]

    def _on_ended(  # noqa: PLR0913, PLR0917 - as the worker tells it
        self,
        scope: Scope,
        place: int,
        part: str,
        duration_s: float,
        attempts: int,
        called: Told | None,
        inputs: dict[int, str] | None,
        is_reused: bool,  # noqa: FBT001 - as above
        outputs: tuple[str, ...],
    ) -> None:
        owner, at = self._node_of(scope, place, part)
        if part == "enter":
            owner.execution.ledger.nested[at] = scope.execution.ledger
            scope.has_begun = True
            self._begin_here()
            return
        if at not in owner.left:
            self._count(owner, at, attempts)
            return  # done again
        context, clock = owner.contexts[at]
        context.reused, context.output_digests = is_reused, outputs
        _take(context, called, inputs)
        if part == "leave":
            scope.left.discard(LEAVING)
        else:
            clock = time.perf_counter() - duration_s
        owner.execution.finished(at, context, clock)
        self._count(owner, at, attempts)
        owner.execution.record(at)
        owner.ended.add(at)
        owner.left.discard(at)
        self._let_go(owner, at)
        self._begin_here()

    def _let_go(self, scope: Scope, place: int) -> None:
        """Keep no longer, here and on the cluster, what the node at `place`, which has ended, was the last to want."""
        execution = scope.execution
        execution.let_go(place)
        for source in scope.step(place).waits:
            if source in scope.keys and not execution.wanted[source]:
                self._office.let_go(scope.keys[source][0])

    def _count(self, owner: Scope, place: int, attempts: int) -> None:
        owner.execution.ledger.attempts[place] = owner.before.get(place, 0) + attempts

    def _on_failed(  # noqa: PLR0913, PLR0917 - as the worker tells it
        self,
        scope: Scope,
        place: int,
        part: str,
        duration_s: float,
        attempts: int,
        called: Told | None,
        inputs: dict[int, str] | None,
        told: tuple[bytes, list[bytes]],
    ) -> None:
        owner, at = self._node_of(scope, place, part)
        if at not in owner.left:
            return
        error = error_in(told)
        if at in owner.contexts:
            _take(owner.contexts[at][0], called, inputs)
        self._fail(owner, at, error, duration_s, attempts)
        if part != "node":
            scope.left.clear()
        if not isinstance(error, Exception):
            raise error

    def _fail(self, owner: Scope, place: int, error: BaseException, duration_s: float, attempts: int = 1) -> None:
        """Note that a node has failed, and what does not run because of that."""
        if place not in owner.contexts:
            owner.contexts[place] = owner.execution.begin(place)
        context, _ = owner.contexts[place]
        owner.left.discard(place)
        owner.execution.failed(place, context, time.perf_counter() - duration_s, error)
        self._count(owner, place, attempts)
        owner.execution.record(place)
        self._settle(owner)

    def _settle(self, scope: Scope) -> None:
        """Expect no more of the nodes of `scope` that will not run, after one failed or the execution was stopped."""
        execution = scope.execution
        if execution.is_stopped and not scope.is_stopping:
            scope.is_stopping = True
            for owner, place, part in self._office.stop(scope.number):
                if part == "node" and owner is scope and place in scope.left and place not in scope.contexts:
                    scope.contexts[place] = execution.begin(place)
        scope.left.discard(LEAVING)
        for place in list(scope.left):
            if execution.is_over(place) and place not in scope.contexts and not self._here.runs(scope, place):
                scope.left.discard(place)
        if not scope.left and scope.outer is not None:
            outer, at = scope.outer
            execution.close()
            if at in outer.left and execution.error is not None:
                _, clock = outer.contexts[at]
                self._fail(outer, at, execution.error, time.perf_counter() - clock)

    def _ended_here(self, scope: Scope, place: int, error: BaseException | None) -> None:
        """Go on after a node that ran in this process."""
        if error is not None:
            raise error
        scope.left.discard(place)
        if scope.execution.ledger.errors.get(place) is None:
            scope.ended.add(place)
            value = scope.execution.values[place]
            if isinstance(value, Distant):
                scope.keys[place] = self._office.adopt(value)
            self._let_go(scope, place)
            self._hand_over()
        else:
            self._settle(scope)

    def _stopped(self) -> None:
        """Act on a stop that came from outside of any node: a cancelled run, a listener that failed."""
        root = self._root.execution
        if not root.is_stopped:
            return
        if not root.control.cancelled.is_set():
            self._settle(self._root)
            return
        self._office.cancel()
        error = cast("BaseException", root.error)
        for scope in reversed(self._scopes):
            scope.execution.abort(error)
            for place in list(scope.left):
                if place in scope.contexts:
                    member = scope.step(place).member
                    told = f"task {member.name!r} was given up, because the run was cancelled"
                    context, clock = scope.contexts[place]
                    scope.execution.failed(place, context, clock, RunCancelledError(told, member.place))
            if scope.outer is not None:
                scope.execution.close()
            scope.left.clear()

    def _look_after(self) -> None:
        """Look for what nobody tells: a lost scheduler, and nodes that Dask has given up."""
        lost = self._office.lost()
        if lost is not None:
            self._lose(lost)
        for scope, place, part, error in self._office.given_up():
            owner, at = self._node_of(scope, place, part)
            if at not in owner.left:
                continue
            self._fail(owner, at, given_up(owner.step(at).member, error), 0.0)
        for scope in self._scopes:
            if scope.is_stopping and scope.left:
                self._give_up_lost(scope)

    def _lose(self, error: RunError) -> NoReturn:
        """End the run because the cluster is gone; what was under way has failed with it."""
        self._root.execution.abort(error)
        for scope in self._scopes:
            for place in list(scope.left & scope.contexts.keys()):
                context, clock = scope.contexts[place]
                scope.execution.failed(place, context, clock, error)
            if scope.outer is not None:
                scope.execution.close()
        raise error

    def _give_up_lost(self, scope: Scope) -> None:
        """Do not wait, when the execution was stopped, for nodes whose worker is gone."""
        alive = {(owner.number, place) for owner, place, _ in self._office.begun()}
        for place in list(scope.left):
            if (scope.number, place) not in alive and place not in scope.inner and not self._here.runs(scope, place):
                told = f"the Dask worker of task {scope.step(place).member.name!r} was lost while the run was stopped"
                self._fail(scope, place, WorkerDiedError(told, scope.step(place).member.place), 0.0)


def _take(context: NodeContext, called: Told | None, inputs: dict[int, str] | None) -> None:
    """Take over what a worker tells of a node however it ended: what its body called, the content of its inputs."""
    context.input_digests = inputs
    if called is not None:
        calls_of(context).take(called)
