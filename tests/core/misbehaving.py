"""Tasks whose bodies end their process, or return what cannot leave it."""

from __future__ import annotations

import os
import signal

from celltask import task


@task
def leave(x: int) -> int:
    """End the process."""
    os._exit(x)


@task
def crash(x: int) -> int:
    """Be killed by the system."""
    os.kill(os.getpid(), signal.SIGSEGV)
    return x


@task
def unpicklable(x: int) -> object:
    """Return what cannot leave its process."""
    return (number for number in range(x))
