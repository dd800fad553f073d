"""Policies: what becomes of other nodes after one failed."""

from __future__ import annotations

from celltask.errors import InterfaceError

__all__ = ["policy_of"]

_IN_FLYTE = {"FAIL_IMMEDIATELY": "stop", "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE": "finish"}


def policy_of(given: object) -> str:
    """A failure policy as `Workflow` keeps it, from its name here or in Flyte, or from Flyte's enum.

    Raises:
        InterfaceError: If it is neither.

    >>> policy_of("finish"), policy_of("FAIL_IMMEDIATELY")
    ('finish', 'stop')
    """
    name = str(getattr(given, "name", given))
    if name in ("stop", "finish"):
        return name
    if name in _IN_FLYTE:
        return _IN_FLYTE[name]
    raise InterfaceError(f"failure_policy {given!r} is not known", mend='use "stop" or "finish"')
