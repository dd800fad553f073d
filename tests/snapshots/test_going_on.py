"""A kernel that goes on from a snapshot is the kernel that was kept."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from celltask.documents.kernels.snapshots import Snapshots
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from kept_pages import Page

CONTINUED = [
    pytest.param("x = [1]; y = x", "y.append(2); x", "[1, 2]", id="one-object-under-two-names"),
    pytest.param("ip = get_ipython()", "ip is get_ipython(), ip.kernel.shell is ip", "(True, True)", id="shell"),
    pytest.param(
        "import sys; out = sys.stdout", "print('text', file=out); out is sys.stdout", "text\nTrue", id="stdout"
    ),
    pytest.param("1 + 1", "_ + Out[1], len(In), get_ipython().execution_count", "(4, 3, 3)", id="history"),
    pytest.param("import random; random.seed(3)", "random.random()", "0.23796462709189137", id="random-numbers"),
    pytest.param(
        "import numpy as np; np.random.seed(3); g = np.random.default_rng(3)",
        "round(float(np.random.rand()), 6), round(float(g.random()), 6)",
        "(0.550798, 0.085649)",
        id="random-numbers-of-numpy",
    ),
    pytest.param("import os; os.chdir('/')", "os.getcwd()", "'/'", id="working-folder"),
    pytest.param("import os; os.environ['MINE'] = '1'", "!echo $MINE", "1\r\n", id="environment-of-a-command"),
    pytest.param("%precision 2", "3.14159", "3.14", id="option-of-the-shell"),
    pytest.param("%load_ext celltask", "get_ipython().find_line_magic('task') is not None", "True", id="extension"),
    pytest.param(
        "ran = []; get_ipython().events.register('pre_run_cell', lambda info: ran.append(1))", "ran", "[1]", id="events"
    ),
    pytest.param(
        "import ast\nclass Ten(ast.NodeTransformer):\n    visit_Constant = lambda self, node: ast.Constant(10)\n"
        "get_ipython().ast_transformers.append(Ten())",
        "1",
        "10",
        id="transformers",
    ),
    pytest.param(
        "f = open('/proc/self/limits'); f.readline()", "f.readline()[:12]", "'Max cpu time'", id="file-read-so-far"
    ),
    pytest.param(
        "import gc; gc.disable()", "gc.isenabled(), gc.get_freeze_count()", "(False, 0)", id="garbage-collection"
    ),
    pytest.param(
        "import asyncio; task = asyncio.create_task(asyncio.sleep(0.01, 'slept'))",
        "await task",
        "'slept'",
        id="asyncio-task",
    ),
    pytest.param(
        "import signal; signal.signal(signal.SIGCHLD, lambda *_: 0); 1",
        "signal.getsignal(signal.SIGCHLD)()",
        "0",
        id="signals",
    ),
]


@pytest.mark.parametrize(("before", "after", "shown"), CONTINUED)
def test_state_continues(page: Page, before: str, after: str, shown: str) -> None:
    """Whatever the cells above have left is there, as the same objects, in the next cell."""
    resumed = page.after(before)
    assert page.run(resumed, after) == shown
    assert page.run(page.started[0], after) == shown


WORKING = [
    pytest.param("print('out'); import sys; print('err', file=sys.stderr)", "out\nerr\n", id="print"),
    pytest.param("1 / 0", "error ZeroDivisionError: division by zero", id="error"),
    pytest.param("%nosuchmagic", "error UsageError: Line magic function `%nosuchmagic` not found.", id="unknown-magic"),
    pytest.param("!echo from the shell", "from the shell\r\n", id="command"),
    pytest.param("%%bash\necho from bash", "from bash\n", id="cell-magic"),
    pytest.param("import asyncio\nawait asyncio.sleep(0.01)\n'awaited'", "'awaited'", id="await"),
    pytest.param(
        "input()",
        "error StdinNotImplementedError: raw_input was called, but this frontend does not support input requests.",
        id="input",
    ),
    pytest.param(
        "from IPython.display import display, HTML; display(HTML('<b>'))",
        "<IPython.core.display.HTML object>",
        id="display",
    ),
    pytest.param("import logging; logging.warning('told')", "WARNING:root:told\n", id="logging"),
    pytest.param("import ipywidgets; ipywidgets.IntSlider().value", "0", id="widget"),
    pytest.param(
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1)']).returncode", "1\n0", id="child"
    ),
    pytest.param("import os; os.kill(os.getpid(), 9)", "dead", id="death"),
]


@pytest.mark.parametrize(("source", "shown"), WORKING)
def test_cells_work_as_ever(page: Page, source: str, shown: str) -> None:
    """Output, errors, magics, commands and awaits are as in a kernel that was never kept."""
    kernel = page.after("kept = 1")
    assert page.run(kernel, source) == shown


def test_kernel_and_snapshot_do_not_see_each_other(page: Page) -> None:
    """What one of them does to a value, the others do not see."""
    kernel = page.begin()
    page.run(kernel, "x = [1]")
    assert page.take(kernel) == ""
    first, second = page.resume(), page.resume()
    told = [page.run(one, f"x.append({number}); x") for number, one in enumerate((kernel, first, second))]
    assert told == ["[1, 0]", "[1, 1]", "[1, 2]"]
    assert [page.run(one, "x") for one in (kernel, first, second)] == told


def test_kernel_that_went_on_can_be_kept_again(page: Page) -> None:
    """Snapshots may be taken from snapshots, and stay when the kernels that they were taken from have ended."""
    kernel = page.after("x = 1")
    page.run(kernel, "x += 1")
    assert page.take(kernel, 2) == ""
    page.run(kernel, "x += 1")
    assert page.take(kernel, 3) == ""
    for one in page.started:
        page.loop.run(one.stop())
    assert [page.run(page.resume(after), "x") for after in (1, 2, 3)] == ["1", "2", "3"]


def test_cell_is_interrupted_after_its_time(page: Page) -> None:
    """A kernel that went on from a snapshot can be interrupted, and executes the next cell."""
    kernel = page.after("import time")
    assert page.reply(kernel, "time.sleep(60)", timeout_s=0.5).status == "timeout"
    assert page.run(kernel, "'next'") == "'next'"


def test_errors_keep_the_lines_of_the_document(page: Page) -> None:
    """A function of an earlier cell is told at its own line."""
    kernel = page.after("def f():\n    raise ValueError(1)")
    error = page.reply(kernel, "f()").error
    assert error is not None
    assert [frame[:3] for frame in error["frames"]] == [["/page.md", 10, "<module>"], ["/page.md", 11, "f"]]  # type: ignore[index]  # as in_kernel tells it


def test_matplotlib_shows_its_figures(page: Page) -> None:
    """A figure is shown at the end of the cell that drew it."""
    pytest.importorskip("matplotlib")
    kernel = page.after("import matplotlib.pyplot as plt")
    outputs = page.reply(kernel, "plt.plot([1, 2]); None").outputs
    assert [sorted(output["data"]) for output in outputs] == [["image/png", "text/plain"]]  # type: ignore[call-overload]  # nbformat's


def test_numerical_libraries_compute_on_both_sides(page: Page) -> None:
    """Pools of threads for linear algebra and OpenMP start anew where they are needed."""
    fit = "model = HistGradientBoostingClassifier(max_iter=3).fit(X, X[:, 0] > 0.5); bool((X.T @ X).sum() > 0)"
    kernel = page.begin()
    page.run(kernel, "import numpy as np; from sklearn.ensemble import HistGradientBoostingClassifier")
    page.run(kernel, f"X = np.random.rand(600, 600); {fit}")
    assert page.take(kernel) == ""
    assert [page.run(one, fit) for one in (page.resume(), kernel)] == ["True", "True"]


def test_document_does_not_meet_the_snapshot(page: Page) -> None:
    """It has no child, no module and no name that it would not have without one."""
    look = "import os, sys; [name for name in (*dir(), *sys.modules) if 'celltask' in name]"
    kernel = page.begin()
    before = page.run(kernel, look)
    assert page.take(kernel) == ""
    assert page.run(kernel, look) == page.run(page.resume(), look) == before
    assert page.run(kernel, "os.wait()") == "error ChildProcessError: [Errno 10] No child processes"


def test_missing_snapshot_is_told(page: Page) -> None:
    """What was not kept, or was dropped, cannot be gone on from."""
    kernel = page.begin()
    assert page.take(kernel, 1) == ""
    page.snapshots.drop(1)
    with pytest.raises(DocumentError, match="there is no snapshot after cell 1"):
        page.resume(1)


def test_snapshot_that_was_killed_is_told(page: Page) -> None:
    """The system may end a process when memory is short."""
    kernel = page.begin()
    assert page.take(kernel, 1) == ""
    os.kill(page.snapshots._taken[1].pid, signal.SIGKILL)
    with pytest.raises(DocumentError, match="the snapshot after cell 1 has ended"):
        page.resume(1)
    assert page.snapshots.taken == ()


def test_too_many_snapshots_are_thinned(page: Page) -> None:
    """The newer half is kept, and every second of the others."""
    page.snapshots = Snapshots(most=4)
    kernel = page.begin()
    for number in range(6):
        assert page.take(kernel, number) == ""
    assert page.snapshots.taken == (0, 3, 4, 5)
