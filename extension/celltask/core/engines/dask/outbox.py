"""Outbox: what a worker tells the client, in as few messages as its event loop makes of it. It holds state."""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["Outbox"]


class Outbox:
    """The way to the listeners of one topic.

    What is told before a part ends leaves before the news of its end: both go through the loop of the worker in turn.

    Args:
        worker: The worker that tells it.
        topic: Who listens.
    """

    def __init__(self, worker: Worker, topic: str) -> None:
        self._worker, self._topic = worker, topic
        self._waiting: list[tuple[object, ...]] = []
        self._lock = threading.Lock()

    def tell(self, *message: object) -> None:
        """Send a message soon."""
        with self._lock:
            self._waiting.append(message)
            if len(self._waiting) > 1:
                return
        self._worker.loop.add_callback(self._send)

    def _send(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if waiting:
            self._worker.log_event(self._topic, pickle.dumps(waiting, 5))
