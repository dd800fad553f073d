"""`celltask watch FILE`: a document executed again at each change, from the first cell that has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celltask.cli.report import seconds

if TYPE_CHECKING:
    from rich.console import Console

    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.verdict import Failure

__all__ = ["command"]


def _watch(file: str, *, timeout: float) -> None:
    from pathlib import Path  # noqa: PLC0415 - only for this command

    from rich.console import Console  # noqa: PLC0415 - as above

    from celltask.documents.kernels.pool import Kernels  # noqa: PLC0415 - as above
    from celltask.documents.kernels.scene import Scene  # noqa: PLC0415 - as above
    from celltask.documents.loop import Loop  # noqa: PLC0415 - as above
    from celltask.documents.session import Stage  # noqa: PLC0415 - as above
    from celltask.documents.watching import Watch  # noqa: PLC0415 - as above

    loop, kernels = Loop(), Kernels()
    stage = Stage(Scene(str(Path(file).absolute().parent)), timeout)
    watch = Watch(file, kernels, stage, _Told(file, Console(highlight=False, soft_wrap=True)))
    try:
        loop.run(watch.run())
    finally:
        loop.run(watch.close())
        loop.run(kernels.close())
        loop.close()


class _Told:
    """Prints what happens to a document."""

    def __init__(self, file: str, console: Console) -> None:
        self._file, self._console = file, console
        self._names: list[str] = []
        self._failed = False

    def begins(self, document: DocumentText, number: int, why: str) -> None:
        from celltask.documents.cell_names import cell_names  # noqa: PLC0415 - only for this command

        self._names = cell_names(document.cells)
        self._failed = False
        if number > len(document.cells):
            self._print(f"{self._file}: no cell has changed", "dim")
        elif why == "changed":
            self._print(f"{self._file}: from cell {number} on, {self._names[number - 1]}", "bold")
        else:
            self._print(f"{self._file}: from the start" + ("" if why == "begins" else f", since {why}"), "bold")

    def ended(self, document: DocumentText, cell: Cell, failure: Failure | None, seconds_taken: float) -> None:
        mark, colour = ("passed", "green") if failure is None else ("FAILED", "red")
        self._print(
            f"  {mark}  {self._names[cell.number - 1]}  line {cell.first_line}  {seconds(seconds_taken)}", colour
        )
        if failure is not None:
            from celltask.documents.report import tell  # noqa: PLC0415 - only for this command

            self._failed = True
            self._console.print(tell(failure, document, cell).text, markup=False)

    def skipped(self, cell: Cell, why: str) -> None:
        self._print(f"  skipped {self._names[cell.number - 1]}: {why}", "yellow")

    def told(self, what: str) -> None:
        self._print(f"  {what}", "yellow")

    def waits(self) -> None:
        self._print("waiting for a change; Ctrl-C ends", "dim")

    def _print(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False)


command = click.Command(
    "watch",
    callback=_watch,
    params=[
        click.Argument(["file"], metavar="FILE"),
        click.Option(["--timeout"], type=float, default=300.0, show_default=True, help="Seconds that a cell may take."),
    ],
    short_help="Run a document again whenever it changes.",
    help="""Execute the cells of the document FILE, tell what became of each, and do so again whenever it is saved.

    It then goes on from the first cell that has changed, in the state that the cells above have left. A change of a
    module or of a data file that the document reads begins from the start. Ctrl-C ends it.
    """,
)
