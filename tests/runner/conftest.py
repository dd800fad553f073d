"""Documents for the tests of the runner, and the command line called on them with real kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from celltask.cli.main import main


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Those of standard output."""
        return self.out.splitlines()


MakePage = Callable[..., Path]
Cli = Callable[..., Said]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def page(folder: Path) -> MakePage:
    """Writes a MyST page of the given cells; the first cell's code begins in line 4, unless it has options."""

    def make(*cells: str, name: str = "page.md") -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fences = [f"```{{code-cell}}\n{cell}\n```\n" for cell in cells]
        path.write_text("# A page\n\n" + "\nProse.\n\n".join(fences), encoding="utf-8")
        return path

    return make


@pytest.fixture
def notebook(folder: Path) -> MakePage:
    """Writes a notebook: a title, then the given cells."""

    def make(*cells: str, name: str = "book.ipynb", tags: tuple[str, ...] = ()) -> Path:
        found: list[dict[str, object]] = [{"cell_type": "markdown", "metadata": {}, "source": "# Title"}]
        found += [
            {
                "cell_type": "code",
                "metadata": {"tags": list(tags)},
                "source": cell,
                "outputs": [],
                "execution_count": None,
            }
            for cell in cells
        ]
        path = folder / name
        path.write_text(json.dumps({"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
        return path

    return make


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process, called with one word an argument."""
    del folder

    def call(*words: str) -> Said:
        capsys.readouterr()
        code = main(list(words))
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call


@pytest.fixture
def process(folder: Path) -> Cli:
    """The command line in a process of its own."""

    def call(*words: str, **environment: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "celltask", *words],
            cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=60,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    return call
