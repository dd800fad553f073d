"""`celltask audit FILE`: what the cells of a document need of each other without saying so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE, FAILED

if TYPE_CHECKING:
    from celltask.documents.audit import Audit
    from celltask.documents.outline import DocumentText

__all__ = ["command"]

_TITLES = {
    "order": "used before it is defined",
    "failure": "failure",
    "hidden": "hidden need",
    "swap": "hidden order",
    "unneeded": "not needed",
}


def _audit(file: str, *, as_json: bool, timeout: float | None) -> int:
    from dataclasses import replace  # noqa: PLC0415 - only for this command
    from pathlib import Path  # noqa: PLC0415 - as above

    from celltask.documents.audit import audit  # noqa: PLC0415 - as above
    from celltask.documents.kernels.pool import Kernels  # noqa: PLC0415 - as above
    from celltask.documents.loop import Loop  # noqa: PLC0415 - as above
    from celltask.documents.reader import read_document  # noqa: PLC0415 - as above
    from celltask.documents.runner.settings import read_settings  # noqa: PLC0415 - as above
    from celltask.documents.stages import stage_of  # noqa: PLC0415 - as above

    settings = read_settings([Path(file)])
    if timeout is not None:
        settings = replace(settings, timeout_s=timeout)
    document = read_document(str(Path(file).absolute()), nested=settings.nested)
    stage = stage_of(document, settings)
    loop, kernels = Loop(), Kernels()
    try:
        found = loop.run(audit(document, kernels, stage))
    finally:
        loop.run(kernels.close())
        loop.close()
    report.write(_json(document, found) if as_json else _text(file, document, found))
    return FAILED if found.has_hidden_state else DONE


def _text(file: str, document: DocumentText, found: Audit) -> str:
    lines = []
    for finding in found.findings:
        place = f"{file}:{document.cells[finding.cell - 1].first_line}"
        lines.append(f"{place}: {_TITLES[finding.kind]}: cell {finding.cell} {finding.what}")
        if finding.mend:
            lines.append(f"  mend: {finding.mend}")
    for number, reason in found.not_kept.items():
        lines.append(f"{file}: no snapshot after cell {number}: {reason}")
    if found.unsteady:
        lines.append(f"{file}: shows something else each time: cell {', '.join(map(str, found.unsteady))}")
    if 0 in found.not_kept:
        lines.append(f"{file}: hidden state was not looked for, only the order of names")
    elif not found.has_hidden_state:
        lines.append(f"{file}: no hidden state")
    return "\n".join(lines)


def _json(document: DocumentText, found: Audit) -> str:
    cells = [
        {
            "cell": cell.number,
            "line": cell.first_line,
            "needed_by": [
                {"cell": number, "names": names} for number, names in found.needs.needed_by(cell.number).items()
            ],
        }
        for cell in document.cells
    ]
    told = {
        "document": document.path,
        "hidden_state": found.has_hidden_state,
        "cells": cells,
        "findings": [finding._asdict() for finding in found.findings],
        "not_kept": [{"cell": number, "reason": reason} for number, reason in found.not_kept.items()],
        "unsteady": list(found.unsteady),
    }
    return report.json_text(told)


command = click.Command(
    "audit",
    callback=_audit,
    params=[
        click.Argument(["file"], metavar="FILE"),
        report.json_option("a JSON object"),
        click.Option(
            ["--timeout"], type=float, help="Seconds that a cell may take (default: by the settings, or 300)."
        ),
    ],
    short_help="Find hidden state in a document.",
    help="""Execute the document FILE, then again without each of its cells and with neighbours in the other order.

    Tells names that are used before they are defined, cells that need another one though no name shows it, and
    definitions that nothing needs. The exit code is 1 if there is hidden state; a definition too many is none.
    """,
)
