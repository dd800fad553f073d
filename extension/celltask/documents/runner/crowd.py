"""Several documents at once, in one process and one event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from celltask.documents.expected.outputs import Outputs
from celltask.documents.kernels.imports import imports_of, shared_paths
from celltask.documents.kernels.pool import Kernels
from celltask.documents.runner.cache import Passed
from celltask.documents.runner.commands import Commands
from celltask.documents.runner.document import run_document
from celltask.documents.runner.outcome import DocumentOutcome
from celltask.documents.stages import stage_of, thread_limits
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from celltask.documents.kernels.pool import Path as ServerPath
    from celltask.documents.project import Settings
    from celltask.documents.runner.choice import Chosen
    from celltask.documents.runner.outcome import CellOutcome, Event
    from celltask.documents.session import Stage
    from celltask.documents.shell.asking import Choice

__all__ = ["Manner", "run_documents"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How documents are run."""

    settings: Settings
    jobs: int = 1
    """How many documents run at once."""
    kernels: Literal["fork", "cold"] = "fork"
    stop_at_first: bool = False
    """Stop all when one has failed."""
    keep_going: bool = False
    """Execute the cells below one that failed as well."""
    keep_outputs: bool = False
    """Keep what cells show also where they pass, which may take much memory."""
    compares: bool = True
    """Have cells show what their document says, and try its examples."""
    shell: Choice = "document"
    """Which shell examples were chosen."""
    promotes: Literal["", "write", "diff"] = ""
    """Promote what cells show where it is something else than their document says: write it, or tell it alone."""
    cached: bool = False
    """Leave out documents that passed before, and that nothing has changed for since."""


def run_documents(
    documents: Sequence[Chosen], manner: Manner, listen: Callable[[Event], object] = lambda _: None
) -> list[DocumentOutcome]:
    """What became of the documents, in their order; not all are there if it was to stop at the first failure.

    Args:
        documents: Those to run.
        manner: How.
        listen: Called with each event, from the event loop.
    """
    jobs = min(manner.jobs, len(documents))
    crowd = _Crowd(documents, manner, listen, jobs=jobs)
    asyncio.run(crowd.run())
    return [crowd.outcomes[number] for number in sorted(crowd.outcomes)]


class _Stopped(Exception):  # noqa: N818 - no error: it ends the other workers
    """A document failed, and no other is wanted."""


class _Crowd:
    """Runs documents; holds what became of them, by their place among the documents."""

    def __init__(
        self, documents: Sequence[Chosen], manner: Manner, listen: Callable[[Event], object], *, jobs: int
    ) -> None:
        self._documents, self._manner, self._listen, self._jobs = documents, manner, listen, jobs
        self._paths = _server_paths(documents)
        self._next = 0
        self._limits = thread_limits(jobs)
        self._kernels = Kernels(manner.kernels, environment=self._limits)
        self._passed = Passed(manner.settings) if manner.cached and not manner.promotes else None
        self.outcomes: dict[int, DocumentOutcome] = {}

    async def run(self) -> None:
        """Run them, several at once."""
        if self._passed is None:  # else perhaps no kernel is needed
            self._kernels.warm()
            await self._kernels.expect(self._paths[0])
        refused: ExceptionGroup[DocumentError] | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._jobs):
                    group.create_task(self._work())
        except* _Stopped:
            pass
        except* DocumentError as group:
            refused = group
        finally:
            await self._kernels.close()
        if refused is not None:
            raise next(_leaves(refused))

    async def _work(self) -> None:
        while self._next < len(self._documents):
            number, self._next = self._next, self._next + 1
            outcome = await self._outcome_of(number)
            if not self._manner.keep_outputs:
                outcome = replace(outcome, cells=tuple(map(_without_outputs, outcome.cells)), setup=())
            self.outcomes[number] = outcome
            self._listen(outcome)
            if outcome.failed and self._manner.stop_at_first:
                raise _Stopped

    async def _outcome_of(self, number: int) -> DocumentOutcome:
        chosen, passed = self._documents[number], self._passed
        if chosen.document is None:
            return DocumentOutcome(chosen)
        stage = stage_of(
            chosen.document,
            self._manner.settings,
            parameters=chosen.parameters,
            limits=self._limits,
            path=self._paths[number],
        )
        if passed is None or not chosen.is_whole:
            return await self._run(chosen, stage)
        why = passed.why_run(chosen.document, chosen.parameters)
        if why is None:
            return DocumentOutcome(chosen, unchanged=True)
        watched = passed.watched(chosen.document, chosen.parameters, stage, self._kernels.folder)
        outcome = await self._run(chosen, watched.stage)
        passed.keep(watched, has_passed=not outcome.failed, copies=outcome.copies)
        return replace(outcome, why=why)

    async def _run(self, chosen: Chosen, stage: Stage) -> DocumentOutcome:
        manner, document, outputs, commands = self._manner, chosen.document, None, None
        if manner.compares and document is not None:
            promotes = bool(manner.promotes) and not chosen.parameters
            outputs = Outputs(document, manner.settings, promotes=promotes)
            commands = Commands(chosen, document, manner.settings, manner.shell, outputs.accept)
        outcome = await run_document(
            chosen,
            stage,
            self._kernels,
            outputs=outputs,
            commands=commands,
            listen=self._hear,
            keep_going=manner.keep_going,
        )
        try:
            diff = outputs.promote(writes=manner.promotes == "write") if outputs else ""
        except DocumentError as error:
            return replace(outcome, chosen=replace(chosen, error=error))
        return replace(outcome, diff=diff)

    def _hear(self, event: Event) -> None:
        if self._next < len(self._documents):  # while a cell runs, a kernel is made ready for the document after it
            self._kernels.prepare(self._paths[self._next])
        self._listen(event)


def _leaves(group: ExceptionGroup[DocumentError]) -> Iterator[DocumentError]:
    for error in group.exceptions:
        if isinstance(error, DocumentError):
            yield error
        else:
            yield from _leaves(error)


def _without_outputs(cell: CellOutcome) -> CellOutcome:
    if cell.verdict == "failed" or cell.reply is None:
        return cell
    return replace(cell, reply=replace(cell.reply, outputs=[]))


def _server_paths(documents: Sequence[Chosen]) -> list[ServerPath]:
    return shared_paths([imports_of(one.document.cells if one.document else ()) for one in documents])
