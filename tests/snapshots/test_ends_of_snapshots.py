"""No snapshot, and nothing that went on from one, is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kept_pages import cells_of

if TYPE_CHECKING:
    from kept_pages import Page

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from kept_pages import Page
from celltask.documents.kernels.pool import Kernels
from celltask.documents.loop import Loop

page = Page(Loop(), Kernels({mode!r}), Path("."))
kernel = page.begin()
assert page.take(kernel, 0) == ""
first = page.resume(0)
page.run(first, "import subprocess, os; child = subprocess.Popen(['sleep', '100'], start_new_session=True)")
child = page.run(first, "child.pid")
second = page.resume(0)
assert page.take(second, 1) == ""
third = page.resume(1)
pids = [page.run(one, "import os; os.getpid()") for one in (kernel, first, second, third)]
print(*pids, child, *(kept.pid for kept in page.snapshots._taken.values()), flush=True)
page.run(first, "import time; time.sleep(100)", timeout_s=200)
"""


def is_running(process: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def end_soon(processes: list[int], *, within_s: float = 15) -> bool:
    """Whether all of them end within some seconds."""
    deadline = time.monotonic() + within_s
    while any(map(is_running, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_running, processes))


@pytest.mark.parametrize("mode", ["fork", "cold"])
def test_nothing_outlives_a_killed_run(tmp_path: Path, mode: str) -> None:
    """Kernels, snapshots, what went on from these, their children and files go with the process that wanted them."""
    temporary = tmp_path / "t"
    temporary.mkdir()
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.format(tests=str(Path(__file__).parent), mode=mode), encoding="utf-8")
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment
    ) as run:
        assert run.stdout is not None
        processes = list(map(int, run.stdout.readline().split()))
        assert len(processes) == 7
        assert all(map(is_running, processes))
        run.send_signal(signal.SIGKILL)
    assert end_soon(processes)
    deadline = time.monotonic() + 15
    while list(temporary.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(temporary.iterdir()) == []


def test_stopped_kernel_takes_its_children_along(page: Page) -> None:
    """Also those that have left its process group."""
    kernel = page.after("import subprocess")
    child = int(page.run(kernel, "subprocess.Popen(['sleep', '100'], start_new_session=True).pid"))
    assert is_running(child)
    page.loop.run(kernel.stop())
    assert end_soon([child])


def test_the_limit_of_what_a_cell_may_show_stays(page: Page) -> None:
    """It is that of the kernel which was kept."""
    kernel = page.begin()
    kernel.go_on(cells_of(""), most_output=1000)
    assert page.take(kernel) == ""
    cells = cells_of("print('x' * 2000)")
    going_on = page.loop.run(page.snapshots.resume(1, cells))
    page.started.append(going_on)
    assert page.loop.run(going_on.run(cells[0], timeout_s=30)).status == "flood"


def test_dropped_snapshot_ends_and_its_kernels_go_on(page: Page) -> None:
    """A kernel outlives the snapshot that it came from."""
    kernel = page.after("x = 1")
    snapshot = page.snapshots._taken[1].pid
    page.snapshots.drop(1)
    assert end_soon([snapshot])
    assert page.run(kernel, "x") == "1"


def test_snapshot_holds_no_connection_of_its_kernel(page: Page) -> None:
    """So that whoever waits for the end of a kernel is told of it."""
    kernel = page.begin()
    assert page.take(kernel) == ""
    folder = Path(f"/proc/{page.snapshots._taken[1].pid}/fd")
    targets = [str(link.readlink()) for link in folder.iterdir()]
    assert sum(target.startswith("socket:") for target in targets) == 1
    assert not [target for target in targets if target.startswith(("pipe:", "anon_inode:"))]
