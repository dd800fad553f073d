"""Live values of a document: its cells are run in a kernel up to one of them, and what they bind is fetched."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from celltask.documents.cell_names import cell_names
from celltask.documents.expected.shown import shown_text
from celltask.documents.failed import unknown_name
from celltask.documents.project import Settings
from celltask.documents.reader import read_document
from celltask.documents.report import relative, tell
from celltask.documents.runner.background import background
from celltask.documents.runner.settings import read_settings
from celltask.documents.session import Session
from celltask.documents.stages import stage_of
from celltask.documents.verdict import judge, skip_reason
from celltask.errors import DocumentError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from types import TracebackType

    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.verdict import Failure

__all__ = ["Values", "run_until"]

_SENDING = Path(__file__).with_name("sending.py")
_SEND = (
    "(lambda names: (exec({text!r}, names), names['send'](get_ipython(), {name!r}, {file!r})))"
    "({{'__name__': '_celltask_sending'}})"
)


def run_until(
    path: str | os.PathLike[str], name: str, *, timeout: float = 300.0, environment: Mapping[str, str] | None = None
) -> Values:
    """The values of a document after the cell called `name`; see `Document.run_until`."""
    __tracebackhide__ = True
    document = read_document(path)
    names = cell_names(document.cells)
    if name not in names:
        raise unknown_name(name, relative(document.path), names, kind="cell")
    cell = document.cells[names.index(name)]
    reason = skip_reason(cell)
    if reason:
        raise DocumentError(f"cell {name} {reason}, so it is not run", _place(cell), "name another cell")
    settings = Settings(read_settings([Path(document.path)]).root)
    stage = replace(stage_of(document, settings), timeout_s=timeout)
    scene = replace(stage.scene, environment={**stage.scene.environment, **(environment or {})})
    values = Values(document, Session(document, background().kernels, replace(stage, scene=scene)))
    try:
        values.reach(cell)
    except BaseException:
        values.close()
        raise
    return values


def _place(cell: Cell) -> str:
    return f"{relative(cell.filename)}:{cell.first_line}"


class Values:
    """What the cells of a document have bound, in a kernel that lives until this is closed.

    ``values["model"]`` is a copy of the value, made anew each time; ``"model" in values`` tells whether it is bound.
    Use it as a context manager, or call `close`.
    """

    def __init__(self, document: DocumentText, session: Session) -> None:
        self._document, self._session = document, session
        background().sessions.add(session)

    def reach(self, cell: Cell) -> None:
        """Run the cells up to `cell`.

        Raises:
            DocumentError: If one of them fails.
        """
        __tracebackhide__ = True
        background().run(self._reach(cell))

    async def _reach(self, cell: Cell) -> None:
        __tracebackhide__ = True
        await self._session.reach(cell)
        if self._session.broken is None:
            await self._session.result_of(cell)
        broken = self._session.broken
        failure = self._session.results[broken.number].failure if broken else None
        if broken is not None and failure is not None:
            name = cell_names(self._document.cells)[broken.number - 1]
            raise self._failed(f"cell {name}", broken, failure)

    def _failed(self, what: str, cell: Cell, failure: Failure) -> DocumentError:
        told = tell(failure, self._document, cell)
        error = DocumentError(f"{what} failed: {told.what}", f"{told.filename}:{told.line}")
        error.add_note(told.text.rstrip())
        return error

    @property
    def names(self) -> list[str]:
        """All names that are bound, in the order in which they were first; without those that begin with ``_``."""
        return cast("list[str]", self._load("", self._sent("")))

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> object:
        """A copy of the value that `name` is bound to.

        Raises:
            UnknownNameError: If it is not bound; it is a `KeyError`.
            DocumentError: If the value cannot be sent from the kernel, or not be made here.
        """
        __tracebackhide__ = True
        told = self._sent(name)
        if "missing" in told:
            raise unknown_name(name, relative(self._document.path), self.names, kind="value")
        if "refused" in told:
            raise DocumentError(
                f"{name!r} cannot be sent from the kernel: {told['refused']}",
                relative(self._document.path),
                f"have a part of it bound to a name: values.execute('part = {name}.…')",
            )
        return self._load(name, told)

    @property
    def outputs(self) -> dict[str, list[dict[str, object]]]:
        """What each cell that was run has shown, by the cell's name, as notebooks of format 4 hold it."""
        names = cell_names(self._document.cells)
        return {names[number - 1]: result.reply.outputs for number, result in sorted(self._session.results.items())}

    def execute(self, code: str, *, timeout: float | None = None) -> str:
        """Run more code in the kernel; the text that it shows.

        Args:
            code: As in a cell; magics too.
            timeout: Seconds that it may take; as long as a cell by default.

        Raises:
            DocumentError: If it fails.
        """
        __tracebackhide__ = True
        return background().run(self._execute(code, timeout or self._session.stage.timeout_s))

    async def _execute(self, code: str, timeout_s: float) -> str:
        __tracebackhide__ = True
        kernel = await self._session.started()
        reply = await kernel.run_beside(code, timeout_s=timeout_s)
        failure = judge(reply, None, timeout_s=timeout_s)
        if failure is not None:
            place = relative(self._document.path)
            raise DocumentError(f"the code failed: {failure.what}", place)
        return shown_text(reply.outputs)

    def _sent(self, name: str) -> dict[str, object]:
        __tracebackhide__ = True
        file = background().run(self._file())
        code = _SEND.format(text=_SENDING.read_text(encoding="utf-8"), name=name, file=str(file))
        told = background().run(self._ask(code))
        if told.get("status") != "ok":
            why = f"{told.get('ename')}: {told.get('evalue')}" if told else "the kernel does not answer"
            raise DocumentError(f"{name or 'the names'!r} cannot be asked for: {why}", relative(self._document.path))
        found = pickle.loads(file.read_bytes())  # noqa: S301 - our own kernel's, of the user's own document
        file.unlink()
        return cast("dict[str, object]", found)

    async def _file(self) -> Path:
        """Where the kernel writes what is sent; it goes with the kernel."""
        kernel = await self._session.started()
        return Path(kernel.folder, "value")

    async def _ask(self, code: str) -> dict[str, object]:
        kernel = await self._session.started()
        return await kernel.execute(code, timeout_s=self._session.stage.timeout_s)

    def _load(self, name: str, told: dict[str, object]) -> object:
        __tracebackhide__ = True
        folder = str(Path(self._document.path).parent)
        sys.path.insert(0, folder)  # modules beside the document
        try:
            return pickle.loads(cast("bytes", told["value"]))  # noqa: S301 - as above
        except Exception as error:  # border: unpickling calls the user's code
            raise DocumentError(
                f"{name!r} was sent, and cannot be made here: {type(error).__name__}: {error}",
                relative(self._document.path),
                "install here what the document imports",
            ) from error
        finally:
            sys.path.remove(folder)

    def close(self) -> None:
        """End the kernel; a second call does nothing."""
        background().run(self._session.close())
        background().sessions.discard(self._session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
