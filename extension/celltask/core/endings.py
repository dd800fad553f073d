"""Endings: what a run gives from the results of its nodes, and what it is called after an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.calling import mismatch
from celltask.core.distant import Distant
from celltask.core.types.base import Mismatch
from celltask.errors import RunCancelledError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from celltask.core.bindings import Getter
    from celltask.core.composite import Composite
    from celltask.core.task import Task

__all__ = ["cancelled", "outputs_value"]


def cancelled() -> RunCancelledError:
    """The error of a run that was cancelled."""
    return RunCancelledError("the run was cancelled", mend="run it again; what is cached is reused")


def outputs_value(member: Task[..., object] | Composite, getters: Iterable[Getter], values: Sequence[object]) -> object:
    """What a call of `member` returns, from the results of the nodes.

    Raises:
        ValueMismatchError: If one does not fit the type of its output.
    """
    __tracebackhide__ = True
    interface, items = member.interface, []
    for port, get in zip(interface.outputs, getters, strict=True):
        try:
            value = get(values)
            items.append(value if value.__class__ is Distant else port.handler.release(value))
        except Mismatch as error:
            raise mismatch(port, member, error) from None
    if interface.result == "none":
        return None
    if interface.result == "single":
        return items[0]
    return interface.returned(tuple(items))
