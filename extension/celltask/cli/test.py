"""`celltask test DOC…`: the cells of documents as tests, several documents at once, in this process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE, FAILED
from celltask.cli.run_options import run_options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from celltask.documents.project import Settings
    from celltask.documents.runner.choice import Chosen
    from celltask.documents.runner.crowd import Manner
    from celltask.documents.runner.outcome import DocumentOutcome
    from celltask.documents.shell.asking import Choice

__all__ = ["command"]


def _test(  # noqa: PLR0913 - one for each option
    words: tuple[str, ...],
    *,
    expression: str,
    stop: bool,
    jobs: int,
    timeout: float | None,
    kernels: str,
    verbose: int,
    quiet: bool,
    durations: int | None,
    **more: str | bool | None,
) -> int:
    from dataclasses import replace  # noqa: PLC0415 - loads inspect; only for this command

    from celltask.documents.runner.choice import choose, typed_paths  # noqa: PLC0415 - as above
    from celltask.documents.runner.expression import name_test  # noqa: PLC0415 - as above
    from celltask.documents.runner.settings import read_settings  # noqa: PLC0415 - as above

    begun = time.perf_counter()
    settings = read_settings(typed_paths(words))
    if timeout is not None:
        settings = replace(settings, timeout_s=timeout)
    shell = cast("Choice", more["shell"])
    documents = choose(words, settings, is_wanted=name_test(expression) if expression else None, shell=shell)
    manner = _manner(settings, jobs, kernels, more, stop=stop)
    as_json = bool(more["as_json"])
    outcomes = _run(documents, manner, -1 if quiet or as_json else verbose)
    seconds = time.perf_counter() - begun
    _write_files(outcomes, seconds, more)
    if not as_json:
        _tell_promoted(outcomes, is_written=more["promote"] == "write")
        _tell(outcomes, seconds, durations, quiet=quiet)
    return FAILED if any(outcome.failed for outcome in outcomes) else DONE


def _manner(settings: Settings, jobs: int, kernels: str, more: dict[str, str | bool | None], *, stop: bool) -> Manner:
    from celltask.documents.runner.crowd import Manner  # noqa: PLC0415 - loads nbclient

    return Manner(
        settings,
        jobs=jobs or os.cpu_count() or 1,
        kernels="cold" if kernels == "cold" else "fork",
        stop_at_first=stop,
        keep_outputs=bool(more["html"]),
        cached=bool(more["cached"]),
        shell=cast("Choice", more["shell"]),
        promotes=cast('Literal["", "write", "diff"]', more["promote"] or ""),
    )


def _run(documents: Sequence[Chosen], manner: Manner, verbosity: int) -> list[DocumentOutcome]:
    from celltask.documents.runner.crowd import run_documents  # noqa: PLC0415 - as above
    from celltask.documents.runner.progress import Progress  # noqa: PLC0415 - as above

    # Each kernel has a memory of its own for results: no document passes by what an earlier run has computed.
    os.environ.setdefault("CELLTASK_STORE", "memory")
    is_live = False if verbosity < 0 else None
    with Progress(verbosity=verbosity, total=len(documents), is_live=is_live) as progress:
        return run_documents(documents, manner, progress)


def _write_files(outcomes: Sequence[DocumentOutcome], seconds: float, files: dict[str, str | bool | None]) -> None:
    from celltask.documents.runner import records  # noqa: PLC0415 - as above

    if files["as_json"]:
        report.write(records.as_json(outcomes, seconds))
    if isinstance(files["junit_xml"], str):
        _whole(files["junit_xml"], records.as_junit(outcomes, seconds))
    if isinstance(files["html"], str):
        _whole(files["html"], _page(outcomes, seconds))


def _page(outcomes: Sequence[DocumentOutcome], seconds: float) -> str:
    from celltask.documents.runner.notebook import executed_notebook  # noqa: PLC0415 - loads nbformat
    from celltask.documents.runner.page import Shown, html_page  # noqa: PLC0415 - loads markdown-it

    documents = []
    for outcome in outcomes:
        document = outcome.chosen.document
        is_there = document is not None and not outcome.unchanged
        documents.append(Shown(outcome, executed_notebook(document, outcome) if is_there and document else None))
    return html_page(documents, title="Documents as tests", seconds=seconds)


def _whole(file: str, text: str) -> None:
    from celltask.documents.writing import write_whole  # noqa: PLC0415 - as above

    write_whole(Path(file), text.encode())


def _tell_promoted(outcomes: Sequence[DocumentOutcome], *, is_written: bool) -> None:
    diffs = [outcome.diff for outcome in outcomes if outcome.diff]
    if diffs:
        report.write("\n".join(["", "promoted" if is_written else "to be promoted by --promote", *diffs]))


def _tell(outcomes: Sequence[DocumentOutcome], seconds: float, durations: int | None, *, quiet: bool) -> None:
    from celltask.documents.runner import telling  # noqa: PLC0415 - as above

    for text in telling.failures(outcomes):
        report.write(f"\n{text.rstrip()}")
    noticed = [] if quiet else telling.notices(outcomes)
    if noticed:
        report.write("\n".join(["", *noticed]))
    if durations is not None:
        report.write("\n".join(["\nslowest cells", *telling.slowest(outcomes, durations)]))
    number = len(outcomes)
    documents = f"{number} document{'' if number == 1 else 's'}"
    report.write(f"\n{telling.summary(outcomes)} in {documents}, {telling.duration(seconds)}")


class _Test(click.Command):
    """The command; ``--promote`` alone takes no value from the next word, as an option with a value would."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words."""
        return super().parse_args(ctx, ["--promote=write" if word == "--promote" else word for word in args])


command = _Test(
    "test",
    callback=_test,
    params=[
        click.Argument(["words"], metavar="[DOC | FOLDER | DOC::CELL]...", nargs=-1),
        click.Option(
            ["-k", "expression"], default="", metavar="WORDS", help="Cells whose names fit, as 'train and not slow'."
        ),
        click.Option(["-x", "--exitfirst", "stop"], is_flag=True, help="Stop at the first failure."),
        *run_options(),
        click.Option(
            ["--shell"], type=click.Choice(["document", "run", "skip"]), default="document",
            help="Shell examples: of documents that ask for it (the default), all, or none.",
        ),
        click.Option(
            ["--promote"], type=click.Choice(["write", "diff"]), is_flag=False, flag_value="write",
            help="Write what cells show into their {output} fences; --promote=diff only shows the change.",
        ),
        click.Option(["--cached"], is_flag=True, help="Leave out documents that passed, if nothing changed since."),
        click.Option(["-v", "--verbose"], count=True, help="Show each cell."),
        click.Option(["-q", "--quiet"], is_flag=True, help="Show failures and the summary alone."),
        click.Option(["--durations"], type=click.IntRange(0), metavar="N", help="Show the N slowest cells; 0: all."),
        report.json_option("a JSON object"),
        click.Option(["--junit-xml"], type=click.Path(dir_okay=False), metavar="FILE", help="Write a JUnit report."),
        click.Option(
            ["--html"], type=click.Path(dir_okay=False), metavar="FILE", help="Write a page with all cells and outputs."
        ),
    ],
    short_help="Run the cells of documents as tests.",
    help="""Run the code cells of documents as tests: those named, and those in the folders named.

    Without a name, those that celltask_documents in the settings of pytest names. A cell is named as
    page.md::train_model; the cells above it are run as well. The exit code is 0 if all cells pass, 1 if one fails, 2
    if something given is wrong.
    """,
)  # fmt: skip
