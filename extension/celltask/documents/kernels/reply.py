"""What became of one cell, as its kernel told it."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ended", "Reply", "how_it_ended"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a kernel's process ended, and what it used until then; the latter is known of forked kernels only."""

    code: int
    """Exit code; negative for a signal."""
    cpu_s: float | None = None
    peak_mib: float | None = None
    """Most memory that it held at once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one cell."""

    status: Literal["ok", "error", "timeout", "flood", "dead"]
    error: Mapping[str, object] | None = None
    """What it raised, as `in_kernel` tells it."""
    unseen: list[list[object]] = field(default_factory=list)
    """How, and what else was raised that the cell's status does not tell."""
    warned: list[list[object]] = field(default_factory=list)
    """Names of the class and its bases, message, file name and line of each warning that was shown."""
    name: str = ""
    """Class of the error by the kernel's own reply."""
    message: str = ""
    lines: tuple[str, ...] = ()
    """The kernel's own traceback."""
    ends_session: bool = False
    """Whether the cell called `exit` or `quit`."""
    outputs: list[dict[str, object]] = field(default_factory=list)
    """What it shows, as a notebook of format 4 holds it."""
    execution_count: int | None = None
    seconds: float = 0.0
    """From the request to the reply."""
    ended: Ended | None = None
    """Of a kernel that died."""

    @property
    def streams(self) -> dict[str, str]:
        """What it printed, by stream: ``stdout`` and ``stderr``."""
        found: dict[str, str] = {}
        for output in self.outputs:
            if output.get("output_type") == "stream":
                name = str(output["name"])
                found[name] = found.get(name, "") + str(output["text"])
        return found


def how_it_ended(ended: Ended | None) -> str:
    """How a process ended, in words.

    >>> how_it_ended(Ended(-11, cpu_s=1.25, peak_mib=90.0))
    'was killed by SIGSEGV (CPU 1.2 s, at most 90 MiB)'
    """
    if ended is None:
        return "ended, and nobody knows how"
    used = "" if ended.cpu_s is None else f" (CPU {ended.cpu_s:.1f} s, at most {ended.peak_mib:.0f} MiB)"
    if ended.code >= 0:
        return f"ended with exit code {ended.code}{used}"
    try:
        name = signal.Signals(-ended.code).name
    except ValueError:
        name = f"signal {-ended.code}"
    return f"was killed by {name}{used}"
