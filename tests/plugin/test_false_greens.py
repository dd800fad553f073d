"""What passes elsewhere though something went wrong fails here, at its line."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest
from many_pages import Told, both_kernels, run_pages, write_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakePage

pytest_plugins = ["pytester"]

WORK = "import asyncio\nasync def work():\n    1 / 0\n"
SLOW = "import asyncio\nasync def work():\n    await asyncio.sleep(0.1)\n    1 / 0\n"
BY_ZERO = "ZeroDivisionError: division by zero"

FAILING: dict[str, tuple[str | tuple[str, ...], int, str]] = {
    "unknown-magic-and-error": (
        "%notmagic\nraise TypeError",
        4,
        "UsageError: Line magic function `%notmagic` not found.",
    ),
    "late-thread": (
        "from threading import Timer\ndef work():\n    1 / 0\nTimer(0.1, work).start()",
        6,
        f"{BY_ZERO} (raised in thread Thread-…)",
    ),
    "thread-of-an-earlier-cell": (
        (
            "import threading\ngo = threading.Event()\ndef work():\n    go.wait()\n    1 / 0",
            "thread = threading.Thread(None, work, 'odd')\nthread.start()\ngo.set()\nthread.join()",
        ),
        8,
        f"{BY_ZERO} (raised in thread odd)",
    ),
    "task-forgotten": (
        f"{WORK}asyncio.create_task(work())\nawait asyncio.sleep(0.01)",
        6,
        f"{BY_ZERO} (raised in the asyncio task Task-…)",
    ),
    "task-kept": (f"{WORK}kept = asyncio.create_task(work())", 6, f"{BY_ZERO} (raised in the asyncio task Task-…)"),
    "task-slow": (f"{SLOW}kept = asyncio.create_task(work())", 7, f"{BY_ZERO} (raised in the asyncio task Task-…)"),
    "task-of-an-earlier-cell": (
        (f"{WORK}kept = asyncio.create_task(work())", "x = 1"),
        6,
        f"{BY_ZERO} (raised in the asyncio task Task-…)",
    ),
    "callback": (
        "import asyncio\ndef work():\n    1 / 0\nasyncio.get_event_loop().call_soon(work)\nawait asyncio.sleep(0)",
        6,
        f"{BY_ZERO} (raised in asyncio)",
    ),
    "shell": ("x = 1\n!false", 5, "the shell command ended with exit code 1: false"),
    "shell-output": ("x = 1\nx = !exit 3", 5, "the shell command ended with exit code 3: exit 3"),
    "shell-magic": ("x = 1\n%sx exit 3", 5, "the shell command ended with exit code 3: exit 3"),
    "shell-in-function": (
        "def run(code):\n    !exit $code\nrun(4)",
        5,
        "the shell command ended with exit code 4: exit 4",
    ),
    "bash": (
        "%%bash\nfalse",
        4,
        "CalledProcessError: Command 'b'false\\n'' returned non-zero exit status 1.",
    ),
    "must-raise": (":tags: [raises-exception]\nx = 1", 5, "the cell must raise an exception, and raised nothing"),
    "exit-with-code": ("import sys\nsys.exit(3)", 5, "SystemExit: 3"),
    "exit-with-text": ("import sys\nsys.exit('no data')", 5, "SystemExit: no data"),
    "dies-after-the-cell": (
        "import os, threading\nthreading.Timer(0.1, os._exit, [3]).start()",
        4,
        "the kernel ended with exit code 3, after the last cell",
    ),
    "loop-stopped": (
        "get_ipython().kernel.io_loop.stop()",
        4,
        "the kernel ended with exit code 0, after the last cell",
    ),
    "in-output-of-a-widget": (
        "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    1 / 0",
        7,
        f"{BY_ZERO} (shown, but it did not stop the cell)",
    ),
    "captured": ("%%capture\n1 / 0", 4, f"{BY_ZERO} (shown, but it did not stop the cell)"),
}
if sys.platform != "win32":
    FAILING["forked-process"] = (
        "import os\nif os.fork() == 0:\n    1 / 0\nos.wait()",
        4,
        f"{BY_ZERO} (raised in a forked process)",
    )

PASSING: dict[str, str | tuple[str, ...]] = {
    "task-awaited-later": (
        f"{WORK}kept = asyncio.create_task(work())",
        "x = 1",
        "try:\n    await kept\nexcept ZeroDivisionError:\n    pass",
    ),
    "task-cancelled": f"{SLOW}kept = asyncio.create_task(work())\nkept.cancel()",
    "task-without-end": "import asyncio\nkept = asyncio.create_task(asyncio.sleep(1000))",
    "tasks-gathered": "import asyncio\nassert await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)) == [1, 2]",
    "shell-well": "x = !echo hi\nassert x == ['hi']\n!true",
    "shell-of-names": "def run(code):\n    !exit $code\n    x = !exit {code}\nrun(0)",
    "shell-failure-meant": ("!false || true", ":tags: [raises-exception]\n!false", "x = 1"),
    "thread-joined": "import threading\nthread = threading.Thread(target=print)\nthread.start()\nthread.join()",
}


COLD = [
    "unknown-magic-and-error",
    "late-thread",
    "task-kept",
    "shell-output",
    "must-raise",
    "exit-with-code",
    "dies-after-the-cell",
    "forked-process",
    "task-awaited-later",
    "shell-of-names",
]
"""What is looked at once more with kernels that are started; the rest does not depend on that."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Told]:
    """What one run of pytest reports of all pages, with kernels of one kind."""

    @cache
    def run(kernels: str) -> Told:
        pages = {**PASSING, **{name: cells for name, (cells, _, _) in FAILING.items()}}
        folder = tmp_path_factory.mktemp("pages")
        write_pages(folder, {name: cells for name, cells in pages.items() if kernels == "fork" or name in COLD})
        return run_pages(folder, "--celltask-kernels", kernels)

    return run


@pytest.mark.parametrize(("name", "kernels"), both_kernels(FAILING, COLD))
def test_what_goes_wrong_unseen_fails_at_its_line(told: Callable[[str], Told], name: str, kernels: str) -> None:
    """The last line of the report names the line where it went wrong, and how that was seen."""
    _, line, what = FAILING[name]
    assert told(kernels).failures[name] == [f"{name}.md:{line}: {what}"]


@pytest.mark.parametrize(("name", "kernels"), both_kernels(PASSING, COLD))
def test_what_only_looks_like_it_passes(told: Callable[[str], Told], name: str, kernels: str) -> None:
    """Nobody is stopped by a task that is awaited later, or a command that may fail."""
    assert told(kernels).failures[name] == []


def test_a_summary_tells_what_happened(pytester: pytest.Pytester, page: MakePage) -> None:
    """Also for a cell that ends the session, whose exception has hardly a message."""
    page("import sys\nsys.exit(3)")
    result = pytester.runpytest("--celltask")
    assert "FAILED page.md::cell-1 - SystemExit: 3" in result.outlines


def test_a_warning_is_an_error_where_warnings_are(pytester: pytest.Pytester, page: MakePage) -> None:
    """The kernel has the filters of pytest, by -W or its settings, and the line is that of the document."""
    page("import warnings\n\ndef old():\n    warnings.warn('gone soon', DeprecationWarning)\n\nold()")
    result = pytester.runpytest("--celltask", "-W", "error::DeprecationWarning")
    result.assert_outcomes(failed=1)
    assert "page.md:7: DeprecationWarning: gone soon" in result.outlines
    pytester.makeini("[pytest]\nfilterwarnings = error")
    pytester.runpytest("--celltask").assert_outcomes(failed=1)
    pytester.runpytest("--celltask", "-W", "ignore").assert_outcomes(passed=1)


def test_a_warning_is_listed_with_its_line(pytester: pytest.Pytester, page: MakePage) -> None:
    """In pytest's own summary, with the document and the line in it."""
    page("import warnings", "warnings.warn('gone soon', DeprecationWarning)")
    result = pytester.runpytest_subprocess("--celltask")
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["page.md::cell-2", "  *page.md:10: DeprecationWarning: gone soon"])


def test_what_cannot_be_raised_is_a_warning(pytester: pytest.Pytester, page: MakePage) -> None:
    """An exception where an object is thrown away is listed as pytest lists it, and an error with -W error."""
    page("class Odd:\n    def __del__(self):\n        1 / 0", "Odd()\nNone")
    result = pytester.runpytest_subprocess("--celltask")
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["  *page.md:6: PytestUnraisableExceptionWarning: *: ZeroDivisionError: *"])
    pytester.runpytest_subprocess("--celltask", "-W", "error").assert_outcomes(passed=1, failed=1)
