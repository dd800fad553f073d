"""History: the runs that were recorded, read back."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from celltask.core.calls import is_call
from celltask.core.recording import in_memory, is_alive
from celltask.core.stores.choice import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["RecordedNode", "RunRecord", "oldest_running", "remove_runs", "runs"]


@dataclass(frozen=True, slots=True)
class RecordedNode:
    """What was recorded of one node, or of one call of a task that the body of a node made.

    Attributes:
        id: Its id, ``"n1/n0"`` for the node of an inner workflow, ``"n1/n0/c0"`` for the first call of its body.
        label: Name in the graph.
        task: Name of what it runs.
        state: ``"done"``, ``"reused"``, ``"failed"``, ``"skipped"``, ``"cancelled"``; ``"queued"`` if it had not ended
            when the last line was written.
        started: Seconds since the epoch; 0 if it never began, or that was not written any more.
        duration_s: Seconds.
        attempts: How often the body was begun.
        error: Class and text of the error; ``""`` if there was none.
        more_calls: How many more calls of each task its body made than are told one by one: those of a node after its
            first 100, of a run after its first 10,000.
    """

    id: str
    label: str
    task: str
    state: str
    started: float
    duration_s: float
    attempts: int
    error: str
    more_calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_call(self) -> bool:
        """Whether it is a call that the body of a node made, not a node of a graph."""
        return is_call(self.id)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What was recorded of one run.

    Attributes:
        id: Its id.
        name: Name of the workflow or task.
        kind: ``"workflow"`` or ``"task"``.
        state: ``"done"``, ``"failed"``, ``"cancelled"``, ``"running"``, or ``"lost"``: its process ended before it did.
        started: Seconds since the epoch.
        duration_s: Seconds; 0 unless it has ended.
        engine: Name of the engine.
        host: Name of the machine.
        pid: Number of the process.
        versions: Of celltask and Python.
        nodes: What was recorded of each node, in the order of definition, and behind each of what its body called,
            which is written when the run ends.
        error: Class and text of the first error; ``""`` if there was none.
        code: Digest of the code of each cached task.
        digests: Content of values where it is known: by ``"n1.0"`` for the first output of a node, and ``"<x>.0"`` for
            an input.
        missed: Of cached nodes that failed, the digests of their code and inputs, by id.
        log: What nodes have printed or logged: pairs of a node's id and a text.
        within: Id of the run and of the node that started it; empty for a run that no task started.
    """

    id: str
    name: str
    kind: str
    state: str
    started: float
    duration_s: float
    engine: str
    host: str
    pid: int
    versions: Mapping[str, str]
    nodes: tuple[RecordedNode, ...] = ()
    error: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    missed: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    log: tuple[tuple[str, str], ...] = ()
    within: tuple[str, ...] = ()


def runs(name: str | None = None, *, limit: int | None = 100) -> list[RunRecord]:
    """The runs that were recorded in the store of this process, newest first.

    Args:
        name: Only those of the workflow or task of that name, or the run of that id.
        limit: At most so many; all with ``None``.

    >>> from celltask import task
    >>> @task
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> _ = double.run(x=1)
    >>> runs("double")[0].state
    'done'
    """
    found: list[RunRecord] = []
    for lines, alive in _files():
        records = [one for one in _records(lines, alive=alive) if name is None or name in (one.name, one.id)]
        found.extend(records)
        if limit is not None and len(found) >= 2 * limit:
            break  # files are newest first by their beginning, and their runs overlap a little
    found.sort(key=lambda one: one.started, reverse=True)
    return found[:limit]


def oldest_running() -> float | None:
    """When the oldest run that goes on began, in seconds since the epoch; none if none does."""
    started = [
        one.started
        for lines, alive in _files()
        if alive
        for one in _records(lines, alive=True)
        if one.state == "running"
    ]
    return min(started, default=None)


def remove_runs(older_than: float) -> int:
    """Remove the records of processes that have ended and wrote nothing since then; how many files that were."""
    folder = folder_of("runs")
    count = 0
    for name in _names(folder):
        path = f"{folder}/{name}"
        with suppress(OSError):
            if os.stat(path).st_mtime < older_than and not is_alive(path):  # noqa: PTH116 - pathlib is slow to import
                os.unlink(path)  # noqa: PTH108 - as above
                count += 1
    return count


def _names(folder: str | None) -> list[str]:
    """Files of records, newest first."""
    if folder is None:
        return []
    try:
        return sorted((name for name in os.listdir(folder) if name.endswith(".jsonl")), reverse=True)  # noqa: PTH208 - as above
    except OSError:
        return []


def _files() -> Iterator[tuple[Sequence[str], bool]]:
    """The lines of each file of records, and whether its process goes on."""
    folder = folder_of("runs")
    if folder is None:
        yield list(in_memory), True
    for name in _names(folder):
        path = f"{folder}/{name}"
        with suppress(OSError):
            alive = is_alive(path)  # asked first: what ends in between is told as it ended
            with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
                lines = file.readlines()
            yield lines, alive


Line = dict[str, object]
_Call = tuple[str, str, str, int, int, int, str]


def _records(lines: Sequence[str], *, alive: bool) -> list[RunRecord]:
    head: Line = {}
    by_run: dict[str, Line] = {}
    for text in lines:
        try:
            line = json.loads(text)
            if "run" not in line:
                head = line
                continue
            _merge(by_run.setdefault(line["run"], {}), line)
        except (ValueError, TypeError, AttributeError):
            continue  # the last line of a process that was killed
    return [_record(line, head, alive=alive) for line in by_run.values() if "at" in line]


def _merge(known: Line, line: Line) -> None:
    """Add what a line says to what earlier ones said of the same run."""
    before, now = known.get("states"), line.get("states")
    known.update(line)
    if isinstance(before, dict) and isinstance(now, dict):
        known["states"] = before | now
    if "state" in line and "states" not in line:
        known.pop("states", None)  # at the end, none means that all are done


def _record(line: Line, head: Line, *, alive: bool) -> RunRecord:
    state = str(line.get("state") or ("running" if alive else "lost"))
    return RunRecord(
        id=str(line["run"]),
        name=str(line.get("name")),
        kind=str(line.get("kind")),
        state=state,
        started=cast("float", line["at"]),
        duration_s=cast("float", line.get("seconds", 0.0)),
        engine=str(line.get("engine")),
        host=str(head.get("host", "")),
        pid=cast("int", head.get("pid", 0)),
        versions={key: str(head[key]) for key in ("celltask", "python") if key in head},
        nodes=_nodes(line),
        error=str(line.get("error", "")),
        code=cast("dict[str, str]", line.get("code", {})),
        digests=cast("dict[str, str]", line.get("digests", {})),
        missed=cast("dict[str, dict[str, object]]", line.get("missed", {})),
        log=tuple((str(node), str(text)) for node, text in cast("list[list[str]]", line.get("log", []))),
        within=tuple(map(str, cast("list[str]", line.get("within", [])))),
    )


def _nodes(line: Line) -> tuple[RecordedNode, ...]:
    ids = cast("list[str]", line.get("ids", []))
    labels = cast("list[str]", line.get("labels", ids))
    tasks = cast("list[str]", line.get("tasks", labels))
    told, has_ended = line.get("states"), "state" in line
    changed = cast("dict[str, str]", told) if isinstance(told, dict) else {}
    states = (
        told
        if isinstance(told, list)
        else ["done" if has_ended else changed.get(str(at), "queued") for at in range(len(ids))]
    )
    begun = cast("list[int]", line.get("begun", [-1] * len(ids)))
    took = cast("list[int]", line.get("took", [0] * len(ids)))
    attempts = cast("list[int]", line.get("attempts", [1] * len(ids)))
    errors = cast("dict[str, str]", line.get("errors", {}))
    more = cast("dict[str, dict[str, int]]", line.get("more_calls", {}))
    start = cast("float", line["at"])
    found = [
        RecordedNode(
            one, labels[at], tasks[at], str(states[at]), start + begun[at] / 1e6 if begun[at] >= 0 else 0.0,
            took[at] / 1e6, attempts[at], errors.get(one, ""), more.get(one, {}),
        )
        for at, one in enumerate(ids)
    ]  # fmt: skip
    found += [
        RecordedNode(one, task, task, state, start + since / 1e6, lasted / 1e6, count, error)
        for one, task, state, since, lasted, count, error in cast("list[_Call]", line.get("calls", []))
    ]
    return tuple(sorted(found, key=_place))


def _place(node: RecordedNode) -> list[int]:
    """What puts a node in the order of definition; what ran beside the nodes comes behind them."""
    return [int(part) if part.isdigit() else 1 << 40 for part in re.findall(r"\d+|on_failure", node.id)]
