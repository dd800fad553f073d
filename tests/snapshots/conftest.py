"""Kernels for documents that keep snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kept_pages import Page

from celltask.documents.kernels.forked import can_fork
from celltask.documents.kernels.pool import Kernels
from celltask.documents.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if not can_fork():
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="package")
def loop() -> Iterator[Loop]:
    """One event loop for all kernels."""
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(scope="package")
def kernels(loop: Loop) -> Iterator[Kernels]:
    """Kernels that are forked from a server."""
    kernels = Kernels("fork")
    yield kernels
    loop.run(kernels.close())


@pytest.fixture
def page(loop: Loop, kernels: Kernels, tmp_path: Path) -> Iterator[Page]:
    """A document in a folder of its own."""
    page = Page(loop, kernels, tmp_path)
    yield page
    page.close()
