"""How bodies and processes end: crashes, exits, timeouts, and the end of whoever began them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from misbehaving import crash, leave, unpicklable

from celltask import current_context, task, workflow
from celltask.core.engines.children import START_METHODS, Children
from celltask.errors import RunError, TaskTimeoutError, WorkerDiedError


@task
def where(x: int) -> int:
    """The process that it runs in."""
    return os.getpid()


@task(share=["x"])
def hold(x: object) -> int:
    """An input of any kind."""
    return 1


@pytest.mark.parametrize(
    ("run", "kind", "words"),
    [
        (lambda: leave.run(x=3, engine="processes"), WorkerDiedError, "ended in the middle, with exit code 3"),
        (lambda: crash.run(x=1, engine="processes"), WorkerDiedError, "ended in the middle, with signal 11 (SIGSEGV)"),
        (lambda: unpicklable.run(x=1, engine="processes"), RunError, "returned a generator that cannot leave"),
        (lambda: hold.run(x=(n for n in "a"), engine="processes"), RunError, "an input of task 'hold' cannot travel"),
    ],
)
def test_what_keeps_a_body_from_its_end_is_named(run: object, kind: type[Exception], words: str) -> None:
    """Each ends its node with an error of ours; the next run works."""
    ended = run()  # type: ignore[operator]  # one of the lambdas above
    assert ended.state == "failed"
    assert type(ended.error) is kind
    assert words in str(ended.error)
    assert where.run(x=1, engine="processes").state == "done"


def test_a_crash_is_the_matter_of_one_node() -> None:
    """Other nodes of the run end well."""

    @workflow(failure_policy="finish")
    def both(x: int) -> tuple[int, int]:
        return crash(x=x), where(x=x)

    run = both.run(x=1, engine="processes")
    assert [(node.label, node.state) for node in run.nodes] == [("crash", "failed"), ("where", "done")]


def test_a_timeout_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    """Nothing of the body goes on."""
    told = tmp_path / "pid"

    @task(timeout=1)
    def sleep(told: Path) -> int:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        told.write_text(f"{os.getpid()} {child.pid}")
        time.sleep(60)
        return 1

    run = sleep.run(told=told, engine="processes")
    assert type(run.error) is TaskTimeoutError
    assert "ran longer than its timeout of 1 s; its process was ended" in str(run.error)
    for pid in map(int, told.read_text().split()):
        assert _is_gone(pid)


def _is_gone(pid: int) -> bool:
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":  # an orphan that its reaper has not looked at yet
            return True
        time.sleep(0.01)
    return False


def test_retries_are_made_after_a_crash_too(tmp_path: Path) -> None:
    """An attempt that ends its process may be followed by one that does not."""

    @task(retries=2, retry_delay=0)
    def flaky(folder: Path) -> int:
        attempt = current_context().attempt
        if attempt < 3:
            os._exit(1)
        return attempt

    run = flaky.run(folder=tmp_path, engine="processes")
    assert (run.value, run.nodes[0].attempts) == (3, 3)


@pytest.mark.parametrize("method", START_METHODS)
def test_every_way_to_start_a_process_serves(method: str) -> None:
    """Tasks of a script run, however their processes are started; they end with it."""
    text = """
    import os
    from celltask import task
    from celltask.core.events import NodeStarted

    class Mine:
        pass

    @task
    def who(x: int) -> tuple[int, Mine]:
        return os.getpid(), Mine()

    if __name__ == "__main__":
        run = who.run(x=1, engine="processes")
        pid, mine = run.result()
        print(pid, type(mine) is Mine, pid != os.getpid())
    """
    script = textwrap.dedent(text)
    told = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
        env={**os.environ, "CELLTASK_START_METHOD": method},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    pid, *rest = told.stdout.split()
    assert (rest, told.stderr) == (["True", "True"], "")
    assert _is_gone(int(pid))


def test_processes_end_when_their_parent_is_killed() -> None:
    """Even in the middle of a body."""
    text = """
    import os, time
    from celltask import task

    @task
    def sleep(x: int) -> int:
        print(os.getpid(), flush=True)
        time.sleep(60)
        return 1

    sleep.run(x=1, engine="processes")
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert _is_gone(pid)


def test_a_pool_ends_its_processes() -> None:
    """Closing waits for them."""
    pool = Children()
    pool.close()
    assert where.run(x=1, engine="processes").state == "done"
