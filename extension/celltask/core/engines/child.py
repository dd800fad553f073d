"""A process that runs the bodies of tasks for another one, one after the other, until that one is gone.

It is spoken to over one pipe: a task once, then each call of it; it answers with what the body printed, as it comes,
and with the value or the error. A second pipe, never written to, ends when the parent does, however that ends: then
this process and all that its bodies started go too.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, cast

from celltask.core.calling import annotate, call_body, tell_where
from celltask.core.calls import Calls
from celltask.core.context import ACTIVE, NodeContext
from celltask.core.engines.printing import Printing
from celltask.core.engines.traces import BEFORE, rows_of
from celltask.core.engines.wire import packed, receive, unpacked
from celltask.core.items import Items, run_items
from celltask.core.ledger import told
from celltask.core.travel import unpack
from celltask.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.core.engines.traces import Row
    from celltask.core.engines.wire import Packed, Wire
    from celltask.core.task import Task

__all__ = ["Call", "main", "portable", "serve"]


class Call(NamedTuple):
    """One attempt at the body of a task; all plain, so that it can always be read.

    `environment` holds variables for this call only, `folder` the working directory, `memory` the most bytes that the
    body may take beyond what the process has, or ``None``; `first_call` the number of the first call of a task that the
    body makes.
    """

    digest: str
    run: str
    node: str
    attempt: int
    environment: tuple[tuple[str, str], ...]
    folder: str
    memory: int | None
    first_call: int


class Tasks(dict[str, "Task[..., object]"]):
    """The tasks that have come, by digest; each is made at its first call.

    Attributes:
        blobs: What they are made of.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blobs: dict[str, bytes] = {}

    def __missing__(self, digest: str) -> Task[..., object]:
        try:
            self[digest] = made = unpack(self.blobs[digest])
        except Exception as error:  # border: unpickling runs code of users' modules
            told = f"the task cannot be made in another process: {type(error).__name__}: {error}"
            raise RunError(told, mend="run it with engine='threads'") from error
        return made


def main() -> None:
    """What a process started for it runs; the last two words of its command are both pipes' file descriptors."""
    from multiprocessing.connection import Connection  # noqa: PLC0415 - what starts this has none of it

    serve(Connection(int(sys.argv[1])), Connection(int(sys.argv[2])))


def serve(wire: Wire, lifeline: Wire) -> None:
    """Do what the parent asks, until it is gone."""
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True, name="celltask lifeline").start()
    me, tasks, printing = os.getpid(), Tasks(), Printing(wire)
    warnings.showwarning = printing.warned
    while True:
        try:
            kind, *rest = cast("tuple[str, object]", unpacked(receive(wire)))
        except (EOFError, OSError):
            return
        if kind == "task":
            digest, blob = rest
            tasks.blobs[str(digest)] = cast("bytes", blob)
            continue
        if kind == "variables":
            os.environ.clear()
            os.environ.update(cast("dict[str, str]", rest[0]))
            continue
        call, given = Call(*rest), receive(wire)  # type: ignore[arg-type]  # as it was sent
        answers = _answers(str(kind), tasks, call, given, printing)
        if os.getpid() != me:  # the body forked, and this is the other one
            os._exit(0)
        printing.answer(answers)


def _end_with(lifeline: Wire) -> None:
    lifeline.poll(None)  # nothing ever comes but its end
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, 9)
    os._exit(1)


def _answers(kind: str, tasks: Tasks, call: Call, given: Packed, printing: Printing) -> list[Packed]:
    """The answer to one call: its kind, then the value or the error with the rows of its traceback."""
    __tracebackhide__ = True
    rows: list[Row] = []
    calls = Calls(call.first_call)
    try:
        task = tasks[call.digest]
        with printing.shown(), _memory(call.memory):
            value = _performed(kind, task, call, cast("tuple[object, ...]", unpacked(given)), calls)
        try:
            return [_head("value", calls), packed(value)]
        except Exception as error:  # noqa: BLE001 - border: pickling runs code of users' classes
            what = f"task {task.name!r} returned a {type(value).__name__} that cannot leave its process"
            mend = "return something that can be pickled, or run it with engine='threads'"
            return [_head("error", calls), packed((RunError(f"{what}: {error}", task.place, mend), rows))]
    except BaseException as error:  # noqa: BLE001 - border: the body's own; it is raised again in the parent
        rows = rows_of(error.__traceback__)
        return [_head("error", calls), packed(portable(error, rows))]


def _head(kind: str, calls: Calls) -> Packed:
    """The beginning of an answer, with what the body called, if it did."""
    return packed((kind, calls.told()) if calls.rows else (kind,))


def portable(error: BaseException, rows: list[Row], most_before: int = 5) -> tuple[BaseException, list[Row]]:
    """`error` without its traceback, or one that stands for it, with the rows of that traceback.

    The errors that it was raised from or amid go with it, at most so many.
    """
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and most_before:
        told_before = portable(before, rows_of(before.__traceback__), most_before - 1)
        error.__dict__[BEFORE] = error.__cause__ is not None, *told_before
    try:
        unpacked(packed((error.with_traceback(None),)))  # some classes can be pickled and not made again
    except Exception:  # noqa: BLE001 - border: pickling runs code of users' classes
        stand_in = RunError(told(error), mend="the error's own class cannot leave its process")
        for note in getattr(error, "__notes__", ()):
            stand_in.add_note(note)
        return stand_in, rows
    return error, rows


def _performed(kind: str, task: Task[..., object], call: Call, args: tuple[object, ...], calls: Calls) -> object:
    __tracebackhide__ = True
    with suppress(OSError):  # the folder was removed, perhaps by a body
        os.chdir(call.folder)
    context = NodeContext(task, call.run, call.node, None)
    context.attempt, context.calls = call.attempt, calls
    token = ACTIVE.set(context)
    before = dict(os.environ) if call.environment else None
    try:
        os.environ.update(call.environment)
        return _run_body(task, args) if kind == "call" else _run_items(task, call, args, calls)
    except Exception as error:  # border: the body's own
        tell_where(task, error)
        raise
    finally:
        ACTIVE.reset(token)
        if before is not None:
            os.environ.clear()
            os.environ.update(before)


def _run_body(task: Task[..., object], args: tuple[object, ...]) -> object:
    __tracebackhide__ = True
    value = call_body(task.body, task.interface, args)
    if not task.is_async:
        return value
    import asyncio  # noqa: PLC0415 - only async bodies need it

    return asyncio.run(value)  # type: ignore[arg-type]  # what an async body gives


def _run_items(task: Task[..., object], call: Call, given: tuple[object, ...], calls: Calls) -> object:
    """What became of the items of a map: values, errors with the rows of their tracebacks, and seconds."""
    __tracebackhide__ = True
    columns, fixed, first, size, stops = given
    items = Items(task, columns, fixed, first, size, stops, call.run, call.node, None, calls=calls)  # type: ignore[arg-type]  # as they were sent
    outcome = run_items(items)
    told = [(place, *portable(error, rows_of(error.__traceback__))) for place, error in outcome.errors.items()]
    return outcome.values, told, outcome.duration_s


@contextmanager
def _memory(most: int | None) -> Iterator[None]:
    """Let the block take at most `most` bytes more than the process has, where the system can see to that."""
    if most is None or sys.platform != "linux":
        yield
        return
    import resource  # noqa: PLC0415 - POSIX only

    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a file of the system
        has = int(file.read().split()[5]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (has + most, before[1]))
    try:
        yield
    except MemoryError as error:
        asked = f"the task asked for {most / 2**20:.0f} MiB (resources=Resources(memory=…))"
        told = f"{asked} and needed more: ask for more, or give it less"
        if error.args:
            annotate(error, told)
        error.args = error.args or (told,)
        raise
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
