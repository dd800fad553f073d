"""A document while it is tested: one kernel, cells in order, each executed at most once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.expected.doctest_run import run_examples_async
from celltask.documents.report import relative
from celltask.documents.shell.scratch import Scratch
from celltask.documents.verdict import Failure, headline, judge, must_raise, skip_reason, timeout_of
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from celltask.documents.expected.doctests import DoctestBlock
    from celltask.documents.expected.promote import Replaced
    from celltask.documents.expected.rules import Rules
    from celltask.documents.kernels.kernel import Kernel
    from celltask.documents.kernels.pool import Kernels
    from celltask.documents.kernels.pool import Path as ServerPath
    from celltask.documents.kernels.reply import Reply
    from celltask.documents.kernels.scene import Scene
    from celltask.documents.kernels.snapshots import Snapshots
    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.verdict import Raises

__all__ = ["Result", "Session", "Stage"]


class Result(NamedTuple):
    """What became of a cell."""

    failure: Failure | None
    reply: Reply


@dataclass(frozen=True, slots=True)
class Stage:
    """How a document is run."""

    scene: Scene
    timeout_s: float = 300.0
    """That a cell may take, if it does not say so itself."""
    document_timeout_s: float = float("inf")
    """That all cells together may take."""
    path: ServerPath = ()
    """What the servers have imported from which its kernel is forked."""
    hidden: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Code that no reader sees, by the number of the cell after which it is executed; 0 is before the first."""
    copied_from: Path | None = None
    """The project's folder, if the cells run in copies of the document's folder, and of what they name in there."""

    def copies_for(self, document: DocumentText, within: str) -> Scratch | None:
        """The folder of copies that the cells run in, made in the folder `within`; it is the caller's to close.

        None if they run in the document's own or another folder.

        Raises:
            DocumentError: If what it has to hold cannot be copied, or is too much.
        """
        if self.copied_from is None:
            return None
        made = Scratch(document, self.copied_from, within=within, copies_all=True)
        try:
            made.show_named(document.cells)
        except DocumentError:
            made.close()
            raise
        return made

    def scene_in(self, copies: Scratch | None) -> Scene:
        """What surrounds the cells, which run in `copies` if there are any."""
        return self.scene if copies is None else replace(self.scene, folder=str(copies.start))


class Session:
    """Executes the cells of `document` when they are asked for, and those above them first. Holds the kernel.

    Args:
        document: Its cells are executed as they stand there.
        kernels: Give it the kernel.
        stage: How it is run.
        snapshots: Keep the state before the cell that was executed last; None if nobody wants it.
    """

    def __init__(
        self, document: DocumentText, kernels: Kernels, stage: Stage, *, snapshots: Snapshots | None = None
    ) -> None:
        self.document, self.stage = document, stage
        self._snapshots = snapshots
        self.why_not_again = "states are not kept"
        """Why the cell that was executed last cannot be executed anew, from the state before it; empty if it can."""
        self._kernels = kernels
        self._kernel: Kernel | None = None
        self._scratch: Scratch | None = None
        self._refused: DocumentError | None = None
        self.results: dict[int, Result] = {}
        """By the cell's number."""
        self.broken: Cell | None = None
        """The cell that failed, after which none is executed."""
        self._seconds = 0.0
        self._reached = 0
        """Number of the cell above which all were executed that are to be."""

    async def reach(self, cell: Cell) -> None:
        """Execute what stands above `cell`, as far as none of it fails, and was not executed yet.

        Raises:
            DocumentError: If there is no kernel, or hidden code fails.
        """
        await self.started()
        for earlier in self.document.cells[self._reached : cell.number - 1]:
            if self.broken is not None:
                return
            if not skip_reason(earlier, self.document.language):
                await self.result_of(earlier)
            self._reached = earlier.number

    def begin_after(self, number: int, kernel: Kernel, seconds: float) -> None:
        """Go on from a state in which the cells up to `number` have been executed, before any has been here.

        Args:
            number: Of the last of them; their results are not known.
            kernel: In that state; it is the session's from now on.
            seconds: That they took.
        """
        self._kernel, self._reached, self._seconds = kernel, number, seconds

    async def result_of(self, cell: Cell, *, is_last: bool = False) -> Result:
        """What became of `cell`, which is executed if it was not yet.

        Args:
            cell: Of this document.
            is_last: Whether no other will be asked for; then what was left behind counts too.

        Raises:
            DocumentError: If an option of the cell cannot be read, there is no kernel, or hidden code fails.
        """
        if cell.number not in self.results:
            raises, timeout_s = self._expectations(cell)
            kernel = await self.started()
            await self._keep(kernel, cell.number - 1)
            left_s = self.stage.document_timeout_s - self._seconds
            reply = await kernel.run(cell, timeout_s=max(0.001, min(timeout_s, left_s)))
            self._seconds += reply.seconds
            failure = judge(reply, raises, timeout_s=timeout_s)
            if failure is not None and reply.status == "timeout" and left_s < timeout_s:
                what = f"the document took longer than {self.stage.document_timeout_s:g} s"
                failure = replace(failure, what=what)
            if is_last and failure is None and kernel.is_watched:
                failure = next(map(_left_behind, await kernel.finish()), None)
            self.results[cell.number] = Result(failure, reply)
            if failure is not None:
                self.broken = cell
            else:
                await self._execute_hidden(kernel, cell.number)
        return self.results[cell.number]

    async def _keep(self, kernel: Kernel, after: int) -> None:
        """Keep the state after that cell alone, if any is to be kept."""
        if self._snapshots is not None and kernel.is_watched:
            self._snapshots.close()
            self.why_not_again = await self._snapshots.take(kernel, after)

    async def again(self, document: DocumentText) -> Failure | None:
        """Execute the cell that failed anew, from the state before it; why it fails, if it does.

        What became of it before still counts, and no cell below it is executed.

        Args:
            document: As it is now; the cells above are the same.

        Raises:
            DocumentError: If there is no such cell or state, or an option of the cell cannot be read.
        """
        if self._snapshots is None or self.broken is None or len(document.cells) < self.broken.number:
            raise DocumentError("there is no cell to execute anew", document.path)
        cell = document.cells[self.broken.number - 1]
        raises, timeout_s = self._expectations(cell)
        kernel = await self._snapshots.resume(cell.number - 1, document.cells)
        before, self._kernel = self._kernel, kernel
        if before is not None:
            await before.stop()
        return judge(await kernel.run(cell, timeout_s=timeout_s), raises, timeout_s=timeout_s)

    async def try_examples(
        self, block: DoctestBlock, rules: Rules, *, accept: Callable[[Replaced], bool] | None = None
    ) -> Failure | None:
        """Why the examples of `block` fail in the kernel as it is now; None if they do not.

        `accept` is asked where an example prints something else than the prose says; if it does, that is no failure.

        Raises:
            DocumentError: If there is no kernel, or an option of the fence cannot be read.
        """
        kernel, timeout_s = await self.started(), self.stage.timeout_s
        worst: list[Failure] = []

        async def execute(code: str) -> list[dict[str, object]]:
            reply = await kernel.run_beside(code, timeout_s=timeout_s)
            failure = judge(reply, None, timeout_s=timeout_s)
            worst.extend([] if failure is None else [failure])
            return reply.outputs if failure is None else []

        failure = await run_examples_async(block, execute, rules, accept=accept)
        return replace(worst[0], line=failure.line) if failure is not None and worst else failure

    def _expectations(self, cell: Cell) -> tuple[Raises | None, float]:
        where = f"{relative(self.document.path)}:{cell.line}"
        return must_raise(cell, where=where), timeout_of(cell, self.stage.timeout_s, where=where)

    async def started(self) -> Kernel:
        """The kernel, in which hidden code has been executed that comes before the first cell."""
        if self._refused is not None:
            raise self._refused
        if self._kernel is None:
            try:
                self._scratch = self.stage.copies_for(self.document, self._kernels.folder)
                scene = self.stage.scene_in(self._scratch)
                if self.document.language == "python":
                    self._kernel = await self._kernels.take(self.stage.path, scene.environment)
                else:
                    self._kernel = await self._kernels.take_other(self.document, scene)
                await self._kernel.begin(scene, self.document.cells)
                await self._kernels.ended()
                if self._snapshots is not None and self._kernel.is_watched:
                    self.why_not_again = await self._snapshots.prepare(self._kernel)
                    self._snapshots = None if self.why_not_again else self._snapshots
                await self._execute_hidden(self._kernel, 0)
            except DocumentError as error:
                self._refused = error  # the next cell would only meet it again
                raise
        return self._kernel

    @property
    def copies(self) -> tuple[str, str] | None:
        """The folder that shows the project while the cells run, and the project's own; None if they run in that."""
        return self._scratch.places if self._scratch else None

    async def _execute_hidden(self, kernel: Kernel, number: int) -> None:
        for code in self.stage.hidden.get(number, ()):
            told = await kernel.execute(code, timeout_s=self.stage.timeout_s)
            if told.get("status") != "ok":
                error = f"{told.get('ename')}: {told.get('evalue')}" if told else "the kernel does not answer"
                raise DocumentError(f"the set-up of the document failed: {error}", self.document.path)

    @property
    def widgets(self) -> dict[str, object]:
        """State of the widgets that the cells have shown, as the metadata of a notebook hold it; empty if none."""
        return self._kernel.widgets if self._kernel is not None else {}

    @property
    def is_gone(self) -> bool:
        """Whether there is no kernel, or none that lives."""
        return self._kernel is None or not self._kernel.is_alive

    async def debug(self, ask: Callable[[str], str], write: Callable[[str], object]) -> None:
        """Open the kernel's debugger at the last exception; returns when it is left.

        Args:
            ask: Gives the next command; it is given the prompt.
            write: Shows text.
        """
        if self._kernel is not None:
            await self._kernel.converse("%debug", ask, write)

    async def close(self, *, waits: bool = True) -> None:
        """End the kernel; a cell asked for later begins with a fresh one.

        Args:
            waits: Until nothing is left of the kernel; else the next document does so before its first cell.
        """
        kernel, self._kernel = self._kernel, None
        if kernel is not None and self.stage.scene.coverage is not None:
            await kernel.finish()  # which keeps what was measured
        self.results.clear()
        self.broken = self._refused = None
        self._reached, self._seconds = 0, 0.0
        if self._snapshots is not None:
            self._snapshots.close()
        scratch, self._scratch = self._scratch, None
        if kernel is not None and (waits or scratch is not None):
            await kernel.stop()
        elif kernel is not None:
            await self._kernels.end(kernel)
        if scratch is not None:
            scratch.close()


def _left_behind(unseen: list[object]) -> Failure:
    how, error, line = unseen
    return Failure(f"{headline(error)} ({how})" if error else str(how), error, line)  # type: ignore[arg-type]  # as in_kernel tells it
