"""Distant: a value that stays on a cluster while a node of this process passes it on without looking at it."""

from __future__ import annotations

__all__ = ["Distant"]


class Distant:
    """Stands for a value of a run that is elsewhere.

    It is not checked where it passes; each task that gets the value checks it.

    Args:
        key: Its name there.
        item: The item of the value there that is meant, or ``None`` for the whole.
        hold: What keeps it there.
    """

    __slots__ = ("hold", "item", "key")

    def __init__(self, key: tuple[str, int], item: int | None, hold: object) -> None:
        self.key, self.item, self.hold = key, item, hold

    def __repr__(self) -> str:
        return "<a value on the cluster>"
