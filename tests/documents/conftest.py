"""Fixtures of the tests of documents."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_the_folder_of_the_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Places are told from the working folder, so that is where the test's documents are."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _clean_modules() -> Iterator[None]:
    """Modules of documents do not outlive a test."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if hasattr(sys.modules[name], "__celltask_document__"):
            del sys.modules[name]
