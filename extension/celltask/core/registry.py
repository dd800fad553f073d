"""Registry: what is defined in this process, by name, and what a redefinition makes stale. It holds state."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from celltask.core.task import Task
    from celltask.core.workflow import Workflow

    Definition: TypeAlias = Task[..., object] | Workflow[..., object]

_GRAPHS = ("workflow", "dynamic", "preset")
"""Kinds of what is listed as a workflow."""

__all__ = ["Registry", "registry"]


class Registry:
    """Tasks and workflows by module and name; a later definition replaces an earlier one of the same name.

    Attributes:
        generation: Counts redefinitions; a workflow traced in an older generation is traced again when it is used.
        epoch: Counts everything that may change what names mean (redefinitions, and cells that ran); what was
            derived from code in an older epoch is derived again.
    """

    def __init__(self) -> None:
        self._defined: dict[tuple[str, str], Definition] = {}
        self.generation = 0
        self.epoch = 0

    def add(self, definition: Definition) -> None:
        """Make `definition` the current one of its module and name."""
        key = (definition.module, definition.name)
        if key in self._defined:
            self.generation += 1
            del self._defined[key]  # the newest stands last
        self._defined[key] = definition
        self.epoch += 1

    def discard(self, definition: Definition) -> None:
        """Forget `definition`, if it is the current one of its name: it was refused after all."""
        key = (definition.module, definition.name)
        if self._defined.get(key) is definition:
            del self._defined[key]
            self.generation += 1
            self.epoch += 1

    def touch(self) -> None:
        """Say that code was run which may have changed what names mean."""
        self.epoch += 1

    def is_current(self, definition: Definition) -> bool:
        """Whether nothing of the same module and name was defined after `definition`."""
        return self._defined.get((definition.module, definition.name), definition) is definition

    def current(self, definition: Definition) -> Definition:
        """What was defined last under the module and name of `definition`."""
        return self._defined.get((definition.module, definition.name), definition)

    def get(self, name: str) -> Definition | None:
        """The newest definition called `name` in any module, or ``None``."""
        return {found.name: found for found in self}.get(name)

    def tasks(self) -> dict[str, Task[..., object]]:
        """The current tasks by name, in the order of definition; across modules the newest of a name counts."""
        return {found.name: found for found in self if found.kind not in _GRAPHS}  # type: ignore[misc]  # its kind tells its class

    def workflows(self) -> dict[str, Workflow[..., object]]:
        """The current workflows by name, in the order of definition; across modules the newest of a name counts."""
        return {found.name: found for found in self if found.kind in _GRAPHS}  # type: ignore[misc]  # its kind tells its class

    def __iter__(self) -> Iterator[Definition]:
        """What is current now, oldest first; another thread may define more meanwhile."""
        return iter(list(self._defined.values()))


registry = Registry()
"""What is defined in this process."""
