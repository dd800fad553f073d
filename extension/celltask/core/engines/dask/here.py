"""Here: nodes that need values in this process: conditions, maps, graphs made while running.

Each runs on a thread of its own, since its inside may be handed over to the cluster too and is waited for there.
"""

from __future__ import annotations

from contextvars import copy_context
from operator import itemgetter
from typing import TYPE_CHECKING

from celltask.core.engines.dask.shipment import Carried
from celltask.core.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import ThreadPoolExecutor

    from celltask.core.engines.dask.offices import Office
    from celltask.core.engines.dask.scopes import Scope

__all__ = ["Here"]

_MOST = 32


class Here:
    """The nodes of one crew that run here. It holds state: which do.

    Args:
        office: Where values come from.
        tell: Called with a message when one has ended.
    """

    def __init__(self, office: Office, tell: Callable[[tuple[object, ...]], None]) -> None:
        self._office, self._tell = office, tell
        self._running: set[tuple[int, int]] = set()
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, scope: Scope, place: int) -> None:
        """Run the node at `place`; its values are fetched before."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only these nodes need it

            self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="celltask here")
        self._running.add((scope.number, place))
        self._pool.submit(copy_context().run, self._work, scope, place)

    def runs(self, scope: Scope, place: int) -> bool:
        """Whether the node runs now."""
        return (scope.number, place) in self._running

    def _work(self, scope: Scope, place: int) -> None:
        try:
            self._provide(scope, place)
            scope.execution.do(place)
        except BaseException as error:  # noqa: BLE001 - border: the crew raises it
            self._tell(("", 0, "here", scope, place, error))
        else:
            self._tell(("", 0, "here", scope, place, None))
        finally:
            self._running.discard((scope.number, place))

    def _provide(self, scope: Scope, place: int) -> None:
        """Bring the values that the node looks at to this process; for others, something stands for them."""
        step = scope.step(place)
        member, fetched = step.member, list[int]()
        reads = None if isinstance(member, Task) else member.reads()
        for binding, get, port in zip(step.node.bindings, step.getters, member.interface.inputs, strict=True):
            sources = scope.sources([binding])
            if reads is None or port.name in reads or not isinstance(get, itemgetter):
                fetched += sources
                continue
            for source in sources:
                if source in scope.keys and source not in scope.fetched:
                    scope.execution.values[source] = self._office.distant(*scope.keys[source])
        self.fetch(scope, fetched)

    def fetch(self, scope: Scope, places: Iterable[int]) -> None:
        """Bring the values of these places to this process, together."""
        wanted = {place: scope.keys[place] for place in places if place in scope.keys and place not in scope.fetched}
        values = self._office.gather([key for key, _ in wanted.values()])
        for place, (key, item) in wanted.items():
            value = values[key]
            value = value.value if isinstance(value, Carried) else value
            scope.execution.values[place] = value if item is None else value[item]  # type: ignore[index]  # what an entry gives
            scope.fetched.add(place)

    def close(self) -> None:
        """Begin nothing more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
