"""Processes that run bodies of tasks: started once, given one body at a time, and ended when one must stop.

A process of its own for each body that runs, spoken to directly, is what makes a timeout or a cancelled run stop the
work for sure, and a crash the matter of one node. (A pool with a common queue, as in concurrent.futures, breaks as a
whole when one of its processes is killed.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from multiprocessing.connection import Pipe
from typing import TYPE_CHECKING, cast

from celltask.core.calls import calls_of
from celltask.core.engines.child import Call, serve
from celltask.core.engines.traces import raise_again, with_rows
from celltask.core.engines.wire import packed, receive, send, unpacked
from celltask.core.items import Outcome
from celltask.core.travel import luggage_of
from celltask.errors import RunCancelledError, RunError, TaskTimeoutError, WorkerDiedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.core.calls import Told
    from celltask.core.context import NodeContext
    from celltask.core.engines.traces import Row
    from celltask.core.engines.wire import Packed, Wire
    from celltask.core.items import Items
    from celltask.core.task import Task

    Answered = tuple[list[object], list[tuple[int, BaseException, list[Row]]], float]

__all__ = ["START_METHODS", "Child", "Children"]

START_METHODS = ("spawn", "fork", "forkserver")

_BOOT = "import sys; sys.path[:] = {path!r}; from celltask.core.engines.child import main; main()"
_ENDING_S = 5.0


class Children:
    """The processes of one engine. It holds state: which are idle, and which work for which run.

    Args:
        method: How they are started: ``"spawn"`` (a fresh interpreter, which does not run the main module again),
            ``"fork"`` or ``"forkserver"`` (as in multiprocessing).
    """

    def __init__(self, method: str = "spawn") -> None:
        self.method = method
        self._idle: list[Child] = []
        self._busy: dict[Child, str] = {}
        self._lock = threading.Lock()
        self._process = os.getpid()

    def call(self, task: Task[..., object], args: tuple[object, ...], context: NodeContext) -> object:
        """What the body of `task` returns for `args`, run in one of the processes.

        Raises:
            TaskTimeoutError: If it took longer than its timeout; it was ended.
            WorkerDiedError: If the process ended in the middle.
            RunError: If the task, an argument or the result cannot travel, or the run was cancelled.
            BaseException: What the body raised.
        """
        __tracebackhide__ = True
        with self._taken(task, context) as child:
            return child.call(task, "call", args, context)

    def call_many(self, items: Items, context: NodeContext) -> Outcome:
        """What became of `items`, run one after another in one of the processes; their task is plain.

        Raises:
            WorkerDiedError: If the process ended in the middle.
            RunError: If the task, an argument or the result cannot travel, or the run was cancelled.
        """
        __tracebackhide__ = True
        given = (items.columns, items.fixed, items.first, items.size, items.stops)
        with self._taken(items.task, context) as child:
            values, told, duration_s = cast("Answered", child.call(items.task, "items", given, context))
        errors = {place: with_rows(error, rows) for place, error, rows in told}
        return Outcome(values, errors, duration_s=duration_s)

    @contextlib.contextmanager
    def _taken(self, task: Task[..., object], context: NodeContext) -> Iterator[Child]:
        child = self._take(context.run_id)
        try:
            if context.is_cancelled:  # before `end` could see this child
                raise RunCancelledError(f"task {task.name!r} did not start, because the run was cancelled", task.place)
            yield child
        finally:
            self._give(child)

    def end(self, run: str) -> None:
        """End the bodies that run for `run`."""
        with self._lock:
            found = [child for child, owner in self._busy.items() if owner == run]
        for child in found:
            child.end("cancelled")

    def close(self) -> None:
        """End all processes that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.close()

    def _take(self, run: str) -> Child:
        with self._lock:
            if self._process != os.getpid():  # those of the parent are not ours
                self._idle, self._busy, self._process = [], {}, os.getpid()
            child = self._idle.pop() if self._idle else None
        if child is None or not child.is_alive():
            try:
                child = Child(self.method)
            except OSError as error:
                mend = "allow more processes and open files (ulimit -u, ulimit -n), or run it with engine='threads'"
                raise RunError(f"no process could be started: {error}", mend=mend) from None
        with self._lock:
            self._busy[child] = run
        return child

    def _give(self, child: Child) -> None:
        with self._lock:
            self._busy.pop(child, None)
            if child.is_alive() and len(self._idle) < (os.cpu_count() or 1):
                self._idle.append(child)
                return
        child.close()


class Child:
    """One process. It holds state: what was sent to it, and why it was ended."""

    def __init__(self, method: str) -> None:
        self._known: set[str] = set()
        self._variables: dict[str, str] = {}
        self._ended = ""
        self._wire, there = Pipe()
        reads, self._lifeline = Pipe(duplex=False)
        self._popen: subprocess.Popen[bytes] | None = None
        if method == "spawn" and os.name == "posix":
            self._popen = _spawned(there, reads)
            self.pid = self._popen.pid
        else:
            self.pid = self._started(method, there, reads)
        there.close()
        reads.close()

    def _started(self, method: str, there: Wire, reads: Wire) -> int:
        import multiprocessing  # noqa: PLC0415 - only these methods need it

        target, arguments = serve, (there, reads)
        if method == "fork":
            target, arguments = _serve_forked, (there, reads, self._wire, self._lifeline)  # type: ignore[assignment]  # what only a fork inherits
        self._process = multiprocessing.get_context(method).Process(target=target, args=arguments, daemon=True)  # type: ignore[attr-defined]  # all contexts have it
        self._process.start()
        return cast("int", self._process.pid)

    def is_alive(self) -> bool:
        """Whether it can be given work."""
        return not self._ended and self._code(0) is None

    def call(self, task: Task[..., object], kind: str, args: tuple[object, ...], context: NodeContext) -> object:
        """See `Children.call`; `kind` says what to do with `args`."""
        __tracebackhide__ = True
        luggage, given = luggage_of(task), _arguments(task, args)
        limit = task.options.timeout
        try:
            self._ask(kind, luggage.digest, luggage.blob, _call_of(task, luggage.digest, context, kind))
            send(self._wire, given)
            head = self._answer(None if limit is None else time.monotonic() + limit)
            answer = receive(self._wire)
        except _TooLongError:
            self.end("timeout")
            told = f"task {task.name!r} ran longer than its timeout of {limit:g} s; its process was ended"
            raise TaskTimeoutError(told, task.place, "give it more time (timeout=…), or less to do") from None
        except (EOFError, OSError):
            raise self._died(task) from None
        except BaseException:  # an interrupt: what it does now, nobody wants
            self.end("cancelled")
            raise
        for calls in head[1:]:
            calls_of(context).take(cast("Told", calls))
        value = _received(task, answer)
        if head[0] == "error":
            error, rows = cast("tuple[BaseException, list[Row]]", value)
            raise_again(error, rows)
        return value

    def _ask(self, kind: str, digest: str, blob: bytes, call: Call) -> None:
        if digest not in self._known:
            send(self._wire, packed(("task", digest, blob)))
            self._known.add(digest)
        variables = dict(os.environ)
        if variables != self._variables:
            send(self._wire, packed(("variables", variables)))
            self._variables = variables
        send(self._wire, packed((kind, *call)))

    def _answer(self, until: float | None) -> tuple[object, ...]:
        """Its answer's kind, and what the body called, if it did, after passing on what was printed before it."""
        while True:
            if until is not None and not self._wire.poll(max(0.0, until - time.monotonic())):
                raise _TooLongError
            head = cast("tuple[str, ...]", unpacked(receive(self._wire)))
            if head[0] == "log":
                _show(*head[1:])
            elif head[0] == "warning":
                _warn(*head[1:])  # type: ignore[arg-type]  # as it was sent
            else:
                return head

    def end(self, why: str) -> None:
        """End it now, with all that its body started."""
        self._ended = self._ended or why
        with contextlib.suppress(OSError):
            if os.name == "posix" and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)

    def close(self) -> None:
        """Let it end, and wait for that."""
        self._ended = self._ended or "closed"
        self._wire.close()
        self._lifeline.close()
        self._code(_ENDING_S)

    def _code(self, timeout_s: float) -> int | None:
        if self._popen is not None:
            try:
                return self._popen.wait(timeout_s) if timeout_s else self._popen.poll()
            except subprocess.TimeoutExpired:
                return None
        if timeout_s:
            self._process.join(timeout_s)
        return cast("int | None", self._process.exitcode)

    def _died(self, task: Task[..., object]) -> RunError:
        code = self._code(_ENDING_S)
        if self._ended == "cancelled":
            return RunCancelledError(f"task {task.name!r} was ended, because the run was cancelled", task.place)
        self._ended = self._ended or "died"
        told = f"exit code {code}"
        if code is not None and code < 0:
            told = f"signal {-code} ({signal.Signals(-code).name})"
        mend = "look for what ends the process in its body, or in a library that it uses"
        if code == -signal.SIGKILL:
            mend = "perhaps the machine had no memory left: give it less to do, or ask for resources"
        return WorkerDiedError(f"the process of task {task.name!r} ended in the middle, with {told}", task.place, mend)


def _show(stream: str, text: str) -> None:
    """Print here what was printed there, where it is noted with the node that runs."""
    try:
        getattr(sys, stream).write(text)
    except OSError as error:  # not to be taken for the end of the process
        told = f"what a body prints cannot be shown: {error}"
        raise RunError(told, mend="look where the output goes: a full disk, or a reader that has gone") from None


def _warn(text: str, category: str, filename: str, line: int) -> None:
    """Show here, as warnings of this process are, what was warned of there."""
    _show("stderr", warnings.formatwarning(text, type(category, (Warning,), {}), filename, line))


class _TooLongError(Exception):
    """There was no answer in time."""


def _spawned(there: Wire, reads: Wire) -> subprocess.Popen[bytes]:
    boot = _BOOT.format(path=sys.path)
    pipes = (there.fileno(), reads.fileno())
    return subprocess.Popen(  # noqa: S603 - this interpreter, with a text of ours
        [sys.executable, "-c", boot, *map(str, pipes)],
        pass_fds=pipes,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _serve_forked(there: Wire, reads: Wire, *parents: Wire) -> None:
    os.setsid()
    for end in parents:
        end.close()
    serve(there, reads)


def _arguments(task: Task[..., object], args: tuple[object, ...]) -> Packed:
    try:
        return packed(args)
    except Exception as error:  # noqa: BLE001 - border: pickling runs code of users' classes
        told = f"an input of task {task.name!r} cannot travel to another process: {type(error).__name__}: {error}"
        raise RunError(told, task.place, "give something that can be pickled, or run with engine='threads'") from None


def _call_of(task: Task[..., object], digest: str, context: NodeContext, kind: str) -> Call:
    asked = task.options.resources
    memory = asked.memory_bytes if asked is not None else None
    variables = task.options.environment
    try:
        folder = os.getcwd()  # noqa: PTH109 - plain text travels
    except OSError:  # removed
        folder = ""
    calls = context.calls
    first = 0 if calls is None else calls.next if kind == "call" else calls.reserve()  # items run elsewhere as well
    return Call(digest, context.run_id, context.node, context.attempt, variables, folder, memory, first)


def _received(task: Task[..., object], answer: Packed) -> object:
    try:
        return unpacked(answer)
    except Exception as error:  # noqa: BLE001 - border: unpickling runs code of users' classes
        told = f"what task {task.name!r} gave cannot be read in this process: {type(error).__name__}: {error}"
        raise RunError(told, task.place, "return plain data, or run it with engine='threads'") from None
