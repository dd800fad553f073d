"""Onlookers: who sees every run of this process as it happens, without its caller having asked. It holds state.

A notebook is one: it shows runs under the cells that begin them. With no onlooker a run asks one empty list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from celltask.core.context import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from celltask.core.composite import Composite
    from celltask.core.events import Event
    from celltask.core.run import Run, Running
    from celltask.core.task import Task

__all__ = ["Onlooker", "onlooker_of", "openers"]


class Onlooker(Protocol):
    """Looks at one run from its start to its end; what it raises would stop the run, so it raises nothing.

    Attributes:
        wants_values: Whether it is to be told inputs and outputs of nodes.
    """

    wants_values: bool

    def look(self, event: Event) -> object:
        """Called with each event, on the thread where it happened."""
        ...

    def given(self, node: str, member: Task[..., object] | Composite, arguments: Sequence[object]) -> None:
        """Called before the node of that id begins, with its inputs."""
        ...

    def gave(self, node: str, member: Task[..., object] | Composite, value: object) -> None:
        """Called when the node has ended well, with what it returned."""
        ...

    def end(self, run: Run | None) -> None:
        """Called once, when the run is over; ``None`` if it could not be carried out."""
        ...


openers: list[Callable[[Running], Onlooker | None]] = []
"""Each is asked when a run begins, and gives the one who will look at it, or ``None``."""


def onlooker_of(running: Running) -> Onlooker | None:
    """Who looks at `running`: the first that wants to; nobody at a run within another one."""
    if not openers or ACTIVE.get() is not None:
        return None
    return next((found for opener in openers if (found := opener(running)) is not None), None)
