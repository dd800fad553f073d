"""Documents with shell examples, and their examples run without pytest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

# Each run inside a test forgets the modules that it was the first to import, and zmq cannot be imported twice.
import celltask.documents.engine
import celltask.documents.items
from celltask.documents.reader import read_document
from celltask.documents.shell.blocks import shell_blocks
from celltask.documents.shell.session import ShellSession, Verdict

if TYPE_CHECKING:
    from pathlib import Path

assert celltask.documents.items.DocumentFile
assert celltask.documents.engine

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []

Verdicts = Callable[..., list[Verdict]]


@pytest.fixture
def verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verdicts:
    """Writes a page, runs all its shell examples, and gives what became of each."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, *, timeout_s: float = 60.0, name: str = "page.md") -> list[Verdict]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        document = read_document(path)
        with ShellSession(document, tmp_path) as session:
            return [session.run(block, timeout_s) for block in shell_blocks(document, choice="run")]

    return run
