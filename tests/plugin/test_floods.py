"""A cell that shows or takes far too much fails at its line, and costs the tests nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from many_pages import write_pages

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakePage

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured and limited in the way of Linux")

SHOWN = "the cell showed more than the limit, and was interrupted"
FLOODS = {
    "lines": "while True:\n    print('x' * 1000)",
    "one-string": "print('x' * 1_000_000_000)",
    "value": "'x' * 200_000_000",
    "display": "for number in range(1000):\n    display({'text/html': 'x' * 1_000_000}, raw=True)",
    "updates": "shown = display(1, display_id=True)\nwhile True:\n    shown.update('x' * 1_000_000)",
    "process": "import subprocess\nsubprocess.run(['yes', 'x' * 1000])",
    "shell": "!yes {'x' * 1000}",
    "errors": "import sys\nwhile True:\n    sys.stderr.write('x' * 1000)",
}

MEASURED = """
import pathlib, sys, pytest
pytest.main(sys.argv[1:])
lines = pathlib.Path("/proc/self/status").read_text().splitlines()  # wait4 would tell the most of whoever started this
pathlib.Path("peak").write_text(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
"""


def test_a_flood_fails_at_its_line_and_is_not_kept(tmp_path: Path) -> None:
    """A gigabyte, by whatever way; pytest holds no more of it than the limit, and the documents after it are tested."""
    write_pages(tmp_path, {**FLOODS, "z": "x = 1"})
    command = [sys.executable, "-c", MEASURED, "--celltask", "-p", "no:cacheprovider", "-o", "celltask_timeout=60"]
    with (tmp_path / "printed").open("wb") as printed:
        subprocess.run(command, cwd=tmp_path, stdout=printed, stderr=printed, check=True, timeout=170)
    lines = (tmp_path / "printed").read_text().splitlines()
    told = {line.partition(".md:")[0]: line.partition(": ")[2] for line in lines if line.endswith(f": {SHOWN}")}
    assert told == dict.fromkeys(FLOODS, SHOWN), lines[-20:]
    assert int((tmp_path / "peak").read_text()) < 400_000  # KiB: pytest alone takes a fifth of that
    assert f" {len(FLOODS)} failed, 1 passed in " in lines[-1]


@pytest.mark.parametrize("kernels", ["fork", "cold"])
def test_a_document_may_take_so_much_memory(pytester: pytest.Pytester, page: MakePage, kernels: str) -> None:
    """More is a MemoryError at the line that asked for it; the limit counts what the document takes alone."""
    page("x = bytearray(150_000_000)", "y = bytearray(150_000_000)", name="a.md")
    page("x = bytearray(150_000_000)", name="b.md")
    result = pytester.runpytest_subprocess("--celltask", "--celltask-memory=200", f"--celltask-kernels={kernels}")
    result.assert_outcomes(passed=2, failed=1)
    assert "a.md:10: MemoryError" in result.outlines
    pytester.makeini("[pytest]\ncelltask_memory = 500")
    pytester.runpytest("--celltask", f"--celltask-kernels={kernels}").assert_outcomes(passed=3)


def test_a_memory_limit_that_cannot_be_meant_is_refused(pytester: pytest.Pytester) -> None:
    """It would else be no limit."""
    result = pytester.runpytest("--celltask-memory=much")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--celltask-memory is 'much', not a number of MiB above 0"])


def test_documents_that_run_at_once_share_the_cores(
    pytester: pytest.Pytester, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numerical libraries begin as many threads as there are cores for each worker, and do not spin."""
    threads = max(1, (os.cpu_count() or 1) // 2)
    look = (
        f"from os import environ as e\nassert (e['OMP_NUM_THREADS'], e['OMP_WAIT_POLICY']) == ('{threads}', 'passive')"
    )
    page(look, name="a.md")
    page(look, name="b.md")
    pytester.runpytest_subprocess("--celltask", "-n", "2").assert_outcomes(passed=2)
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)  # of the run that this test is part of
    page("import os\nassert 'OMP_NUM_THREADS' not in os.environ", name="a.md")
    pytester.runpytest("--celltask", "a.md").assert_outcomes(passed=1)
