"""Identity: the digest of a traced graph, for caches and comparison."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from celltask.core.graph import Collected, Constant
from celltask.core.types.base import Mismatch
from celltask.core.types.digest import digest_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.core.graph import Binding
    from celltask.core.tracing import Trace

__all__ = ["digest_of", "identity", "trace_digest"]


def trace_digest(trace: Trace) -> str:
    """Identity of a graph: its wiring, and the digests of all that its nodes run."""
    parts = [str(trace.interface)]
    for node in trace.nodes:
        wiring = ", ".join(identity(binding) for binding in node.bindings)
        parts.append(f"{node.id} {node.label} {node.entity}({wiring}) after {node.after} with {node.overrides}")
    parts += [identity(binding) for binding in trace.outputs]
    parts += [f"{key}={member.digest}" for key, member in sorted(trace.keys.items())]
    return digest_of(parts)


def digest_of(parts: Iterable[str]) -> str:
    """One digest of several texts.

    >>> digest_of(["a"])[:8]
    'ca978112'
    """
    return sha256("\0".join(parts).encode()).hexdigest()


def identity(binding: Binding | None) -> str:
    """Text of a binding that is the same for the same wiring, and for constants of the same content."""
    if isinstance(binding, Collected):
        return f"{binding.kind} {binding.keys} {[identity(item) for item in binding.items]}"
    if isinstance(binding, Constant):
        try:
            return digest_value(binding.value)
        except Mismatch:  # no content to tell: its class is all there is
            return f"a {type(binding.value).__qualname__}"
    return repr(binding)
