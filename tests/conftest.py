"""What all tests have in common: folders for results and for temporary files; none of celltask's may be left there."""

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
    from collections.abc import Callable, Iterator


def pytest_configure(config: pytest.Config) -> None:
    """Have temporary files in a folder of this run, which is looked at as the last thing; pytest's own stay elsewhere.

    Workers of pytest-xdist have theirs in that of their controller.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    config.add_cleanup(_in(Path(tempfile.mkdtemp(prefix="tests-"))))


def _in(folder: Path) -> Callable[[], None]:
    before = {name: os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP", "XDG_RUNTIME_DIR")}
    (folder / "run").mkdir(mode=0o700)
    os.environ.update(dict.fromkeys(before, str(folder)) | {"XDG_RUNTIME_DIR": f"{folder}/run"})
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


@pytest.fixture(scope="session", autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("celltask")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLTASK_STORE", f"{folder}/store")
        patch.setenv("CELLTASK_KEY_FILE", f"{folder}/key")
        yield


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a store that no other test has written to."""
    folder = tmp_path / "store"
    monkeypatch.setenv("CELLTASK_STORE", str(folder))
    return folder
