"""Settings: how a run is to be carried out, as its caller asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celltask.core.events import Event

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a caller may say about one run; none of it changes what the run computes.

    Attributes:
        engine: The engine: its name (``"threads"``, ``"inline"``, …), with where it is if it is told
            (``"dask:tcp://10.0.0.5:8786"``), or what it works with: a Dask client or cluster.
        on_event: Called with each event as it happens, or ``None``.
        refresh: Whether cached results are computed anew and replaced.
        answers: Values for the nodes that ask for one, by the name of the node.
    """

    engine: object = "threads"
    on_event: Callable[[Event], object] | None = None
    refresh: bool = False
    answers: Mapping[str, object] = field(default_factory=dict)
