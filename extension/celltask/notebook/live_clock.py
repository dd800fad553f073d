"""Clock: one thread that looks after all runs that are shown. It holds state."""

from __future__ import annotations

import sys
import threading
import time
from typing import Protocol

__all__ = ["Clock", "tell_failure"]

PERIOD_S = 0.05


class Ticking(Protocol):
    """What the clock looks after."""

    is_over: bool

    def tick(self) -> None:
        """Called from time to time until it is over."""
        ...


class Clock:
    """Ticks twenty times a second while there is something to look after, and sleeps otherwise."""

    def __init__(self) -> None:
        self._watched: list[Ticking] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def add(self, one: Ticking) -> None:
        """Look after `one` until it is over."""
        with self._lock:
            self._watched.append(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="celltask live")
                self._thread.start()
            if not self._wake.is_set():
                self._wake.set()

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._wake.set()

    def _work(self) -> None:
        while not self._stopped:
            self._wake.wait()
            time.sleep(PERIOD_S)
            with self._lock:
                self._watched = watched = [one for one in self._watched if not one.is_over]
                if not watched and not self._stopped:
                    self._wake.clear()
            for one in watched:
                self._tick(one)

    def _tick(self, one: Ticking) -> None:
        try:
            one.tick()
        except Exception as error:  # noqa: BLE001 - border: a front end, a user's value; the run itself must go on
            with self._lock:
                self._watched = [other for other in self._watched if other is not one]
            tell_failure(error)


def tell_failure(error: Exception) -> None:
    """Tell that a run cannot be shown; the run itself goes on."""
    told = f"celltask: this run is not shown any further: {type(error).__name__}: {error}"
    print(told, file=sys.stderr)  # noqa: T201 - told where the user looks
