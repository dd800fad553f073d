"""What the tests in browsers share: a browser for each file, and one JupyterLab of each theme for all of them."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def server_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., lab.Server]]:
    """Gives the JupyterLab of a theme, or Notebook 7, started when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def started(theme: str, app: str = "lab") -> lab.Server:
            folder = tmp_path_factory.mktemp(theme)
            return stack.enter_context(lab.lab_server(folder, theme=theme, app=app))

        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a file; each has pages of its own."""
    with lab.chromium() as found:
        yield found
