"""`celltask execute DOC -o FILE`: a document with what its cells show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE, FAILED
from celltask.cli.run_options import run_options
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celltask.documents.outline import DocumentText
    from celltask.documents.runner.choice import Chosen
    from celltask.documents.runner.outcome import DocumentOutcome

__all__ = ["command"]

_AT = "celltask execute"


def _execute(  # noqa: PLR0913 - one for each option
    words: tuple[str, ...],
    *,
    output: str | None,
    kind: str,
    in_place: bool,
    parameters: tuple[tuple[str, str], ...],
    allow_errors: bool,
    jobs: int | None,
    timeout: float | None,
    kernels: str,
    quiet: bool,
) -> int:
    from dataclasses import replace  # noqa: PLC0415 - loads inspect; only for this command

    from celltask.documents.reader import read_document  # noqa: PLC0415 - as above
    from celltask.documents.runner.crowd import Manner, run_documents  # noqa: PLC0415 - loads nbclient
    from celltask.documents.runner.progress import Progress  # noqa: PLC0415 - as above
    from celltask.documents.runner.settings import read_settings  # noqa: PLC0415 - as above

    documents = [read_document(word) for word in words]
    files = _files(words, output, kind, in_place=in_place, has_parameters=bool(parameters))
    chosen = _chosen(documents, parameters)
    settings = read_settings([Path(word) for word in words])
    manner = Manner(
        replace(settings, timeout_s=timeout or settings.timeout_s),
        jobs=jobs or os.cpu_count() or 1,
        kernels="cold" if kernels == "cold" else "fork",
        keep_going=allow_errors,
        keep_outputs=True,
        compares=False,
    )
    verbosity = -1 if quiet else 0
    with Progress(verbosity=verbosity, total=len(chosen), is_live=False if quiet else None) as progress:
        outcomes = run_documents(chosen, manner, progress)
    for document, outcome, file in zip(documents, outcomes, files, strict=True):
        _write(document, outcome, file, is_kept=in_place and outcome.failed and not allow_errors)
    _tell(outcomes)
    return FAILED if any(outcome.failed for outcome in outcomes) else DONE


def _files(words: Sequence[str], output: str | None, kind: str, *, in_place: bool, has_parameters: bool) -> list[Path]:
    from celltask.documents.runner.files import targets  # noqa: PLC0415 - loads nbformat

    if in_place:
        if output is not None or has_parameters:
            raise CelltaskError("--in-place writes to the document, without -o and -p", _AT, "leave out one of them")
        odd = next((word for word in words if Path(word).suffix.lower() != ".ipynb"), None)
        if odd is not None:
            raise CelltaskError(f"{odd} is no notebook, and holds no outputs", _AT, "write -o instead of --in-place")
        return [Path(word) for word in words]
    if output is None:
        raise CelltaskError("nothing tells where to write", _AT, "write -o out.ipynb, out.md or out.html; or a folder")
    return targets([Path(word) for word in words], output, f".{kind}")


def _chosen(documents: Sequence[DocumentText], parameters: Sequence[tuple[str, str]]) -> list[Chosen]:
    from celltask.documents.cell_names import cell_names  # noqa: PLC0415 - only for this command
    from celltask.documents.runner.choice import Chosen  # noqa: PLC0415 - as above
    from celltask.documents.runner.parameters import value_of, with_parameters  # noqa: PLC0415 - as above

    values = {name: value_of(text) for name, text in parameters}
    found = []
    for document in documents:
        full = with_parameters(document, values)
        numbers = frozenset(cell.number for cell in full.cells)
        found.append(Chosen(Path(document.path), full, tuple(cell_names(full.cells)), numbers))
    return found


def _write(document: DocumentText, outcome: DocumentOutcome, file: Path, *, is_kept: bool) -> None:
    from celltask.documents.runner.files import write_executed  # noqa: PLC0415 - loads nbformat
    from celltask.documents.runner.notebook import executed_notebook  # noqa: PLC0415 - as above

    if not is_kept:
        write_executed(executed_notebook(document, outcome), outcome, file)


def _tell(outcomes: Sequence[DocumentOutcome]) -> None:
    from celltask.documents.runner.telling import failures  # noqa: PLC0415 - only for this command

    for text in failures(outcomes):
        report.write(f"\n{text.rstrip()}")


command = click.Command(
    "execute",
    callback=_execute,
    params=[
        click.Argument(["words"], metavar="DOC...", nargs=-1, required=True),
        click.Option(
            ["-o", "--output"], metavar="FILE", help="Write a .ipynb, .md or .html file; or into a folder, with --to."
        ),
        click.Option(
            ["--to", "kind"], type=click.Choice(["ipynb", "md", "html"]), default="ipynb",
            help="Format of the files in a folder; ipynb by default.",
        ),
        click.Option(["--in-place"], is_flag=True, help="Keep the outputs in the notebook itself."),
        click.Option(
            ["-p", "--parameter", "parameters"], nargs=2, multiple=True, metavar="NAME VALUE",
            help="Give a variable another value than the cell tagged parameters does.",
        ),
        click.Option(["--allow-errors"], is_flag=True, help="Execute the cells below one that failed as well."),
        *run_options(),
        click.Option(["-q", "--quiet"], is_flag=True, help="Show failures alone."),
    ],
    short_help="Execute a document and keep what its cells show.",
    help="""Execute the cells of documents, and write each with what its cells show: as a notebook, as a page with an
    {output} below each cell, or as HTML.

    If a cell fails, those below it are not executed; the file tells so, and the exit code is 1.
    """,
)  # fmt: skip
