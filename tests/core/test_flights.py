"""Single flight: two that need one value compute it once, and nobody waits where that would never end."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from celltask import task
from celltask.core import flights

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_store")


def test_two_threads_compute_one_value_once() -> None:
    """The second waits for the first and takes its result."""
    ran = []
    begun = threading.Barrier(4)

    @task(cache=True, allow_globals=["ran"])
    def slow(x: int) -> int:
        ran.append(x)
        time.sleep(0.1)
        return x

    def call() -> None:
        begun.wait()
        found.append(slow(x=1))

    found: list[int] = []
    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (found, ran) == ([1] * 4, [1])


def test_when_the_first_fails_the_next_computes() -> None:
    """Nobody waits for ever for one that has failed, and an error is not handed on."""
    ran = []
    begun = threading.Barrier(3)

    @task(cache=True, allow_globals=["ran"])
    def flaky(x: int) -> int:
        ran.append(x)
        time.sleep(0.05)
        if len(ran) == 1:
            raise ConnectionError
        return x

    def call() -> None:
        begun.wait()
        try:
            told.append(str(flaky(x=1)))
        except ConnectionError:
            told.append("failed")

    told: list[str] = []
    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (sorted(told), len(ran)) == (["1", "1", "failed"], 2)


def test_async_tasks_of_one_loop_compute_one_value_once() -> None:
    """The loop goes on while a coroutine waits for another's result."""
    ran = []

    @task(cache=True, allow_globals=["ran"])
    async def slow(x: int) -> int:
        ran.append(x)
        await asyncio.sleep(0.05)
        return x

    async def several() -> list[int]:
        return list(await asyncio.gather(*(slow(x=1) for _ in range(5))))

    assert (asyncio.run(several()), ran) == ([1] * 5, [1])


def test_a_task_that_calls_itself_with_the_same_inputs_does_not_wait_for_itself() -> None:
    """It just runs again, as any function would."""
    depth = []

    @task(cache=True, allow_globals=["depth", "again"])
    def again(x: int) -> int:
        depth.append(x)
        return x if len(depth) == 3 else int(again(x=x))

    assert (again(x=7), len(depth)) == (7, 3)
    assert (again(x=7), len(depth)) == (7, 3)


def test_two_threads_that_would_wait_for_each_other_do_not() -> None:
    """Each computes what the other has begun, where waiting would never end."""
    begun = threading.Barrier(2, timeout=10)
    seen: set[str] = set()

    def meet(name: str) -> None:
        if name not in seen:
            seen.add(name)
            begun.wait()

    @task(cache=True, allow_globals=["meet", "pong"])
    def ping(x: int) -> int:
        meet("ping")
        return int(pong(x=x))

    calls: dict[str, int] = {}

    @task(cache=True, allow_globals=["meet", "ping", "calls"])
    def pong(x: int) -> int:
        meet("pong")
        calls["pong"] = calls.get("pong", 0) + 1
        return x if calls["pong"] > 1 else int(ping(x=x))

    found: list[int] = []
    threads = [threading.Thread(target=lambda each=each: found.append(each(x=1)), daemon=True) for each in (ping, pong)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [1, 1]


def test_a_thread_that_outlives_its_task_takes_what_it_waits_for() -> None:
    """What a task has begun and left behind still gets the value that another one computes."""
    begun, may_end = threading.Event(), threading.Event()

    @task(cache=True, allow_globals=["begun", "may_end"])
    def slow(x: int) -> int:
        begun.set()
        may_end.wait(20)
        return x

    @task(cache=True, allow_globals=["slow", "threads", "found"])
    def outer(x: int) -> int:
        context = contextvars.copy_context()
        threads.append(threading.Thread(target=lambda: found.append(context.run(slow, x))))
        threads[-1].start()
        while not flights._flights.waits:  # nothing else tells when it waits
            time.sleep(0.001)
        return x

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(slow(1)))]
    threads[0].start()
    begun.wait(20)
    assert outer(1) == 1
    may_end.set()
    for thread in threads:
        thread.join(20)
    assert found == [1, 1]


CALLS = """
import os, sys, time
from celltask import task

@task(cache=True)
def slow(x: int) -> int:
    with open(os.environ["RAN"], "a") as file:
        file.write(f"{x}\\n")
    time.sleep(float(os.environ["SLEEP"]))
    return x * x
"""


MANY = """
import random
wanted = random.Random({2})
print(all(slow(x=x) == x * x for x in [wanted.randrange({1}) for _ in range({0})]))
"""


def caller(folder: Path, code: str, *, sleep_s: float) -> subprocess.Popen[str]:
    """A process that calls `slow` as `code` says, and notes each body that runs in ``ran``."""
    variables = {**os.environ, "RAN": str(folder / "ran"), "SLEEP": str(sleep_s)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CALLS + code], env=variables, stdout=subprocess.PIPE, text=True
    )


def test_processes_that_call_at_once_compute_each_value_once(tmp_path: Path) -> None:
    """Four processes, 60 calls each on overlapping inputs: no error, and each body ran once."""
    code = MANY.format(60, 40, "{}")
    started = [caller(tmp_path, code.format(seed), sleep_s=0.001) for seed in range(4)]
    assert [process.communicate(timeout=60)[0] for process in started] == ["True\n"] * 4
    ran = (tmp_path / "ran").read_text(encoding="utf-8").split()
    assert len(ran) == len(set(ran))


@pytest.mark.heavy
def test_eight_processes_of_a_thousand_calls_compute_each_value_once(tmp_path: Path) -> None:
    """8 processes of 1,000 cached calls on overlapping keys: every key computed once, no error."""
    code = MANY.format(1000, 900, "{}")
    started = [caller(tmp_path, code.format(seed), sleep_s=0) for seed in range(8)]
    assert [process.communicate(timeout=300)[0] for process in started] == ["True\n"] * 8
    ran = (tmp_path / "ran").read_text(encoding="utf-8").split()
    assert len(ran) == len(set(ran)) == 900


def test_the_claim_of_a_process_that_was_killed_is_free_at_once(tmp_path: Path) -> None:
    """Who waits for a value goes on as soon as the process that computes it is dead."""
    first = caller(tmp_path, "slow(x=3)", sleep_s=600)
    while not (tmp_path / "ran").exists():
        assert first.poll() is None
        time.sleep(0.01)
    second = caller(tmp_path, "print(slow(x=3))", sleep_s=0)
    first.kill()
    first.communicate()
    assert second.communicate(timeout=30)[0] == "9\n"
