"""The folder for temporary files of all tests: when they have ended, nothing of celltask may be left there."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from celltask.core import scratch
from celltask.documents.runner import background

if TYPE_CHECKING:
    from collections.abc import Callable


def pytest_configure(config: pytest.Config) -> None:
    """Have temporary files in a folder of this run, which is looked at as the last thing; pytest's own stay elsewhere.

    Workers of pytest-xdist have theirs in that of their controller.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    config.add_cleanup(_in(Path(tempfile.mkdtemp(prefix="tests-"))))


def _in(folder: Path) -> Callable[[], None]:
    before = {name: os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")}
    os.environ.update(dict.fromkeys(before, str(folder)))
    tempfile.tempdir = str(folder)

    def leave() -> None:
        tempfile.tempdir = None
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        until_the_end = {made.name for made in scratch._folders} | {one.kernels._folder for one in background._shared}
        left = {str(path) for path in folder.glob("celltask*")} - until_the_end
        shutil.rmtree(folder, ignore_errors=True)
        if left:
            raise pytest.UsageError(f"temporary files are left behind: {', '.join(sorted(left))}")

    return leave
