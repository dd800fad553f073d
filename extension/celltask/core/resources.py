"""Resources: what a task asks of the machine it runs on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from celltask.errors import InterfaceError

__all__ = ["Resources"]

_UNITS = {
    "": 1,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


@dataclass(frozen=True, slots=True)
class Resources:
    """CPUs, memory and GPUs that a task asks for.

    Args:
        cpu: Cores; a fraction shares one. ``None`` if it does not matter.
        memory: Bytes as a number, or text such as ``"8GiB"``, ``"500M"`` (1000-based without the ``i``).
        gpu: Devices.

    Raises:
        InterfaceError: If an amount is negative or cannot be read.

    >>> Resources(cpu=2, memory="8GiB").memory_bytes
    8589934592
    """

    cpu: float | None = None
    memory: str | int | None = None
    gpu: int = 0

    def __post_init__(self) -> None:
        for name in ("cpu", "gpu"):
            amount = getattr(self, name)
            if isinstance(amount, str):  # "2", as Kubernetes and Flyte write it
                try:
                    object.__setattr__(self, name, float(amount) if name == "cpu" else int(amount))
                except ValueError:
                    raise InterfaceError(
                        f"{name} {amount!r} is not a number", mend=f"write for example {name}=2"
                    ) from None
        if (self.cpu is not None and not self.cpu > 0) or self.gpu < 0:  # no number is above or below nan
            raise InterfaceError(f"{self!r} asks for less than nothing", mend="give amounts above 0")
        if self.memory is not None and (self.memory_bytes or 0) <= 0:
            raise InterfaceError(f"{self!r} asks for less than nothing", mend="give amounts above 0")

    @property
    def memory_bytes(self) -> int | None:
        """The memory in bytes, ``None`` if it does not matter."""
        if self.memory is None or isinstance(self.memory, int):
            return self.memory
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?\s*", self.memory)
        if match is None:
            raise InterfaceError(f"memory {self.memory!r} cannot be read", mend='write for example "8GiB" or "500M"')
        return int(float(match[1]) * _UNITS[match[2] or ""])
