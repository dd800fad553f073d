"""Documents of other languages are run by their own kernels where these are installed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

KERNEL = """
import os
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

class Echo(Kernel):
    implementation = banner = "echo"
    implementation_version = "1"
    language_info = {"name": "echo", "mimetype": "text/plain", "file_extension": ".txt"}

    async def do_execute(self, code, silent, *args, **kwargs):
        if code == "die":
            os._exit(3)
        self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": code + os.getcwd()})
        told = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
        if code == "fail":
            error = {"ename": "EchoError", "evalue": "no echo", "traceback": ["EchoError: no echo"]}
            self.send_response(self.iopub_socket, "error", error)
            told = {"status": "error", "execution_count": 1, **error}
        return told

IPKernelApp.launch_instance(kernel_class=Echo)
"""
HEADER = "---\nkernelspec:\n  name: {kernel}\n  language: {language}\n---\n\n"
CELLS = "\n".join(
    f"```{{code-cell}} {word}\n{code}\n```\n"
    for word, code in (("", "hello"), ("python", "1"), ("", "fail"), ("", "more"))
)


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel of a language of its own, installed where Jupyter looks for kernels."""
    folder = tmp_path / "jupyter" / "kernels" / "echo-kernel"
    folder.mkdir(parents=True)
    (folder / "echo.py").write_text(KERNEL)
    spec = {"argv": [sys.executable, str(folder / "echo.py"), "-f", "{connection_file}"], "display_name": "Echo"}
    (folder / "kernel.json").write_text(json.dumps({**spec, "language": "echo"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("kernels", ["fork", "cold"])
def test_a_document_is_run_by_its_kernel(pytester: pytest.Pytester, kernels: str) -> None:
    """In its folder; cells of other languages are skipped, and a failure is told at its line."""
    (pytester.path / "page.md").write_text(HEADER.format(kernel="echo-kernel", language="echo") + CELLS)
    result = pytester.runpytest("--celltask", "-rsP", f"--celltask-kernels={kernels}")
    result.assert_outcomes(passed=1, skipped=2, failed=1)
    assert f"hello{pytester.path}" in result.outlines
    result.stdout.fnmatch_lines(["page.md:16: EchoError: no echo", "SKIPPED *page.md:11: the cell is python, not echo"])


@pytest.mark.usefixtures("echo")
def test_a_notebook_is_run_by_its_kernel(pytester: pytest.Pytester) -> None:
    """Whose death is told, too."""
    cells = [{"cell_type": "code", "metadata": {}, "source": source, "outputs": []} for source in ("hello", "die")]
    metadata = {"kernelspec": {"name": "other", "language": "echo", "display_name": "Echo"}}
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}
    (pytester.path / "book.ipynb").write_text(json.dumps(book))
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["book.ipynb:cell 2:1: the kernel ended with exit code 3*"])


@pytest.mark.parametrize(("kernel", "language"), [("ir", "R"), ("nosuch", "odd")])
def test_cells_without_a_kernel_are_skipped(pytester: pytest.Pytester, kernel: str, language: str) -> None:
    """And the reason names the kernel that is missing."""
    (pytester.path / "page.md").write_text(HEADER.format(kernel=kernel, language=language) + "```{code-cell}\nx\n```\n")
    result = pytester.runpytest("--celltask", "-rs")
    result.assert_outcomes(skipped=1)
    told = f"the cell is {language.lower()}, of which no kernel is installed, such as {kernel}"
    result.stdout.fnmatch_lines([f"SKIPPED *page.md:7: {told}"])
