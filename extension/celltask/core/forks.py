"""Forks: how a run knows that it goes on in a second process, where a body that forked came to its end once more."""

from __future__ import annotations

import os

__all__ = ["leave_if_forked", "times_forked"]

_count = 0


def times_forked() -> int:
    """How many forks lie between the first process and this one."""
    return _count


def leave_if_forked(before: int) -> None:
    """End this process if it is no longer the one that `times_forked` told of; the run goes on there."""
    if _count != before:
        os._exit(0)


def _one_more() -> None:
    global _count  # noqa: PLW0603 - each process has its own
    _count += 1


os.register_at_fork(after_in_child=_one_more)
