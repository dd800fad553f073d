"""`celltask lint DOC…`: what is wrong with documents though they can be run."""

from __future__ import annotations

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE, FAILED

__all__ = ["command"]


def _lint(paths: tuple[str, ...], *, form: str, select: tuple[str, ...], ignore: tuple[str, ...], fix: bool) -> int:
    from celltask.documents.lint.check import lint_documents  # noqa: PLC0415 - only for this command

    found = lint_documents(paths or (".",), select=_names(select), ignore=_names(ignore))
    if fix and any(finding.fixes for finding in found):
        from celltask.documents.lint.fix import fix_documents  # noqa: PLC0415 - only where there is something

        left = fix_documents(found)
        click.echo(f"mended {len(found) - len(left)} of {len(found)}", err=True)
        found = left
    if form == "json":
        import json  # noqa: PLC0415 - only for this

        keys = ("path", "line", "column", "rule", "what", "mend")
        report.write(json.dumps([dict(zip(keys, finding, strict=False)) for finding in found]))
    else:
        for finding in found:
            report.write(str(finding) if form == "text" else _annotation(*finding[:6]))
    return FAILED if found else DONE


def _names(given: tuple[str, ...]) -> list[str]:
    return [name.strip() for names in given for name in names.split(",") if name.strip()]


def _annotation(path: str, line: int, column: int, rule: str, what: str, mend: str) -> str:  # noqa: PLR0913, PLR0917 - the fields of a finding
    """A command of GitHub's workflows, in whose text some characters are written as numbers."""
    text = f"{what}; {mend}" if mend else what
    for sign, written in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text, path = text.replace(sign, written), path.replace(sign, written)
    path = path.replace(":", "%3A").replace(",", "%2C")
    return f"::error file={path},line={line},col={column},title={rule}::{text}"


command = click.Command(
    "lint",
    callback=_lint,
    params=[
        click.Argument(["paths"], metavar="DOC...", nargs=-1),
        click.Option(
            ["--format", "form"], type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
            help="How findings are printed; github makes annotations.",
        ),
        click.Option(["--select"], multiple=True, metavar="RULE", help="Use only this rule; may be repeated."),
        click.Option(["--ignore"], multiple=True, metavar="RULE", help="Leave this rule out; may be repeated."),
        click.Option(["--fix"], is_flag=True, help="Mend what can be mended safely."),
    ],
    short_help="Find cells that are not run and names that do not exist.",
    help="""Look for mistakes in the documents DOC, and in those in folders.

    Found are code cells that other readers would not run, unknown tags, references to what does not exist, and names
    in the text that the code no longer has. The exit code is 1 if there is something, else 0.
    """,
)  # fmt: skip
