"""Forks: how a run knows that it goes on in a second process, where a body that forked came to its end once more."""

from __future__ import annotations

import os
from typing import NoReturn

__all__ = ["count", "leave"]

count = 0
"""How many forks lie between the first process and this one."""


def leave() -> NoReturn:
    """End this process; the run goes on in the one before it."""
    os._exit(0)


def _one_more() -> None:
    global count  # noqa: PLW0603 - each process has its own
    count += 1


os.register_at_fork(after_in_child=_one_more)
