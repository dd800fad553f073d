"""Several documents at once, in one process and one event loop."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from celltask.documents.kernels.imports import imports_of, shared_paths
from celltask.documents.kernels.pool import Kernels
from celltask.documents.kernels.scene import Scene
from celltask.documents.runner.cache import Passed
from celltask.documents.runner.document import run_document
from celltask.documents.runner.expectation import Expectation
from celltask.documents.runner.outcome import DocumentOutcome
from celltask.documents.session import Stage
from celltask.documents.set_up import hidden_code
from celltask.documents.settings import DocumentSettings, document_settings
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from celltask.documents.kernels.pool import Path as ServerPath
    from celltask.documents.runner.choice import Chosen
    from celltask.documents.runner.outcome import CellOutcome, Event
    from celltask.documents.runner.settings import Settings

__all__ = ["Manner", "run_documents", "stage_of"]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


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
    """Have cells show what their document says, and try its `>>>` examples."""
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
    crowd = _Crowd(documents, manner, listen)
    jobs = min(manner.jobs, len(documents))
    with _limited_threads(jobs):
        asyncio.run(crowd.run(jobs))
    return [crowd.outcomes[number] for number in sorted(crowd.outcomes)]


class _Stopped(Exception):  # noqa: N818 - no error: it ends the other workers
    """A document failed, and no other is wanted."""


class _Crowd:
    """Runs documents; holds what became of them, by their place among the documents."""

    def __init__(self, documents: Sequence[Chosen], manner: Manner, listen: Callable[[Event], object]) -> None:
        self._documents, self._manner, self._listen = documents, manner, listen
        self._paths = _server_paths(documents)
        self._next = 0
        self._kernels = Kernels(manner.kernels)
        self._passed = Passed(manner.settings) if manner.cached else None
        self.outcomes: dict[int, DocumentOutcome] = {}

    async def run(self, jobs: int) -> None:
        """Run them, `jobs` at once."""
        if self._passed is None:  # else perhaps no kernel is needed
            self._kernels.warm()
            await self._kernels.expect(self._paths[0])
        refused: ExceptionGroup[DocumentError] | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(jobs):
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
        if passed is None:
            return await self._run(chosen, self._stage_of(number))
        why = passed.why_run(chosen)
        if why is None:
            return DocumentOutcome(chosen, unchanged=True)
        watched = passed.watched(chosen, self._stage_of(number), self._kernels.folder)
        outcome = await self._run(chosen, watched.stage if watched else self._stage_of(number))
        if watched is not None:
            passed.keep(watched, outcome)
        return replace(outcome, why=why)

    async def _run(self, chosen: Chosen, stage: Stage) -> DocumentOutcome:
        manner = self._manner
        return await run_document(
            chosen,
            stage,
            self._kernels,
            expectation=Expectation(chosen.document, manner.settings) if manner.compares and chosen.document else None,
            listen=self._hear,
            keep_going=manner.keep_going,
        )

    def _stage_of(self, number: int) -> Stage:
        return stage_of(self._documents[number], self._manner.settings, self._paths[number])

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


def stage_of(chosen: Chosen, settings: Settings, path: ServerPath = ()) -> Stage:
    """How a document is run: by what its header says, and else the settings."""
    own = document_settings(chosen.document) if chosen.document else DocumentSettings()
    scene = Scene(
        folder=str(settings.root if own.folder == "root" else chosen.path.parent),
        environment=own.environment,
        filters=settings.filters,
        most_output=settings.most_output,
    )
    return Stage(
        scene,
        own.timeout_s or settings.timeout_s,
        own.document_timeout_s or settings.document_timeout_s,
        path,
        hidden_code(chosen.document, chosen.parameters) if chosen.document else {},
    )


def _without_outputs(cell: CellOutcome) -> CellOutcome:
    if cell.verdict == "failed" or cell.reply is None:
        return cell
    return replace(cell, reply=replace(cell.reply, outputs=[]))


def _server_paths(documents: Sequence[Chosen]) -> list[ServerPath]:
    return shared_paths([imports_of(one.document.cells if one.document else ()) for one in documents])


@contextmanager
def _limited_threads(jobs: int) -> Iterator[None]:
    """Have the numerical libraries of several documents together use as many threads as there are cores.

    They read this when they are imported, in the processes that kernels are forked from.
    """
    before = dict(os.environ)
    if jobs > 1:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        for name in _THREADS:
            os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // jobs)))
    try:
        yield
    finally:
        for name in ("OMP_WAIT_POLICY", *_THREADS):
            if name not in before:
                os.environ.pop(name, None)
