"""Recording: what became of each run, written to a file while it goes on, one line of JSON at a time. It holds state.

A process has one file, in the folder ``runs`` of its store; it holds a lock on it for as long as it lives, which is how
a run that was killed is told from one that goes on. A run is a line at its start, at most twenty a second while it
lasts, and one at its end. No database: opening one would take longer than most runs.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from celltask.core.context import ACTIVE, NodeContext
from celltask.core.ledger import told
from celltask.core.stores.choice import VARIABLE, folder_of, folder_of_user, tell_once
from celltask.core.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.composite import Composite
    from celltask.core.execution import Execution
    from celltask.core.ledger import Ledger

__all__ = ["Recording", "in_memory", "is_alive"]

PERIOD_S: Final = 0.05
"""Seconds between two lines of one run."""

MOST_FILES = 2000
"""Files kept in a folder; the oldest are removed when there are more."""

_PATIENCE_S = 5.0
_MOST_LOGGED = 1 << 20  # characters of one run

_MOST_IN_MEMORY = 1 << 24  # characters
_MOST_IN_FILE = 1 << 25  # bytes; the next run of the process begins another file

in_memory: deque[str] = deque()
"""Lines of the runs of this process, where the store is no folder; of all that are more than 16 MB, the newest."""


class Recording:
    """The lines of one run.

    Args:
        run: Id of the run.
        member: What is run.
        engine: Name of the engine.
        nodes: How many.
        started: Seconds since the epoch.

    Attributes:
        told_at: When the last line was written, in seconds since the epoch.
    """

    __slots__ = ("_epoch", "_run", "_states", "told_at")

    def __init__(
        self, run: str, member: Task[..., object] | Composite, engine: str, nodes: int, started: float
    ) -> None:
        self._run = run
        self._states: list[str] | None = None
        self.told_at, self._epoch = started, started - time.perf_counter()
        around = ACTIVE.get()
        line: dict[str, object] = {
            "run": run, "name": member.name, "kind": "task" if isinstance(member, Task) else "workflow",
            "at": started, "engine": engine, "nodes": nodes,
        }  # fmt: skip
        if isinstance(around, NodeContext):
            line["within"] = [around.run_id, around.node]
        _write(line)

    def tell(self, ledger: Ledger) -> None:
        """Write what has changed since the last line."""
        clock = time.perf_counter()
        states = list(ledger.states)
        line: dict[str, object] = {"run": self._run}
        if self._states is None:
            line |= _names(ledger)
            self._states = ["queued"] * len(states)
        pairs = enumerate(zip(self._states, states, strict=True))
        changed = {place: new for place, (old, new) in pairs if old != new}
        line["states"] = changed
        self._states = states
        _write(line)
        # Looking at all nodes of a large run takes its time: at most one part in twenty of the whole.
        now = time.perf_counter()
        self.told_at = self._epoch + now + max(0.0, 20 * (now - clock) - PERIOD_S)

    def end(self, execution: Execution, duration_s: float, started: float) -> None:
        """Write how the run ended, and what became of each node."""
        error = execution.error
        ledger = execution.ledger
        line: dict[str, object] = {"run": self._run, "state": execution.state, "seconds": round(duration_s, 6)}
        if error is not None:
            line["error"] = told(error)
        if self._states is None or ledger.nested or ledger.aside:
            line |= _names(ledger)
        line |= _short(_columns(ledger, started)) | _calls(ledger, started)
        digests = execution.known.told()
        if digests:
            line["digests"] = {f"{node}.{number}": digest for (node, number), digest in digests}
        cached = [execution.program.steps[place].member for place in execution.known.places]
        code = {one.name: one.digest for one in cached if isinstance(one, Task) and one.is_derived}
        if code:
            line["code"] = code
        missed = ledger.all_missed()
        if missed:
            line["missed"] = missed
        log = _log(ledger)
        if log:
            line["log"] = log
        _write(line)


def _names(ledger: Ledger) -> dict[str, list[str]]:
    """Ids, labels and tasks of all nodes, in the order of the columns."""
    ids: list[str] = []
    labels: list[str] = []
    tasks: list[str] = []
    for prefix, one in ledger.all():  # nothing is made that the garbage collector would look at
        steps = one.program.steps
        ids.extend([prefix + step.node.id for step in steps])
        labels.extend([step.node.label for step in steps])
        tasks.extend([step.member.name for step in steps])
    found = {"ids": ids, "labels": labels}
    return found if tasks == labels else {**found, "tasks": tasks}


def _calls(ledger: Ledger, started: float) -> dict[str, object]:
    """What bodies have called: ids, tasks, states, microseconds since the start and of each, attempts, errors."""
    rows: list[list[object]] = []
    more: dict[str, Mapping[str, int]] = {}
    for prefix, one in ledger.all():
        for place, calls in sorted(one.calls.items()):
            rows += [
                [
                    row.id, row.task, row.state, round((row.started - started) * 1e6), round(row.duration_s * 1e6),
                    row.attempts, row.error,
                ]
                for row in calls.rows
            ]  # fmt: skip
            if calls.more:
                more[prefix + one.program.steps[place].node.id] = calls.more
    return {name: found for name, found in (("calls", rows), ("more_calls", more)) if found}


def _log(ledger: Ledger) -> list[tuple[str, str]]:
    """What the nodes printed, each with its id; of a whole run no more than a megabyte."""
    room = _MOST_LOGGED
    kept = []
    for prefix, one in ledger.all():
        for place, pieces in sorted(one.printed.items()):
            text = "".join(text for _, text in pieces)
            if room > 0:
                kept.append((prefix + one.program.steps[place].node.id, text[:room]))
                room -= len(text)
    return kept


class _Columns(NamedTuple):
    """What became of the nodes; times in microseconds since the start of the run, -1 where a node never began."""

    states: list[str]
    begun: list[int]
    took: list[int]
    attempts: list[int]
    errors: dict[str, str]


def _columns(ledger: Ledger, started: float) -> _Columns:
    """The columns of all nodes, those of inner workflows last."""
    made = _Columns([], [], [], [], {})
    for prefix, one in ledger.all():
        steps = one.program.steps
        made.states.extend(one.states)
        made.begun.extend(round((at - started) * 1e6) if at else -1 for at in one.started)
        made.took.extend(round(seconds * 1e6) for seconds in one.durations_s)
        made.attempts.extend(one.attempts)
        made.errors.update({prefix + steps[at].node.id: told(error) for at, error in one.errors.items()})
    return made


def _short(columns: _Columns) -> dict[str, object]:
    """The columns without what goes without saying: all done, at the first attempt, no errors."""
    found = columns._asdict()
    usual: dict[str, set[object]] = {"states": {"done"}, "attempts": {1}, "errors": set()}
    return {name: column for name, column in found.items() if name not in usual or set(column) - usual[name]}


class _File:
    """The file of this process in one folder, opened and locked; `descriptor` is -1 if that cannot be done."""

    def __init__(self, folder: str) -> None:
        self.process, self.size, self.running = os.getpid(), 0, 0
        self.descriptor = -1
        self.folder = folder
        done = threading.Event()

        def work() -> None:
            try:
                self.descriptor = _opened(folder)
            except OSError as error:
                _not_recorded(folder, str(error))
            done.set()

        # The folder may lie on a machine that does not answer, and then the system waits for ever.
        threading.Thread(target=work, daemon=True, name="celltask recording").start()
        if not done.wait(_PATIENCE_S):
            _not_recorded(folder, f"it has not answered for {_PATIENCE_S:.0f} s")


def _not_recorded(folder: str, why: str) -> None:
    if VARIABLE not in os.environ and folder.startswith(folder_of_user()):
        return  # nobody asked for records, and there is no project to keep them in
    tell_once(f"runs are not recorded in {folder}: {why}", "set CELLTASK_STORE to another folder")


def _opened(folder: str) -> int:
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - pathlib is slow to import
    _make_room(folder)
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{os.urandom(3).hex()}.jsonl"
    descriptor = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        import fcntl  # noqa: PLC0415 - not everywhere

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # without locks, a run that has no end looks killed
        pass
    from celltask import __version__  # noqa: PLC0415 - the front door stands above

    head = {
        "celltask": __version__, "python": sys.version.partition(" ")[0],
        "host": os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", ""), "pid": os.getpid(),
    }  # fmt: skip
    os.write(descriptor, (json.dumps(head) + "\n").encode())
    return descriptor


def _make_room(folder: str) -> None:
    names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))  # noqa: PTH208 - pathlib is slow to import
    for name in names[: len(names) - MOST_FILES + MOST_FILES // 4] if len(names) > MOST_FILES else ():
        if not is_alive(f"{folder}/{name}"):
            os.unlink(f"{folder}/{name}")  # noqa: PTH108 - as above


def is_alive(path: str) -> bool:
    """Whether the process that writes to the file of records holds its lock.

    Raises:
        OSError: If it is not there.
    """
    try:
        import fcntl  # noqa: PLC0415 - not everywhere
    except ImportError:
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


_files: dict[str, _File] = {}
_full: list[_File] = []
_remembered = 0
_lock = threading.Lock()


def _remember(text: str) -> None:
    global _remembered  # noqa: PLW0603 - the size of what stands above
    in_memory.append(text)
    _remembered += len(text)
    while _remembered > _MOST_IN_MEMORY:
        _remembered -= len(in_memory.popleft())


def _write(line: dict[str, object]) -> None:
    text = json.dumps(line, separators=(",", ":"))
    folder = folder_of("runs")
    if folder is None:
        _remember(text)
        return
    file = _files.get(folder)
    if file is None or file.process != os.getpid() or (file.size > _MOST_IN_FILE and not file.running):
        with _lock:
            if file is _files.get(folder):  # else another thread has opened one
                if file is not None and file.process == os.getpid():
                    _full.append(file)  # another thread may be about to write to it
                file = _File(folder)
                _files[folder] = file
            file = _files[folder]
    if file.descriptor < 0:
        return
    file.size += len(text)
    file.running += 1 if "at" in line else -1 if "state" in line else 0
    try:
        os.write(file.descriptor, text.encode("utf-8", "backslashreplace") + b"\n")
    except OSError as error:
        file.descriptor = -1
        _not_recorded(folder, str(error))


def _forget() -> None:
    global _lock  # noqa: PLW0603 - a thread of the parent may have held it
    _lock = threading.Lock()
    for file in (*_files.values(), *_full):
        if file.descriptor >= 0:
            os.close(file.descriptor)  # else the parent's lock would last as long as the child
    _files.clear()
    _full.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)
