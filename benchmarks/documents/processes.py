"""Whole processes: their time in rounds, the memory of all that they start, what they import."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from commands import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CommandError", "imports", "peak_mib", "rounds", "seconds"]

_LOOK_S = 0.02


class CommandError(Exception):
    """A command that was to be measured failed."""


def seconds(command: Sequence[str], folder: Path) -> float:
    """What the command takes, from start to end.

    Raises:
        CommandError: If it fails.
    """
    started = time.perf_counter()
    done = _done(command, folder)
    taken_s = time.perf_counter() - started
    if done.returncode:
        told = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()] or ["no message"]
        raise CommandError(f"`{' '.join([Path(command[0]).name, *command[1:4]])} …` failed: {told[-1]}")
    return taken_s


def _done(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - commands of this folder
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def rounds(
    commands: Mapping[str, Sequence[str]], warming: Mapping[str, Sequence[str]], folders: tuple[Path, Path], number: int
) -> tuple[dict[str, list[float]], list[str]]:
    """Seconds of each command, one per round, and what is to be said of those that fail.

    Args:
        commands: By name; each round begins with another.
        warming: Run once before them, for bytecode and the file cache.
        folders: Where the ones are run, and the others.
        number: Rounds.
    """
    faults: dict[str, str] = {}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    names = list(commands)
    for turn in range(-1, number):
        for name in [*names[max(turn, 0) % len(names) :], *names[: max(turn, 0) % len(names)]]:
            if name in faults:
                continue
            try:
                taken_s = seconds((warming if turn < 0 else commands)[name], folders[turn < 0])
            except CommandError as error:
                faults[name] = str(error)
                continue
            if turn >= 0:
                taken[name].append(taken_s)
    return {name: figures for name, figures in taken.items() if name not in faults}, list(faults.values())


def peak_mib(command: Sequence[str], folder: Path) -> float:
    """Most memory that the command and all that it started held at once, what they share counted once (Linux)."""
    peak_kib = 0
    with subprocess.Popen(  # noqa: S603 - as above
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            peak_kib = max(peak_kib, sum(map(_pss_kib, _tree(process.pid))))
            time.sleep(_LOOK_S)
    return peak_kib / 1024


def _tree(pid: int) -> list[int]:
    found, at = [pid], 0
    while at < len(found):
        for task in Path(f"/proc/{found[at]}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, task.read_text().split())
        at += 1
    return found


def _pss_kib(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def imports(command: Sequence[str], folder: Path) -> dict[str, float]:
    """Milliseconds that each module took which the command imports, without those that it imports in turn."""
    python, *rest = command
    told = _done([python, "-X", "importtime", *rest], folder).stderr
    parts = [line.removeprefix("import time:").split("|") for line in told.splitlines() if line.count("|") > 1]
    return {name.strip(): int(own) / 1000 for own, _, name in parts if own.strip().isdigit()}
