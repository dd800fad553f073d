"""`celltask watch FILE`: a document executed again at each change, from the first cell that has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celltask.cli.report import seconds

if TYPE_CHECKING:
    from rich.console import Console

    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.verdict import Failure

__all__ = ["command"]


def _watch(files: tuple[str, ...], *, timeout: float | None) -> None:
    import os  # noqa: PLC0415 - only for this command
    from dataclasses import replace  # noqa: PLC0415 - as above
    from pathlib import Path  # noqa: PLC0415 - as above

    from rich.console import Console  # noqa: PLC0415 - as above

    from celltask.documents.kernels.pool import Kernels  # noqa: PLC0415 - as above
    from celltask.documents.loop import Loop  # noqa: PLC0415 - as above
    from celltask.documents.runner.settings import read_settings  # noqa: PLC0415 - as above
    from celltask.documents.watching import Watch, watch_all  # noqa: PLC0415 - as above

    given = os.environ.get("PYTHONHASHSEED", "random")
    hash_seed = str(int.from_bytes(os.urandom(4), "little")) if given in {"random", ""} else given
    settings = read_settings([Path(file) for file in files])
    if timeout is not None:
        settings = replace(settings, timeout_s=timeout)
    console, busy = Console(highlight=False, soft_wrap=True), set[str]()
    paths = _documents(files, settings)
    loop, kernels = Loop(), Kernels(hash_seed=hash_seed)
    watches = [Watch(path, kernels, settings, _Told(shown, console, busy), hash_seed) for path, shown in paths.items()]
    try:
        loop.run(watch_all(watches))
    finally:
        loop.run(kernels.close())
        loop.close()


def _documents(files: tuple[str, ...], settings: Settings) -> dict[str, str]:
    """The whole path of each document, and how it is called in messages."""
    from pathlib import Path  # noqa: PLC0415 - only for this command

    from celltask.documents.runner.choice import choose  # noqa: PLC0415 - as above

    found: dict[str, str] = {}
    for file in files:
        if Path(file).is_dir():
            found |= {str(one.path): one.shown for one in choose([file], settings)}
        else:
            found[str(Path(file).absolute())] = file
    return found


class _Told:
    """Prints what happens to a document; `busy` are all of which cells are executed."""

    def __init__(self, file: str, console: Console, busy: set[str]) -> None:
        self._file, self._console, self._busy = file, console, busy
        busy.add(file)
        self._names: list[str] = []
        self._failed = False

    def begins(self, document: DocumentText, number: int, why: str) -> None:
        from celltask.documents.cell_names import cell_names  # noqa: PLC0415 - only for this command

        self._names = cell_names(document.cells)
        self._failed = False
        self._busy.add(self._file)
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
        self._busy.discard(self._file)
        if not self._busy:
            self._print("waiting for a change; Ctrl-C ends", "dim")

    def _print(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False)


command = click.Command(
    "watch",
    callback=_watch,
    params=[
        click.Argument(["files"], metavar="FILE…", nargs=-1, required=True),
        click.Option(
            ["--timeout"], type=float, help="Seconds that a cell may take (default: by the settings, or 300)."
        ),
    ],
    short_help="Run documents again whenever they change.",
    help="""Execute the cells of each document, tell what became of them, and do so again whenever it is saved.

    FILE is a document, or a folder of documents. It then goes on from the first cell that has changed, in the state
    that the cells above have left. A change of a module or of a data file that the document reads begins from the
    start. Meanwhile pytest starts chosen cells from these states. Ctrl-C ends it.
    """,
)
