"""Hidden state of a document: what its cells need of each other without a name that shows it, found by trying.

The document is executed once, with a snapshot after each cell. From these it is executed again without one cell, or
with two neighbours in the other order; a cell that then fails or shows something else, though no name ties it to what
was changed, has been told apart.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from celltask.documents.kernels.snapshots import Snapshots
from celltask.documents.needs import Needs
from celltask.documents.verdict import judge, must_raise, skip_reason, timeout_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from celltask.documents.kernels.kernel import Kernel
    from celltask.documents.kernels.pool import Kernels
    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.session import Stage
    from celltask.documents.shell.scratch import Scratch

__all__ = ["Audit", "Finding", "audit"]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_MOST_MIB = 8000
_NAME_ERROR = re.compile(r"NameError: name '(\w+)' is not defined")


class Finding(NamedTuple):
    """One thing that a reader of the document cannot see."""

    kind: Literal["order", "failure", "hidden", "swap", "unneeded"]
    """``"order"``: a name is used before it is bound; ``"failure"``: a cell fails, whatever the reason; ``"hidden"``:
    it needs another cell without a name that shows it; ``"swap"``: two neighbours that share no name depend on their
    order; ``"unneeded"``: nothing needs the cell, which is no hidden state."""
    cell: int
    other: int | None
    """The cell that it needs, or whose place matters."""
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found of one document."""

    needs: Needs
    findings: tuple[Finding, ...]
    not_kept: dict[int, str] = field(default_factory=dict)
    """Why there is no snapshot after some cells; what needs one was tried from an earlier one."""
    unsteady: tuple[int, ...] = ()
    """Cells that show something else each time, of which only failures were looked at."""

    @property
    def has_hidden_state(self) -> bool:
        """Whether something was found that can surprise a reader."""
        return any(finding.kind != "unneeded" for finding in self.findings)


class _Seen(NamedTuple):
    """What became of a cell."""

    failure: str
    """One line; empty if it passed."""
    shown: str


async def audit(document: DocumentText, kernels: Kernels, stage: Stage) -> Audit:
    """What the cells of `document` need of each other.

    Raises:
        DocumentError: If it has no Python, an option of a cell cannot be read, or there is no kernel.
    """
    auditor = _Auditor(document, kernels, stage)
    try:
        return await auditor.audited()
    finally:
        await auditor.close()


class _Auditor:
    """Executes cells in one order after the other. Holds the first kernel and its snapshots."""

    def __init__(self, document: DocumentText, kernels: Kernels, stage: Stage) -> None:
        self._document, self._kernels, self._stage = document, kernels, stage
        self._needs = Needs.of(document)
        self._cells = [cell for cell in document.cells if not skip_reason(cell)]
        self._snapshots = Snapshots(most=len(self._cells) + 1, most_mib=_MOST_MIB)
        self._kernel: Kernel | None = None
        self._copies: Scratch | None = None
        self._first: dict[int, _Seen] = {}
        self._not_kept: dict[int, str] = {}
        self._unsteady: set[int] = set()

    async def close(self) -> None:
        self._snapshots.close()
        if self._kernel is not None:
            await self._kernel.stop()
        if self._copies is not None:
            self._copies.close()

    async def audited(self) -> Audit:
        await self._run_once()
        findings = await self._out_of_order()
        if not findings and 0 in self._snapshots.taken:
            again = await self._tried(0, self._cells)
            self._unsteady = {number for number, seen in again.items() if seen.shown != self._first[number].shown}
            hidden, unneeded = await self._without_one()
            findings = [*hidden, *await self._swapped(), *unneeded]
        return Audit(self._needs, tuple(findings), self._not_kept, tuple(sorted(self._unsteady)))

    async def _run_once(self) -> None:
        self._copies = self._stage.copies_for(self._document, self._kernels.folder)
        scene = self._stage.scene_in(self._copies)
        kernel = self._kernel = await self._kernels.take(self._stage.path, scene.environment)
        await kernel.begin(scene, self._document.cells)
        reason = await self._snapshots.prepare(kernel)
        for number, cell in [(0, None), *((cell.number, cell) for cell in self._cells)]:
            if cell is not None:
                self._first[number] = await self._seen(kernel, cell)
            kept = reason or await self._snapshots.take(kernel, number)
            if kept:
                self._not_kept[number] = kept

    async def _seen(self, kernel: Kernel, cell: Cell) -> _Seen:
        timeout_s = timeout_of(cell, self._stage.timeout_s)
        reply = await kernel.run(cell, timeout_s=timeout_s)
        failure = judge(reply, must_raise(cell), timeout_s=timeout_s)
        shown = [[output.get("text"), output.get("data")] for output in reply.outputs if "ename" not in output]
        return _Seen(failure.what if failure else "", _ADDRESS.sub("0x", json.dumps(shown, default=str)))

    async def _tried(self, after: int, cells: Iterable[Cell]) -> dict[int, _Seen]:
        """What becomes of these cells, in this order, in the state after cell number `after`."""
        kernel = await self._snapshots.resume(after, self._document.cells)
        try:
            return {cell.number: await self._seen(kernel, cell) for cell in cells}
        finally:
            await kernel.stop()

    async def _tried_from(self, first: Cell, cells: Sequence[Cell]) -> dict[int, _Seen]:
        """What becomes of `cells` where `first` would have come next."""
        after = self._snapshots.before(first) or 0
        between = [cell for cell in self._cells if after < cell.number < first.number]
        return await self._tried(after, [*between, *cells])

    async def _out_of_order(self) -> list[Finding]:
        """Cells that fail in the document's own order, and what they would have needed."""
        found = []
        for cell in self._cells:
            failure = self._first[cell.number].failure
            name = _NAME_ERROR.search(failure)
            below = self._needs.bound_below(name[1], cell.number) if name else None
            if name and below is not None:
                helps = ""
                if 0 in self._snapshots.taken:
                    other = self._document.cells[below - 1]
                    tried = await self._tried_from(cell, [other, cell])
                    helps = f"move cell {below} above cell {cell.number}" if not tried[cell.number].failure else ""
                what = f"uses {name[1]!r}, which only cell {below} below it defines"
                found.append(Finding("order", cell.number, below, what, helps))
            elif failure:
                found.append(Finding("failure", cell.number, None, f"fails in the order of the document: {failure}"))
        return found

    def _differs(self, number: int, seen: _Seen) -> str:
        """In which way a cell did something else than at first; empty if it did not."""
        if seen.failure:
            return f"fails ({seen.failure})"
        differs = number not in self._unsteady and seen.shown != self._first[number].shown
        return "shows something else" if differs else ""

    async def _without_one(self) -> tuple[list[Finding], list[Finding]]:
        """Needs of a cell that no name shows; and cells that nothing needs."""
        affected: dict[int, dict[int, str]] = {}
        for at, cell in enumerate(self._cells):
            tried = await self._tried_from(cell, self._cells[at + 1 :])
            told = {number: self._differs(number, seen) for number, seen in tried.items() if number > cell.number}
            affected[cell.number] = {number: how for number, how in told.items() if how}
        hidden = {
            (number, other): how
            for number, others in affected.items()
            for other, how in others.items()
            if other not in self._needs.shown(number)
        }
        found = []
        for (number, other), how in sorted(hidden.items()):
            if any(self._leads(hidden, number, between, other) for between in affected[number] if between < other):
                continue  # it is that one which it needs
            what = f"{how} without cell {number}, and no name shows that it needs it"
            mend = f"have cell {other} use a name that cell {number} defines"
            found.append(Finding("hidden", other, number, what, mend))
        return found, [*self._unneeded(affected)]

    def _leads(self, hidden: Collection[tuple[int, int]], number: int, between: int, other: int) -> bool:
        """Whether a need of cell `number` is that of a cell between them."""
        if (between, other) in hidden:
            return True
        return (number, between) in hidden and other in self._needs.shown(between)

    def _unneeded(self, affected: dict[int, dict[int, str]]) -> Iterable[Finding]:
        for cell in self._cells:
            names = self._needs.names.get(cell.number)
            if names is None or affected[cell.number] or self._first[cell.number].shown != "[]":
                continue
            if names.binds and not self._needs.needed_by(cell.number):
                listed = ", ".join(map(repr, sorted(names.binds)))
                yield Finding("unneeded", cell.number, None, f"nothing needs it: no other cell reads {listed}")

    async def _swapped(self) -> list[Finding]:
        """Neighbours that share no name, and yet depend on their order."""
        found = []
        for first, second in zip(self._cells, self._cells[1:], strict=False):
            if second.number in self._needs.shown(first.number):
                continue
            if (self._needs.names.get(first.number) is None) or (self._needs.names.get(second.number) is None):
                continue
            tried = await self._tried_from(first, [second, first])
            how = self._differs(first.number, tried[first.number])
            if how:
                what = f"{how} after cell {second.number}, and no name shows that their order matters"
                found.append(Finding("swap", first.number, second.number, what))
        return found
