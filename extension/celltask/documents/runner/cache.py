"""Documents that passed, each with what it depended on, so that it need not run again while nothing of that changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltask import __version__
from celltask.documents.header import header_text
from celltask.documents.runner.inputs import Inputs, changed, inputs_of, named_files
from celltask.documents.runner.noting import noting
from celltask.documents.verdict import skip_reason
from celltask.documents.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.documents.outline import DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.session import Stage

__all__ = ["Passed", "Watched", "in_project"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Watched:
    """A document that runs with its inputs noted."""

    document: DocumentText
    parameters: Mapping[str, object]
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

    def why_run(self, document: DocumentText, parameters: Mapping[str, object]) -> str | None:
        """What has changed since the document passed, in words; empty if it never did; None if nothing has."""
        try:
            found = json.loads(self._record(document, parameters).read_text(encoding="utf-8"))
            is_ours = found["format"] == _FORMAT and found["celltask"] == __version__
            cells, unknown = found["cells"], found["unknown"]
            inputs = Inputs(**found["inputs"]) if not unknown else None
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        if not is_ours:
            return ""
        if cells != self._digest(document):
            return "its cells or settings changed"
        return str(unknown) if inputs is None else changed(inputs, self._settings.root) or None

    def watched(self, document: DocumentText, parameters: Mapping[str, object], stage: Stage, folder: str) -> Watched:
        """The document with its stage set so that its inputs are noted; its former record is removed.

        Args:
            document: The document.
            parameters: That it is run under.
            stage: How it is run.
            folder: Of the run, where the kernel writes what it has noted.
        """
        self._record(document, parameters).unlink(missing_ok=True)
        last = max((cell.number for cell in document.cells if not skip_reason(cell)), default=0)
        file = Path(tempfile.mkdtemp(dir=folder), "told.json")
        hidden = {number: list(codes) for number, codes in stage.hidden.items()}
        hidden[0] = [noting("install"), *hidden.get(0, ())]
        hidden[last] = [*hidden.get(last, ()), noting("finish", str(file))]
        return Watched(document, parameters, replace(stage, hidden=hidden), file, time.time_ns())

    def keep(self, watched: Watched, *, has_passed: bool, copies: tuple[str, str] | None) -> None:
        """Write the record of a document, if it has passed.

        Args:
            watched: The document.
            has_passed: Whether all its cells have.
            copies: The folder that showed the project while it ran, and the project's own; None if it ran in that.

        Raises:
            DocumentError: If it cannot be written.
        """
        try:
            if not has_passed or not watched.file.exists():
                return
            told = dict(in_project(json.loads(watched.file.read_text(encoding="utf-8")), copies))
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
            write_whole(self._folder / ".gitignore", b"*\n")
        write_whole(self._record(document, watched.parameters), json.dumps(record, indent=1).encode())

    def _record(self, document: DocumentText, parameters: Mapping[str, object]) -> Path:
        path = Path(document.path).absolute()
        if path.is_relative_to(self._settings.root):
            name = f"{path.relative_to(self._settings.root).as_posix()}.json"
        else:
            name = f"elsewhere/{path.name}-{_hash(str(path))[:16]}.json"
        key = repr(sorted(parameters.items())) if parameters else ""
        return self._folder / "passed" / (f"{name[:-5]}-{_hash(key)[:16]}.json" if key else name)

    def _digest(self, document: DocumentText) -> str:
        """Of the cells and other fences, the header, and the settings; prose does not count."""
        settings = self._settings
        header = [header_text(document.text), document.settings]
        cells = [[cell.source, cell.language, cell.tags, _plain(cell.options)] for cell in document.cells]
        blocks = [[block.directive, block.argument, block.source, _plain(block.options)] for block in document.blocks]
        return _hash(repr([header, cells, blocks, replace(settings, root=Path(), documents=())]))


def in_project(told: Mapping[str, Any], copies: tuple[str, str] | None) -> Mapping[str, Any]:
    """What was told, with the project's own files in the place of their copies; what was written to those is gone."""
    if copies is None:
        return told
    top, root = copies

    def own(path: str) -> str:
        return f"{root}{path[len(top) :]}" if path == top or path.startswith(f"{top}{os.sep}") else path

    return {
        **told,
        "read": [own(path) for path in told["read"]],
        "written": [path for path in told["written"] if own(path) == path],
        "listed": [own(path) for path in told["listed"]],
        "modules": {name: own(path) for name, path in told["modules"].items()},
    }


def _plain(options: Mapping[str, object]) -> list[tuple[str, str]]:
    return sorted((name, repr(value)) for name, value in options.items())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
