"""Each document has a kernel of its own, as fresh as its reader's, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakePage

pytest_plugins = ["pytester"]

TELL_PROCESS = "import os\nopen(f'kernel-{os.getpid()}', 'w').close()"

START_CHILD = """
import subprocess
child = subprocess.Popen(["sleep", "100"])
open(f"kernel-{child.pid}", "w").close()
"""


def kernels(folder: Path) -> list[int]:
    """Process ids that cells with `TELL_PROCESS` left in `folder`."""
    return [int(path.name.partition("-")[2]) for path in folder.glob("kernel-*")]


def is_running(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def ends_soon(process: int, *, within_s: float = 15) -> bool:
    """Whether a process ends within some seconds."""
    deadline = time.monotonic() + within_s
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(process)


def test_documents_share_nothing(pytester: pytest.Pytester, page: MakePage) -> None:
    """Neither names nor modules, working folder or environment; each begins in its own folder."""
    leak = "import os, random, json\nrandom.odd = 1\nos.environ['ODD'] = '1'\nos.chdir('/')\nODD = 1"
    page(leak, name="a.md")
    look = "import os, random\nassert not hasattr(random, 'odd')\nassert not {'ODD'} & {*os.environ, *dir()}"
    page(look, "assert os.path.basename(os.getcwd()) == 'deep'", name="deep/b.md")
    pytester.runpytest("--celltask").assert_outcomes(passed=3)


def test_a_kernel_knows_nothing_of_the_tests(pytester: pytest.Pytester, page: MakePage) -> None:
    """No name is added to the document's own, celltask is not loaded, and no profile of the user is read."""
    page(
        "import os, sys\n"
        "assert not any('celltask' in name for name in [*sys.modules, *globals()])\n"
        "assert not any(name.startswith('PYTEST') for name in os.environ)\n"
        "assert In[1].startswith('import os, sys')",
        "assert len(In) == 3",
    )
    pytester.runpytest("--celltask").assert_outcomes(passed=2)


@pytest.mark.skipif(sys.platform == "win32", reason="process ids are asked for in the way of Unix")
@pytest.mark.parametrize("then", ["x = 1", "1 / 0", START_CHILD], ids=["passed", "failed", "child"])
def test_no_process_is_left(pytester: pytest.Pytester, page: MakePage, then: str) -> None:
    """When the document is done its kernel has ended, and what the kernel started."""
    page(TELL_PROCESS, then)
    pytester.runpytest("--celltask", "-x")
    found = kernels(pytester.path)
    assert found
    assert all(ends_soon(process) for process in found)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in the way of Unix")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_no_process_is_left_when_pytest_is_stopped(pytester: pytest.Pytester, page: MakePage, sent: int) -> None:
    """In the middle of a cell, by the keyboard or by force."""
    page(TELL_PROCESS, "import time\ntime.sleep(100)")
    command = [sys.executable, "-m", "pytest", "--celltask", "-p", "no:cacheprovider"]
    with subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE) as running:
        while not kernels(pytester.path) and running.poll() is None:
            time.sleep(0.05)
        time.sleep(0.3)  # into the cell that sleeps
        running.send_signal(sent)
        printed, _ = running.communicate(timeout=60)
    assert (b"KeyboardInterrupt" in printed) == (sent == signal.SIGINT)
    assert all(ends_soon(process) for process in kernels(pytester.path))
