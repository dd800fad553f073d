"""What a fork cannot hold is refused, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from kept_pages import Page

REFUSED = [
    pytest.param(
        "from threading import *; ends = Event(); thread = Thread(target=ends.wait, name='mine'); thread.start()",
        "ends.set(); thread.join()",
        "1 thread of the document runs: mine",
        id="thread",
    ),
    pytest.param(
        "import subprocess; child = subprocess.Popen(['sleep', '100'])",
        "child.kill(); child.wait()",
        "1 process that the document started runs",
        id="process",
    ),
    pytest.param(
        "file = open('written.txt', 'w')",
        "file.close()",
        "the document holds '{folder}/written.txt' open for writing",
        id="file",
    ),
    pytest.param(
        "import socket; sock = socket.socket()",
        "sock.close()",
        "a network connection of the document is open",
        id="socket",
    ),
    pytest.param(
        "import os; ends = os.pipe()", "list(map(os.close, ends))", "a pipe of the document is open", id="pipe"
    ),
    pytest.param(
        "import zmq; context = zmq.Context(); sock = context.socket(zmq.PUB)",
        "sock.close(); context.term()",
        "a ZeroMQ context of the document is open",
        id="zmq",
    ),
    pytest.param(
        "import mmap; shared = mmap.mmap(-1, 100)",
        "shared.close()",
        "the document shares memory: /dev/zero (deleted)",
        id="memory",
    ),
]


@pytest.mark.parametrize(("holds", "lets_go", "reason"), REFUSED)
def test_state_that_cannot_be_copied_is_refused(page: Page, holds: str, lets_go: str, reason: str) -> None:
    """The reason names what is in the way; once that is gone, there is a snapshot."""
    kernel = page.begin()
    assert page.run(kernel, f"{holds}; None") == ""
    assert page.take(kernel) == reason.format(folder=page.folder)
    assert page.snapshots.taken == ()
    assert page.run(kernel, f"{lets_go}; 'still the same kernel'") == "'still the same kernel'"
    assert page.take(kernel) == ""


def test_threads_of_native_code_are_refused(page: Page) -> None:
    """A pool of threads that no fork survives, such as that of polars, is named."""
    kernel = page.begin()
    page.run(
        kernel, "import polars as pl; pl.DataFrame({'a': [1, 2]}).lazy().select(pl.col('a').sum()).collect(); None"
    )
    assert "of native code run" in page.take(kernel)
    assert "polars-0" in page.take(kernel)


def test_kernel_that_is_gone_is_told(page: Page) -> None:
    """There is no snapshot of a kernel that has died."""
    kernel = page.begin()
    page.run(kernel, "import os; os._exit(3)")
    assert page.take(kernel) == "the kernel does not answer"
