"""The command line called as its users call it: with words, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from command_line import ADD, KINDS, PAGE, Cli, Said

from celltask.cli.main import main
from celltask.core.registry import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """The command line in this process, called with one word an argument."""
    del folder
    before = dict(registry._defined)

    def call(*words: str) -> Said:
        capsys.readouterr()
        code = main(list(words))
        out, err = capsys.readouterr()
        return Said(code, out, err)

    yield call
    registry._defined.clear()
    registry._defined.update(before)


@pytest.fixture
def process(folder: Path) -> Callable[..., Said]:
    """The command line in a process of its own; `input_text` is its standard input."""

    def call(*words: str, input_text: str | bytes = "", python: tuple[str, ...] = (), **environment: str) -> Said:
        given = input_text if isinstance(input_text, bytes) else input_text.encode()
        done = subprocess.run(
            [sys.executable, *python, "-m", "celltask", *words],
            cwd=folder, input=given, capture_output=True, check=False, env={**os.environ, **environment}, timeout=60,
        )  # fmt: skip
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture
def add_py(folder: Path) -> str:
    """A module with two tasks and a workflow."""
    (folder / "adding.py").write_text(ADD)
    return "adding.py"


@pytest.fixture
def page_md(folder: Path) -> str:
    """A MyST page with a task, a demonstration and a workflow."""
    (folder / "page.md").write_text(PAGE)
    return "page.md"


@pytest.fixture
def kinds_py(folder: Path) -> str:
    """A module with a task that has an input of every kind."""
    (folder / "many_kinds.py").write_text(KINDS)
    return "many_kinds.py"
