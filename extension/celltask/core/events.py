"""What happens in a run, told as it happens.

A listener is any callable that takes one event. It is called on the thread where the event happened, so it must
be quick and thread-safe. What it raises stops the run and becomes the run's error; it is told nothing more then.
Times are seconds since the epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from celltask.core.graph import Graph

__all__ = [
    "Event",
    "GraphMade",
    "NodeFailed",
    "NodeFinished",
    "NodePrinted",
    "NodeProgress",
    "NodeRepeated",
    "NodeRetried",
    "NodeReused",
    "NodeSkipped",
    "NodeStarted",
    "RunFinished",
    "RunStarted",
]


class RunStarted(NamedTuple):
    """A run begins; `nodes` are the ids it will go through."""

    run: str
    name: str
    nodes: tuple[str, ...]
    at: float


class NodeStarted(NamedTuple):
    """A node begins.

    Why it is not reused is told by `Run.why`: finding that out takes longer than looking for a result.
    """

    run: str
    node: str
    at: float


class NodeRetried(NamedTuple):
    """An attempt failed; the next one begins after `delay_s` seconds."""

    run: str
    node: str
    attempt: int
    error: BaseException
    delay_s: float


class NodeRepeated(NamedTuple):
    """A node begins once more, though it had begun or ended before; `reason` says what was lost."""

    run: str
    node: str
    reason: str


class NodeReused(NamedTuple):
    """A node was not run, because its result is known; `reason` says why."""

    run: str
    node: str
    reason: str


class NodeProgress(NamedTuple):
    """A node of many items goes on: `done` and `failed` of `total` have ended; told at most ten times a second."""

    run: str
    node: str
    done: int
    failed: int
    total: int


class GraphMade(NamedTuple):
    """A node made a graph while running, and goes through it now."""

    run: str
    node: str
    graph: Graph


class NodePrinted(NamedTuple):
    """The body of a node printed `text` to `stream`, ``"stdout"`` or ``"stderr"``."""

    run: str
    node: str
    stream: str
    text: str


class NodeFinished(NamedTuple):
    """A node ended well."""

    run: str
    node: str
    duration_s: float


class NodeFailed(NamedTuple):
    """A node ended with an error, after all its retries."""

    run: str
    node: str
    error: BaseException
    duration_s: float


class NodeSkipped(NamedTuple):
    """A node did not run, because of what happened before it; `state` is ``"skipped"`` or ``"cancelled"``."""

    run: str
    node: str
    state: str
    reason: str


class RunFinished(NamedTuple):
    """A run is over; `state` is ``"done"``, ``"failed"`` or ``"cancelled"``."""

    run: str
    state: str
    duration_s: float


Event = (
    RunStarted
    | NodeStarted
    | NodePrinted
    | NodeRepeated
    | NodeRetried
    | NodeReused
    | NodeProgress
    | GraphMade
    | NodeFinished
    | NodeFailed
    | NodeSkipped
    | RunFinished
)
