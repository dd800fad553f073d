"""Outcomes for other programs: as JSON, and as the XML of JUnit that build servers read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from celltask.documents.runner.outcome import counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from celltask.documents.runner.outcome import CellOutcome, DocumentOutcome

__all__ = ["as_json", "as_junit"]

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not have."""


def as_json(outcomes: Sequence[DocumentOutcome], seconds: float) -> str:
    """One object: ``seconds``, ``counts``, and ``documents`` with their ``cells``.

    A document has ``path``, ``error`` (text or null), ``unchanged``, ``why``, ``seconds``, ``notices`` (``line``,
    ``what``, ``mend``) and ``cells``; a cell has ``name``, ``line``, ``verdict``, ``seconds``, ``failure`` (``what``,
    ``path``, ``line``, ``text``) or null, and ``reason``, why it was skipped.
    """
    documents = [
        {
            "path": outcome.chosen.shown,
            "error": str(outcome.chosen.error) if outcome.chosen.error else None,
            "unchanged": outcome.unchanged,
            "why": outcome.why,
            "seconds": round(outcome.seconds, 6),
            "notices": [notice._asdict() for notice in outcome.chosen.notices],
            "cells": [_cell(cell) for cell in outcome.cells],
        }
        for outcome in outcomes
    ]
    return json.dumps({"seconds": round(seconds, 6), "counts": counts(outcomes), "documents": documents})


def _cell(cell: CellOutcome) -> dict[str, object]:
    told = cell.told
    return {
        "name": cell.name,
        "line": cell.cell.first_line,
        "verdict": cell.verdict,
        "seconds": round(cell.seconds, 6),
        "reason": cell.reason,
        "failure": told and {"what": told.what, "path": told.filename, "line": told.line, "text": told.text},
    }


def as_junit(outcomes: Sequence[DocumentOutcome], seconds: float) -> str:
    """A suite with one case a cell, with the ``file`` and ``line`` of each, from 1."""
    cases = [line for outcome in outcomes for line in _cases(outcome)]
    found = counts(outcomes)
    total = found["failed"] + found["passed"] + found["skipped"] + found["error"] + found["unchanged"]
    head = (
        f'<testsuite name="celltask" tests="{total}" failures="{found["failed"]}" errors="{found["error"]}" '
        f'skipped="{found["skipped"] + found["unchanged"]}" time="{seconds:.3f}">'
    )
    return "\n".join(
        ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>", head, *cases, "</testsuite>", "</testsuites>", ""]
    )


def _cases(outcome: DocumentOutcome) -> Iterator[str]:
    shown = outcome.chosen.shown
    if outcome.chosen.error is not None:
        what = outcome.chosen.error.what
        yield _case(
            shown, shown, 1, 0.0, f"<error message={_attribute(what)}>{_text(str(outcome.chosen.error))}</error>"
        )
    if outcome.unchanged:
        yield _case(shown, shown, 1, 0.0, '<skipped message="unchanged since it passed"/>')
    for cell in outcome.cells:
        inner = ""
        if cell.told is not None:
            inner = f"<failure message={_attribute(cell.told.what)}>{_text(cell.told.text)}</failure>"
        elif cell.verdict == "skipped":
            inner = f"<skipped message={_attribute(cell.reason)}/>"
        yield _case(shown, cell.name, cell.cell.first_line, cell.seconds, inner)


def _case(document: str, name: str, line: int, seconds: float, inner: str) -> str:
    return (
        f'<testcase classname={_attribute(document)} name={_attribute(name)} file={_attribute(document)} line="{line}" '
        f'time="{seconds:.3f}">{inner}</testcase>'
    )


def _text(text: str) -> str:
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", text))


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", text))
