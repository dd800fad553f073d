"""What pytest and its plugins offer for tests, offered for cells: the debugger, coverage."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakePage

pytest_plugins = ["pytester"]

REPLACE = "!import pathlib; page = pathlib.Path('page.md'); page.write_text(page.read_text().replace('{}', '{}'))"
"""Typed at the debugger, this edits the page."""


def _run(folder: Path, *options: str, typed: str = "") -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--celltask", *options]
    done = subprocess.run(command, cwd=folder, input=typed, capture_output=True, text=True, timeout=100, check=False)
    return done.stdout + done.stderr


def test_the_debugger_opens_in_the_kernel(pytester: pytest.Pytester, page: MakePage) -> None:
    """At the frame that raised, with its variables; what is typed and shown passes through the terminal of pytest."""
    page("def f(x):\n    return 1 / x", "y = 5\nf(0)", "z = 1")
    told = _run(pytester.path, "--pdb", typed="p 10 + x\nup\np 20 + y\nc\n")
    assert "page.md:5: ZeroDivisionError: division by zero" in told
    assert [line for line in told.splitlines() if line.startswith("ipdb> ") and line[6:].isdigit()] == [
        "ipdb> 10",
        "ipdb> 25",
    ]
    assert "1 failed, 1 passed, 1 skipped" in told


def test_the_debugger_can_execute_a_cell_again(pytester: pytest.Pytester, page: MakePage) -> None:
    """From the state before it, as often as wanted, and as it stands in the document now; its test has failed."""
    page("seen = [1]", "seen.append(2)\nseen.append(1 / 0)", "z = 1")
    first, second = REPLACE.format("1 / 0", "2 / 0"), REPLACE.format("2 / 0", "2 / 1")
    typed = ["p seen", "again", "p seen", first, "again", "p seen", second, "again"]
    told = _run(pytester.path, "--pdb", typed="\n".join(typed))
    assert [line for line in told.splitlines() if line.startswith("ipdb> [")] == ["ipdb> [1, 2]"] * 3
    assert "IPDB: h for help, c to go on, q to end the tests, again to execute the cell again from the state" in told
    assert "    seen.append(2 / 0)" in told.splitlines()
    assert "ipdb> the cell passes now; its test has failed as told above" in told.splitlines()
    assert "1 failed, 1 passed, 1 skipped" in told


def test_the_debugger_tells_why_a_cell_cannot_be_executed_again(pytester: pytest.Pytester, page: MakePage) -> None:
    """A state that a fork cannot copy; and cells above it that are not what was executed."""
    page("import threading\nend = threading.Event()\nthreading.Thread(target=end.wait, daemon=True).start()", "1 / 0")
    told = _run(pytester.path, "--pdb", typed="again\nc\n")
    why = "the cell cannot be executed again from the state before it: 1 thread of the document runs: Thread-"
    assert why in told
    assert "NameError: name 'again' is not defined" in told
    page("x = 1", "1 / 0")
    told = _run(pytester.path, "--pdb", typed=f"{REPLACE.format('x = 1', 'x = 2')}\nagain\nc\n")
    assert "a cell above it has changed: begin anew" in told
    assert "1 failed, 1 passed" in told


def test_the_debugger_can_end_the_tests(pytester: pytest.Pytester, page: MakePage) -> None:
    """As pytest's own does."""
    page("1 / 0", name="a.md")
    page("x = 1", name="b.md")
    told = _run(pytester.path, "--pdb", typed="q\n")
    assert "Quitting debugger" in told
    assert "1 failed in" in told


def test_a_kernel_that_died_cannot_be_debugged(pytester: pytest.Pytester, page: MakePage) -> None:
    """That is told, and the tests go on."""
    page("import os\nos._exit(1)", name="a.md")
    page("x = 1", name="b.md")
    told = _run(pytester.path, "--pdb")
    assert "the kernel has ended; there is nothing to look at" in told
    assert "1 failed, 1 passed" in told


def test_other_tests_keep_the_debugger_of_pytest(pytester: pytest.Pytester, page: MakePage) -> None:
    """Beside documents, in the same run."""
    page("x = 1")
    pytester.makepyfile("def test_it():\n    w = 3\n    assert w == 4")
    told = _run(pytester.path, "--pdb", typed="p 10 + w\nc\n")
    assert "(Pdb) 13" in told


@pytest.mark.parametrize("parallel", [(), ("-n", "2")], ids=["one-process", "xdist"])
def test_coverage_counts_what_cells_execute(
    pytester: pytest.Pytester, page: MakePage, parallel: tuple[str, ...]
) -> None:
    """Of a package under test, and of the cells themselves with the lines of the page."""
    (pytester.path / "pkg.py").write_text("def f(x):\n    if x:\n        return 1\n    return 2\n")
    (pytester.path / ".coveragerc").write_text("[run]\nplugins = celltask.documents.coverage_plugin\n")
    page(
        "import sys; sys.path.append('..')\nfrom pkg import f\nif f(1):\n    y = 1\nelse:\n    y = 2",
        "%time z = 1",
        name="docs/a.md",
    )
    page("import sys; sys.path.append('..')\nfrom pkg import f", name="docs/b.md")
    options = ("--cov=pkg", "--cov=docs", "--cov-report=term-missing", "docs", *parallel)
    told = _run(pytester.path, *options)
    rows = [
        line.split()
        for line in told.splitlines()
        if line.startswith(("docs/", "pkg.py")) and "%" in line and "[" not in line
    ]
    assert rows == [
        ["docs/a.md", "5", "1", "80%", "9"],
        ["docs/b.md", "2", "0", "100%"],
        ["pkg.py", "4", "1", "75%", "4"],
    ]
