"""The worker's side: carries out parts of runs, each as the embedded engines would, and tells how it goes.

It holds state for as long as a shipment is here: its tasks, and which of its parts run.
"""

from __future__ import annotations

import os
import pickle
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, cast

from distributed import Semaphore, WorkerPlugin, get_worker

from celltask.core.bindings import getter_of
from celltask.core.calling import checked_inputs
from celltask.core.context import ACTIVE, FRESH_SINCE, NodeContext, RunControl
from celltask.core.endings import outputs_value
from celltask.core.engines.child import portable
from celltask.core.engines.children import Children
from celltask.core.engines.dask.outbox import Outbox
from celltask.core.engines.dask.shipment import Carried, Shipment, versions_here
from celltask.core.engines.traces import rows_of
from celltask.core.engines.wire import packed
from celltask.core.events import NodePrinted, NodeRetried, NodeReused
from celltask.core.graph import Constant
from celltask.core.logs import noted
from celltask.core.loop import run_coroutine
from celltask.core.stores.choice import ASKED
from celltask.core.travel import unpack
from celltask.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from distributed import Worker

    from celltask.core.calls import Told
    from celltask.core.engines.dask.shipment import Border, Part
    from celltask.core.events import Event
    from celltask.core.task import Task

__all__ = [
    "Delivery",
    "NotLoadedError",
    "PartFailedError",
    "begun",
    "cancel",
    "carry_out",
    "guests_for",
    "plain",
    "sees",
    "stop",
    "yard_of",
]

_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})
"""Types whose values can always be pickled; others are tried, since Dask would go on trying for ever."""


class PartFailedError(Exception):
    """A part failed, and has told why; for Dask, so that what needs it does not run."""


class NotLoadedError(Exception):
    """A worker has not loaded the code of the run: it came later, and could not."""


_yards: dict[str, Yard] = {}
_holds: dict[str, Hold] = {}
_children = Children()


class Delivery(WorkerPlugin):
    """Brings a shipment to every worker: to those that are there, and to those that come later.

    Args:
        name: Name of the shipment.
        blob: The pickled `Shipment`.
        tasks: Tasks by digest, as `luggage_of` packs them.
        versions: `versions_here` of the client.
    """

    def __init__(self, name: str, blob: bytes, tasks: Mapping[str, bytes], versions: Mapping[str, str]) -> None:
        self.name, self.blob, self.tasks, self.versions = name, blob, dict(tasks), dict(versions)
        self._yard: Yard | None = None

    def setup(self, worker: Worker) -> None:
        """Unpack it here.

        Raises:
            RunError: If this worker is not like the client, or something cannot be unpacked.
        """
        there = versions_here()
        for name, wanted in self.versions.items():
            if there[name] != wanted:
                told = f"the Dask worker {worker.address} has {name} {there[name]}, and the client {wanted}"
                raise RunError(told, mend="give both the same environment")
        self._yard = _yards.setdefault(self.name, Yard(self))
        self._yard.come(worker)

    def teardown(self, worker: Worker) -> None:
        """Forget it here."""
        if self._yard is not None and self._yard.leave(worker):
            _yards.pop(self.name, None)


def carry_out(name: str, number: int, *values: object) -> object:
    """Carry out the part `number` of the shipment `name` with the values that it needs from others.

    Raises:
        PartFailedError: If it failed, or must not run any more.
        NotLoadedError: If this worker cannot run it.
    """
    return yard_of(name).carry_out(number, values)


def yard_of(name: str) -> Yard:
    """Where the shipment `name` is.

    Raises:
        NotLoadedError: If it is not here.
    """
    if name not in _yards:
        told = f"the worker {get_worker().address} has not loaded the code of the run; its log tells why"
        raise NotLoadedError(told)
    return _yards[name]


def begun(name: str) -> set[int]:
    """The parts that have begun here."""
    return set(_yards[name].begun) if name in _yards else set()


def stop(name: str, spaces: frozenset[int] | None = None) -> set[int]:
    """Let no part of these spaces, by default of all, begin here any more; the parts that have begun."""
    if name in _yards:
        _yards[name].stop(spaces)
    return begun(name)


def cancel(name: str) -> None:
    """End what runs here of the run that the shipment belongs to, as far as it can be ended."""
    if name in _yards:
        _yards[name].cancel()


class Hold:
    """What all shipments of one run share here. It holds state: tasks, and whether the run was cancelled."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.control = RunControl()
        self.yards: set[str] = set()
        self._tasks: dict[str, Task[..., object]] = {}
        self._unpacking = threading.Lock()

    def task(self, digest: str) -> Task[..., object]:
        """The task with this digest, unpacked once."""
        with self._unpacking:
            if digest not in self._tasks:
                self._tasks[digest] = unpack(self.blobs[digest])
            return self._tasks[digest]


class Yard:
    """Where the parts of one shipment are carried out. It holds state: which have begun, and which must not begin."""

    def __init__(self, delivery: Delivery) -> None:
        self.shipment: Shipment = pickle.loads(delivery.blob)  # noqa: S301 - made by the client whose cluster this is
        self.name, self._digests = delivery.name, tuple(delivery.tasks)
        self.hold = _holds.setdefault(self.shipment.run, Hold())
        self.hold.blobs.update(delivery.tasks)
        self.hold.yards.add(self.name)
        self._outboxes: dict[str, Outbox] = {}
        self._here = ExitStack()
        self.begun: set[int] = set()
        self.over: frozenset[int] = frozenset()
        self.is_seen = sees(self.shipment.store)

    def come(self, worker: Worker) -> None:
        """Serve for `worker` too: several may share a process."""
        if not self._outboxes:
            for digest in self._digests:
                self.hold.task(digest)
            self._here.enter_context(noted())
        self._outboxes[worker.address] = Outbox(worker, self.shipment.topic)

    def outbox(self, worker: Worker) -> Outbox:
        """The way from `worker` to the client."""
        return self._outboxes[worker.address]

    def leave(self, worker: Worker) -> bool:
        """Serve no longer for `worker`; whether it was the last."""
        self._outboxes.pop(worker.address, None)
        if self._outboxes:
            return False
        self._here.close()
        self.hold.yards.discard(self.name)
        if not self.hold.yards:
            _holds.pop(self.shipment.run, None)
        return True

    def stop(self, spaces: frozenset[int] | None = None) -> None:
        """Let no part of these spaces, by default of all, begin any more."""
        self.over |= frozenset(range(len(self.shipment.spaces))) if spaces is None else spaces

    def cancel(self) -> None:
        """End the bodies of the whole run that are in processes, and tell those in threads."""
        self.stop()
        self.hold.control.cancelled.set()
        _children.end(self.shipment.run)

    def carry_out(self, number: int, values: tuple[object, ...]) -> object:
        """What the part gives."""
        part = self.shipment.parts[number]
        if part.kind == "order":
            return None
        worker = get_worker()
        box = self.outbox(worker)
        with ExitStack() as stack:
            for name, count in part.permits:
                stack.enter_context(Semaphore(max_leases=count, name=f"celltask {name} of {count}"))
            if part.space in self.over:
                raise PartFailedError("it must not run any more")
            return self._told(number, part, values, box, worker.address)

    def _told(self, number: int, part: Part, values: tuple[object, ...], box: Outbox, address: str) -> object:
        """What the part gives; its beginning and end are told."""
        __tracebackhide__ = True
        self.begun.add(number)
        box.tell(self.name, number, "began", address)
        member = self.hold.task(str(part.member)) if part.kind == "node" else self.shipment.borders[int(part.member)]
        context = NodeContext(
            member, self.shipment.run, part.node, lambda event: _pass_on(event, self.name, number, box)
        )
        context.control, context.is_away = self.hold.control, True
        token, clock = ACTIVE.set(context), time.perf_counter()
        try:
            with self.as_there():
                value = self._performed(part, member, context, values)
        except BaseException as error:  # noqa: BLE001 - border: users' code; the client raises it again
            duration_s = time.perf_counter() - clock
            box.tell(self.name, number, "failed", duration_s, *_told_by(context), plain(error))
            raise PartFailedError(f"{type(error).__name__} in node {part.node}") from None
        else:
            told = *_told_by(context), context.reused, context.output_digests
            box.tell(self.name, number, "ended", time.perf_counter() - clock, *told)
            return Carried(value, context.output_digests) if context.output_digests else value
        finally:
            ACTIVE.reset(token)

    @contextmanager
    def as_there(self) -> Iterator[None]:
        """Let the block use the store of the client, if its folder is here too, and want what is as fresh."""
        store = ASKED.set(self.shipment.store if self.is_seen else None)
        fresh = FRESH_SINCE.set(self.shipment.fresh_since)
        try:
            yield
        finally:
            FRESH_SINCE.reset(fresh)
            ASKED.reset(store)

    def _performed(
        self, part: Part, member: Task[..., object] | Border, context: NodeContext, values: tuple[object, ...]
    ) -> object:
        __tracebackhide__ = True
        space = self.shipment.spaces[part.space]
        table: dict[int, object] = dict(space.known)
        carried: dict[int, tuple[str, ...]] = {}
        for (place, item), got in zip(part.sources, values, strict=True):
            value = got
            if isinstance(got, Carried):
                value, carried[place] = got
            if place >= 0:
                table[place] = value if item is None else value[item]  # type: ignore[index]  # what an entry gives
        known = {at: carried[place][output] for at, place, output in part.digests if place in carried}
        context.input_digests = {at: digest for at, digest in known.items() if digest} or None
        if part.kind == "leave":
            getters = [
                getter_of(binding, space.places, space.several.__contains__) for binding in part.bindings if binding
            ]
            return outputs_value(cast("Task[..., object]", member), getters, cast("list[object]", table))
        arguments = []
        for binding, port in zip(part.bindings, member.interface.inputs, strict=True):
            get = getter_of(binding or Constant(port.default), space.places, space.several.__contains__)
            arguments.append(get(cast("list[object]", table)))
        if part.kind == "enter":
            return checked_inputs(cast("Task[..., object]", member), tuple(arguments))
        return _called(cast("Task[..., object]", member), context, arguments)


def sees(store: str) -> bool:
    """Whether a store that is a folder of the client's machine is a folder of this one too; others are anywhere."""
    if store == "memory":
        return False
    if not os.path.isabs(store):  # noqa: PTH117 - plain text, for each part
        return True
    beside = store.removesuffix("/.celltask/store")
    return os.path.isdir(beside if beside != store else os.path.dirname(store))  # noqa: PTH112, PTH120 - as above


def guests_for(task: Task[..., object]) -> Children | None:
    """Processes for the body, if it may have to be ended."""
    asked = task.options.resources
    may_end = task.options.timeout is not None or (asked is not None and asked.memory_bytes)
    return _children if may_end else None


def _called(task: Task[..., object], context: NodeContext, arguments: list[object]) -> object:
    """What the task gives: in a process of its own if it may have to be ended."""
    __tracebackhide__ = True
    context.guests = guests_for(task)
    value = task.as_node(*arguments) if context.guests is None else task.as_guest(*arguments)
    if task.is_async:
        value = run_coroutine(cast("Coroutine[object, None, object]", value))
    if type(value) not in _PLAIN:
        try:
            packed(value)
        except Exception as error:  # noqa: BLE001 - border: pickling runs code of users' classes
            told = f"task {task.name!r} returned a {type(value).__name__} that cannot leave its worker: {error}"
            raise RunError(
                told, task.place, "return something that can be pickled, or run it with engine='threads'"
            ) from None
    return value


def _told_by(context: NodeContext) -> tuple[int, Told | None, dict[int, str] | None]:
    """What is told of a node however it ended: its attempts, what its body called, the content of its inputs."""
    return context.attempt, None if context.calls is None else context.calls.told(), context.input_digests


def plain(error: BaseException) -> tuple[bytes, list[bytes]]:
    """An error with the rows of its traceback, as bytes."""
    head, buffers = packed(portable(error, rows_of(error.__traceback__)))
    return head, [bytes(buffer) for buffer in buffers]


def _pass_on(event: Event, name: str, number: int, box: Outbox) -> None:
    """Tell the client what happens in a node."""
    if isinstance(event, NodePrinted):
        box.tell(name, number, "printed", event.stream, event.text)
    elif isinstance(event, NodeRetried):
        box.tell(name, number, "retried", event.attempt, plain(event.error), event.delay_s)
    elif isinstance(event, NodeReused):
        box.tell(name, number, "reused", event.reason)
