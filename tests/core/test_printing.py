"""What is printed late, or from threads that bodies leave behind, does no harm."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from celltask import task, workflow

if TYPE_CHECKING:
    from pathlib import Path

LATE = """
import io, sys, threading
from celltask import task, workflow

class Slow(io.StringIO):
    goes_on, began = threading.Event(), threading.Event()

    def write(self, text):
        self.began.set()
        self.goes_on.wait()
        return super().write(text)


sys.stdout = Slow()


@task
def leave_a_thread(x: int) -> int:
    threading.Thread(target=print, args=("late",), kwargs={"flush": True}).start()
    sys.stdout.began.wait()
    return x


@workflow
def wf(x: int) -> int:
    return leave_a_thread(x=x)


assert wf(x=1) == 1
Slow.goes_on.set()
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
assert sys.stdout.getvalue() == "late\\n"
"""


def test_a_thread_may_still_print_when_the_run_is_over(tmp_path: Path) -> None:
    """A print() under way at the end of the run comes to its end as well."""
    path = tmp_path / "late.py"
    path.write_text(LATE)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@task
def log_to_a_handler(x: int) -> int:
    """Log to a handler made once, as logging.basicConfig() does."""
    log = logging.getLogger("celltask.tests.printing")
    if not log.handlers:
        log.addHandler(logging.StreamHandler())
    log.warning("value %d", x)
    return x


@workflow
def logs(x: int) -> int:
    """Two bodies in the same process."""
    first = log_to_a_handler(x=x)
    return log_to_a_handler(x=first)


def test_a_handler_made_in_one_body_serves_the_next() -> None:
    """What a logger writes in a process is noted with the node that runs then."""
    run = logs.run(x=3, engine="processes")
    assert [node.log for node in run.nodes] == ["value 3\n", "value 3\n"]


@task
def print_for_ever(x: int) -> int:
    """Leave a thread behind that prints whenever it can."""
    out = sys.stdout

    def chatter() -> None:
        while True:
            out.write("chatter " * 10)

    threading.Thread(target=chatter, daemon=True).start()
    return x


@task
def grow(x: int) -> int:
    """One more."""
    return x + 1


@workflow
def disturbed(x: int) -> int:
    """Many bodies in a process where a thread prints all the time."""
    x = print_for_ever(x=x)
    for _ in range(30):
        x = grow(x=x)
    return x


def test_a_thread_that_prints_all_the_time_breaks_no_answer() -> None:
    """Values come back whole whatever is printed at the same moment."""
    assert disturbed.run(x=0, engine="processes").result() == 30
