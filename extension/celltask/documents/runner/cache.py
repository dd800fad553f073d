"""Documents that passed, each with what it depended on, so that it need not run again while nothing of that changes."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from celltask import __version__
from celltask.documents.header import header_text
from celltask.documents.runner.files import write_whole
from celltask.documents.runner.inputs import Inputs, changed, inputs_of, named_files
from celltask.documents.verdict import skip_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.documents.outline import DocumentText
    from celltask.documents.runner.choice import Chosen
    from celltask.documents.runner.outcome import DocumentOutcome
    from celltask.documents.runner.settings import Settings
    from celltask.documents.session import Stage

__all__ = ["Passed", "Watched"]

_FORMAT = 1
_RECORDER = Path(__file__).with_name("recorder.py")
_INSTALL = (
    "(lambda names: (exec({text!r}, names), names['install'](get_ipython())))({{'__name__': '_celltask_recorder'}})"
)
_FINISH = (
    "(lambda names: (exec({text!r}, names), names['finish'](get_ipython(), {file!r})))"
    "({{'__name__': '_celltask_recorder'}})"
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A document that runs with its inputs noted."""

    chosen: Chosen
    document: DocumentText
    stage: Stage
    file: Path
    """Where the kernel tells them."""
    started_ns: int


class Passed:
    """The records of documents that passed, below ``.celltask/passed`` in the folder of the settings.

    A record is one file a document; it is removed before the document runs, and written when all its cells have passed.

    Args:
        settings: Of the run; a document that passed under others runs again.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.root / ".celltask"

    def why_run(self, chosen: Chosen) -> str | None:
        """What has changed since the document passed, in words; empty if it never did; None if nothing has."""
        try:
            found = json.loads(self._record(chosen).read_text(encoding="utf-8"))
            is_ours = found["format"] == _FORMAT and found["celltask"] == __version__
            cells, unknown = found["cells"], found["unknown"]
            inputs = Inputs(**found["inputs"]) if not unknown else None
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        if chosen.document is None or not _is_whole(chosen) or not is_ours:
            return ""
        if cells != self._digest(chosen.document):
            return "its cells or settings changed"
        return str(unknown) if inputs is None else changed(inputs, self._settings.root) or None

    def watched(self, chosen: Chosen, stage: Stage, folder: str) -> Watched | None:
        """The document with its stage set so that its inputs are noted; None if it can leave no record.

        Its former record is removed.

        Args:
            chosen: The document.
            stage: How it is run.
            folder: Of the run, where the kernel writes what it has noted.
        """
        document = chosen.document
        if document is None or not _is_whole(chosen):
            return None
        self._record(chosen).unlink(missing_ok=True)
        last = max((cell.number for cell in document.cells if not skip_reason(cell)), default=0)
        file = Path(tempfile.mkdtemp(dir=folder), "told.json")
        text = _RECORDER.read_text(encoding="utf-8")
        hidden = {number: list(codes) for number, codes in stage.hidden.items()}
        hidden[0] = [_INSTALL.format(text=text), *hidden.get(0, ())]
        hidden[last] = [*hidden.get(last, ()), _FINISH.format(text=text, file=str(file))]
        return Watched(chosen, document, replace(stage, hidden=hidden), file, time.time_ns())

    def keep(self, watched: Watched, outcome: DocumentOutcome) -> None:
        """Write the record of a document that has passed.

        Raises:
            DocumentError: If it cannot be written.
        """
        try:
            if outcome.failed or not watched.file.exists():
                return
            told = json.loads(watched.file.read_text(encoding="utf-8"))
        finally:
            shutil.rmtree(watched.file.parent, ignore_errors=True)
        document, root = watched.document, self._settings.root
        named = named_files(document.cells, Path(document.path).parent)
        told["read"] = [path for path in told["read"] if path != document.path]
        inputs = inputs_of(told, named, root=root, started_ns=watched.started_ns)
        is_known = not isinstance(inputs, str)
        record = {
            "format": _FORMAT,
            "celltask": __version__,
            "cells": self._digest(document),
            "unknown": "" if is_known else inputs,
            "inputs": inputs._asdict() if not isinstance(inputs, str) else {},
        }
        if not self._folder.exists():
            write_whole(self._folder / ".gitignore", "*\n")
        write_whole(self._record(watched.chosen), json.dumps(record, indent=1))

    def _record(self, chosen: Chosen) -> Path:
        path = chosen.path.absolute()
        if path.is_relative_to(self._settings.root):
            name = f"{path.relative_to(self._settings.root).as_posix()}.json"
        else:
            name = f"elsewhere/{path.name}-{_hash(str(path))[:16]}.json"
        key = repr(sorted(chosen.parameters.items())) if chosen.parameters else ""
        return self._folder / "passed" / (f"{name[:-5]}-{_hash(key)[:16]}.json" if key else name)

    def _digest(self, document: DocumentText) -> str:
        """Of the cells and other fences, the header, and the settings; prose does not count."""
        settings = self._settings
        header = [header_text(document.text), document.settings]
        cells = [[cell.source, cell.language, cell.tags, _plain(cell.options)] for cell in document.cells]
        blocks = [[block.directive, block.argument, block.source, _plain(block.options)] for block in document.blocks]
        return _hash(repr([header, cells, blocks, replace(settings, root=Path(), documents=())]))


def _is_whole(chosen: Chosen) -> bool:
    # What `>>>` examples read is not noted: a document with some runs always.
    return chosen.document is not None and len(chosen.numbers) == len(chosen.document.cells) and not chosen.examples


def _plain(options: Mapping[str, object]) -> list[tuple[str, str]]:
    return sorted((name, repr(value)) for name, value in options.items())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
