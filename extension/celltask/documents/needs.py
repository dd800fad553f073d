"""Which cells of a document need which others, as far as names show it; nothing is executed."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from celltask.documents.preparing import Prepared
from celltask.documents.scopes import root_of
from celltask.documents.statements import Program

if TYPE_CHECKING:
    from celltask.documents.outline import DocumentText

__all__ = ["CellNames", "Needs"]


@dataclass(slots=True)
class CellNames:
    """The names that one cell has to do with."""

    reads: set[str] = field(default_factory=set)
    """Read in it, not bound by it before."""
    binds: set[str] = field(default_factory=set)
    touches: set[str] = field(default_factory=set)
    """Read, bound or changed, where they may stand for data: not for modules or functions."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Names of each cell, by its number; cells that are not executed or cannot be read have none."""

    names: dict[int, CellNames]

    @classmethod
    def of(cls, document: DocumentText) -> Needs:
        """What the names of `document` show.

        Raises:
            DocumentError: If it has no Python.
        """
        program = Program.of(Prepared(document).trees)
        no_data = {
            *program.imports,
            *(name for item in program.statements if item.is_definition for name in item.names.binds),
        }
        found: dict[int, CellNames] = {}
        for statement in program.statements:
            cell = found.setdefault(statement.cell.number, CellNames())
            names = statement.names
            cell.reads |= names.reads - cell.binds
            cell.binds |= names.binds
            changed = {root_of(call.func) for call in names.methods}
            cell.touches |= (names.reads | names.binds | names.changes | changed) - no_data
        return cls(found)

    def needed_by(self, number: int) -> dict[int, list[str]]:
        """The cells below that read what this cell binds, each with the names; until another binds them anew."""
        given = set(self.names.get(number, CellNames()).binds)
        found = {}
        for other in sorted(self.names):
            if other > number and given:
                read = self.names[other].reads & given
                if read:
                    found[other] = sorted(read)
                given -= self.names[other].binds - self.names[other].reads
        return found

    def shown(self, number: int) -> set[int]:
        """The cells below whose need of this one can be seen: by a name that both use, or through other cells."""
        reached: set[int] = set()
        waiting = [number]
        while waiting:
            giver = waiting.pop()
            found = {other for other in self.names if other not in reached and self._is_tied(giver, other)}
            reached |= found
            waiting.extend(found)
        return {other for other in reached if other > number}

    def _is_tied(self, giver: int, user: int) -> bool:
        """Whether `user` shows that it needs `giver`; a function may read what is bound further below."""
        first, second = self.names.get(giver, CellNames()), self.names[user]
        return bool(first.binds & second.reads) or (giver < user and bool(first.touches & second.touches))

    def bound_below(self, name: str, number: int) -> int | None:
        """The first cell below cell `number` that binds `name`; None if there is none, or one above binds it."""
        binders = [other for other in sorted(self.names) if name in self.names[other].binds]
        if hasattr(builtins, name) or any(other < number for other in binders):
            return None
        return next((other for other in binders if other > number), None)
