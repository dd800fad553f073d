"""States of a kernel between two cells, kept by forks of it: a cell can be executed again without those above it.

A snapshot is a process that only waits; it shares its memory with the kernel as far as neither has changed it. From it,
any number of kernels can go on, each as if the cell before had just ended: the same objects, modules, options, random
numbers, working folder. What a fork cannot hold is refused with its reason (see `in_document`).
"""

from __future__ import annotations

import asyncio
import io
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.kernels.forked import ForkServer, told_at
from celltask.documents.kernels.kernel import Kernel
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from celltask.documents.outline import Cell

__all__ = ["Snapshots", "thinned"]

_ANSWER_S = 20.0
_WEIGH_EVERY = 8
_FEWEST = 2
_PARTS = {"in_transports": ["in_transports"], "in_document": ["in_document"], "in_snapshot": ["keeping", "in_snapshot"]}
"""What is executed for each module in the kernel."""
_OPEN = (
    "(lambda parts: ([exec(text, parts[name]) for name, text in {texts!r}], parts['in_snapshot']['install']("
    "get_ipython(), parts['in_transports']['Transports'], parts['in_document']['Document'])))"
    "({{name: {{'__name__': f'_celltask_{{name}}'}} for name in {names!r}}})"
)


class _Snapshot(NamedTuple):
    server: ForkServer
    pid: int
    folder: str
    """Of the run, in which kernels have theirs."""
    most_output: int
    """Characters that a cell may show."""


class Snapshots:
    """The states of one document's kernels, by the number of the cell after which each was taken; 0 is before all.

    Holds processes until `close`; they end by themselves when the process that took them ends, however it does.

    Args:
        most: Snapshots to keep; when there are more, the newest half stays, and every second of the others.
        most_mib: Memory that they may hold together; when it is more, the same is done. It is measured now and then.
    """

    def __init__(self, *, most: int = 32, most_mib: float = 4000) -> None:
        self._most, self._most_mib = most, most_mib
        self._taken: dict[int, _Snapshot] = {}

    @property
    def taken(self) -> tuple[int, ...]:
        """The cells after which there is a snapshot, in order."""
        return tuple(sorted(self._taken))

    def before(self, cell: Cell) -> int | None:
        """The newest of the snapshots before `cell`, by the cell after which it was taken; None if there is none."""
        return max((number for number in self._taken if number < cell.number), default=None)

    async def prepare(self, kernel: Kernel) -> str:
        """Have `kernel`, which has not executed any cell, let itself be kept later; not needed after `resume`.

        Returns:
            Why that is not possible, such as ``"snapshots need Linux"``; empty if it is.
        """
        told = await kernel.execute(_opening())
        return "" if told.get("status") == "ok" else str(told.get("evalue") or "the kernel does not answer")

    async def take(self, kernel: Kernel, after: int) -> str:
        """Keep the state of `kernel`, in which cell number `after` has just ended.

        Returns:
            Why there is no snapshot, such as ``"2 threads of the document run: …"``; empty if there is one.
        """
        door = Path(kernel.folder, "door")
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            told = await asyncio.wait_for(told_at(door, control), _ANSWER_S)
        except (TimeoutError, OSError):
            told = {}
        if "pid" not in told:
            control.close()
            return str(told.get("refused", "the kernel does not answer"))
        self.drop(after)
        server, folder = ForkServer(control, None, io.BytesIO()), str(Path(kernel.folder).parent)
        self._taken[after] = _Snapshot(server, told["pid"], folder, kernel.most_output)
        self._thin(weigh=not len(self._taken) % _WEIGH_EVERY)
        return ""

    async def resume(self, after: int, cells: Sequence[Cell]) -> Kernel:
        """A kernel in the state after cell number `after`; it is the caller's to stop, and outlives the snapshot.

        Args:
            after: One of `taken`.
            cells: Those of the document, as they are to be executed.

        Raises:
            DocumentError: If there is no such snapshot, or it has ended.
        """
        if after not in self._taken:
            raise DocumentError(f"there is no snapshot after cell {after}", mend=f"use one of: {self.taken}")
        taken = self._taken[after]
        kernel = Kernel(taken.server, folder=taken.folder)
        try:
            await kernel.start()
        except DocumentError as error:
            self.drop(after)
            raise DocumentError(f"the snapshot after cell {after} has ended") from error
        kernel.go_on(cells, taken.most_output)
        return kernel

    def process_of(self, after: int) -> int:
        """Number of the process that is the state after cell number `after`; 0 if there is no such state."""
        return self._taken[after].pid if after in self._taken else 0

    async def lend(self, process: int, request: Mapping[str, object], fds: Sequence[int]) -> None:
        """Let somebody else have a kernel in the state which that process is, as `ForkServer.pass_on` does.

        Raises:
            KeyError: If there is no such state any more.
            OSError: If the process has ended.
        """
        servers = {taken.pid: taken.server for taken in self._taken.values()}
        await servers[process].pass_on(request, fds)

    def drop(self, after: int) -> None:
        """Forget the state after cell number `after`, if there is one."""
        found = self._taken.pop(after, None)
        if found is not None:
            found.server.close()

    def close(self) -> None:
        """Forget all of them."""
        for number in self.taken:
            self.drop(number)

    def memory_mib(self) -> float:
        """Memory that the snapshots hold, each shared page counted once among those who share it."""
        kib = 0
        for taken in self._taken.values():
            with suppress(OSError, StopIteration):  # it has ended
                lines = Path(f"/proc/{taken.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
                kib += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
        return kib / 1024

    def _thin(self, *, weigh: bool) -> None:
        while len(self._taken) > self._most or (
            weigh and len(self._taken) > _FEWEST and self.memory_mib() > self._most_mib
        ):
            for number in set(self._taken) - set(thinned(self.taken)):
                self.drop(number)


def thinned(numbers: Collection[int]) -> list[int]:
    """The newer half of `numbers`, and every second of the others from the oldest on.

    >>> thinned(range(9))
    [0, 2, 4, 5, 6, 7, 8]
    >>> thinned([0, 1])
    [0, 1]
    """
    ordered = sorted(numbers)
    half = (len(ordered) + 1) // 2
    return [*ordered[:half:2], *ordered[half:]] if half > 1 else ordered


def _opening() -> str:
    folder = Path(__file__).parent
    texts = [
        (name, (folder / f"{file}.py").read_text(encoding="utf-8")) for name, files in _PARTS.items() for file in files
    ]
    return _OPEN.format(texts=texts, names=[*_PARTS])
