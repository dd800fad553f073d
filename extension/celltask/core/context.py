"""What is going on in this thread now: nothing, a workflow being traced, or a task that runs.

One context variable answers all three, because every call of every task has to ask.
"""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

from celltask.core.calls import calls_of
from celltask.core.events import NodePrinted, NodeReused
from celltask.core.ledger import state_after, told
from celltask.core.scratch import temporary_folder
from celltask.errors import RunError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from pathlib import Path
    from typing import Protocol

    from celltask.core.calls import Calls
    from celltask.core.composite import Composite
    from celltask.core.engines.base import Guests
    from celltask.core.events import Event
    from celltask.core.execution import Execution
    from celltask.core.logs import Noting
    from celltask.core.onlookers import Onlooker
    from celltask.core.sharing import Sharing
    from celltask.core.task import Task
    from celltask.core.tracing import Tracer

    class _Named(Protocol):
        @property
        def name(self) -> str: ...


__all__ = ["ACTIVE", "FRESH_SINCE", "NodeContext", "TaskContext", "Tracing", "current_context"]

ACTIVE: ContextVar[object] = ContextVar("celltask_active", default=None)
"""``None``, a `Tracing`, a `Task` (called directly), or a `TaskContext` (above all a node of a run)."""

FRESH_SINCE: ContextVar[float] = ContextVar("celltask_fresh_since", default=0.0)
"""Seconds since the epoch: cached results that are older count as missing, as a run with `refresh` asks for."""

MOST_PRINTED = 1 << 20
"""How many characters of what a node prints are kept."""


class Tracing:
    """A graph is being traced; `add` takes a task and its inputs and gives references to its outputs."""

    __slots__ = ("add", "tracer")

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.add: Callable[[Task[..., object] | Composite, tuple[object, ...]], object] = tracer.add


class TaskContext:
    """What a running task may ask about itself; made by `current_context`.

    Attributes:
        run_id: Id of the run, ``"local"`` for a task called directly.
        node: Id of the node in its workflow, empty for a task called directly.
        task: Name of the task.
        attempt: Number of this attempt, from 1.
    """

    __slots__ = ("_folder", "attempt", "node", "run_id", "task")

    def __init__(self, member: _Named, run_id: str = "local", node: str = "") -> None:
        self.run_id, self.node, self.task, self.attempt = run_id, node, member.name, 1
        self._folder: Path | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether the run was cancelled, so that what the body does is not wanted any more."""
        return False

    @property
    def working_directory(self) -> Path:
        """A scratch folder of this call, made at first use and removed when the interpreter ends."""
        if self._folder is None:
            self._folder = temporary_folder(self.task)
        return self._folder

    @property
    def log(self) -> logging.Logger:
        """The logger ``celltask.task.NAME``."""
        import logging  # noqa: PLC0415 - only tasks that ask pay for it

        return logging.getLogger(f"celltask.task.{self.task}")

    def secret(self, name: str) -> str:
        """The secret `name`, from the environment variable ``CELLTASK_SECRET_NAME`` (upper case).

        Raises:
            RunError: If it is not set.
        """
        import os  # noqa: PLC0415 - only tasks that ask

        variable = f"CELLTASK_SECRET_{name.upper().replace('-', '_')}"
        try:
            return os.environ[variable]
        except KeyError:
            raise RunError(f"secret {name!r} is not set", f"task {self.task!r}", f"set {variable}") from None

    def __repr__(self) -> str:
        return f"<context of task {self.task!r}, run {self.run_id}, attempt {self.attempt}>"


class RunControl:
    """What all nodes of one run share: whether it was cancelled. It holds state.

    Attributes:
        cancelled: Set when it was.
        epoch: What to add to `time.perf_counter` for seconds since the epoch: all times of a run are those of one
            clock, which nobody sets while it lasts.
        is_apart: Whether the run has a thread of its own.
        live: The executions that are under way: the run's own, and those of workflows within it.
        maps: The maps that are under way.
        enders: What ends things of the run that would not hear of it otherwise, when it is cancelled.
        onlooker: Who looks at the run beside its caller, or ``None``.
        called: How many calls that bodies made are told one by one.
        counting: Held while `called` is looked at and changed: nodes may end in several threads at once.
    """

    __slots__ = ("called", "cancelled", "counting", "enders", "epoch", "is_apart", "live", "maps", "onlooker")

    def __init__(self) -> None:
        self.onlooker: Onlooker | None = None
        self.called, self.counting = 0, threading.Lock()
        self.epoch = time.time() - time.perf_counter()
        self.cancelled = threading.Event()
        self.enders: list[Callable[[], object]] = []
        self.is_apart = False
        self.live: set[Execution] = set()
        self.maps: set[Sharing] = set()


class NodeContext(TaskContext):
    """The context of one node of a run, and the way its events leave it.

    Attributes:
        reused: Whether the result of an earlier call stood in for the body.
        input_digests: The content of inputs as far as it is known, by place: what others of the run have told, and
            then what the cache has.
        output_digests: The content of each output, where a cache has told it; ``""`` for one that it has not.
        guests: The processes that bodies are to run in, or ``None``.
        control: What the nodes of the run share; ``None`` in a process that only runs bodies.
        is_away: Whether the run is elsewhere, which then shows what the body prints.
        outer: The context of the node whose body called this task, near or far; ``None`` for the node itself.
        calls: What the body called; ``None`` if nothing.
        held: What was printed of a line that has not ended, by the stream that shows it; ``None`` if nothing.
        printed: What the body printed, in pieces, each with the name of its stream; ``None`` if nothing.
    """

    __slots__ = (
        "_began", "_call", "_room", "calls", "control", "guests", "held", "input_digests", "is_away", "on_event",
        "outer", "output_digests", "printed", "reused",
    )  # fmt: skip

    _began: float  # both are there where `outer` is
    _call: int

    def __init__(  # noqa: PLR0913, PLR0917 - positional, since that is quicker
        self,
        member: _Named,
        run_id: str,
        node: str,
        on_event: Callable[[Event], object] | None,
        guests: Guests | None = None,
        control: RunControl | None = None,
    ) -> None:
        # One is made for each node, and a call of the other __init__ would be a quarter of its cost.
        self.run_id, self.node, self.task, self.attempt = run_id, node, member.name, 1
        self._folder = None
        self.on_event = on_event
        self.reused = False
        self.input_digests: dict[int, str] | None = None
        self.output_digests: tuple[str, ...] = ()
        self.guests, self.control = guests, control
        self.is_away = False
        self.outer: NodeContext | None = None
        self.calls: Calls | None = None
        self.held: dict[Noting, str] | None = None
        self.printed: list[tuple[str, str]] | None = None
        self._room = MOST_PRINTED

    def inside(self, member: _Named) -> NodeContext:
        """The context of a task that the body calls now: in the same run, its prints are the node's."""
        outer = self.outer or self
        made = NodeContext(member, self.run_id, self.node, None, None, self.control)
        made.is_away, made.outer = self.is_away, outer
        calls = outer.calls or calls_of(outer)
        if calls.is_full:
            calls.count(member.name)
            made._call = -1
            return made
        made._began = clock = time.perf_counter()
        epoch = self.control.epoch if self.control is not None else time.time() - clock
        made.node, made._call = calls.begin(self.node, member.name, epoch + clock)
        return made

    def ended(self, error: BaseException | None = None) -> None:
        """Note how the call ended that this is the context of; `error` is what it raised."""
        if self._call >= 0 and self.outer is not None:
            state = state_after(error) if error is not None else "reused" if self.reused else "done"
            duration_s, text = time.perf_counter() - self._began, "" if error is None else told(error)
            calls_of(self.outer).end(self._call, state, duration_s, self.attempt, text)

    @property
    def is_cancelled(self) -> bool:
        """Whether the run was cancelled, so that what the body does is not wanted any more."""
        return self.control is not None and self.control.cancelled.is_set()

    def note_printed(self, stream: str, text: str) -> None:
        """Keep `text`, which the body printed to ``"stdout"`` or ``"stderr"``; of more than 1 MiB the first."""
        if self.outer is not None:
            self.outer.note_printed(stream, text)
            return
        if self._room <= 0:
            return
        self._room -= len(text)
        if self._room <= 0:
            text = text[: self._room] + "\n… and more, which is not kept\n"
        if self.printed is None:
            self.printed = []
        self.printed.append((stream, text))
        self.tell(NodePrinted(self.run_id, self.node, stream, text))

    def reuse(self, reason: str) -> None:
        """Count the node as reused, and tell why."""
        self.reused = True
        self.tell(NodeReused(self.run_id, self.node, reason))

    def tell(self, event: Event) -> None:
        """Send `event` to whoever listens to the run."""
        if self.on_event is not None:
            self.on_event(event)


def current_context() -> TaskContext:
    """The context of the task that is running: scratch folder, run id, attempt, log and secrets.

    Raises:
        RunError: If no task is running.

    >>> from celltask import task
    >>> @task
    ... def who() -> str:
    ...     return current_context().task
    >>> who()
    'who'
    """
    active = ACTIVE.get()
    if isinstance(active, TaskContext):
        return active
    if active is None or isinstance(active, Tracing):
        raise RunError("no task is running", mend="call current_context() inside a task")
    context = TaskContext(cast("Task[..., object]", active))
    ACTIVE.set(context)  # the generated call resets to what was before it
    return context
