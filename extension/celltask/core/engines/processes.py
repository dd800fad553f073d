"""Processes: for bodies that compute in Python itself, that may crash, or that must be stopped in time."""

from __future__ import annotations

import os

from celltask.core.engines.children import START_METHODS, Children
from celltask.core.engines.threads import ThreadsEngine
from celltask.errors import RunError

__all__ = ["ProcessesEngine"]


class ProcessesEngine(ThreadsEngine):
    """As many processes as there are CPUs, each spoken to by a thread of its own; they are started at first need.

    The environment variable ``CELLTASK_START_METHOD`` says how: ``spawn`` (the default: a fresh interpreter), ``fork``
    or ``forkserver``.

    Raises:
        RunError: If that names another method.
    """

    def __init__(self) -> None:
        super().__init__()
        method = os.environ.get("CELLTASK_START_METHOD", "spawn")
        if method not in START_METHODS:
            told = f"CELLTASK_START_METHOD={method} is no way to start a process"
            raise RunError(told, mend=f"use one of: {', '.join(START_METHODS)}")
        self.workers = (os.cpu_count() or 1) - 1
        self.guests = Children(method)
