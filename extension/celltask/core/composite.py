"""The contract of what a node can run beside a task: a workflow, a map, a condition, a graph made while running.

To add one: write a subclass of `Composite` whose instances `Tracing.add` is given, with an interface and a
`carry_out` that uses what the run offers: `Execution.nest` runs a graph as the inside of the node.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celltask.core.execution import Execution
    from celltask.core.graph import Entity
    from celltask.core.interface import Interface

__all__ = ["Composite"]


class Composite(ABC):
    """Something that a run carries out in steps of its own, and that has no body.

    Attributes:
        name: Name it is shown under.
        interface: Typed inputs and named outputs.
        kind: What it is in pictures and help: ``"workflow"``, ``"map"``, …
        failure_policy: ``"stop"`` or ``"finish"``: what becomes of other steps within it after one failed.
    """

    name: str
    interface: Interface
    kind: str
    failure_policy: str = "stop"

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it is defined: ``"tutorial.md, cell 5, line 110"``."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Identity of the code: all that it may run."""

    @abstractmethod
    def is_current(self) -> bool:
        """Whether nothing that it runs was defined again since it was made."""

    @abstractmethod
    def entity(self) -> Entity:
        """The same as plain data, for pictures and help."""

    def reads(self) -> frozenset[str] | None:
        """Names of the inputs whose values `carry_out` looks at; ``None`` for all. It passes the others on."""
        return None

    def after_failure(self, execution: Execution) -> None:  # noqa: B027 - most have nothing to do
        """What is still to be done after `execution`, the inside of this, has failed; nothing by default."""

    @abstractmethod
    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """What a call gives, as the node at `place` of `execution`.

        Args:
            execution: The run that the node belongs to.
            place: Place of the node in its program.
            arguments: One value per input, not validated yet.
        """
