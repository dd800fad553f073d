"""Chunks: some items of a map, sent to a worker as one job; values and errors come back to the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from distributed import get_worker

from celltask.core.calls import Calls
from celltask.core.engines.dask.worker import guests_for, plain, yard_of
from celltask.core.events import NodeRetried
from celltask.core.items import Items, Outcome, run_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celltask.core.engines.dask.outbox import Outbox
    from celltask.core.events import Event

__all__ = ["Chunk", "carry_items"]


@dataclass(frozen=True)
class Chunk:
    """Some items without their task and values; as in `Items`."""

    digest: str
    first: int
    size: int
    stops: bool
    node: str
    concurrency: int | None
    first_call: int


def carry_items(name: str, chunk: Chunk, columns: Sequence[Sequence[object] | None], *fixed: object) -> Outcome:
    """What calling the task for each item gives, here; errors as `plain` packs them."""
    yard = yard_of(name)
    task = yard.hold.task(chunk.digest)
    box = yard.outbox(get_worker())
    calls = Calls(chunk.first_call)
    items = Items(
        task, tuple(columns), fixed, chunk.first, chunk.size, chunk.stops, yard.shipment.run, chunk.node,
        lambda event: _pass_on(event, name, box), chunk.concurrency, guests_for(task), yard.hold.control, is_away=True,
        calls=calls,
    )  # fmt: skip
    with yard.as_there():
        outcome = run_items(items)
    errors = {place: plain(error) for place, error in outcome.errors.items()}
    return outcome._replace(errors=cast("dict[int, BaseException]", errors), calls=calls.told() if calls.rows else None)


def _pass_on(event: Event, name: str, box: Outbox) -> None:
    """Tell the client what happens to an item."""
    if isinstance(event, NodeRetried):
        box.tell(name, 0, "item", event._replace(error=None), plain(event.error))  # type: ignore[arg-type]  # as told
    else:
        box.tell(name, 0, "item", event, None)
