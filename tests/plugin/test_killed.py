"""When pytest is killed, nothing that it started lives on, and no source is changed."""

from __future__ import annotations

import random
import sys
import time

import pytest
from killing import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

MOMENTS = {
    "collecting": lambda run: run.wait_for_line("collecting"),
    "servers-start": lambda run: run.wait_for_line("collected 10 items"),
    "between-cells": lambda run: run.wait_for_line("a.md::x PASSED"),
    "with-daemons": lambda run: run.wait_for_line("a.md::child PASSED"),
    "document-done": lambda run: run.wait_for_line("a.md::y PASSED"),
    "in-a-cell": lambda run: run.wait_for_file("begun"),
    "after-a-failure": lambda run: run.wait_for_line("c.md::cell-2 FAILED"),
    "report": lambda run: run.wait_for_line("FAILURES"),
    "never": lambda run: run.wait(),
}


@pytest.mark.parametrize("kernels", ["fork", "cold"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_left_of_a_killed_run(moment: str, kernels: str) -> None:
    """Neither kernels, nor what they forked, daemons, or temporary files; whenever it is."""
    with Run(f"--celltask-kernels={kernels}") as run:
        MOMENTS[moment](run)
        run.kill()
        assert run.left() == []


def test_nothing_is_left_of_killed_workers() -> None:
    """The workers of pytest-xdist end with their controller, and what they started with them."""
    with Run("-n", "2") as run:
        run.wait_for_file("begun")
        run.kill()
        assert run.left() == []


@pytest.mark.heavy
def test_nothing_is_left_at_fifty_random_moments() -> None:
    """Of a run from its first import to its last report; the moments are the same each time, as far as time can be."""
    options = [("--celltask-kernels=fork",), ("--celltask-kernels=cold",), ("--celltask-kernels=fork", "-n", "2")]
    lengths = []
    for chosen in options:
        begun = time.monotonic()
        with Run(*chosen) as run:
            run.wait()
            assert run.left() == []
        lengths.append(time.monotonic() - begun)
    chance = random.Random(20)  # noqa: S311 - nothing secret
    for number in range(50):
        kind = (0, 0, 0, 1, 2)[number % 5]
        after_s = chance.uniform(0, lengths[kind])
        with Run(*options[kind]) as run:
            run.wait(after_s)
            run.kill()
            assert run.left() == [], f"{options[kind]}, killed after {after_s:.2f} s"
