"""The contract of an engine: it runs jobs beside the calling thread.

To add one: write a class that has `workers`, `submit`, `guests` and `crew` as below, and register it as an entry point
in the group ``celltask.engines``. It is made without arguments, or with what follows the colon in ``"NAME:…"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from celltask.core.context import NodeContext
    from celltask.core.execution import Execution
    from celltask.core.items import Items, Outcome
    from celltask.core.task import Task

__all__ = ["Engine", "Guests", "Hands"]


class Guests(Protocol):
    """Runs the bodies of tasks in other processes."""

    def call(self, task: Task[..., object], args: tuple[object, ...], context: NodeContext) -> object:
        """What one attempt at the body of `task` returns for `args`, with its timeout, environment and resources.

        Raises:
            BaseException: What the body raised, or what kept it from running to its end.
        """
        ...

    def call_many(self, items: Items, context: NodeContext) -> Outcome:
        """What became of some items of a map, all run in one process; the task is plain.

        Raises:
            WorkerDiedError: If the process ended in the middle.
            RunError: If something cannot travel, or the run was cancelled.
        """
        ...

    def end(self, run: str) -> None:
        """End the bodies that run for the run with this id."""
        ...


class Hands(Protocol):
    """Those who work on the nodes of one execution."""

    @property
    def run_items(self) -> Callable[[Items], Outcome] | None:
        """What carries out some items of a map, if they are not to be carried out on the thread that they are on."""
        ...

    def work(self) -> None:
        """Run nodes until none can become ready any more.

        Raises:
            BaseException: What is no matter of a single node: an interrupt, or the loss of all workers.
        """
        ...

    def stop(self) -> None:
        """Wake who waits, after the execution was told to stop; called on any thread."""
        ...

    def untaken(self) -> Sequence[int]:
        """Places of nodes that surely never begin, after the execution was told to begin no more; as far as known."""
        ...


class Engine(Protocol):
    """Runs jobs somewhere; knows nothing of graphs, caches or notebooks."""

    @property
    def guests(self) -> Guests | None:
        """Where bodies run, if not on the thread that their node is on."""
        ...

    @property
    def crew(self) -> Callable[[Execution], Hands] | None:
        """Who works on an execution, if not threads of this process."""
        ...

    @property
    def workers(self) -> int:
        """How many jobs it can run at once, beside the calling thread; 0 if it runs none."""
        ...

    def submit(self, job: Callable[[], object]) -> object:
        """Start `job` and return at once."""
        ...
