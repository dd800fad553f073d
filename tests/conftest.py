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

_OF_TESTS = "tests-"
"""How the names of folders begin that tests make for themselves while they are collected."""


def pytest_configure(config: pytest.Config) -> None:
    """Have temporary files in a folder of this run, which is looked at as the last thing; pytest's own stay elsewhere.

    Workers of pytest-xdist have theirs in that of their controller.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix=_OF_TESTS))
    config.add_cleanup(_in(folder))


def _in(folder: Path) -> Callable[[], None]:
    before = {name: os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")}
    os.environ.update(dict.fromkeys(before, str(folder)))
    tempfile.tempdir = str(folder)

    def leave() -> None:
        tempfile.tempdir = None
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        until_the_end = {made.name for made in scratch._folders} | {one.kernels._folder for one in background._shared}
        left = sorted(str(path) for path in folder.iterdir() if str(path) not in until_the_end)
        left = [path for path in left if not Path(path).name.startswith(_OF_TESTS)]
        shutil.rmtree(folder, ignore_errors=True)
        if left:
            raise pytest.UsageError(f"temporary files are left behind: {', '.join(left)}")

    return leave
