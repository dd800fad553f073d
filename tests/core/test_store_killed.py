"""kill -9 at any moment: what was reported as done is there, nothing wrong is, and the run is known to be lost."""

from __future__ import annotations

import importlib.util
import random
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from celltask import plan, runs
from celltask.core.stores.choice import StoreWarning

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

PROGRAM = '''
"""A workflow of small and large results that tells each node as soon as it is done."""

import sys

import numpy as np

from celltask import task, workflow


@task(cache=True)
def small(x: int) -> int:
    return x + 1


@task(cache=True)
def large(x: int) -> np.ndarray:
    return np.full(300_000, float(x))


@task(cache=True)
def total(xs: np.ndarray, label: str) -> set[str]:
    return {label, str(xs.sum())}


@workflow
def wf(seed: int) -> tuple[set[str], set[str]]:
    one = large(small(seed))
    two = large(small(small(seed)))
    return total(one, "one"), total(two, "two")


def tell(event: object) -> None:
    if type(event).__name__ == "NodeFinished":
        print(f"{event.node}\\n", end="", flush=True)  # in one piece: several threads tell


if __name__ == "__main__":
    print("up", flush=True)
    while True:
        wf.run(seed=int(sys.argv[1]), engine=sys.argv[2], on_event=tell, refresh=True)
'''


def program(folder: Path) -> ModuleType:
    """The program as a module of this process."""
    spec = importlib.util.spec_from_file_location("killed_program", folder / "killed_program.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["killed_program"] = module
    spec.loader.exec_module(module)
    return module


def killed(folder: Path, seed: int, after_s: float, engine: str) -> tuple[int, set[str]]:
    """Start the program, kill it some time after it is up; its process, and the nodes that it told as done."""
    command = [sys.executable, str(folder / "killed_program.py"), str(seed), engine]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    told, _ = process.communicate(timeout=60)
    return process.pid, {line for line in told.splitlines() if line}


def survive(folder: Path, store: Path, moments: int) -> None:
    """Kill the program at so many random moments, and look after each at what is left."""
    (folder / "killed_program.py").write_text(PROGRAM, encoding="utf-8")
    module: Any = program(folder)
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    lost = 0
    for moment in range(moments):
        engine = chance.choice(["inline", "threads"])
        pid, done = killed(folder, moment, chance.uniform(0, 0.12), engine)
        with warnings.catch_warnings():
            warnings.simplefilter("error", StoreWarning)  # nothing damaged is found
            kept = {node.id for node in plan(module.wf, seed=moment).nodes if node.action == "reuse"}
            assert done <= kept
            again = module.wf.run(seed=moment)
        sums = str(300_000.0 * (moment + 1)), str(300_000.0 * (moment + 2))
        assert again.result() == ({"one", sums[0]}, {"two", sums[1]})
        assert {node.id for node in again.nodes if node.state == "reused"} >= done
        states = {one.state for one in runs("wf", limit=None) if one.pid == pid}
        assert states <= {"lost", "done"}  # it may have ended one run and not begun the next
        assert states or not done
        lost += "lost" in states
    with sqlite3.connect(store / "index.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert lost >= moments // 10


def test_what_was_reported_as_done_survives_a_kill(tmp_path: Path, own_store: Path) -> None:
    """After each kill the store opens, what was told as done is reused, and the run is recorded as lost."""
    survive(tmp_path, own_store, 5)


@pytest.mark.heavy
def test_what_was_reported_as_done_survives_200_kills(tmp_path: Path, own_store: Path) -> None:
    """The same at 200 random moments."""
    survive(tmp_path, own_store, 200)
