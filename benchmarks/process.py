"""Whole processes: imports, the command line, and a task that trains a model, each beside a bare interpreter.

In each round all commands of a row run one after the other, the first of them a different one each time, so that a
machine that slows down slows down all of them. Differences and ratios are taken within a round; their median counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Sample, calibration_s
from rows import OURS, PLAIN, Row, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BASE",
    "IMPORTS",
    "MODULES",
    "ROWS",
    "CommandError",
    "commands",
    "complaint",
    "environment",
    "foreign_packages",
    "rounds",
]

DISTURBED, SLIGHT_S, ENOUGH = 0.1, 0.003, 3
"""A process that waits this part of its time, and these seconds, longer than it has to was disturbed; so many calm
rounds are enough."""

BUSY = "the machine was busy; these count processor time, not elapsed time: "

BASE = "base of "
"""What the name of a system's bare interpreter begins with, where its time is taken off."""

IMPORTS = (
    Row("import.alone", "import, over a bare interpreter", Target(0.015)),
    Row("import.use", "import, define and call a task, over bare", Target(0.060)),
)
ROWS = (
    Row("cli.py", "process: run a task of a .py", Target(0.120)),
    Row("cli.md", "process: run a task of a .md", Target(0.250)),
    Row("cli.help", "process: --help", Target(0.120)),
    Row("cli.help.py", "process: --help of a task of a .py", Target(0.120)),
    Row("cli.help.md", "process: --help of a task of a .md", Target(0.250)),
    Row("iris.py", "process: train on iris, task of a .py", Target(1.1, "ratio")),
    Row("iris.md", "process: train on iris, task of a .md", Target(1.2, "ratio")),
)
MODULES = Row("import.packages", "third-party packages loaded by that", Target(0, "number"))

_ADD = ("--a", "1", "--b", "2")
_TRAIN = ("--hyperparameters", '{"C": 0.1}', "--test-size", "0.2", "--random-state", "42")
_TRAIN_FLYTE = ("--hyperparameters", '{"C": 0.1}', "--test_size", "0.2", "--random_state", "42")

_OURS = {
    "cli.py": ("run", "add_ours.py", "add", *_ADD),
    "cli.md": ("run", "add.md", "add", *_ADD),
    "cli.help": ("--help",),
    "cli.help.py": ("run", "add_ours.py", "add", "--help"),
    "cli.help.md": ("run", "add.md", "add", "--help"),
    "iris.py": ("run", "train_ours.py", "train_model", *_TRAIN),
    "iris.md": ("run", "train.md", "train_model", *_TRAIN),
}
_PYFLYTE = {
    "cli.py": ("run", "add_flytekit.py", "add", *_ADD),
    "cli.help": ("--help",),
    "cli.help.py": ("run", "add_flytekit.py", "add", "--help"),
    "iris.py": ("run", "train_flytekit.py", "train_model", *_TRAIN_FLYTE),
}
_PLAIN = {
    "cli.py": ("add_called.py", "1", "2"),
    "cli.md": ("add_called.py", "1", "2"),
    "cli.help": ("bare.py",),
    "cli.help.py": ("bare.py",),
    "cli.help.md": ("bare.py",),
    "iris.py": ("train_called.py",),
    "iris.md": ("train_called.py",),
}
_IMPORTS = {OURS: "import celltask", "flytekit": "import flytekit", "hamilton": "from hamilton import driver"}
_FRONTS = {OURS: "front_ours.py", "flytekit": "front_flytekit.py", "hamilton": "front_hamilton.py"}

_COUNT = """
import json, runpy, sys
before = {name.partition(".")[0] for name in sys.modules}
runpy.run_path(sys.argv[1], run_name="__main__")
after = {name.partition(".")[0] for name in sys.modules}
print(json.dumps(sorted(after - before - sys.stdlib_module_names)))
"""


class CommandError(Exception):
    """A command that was to be measured failed."""


def environment(folder: Path) -> dict[str, str]:
    """Environment for everything measured.

    Bytecode is kept, temporary files go to `folder`, nobody phones home, and linear algebra does not spin on several
    processors, which on a busy machine takes anything between 10 and 300 ms for the same small fit.
    """
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**variables, **single, "TMPDIR": str(folder), "HAMILTON_TELEMETRY_ENABLED": "false"}


def commands(key: str, pythons: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What the systems run for a row, and the bare interpreter of each where its time is to be taken off.

    Args:
        key: Key of the row.
        pythons: Interpreter by system.
    """
    if key.startswith("import."):
        found: dict[str, tuple[str, ...]] = {}
        for system, script in _FRONTS.items():
            alone = key == "import.alone"
            python = pythons[system]
            found[BASE + system] = (python, "-c", "pass") if alone else (python, "bare.py")
            found[system] = (python, "-c", _IMPORTS[system]) if alone else (python, script)
        return found
    found = {OURS: (_script("celltask", pythons[OURS]), *_OURS[key]), PLAIN: (pythons[PLAIN], *_PLAIN[key])}
    if key in _PYFLYTE:
        found["flytekit"] = (_script("pyflyte", pythons["flytekit"]), *_PYFLYTE[key])
    return found


def _script(name: str, python: str) -> str:
    """The console script that was installed beside an interpreter."""
    folder = os.path.dirname(python)  # noqa: PTH120 - a link to an interpreter must not be followed
    return shutil.which(name, path=folder) or str(Path(folder, name))


def rounds(
    all_commands: Mapping[str, Sequence[str]], folder: Path, number: int
) -> tuple[dict[str, list[Sample]], list[str]]:
    """Samples of each command, one per round that counts, and what is to be said about them.

    One more round before the others compiles bytecode and fills the file cache. Rounds in which the machine had other
    things to do are left out, if enough others remain.

    Args:
        all_commands: Argument lists by name.
        folder: Working directory.
        number: Rounds.
    """
    taken: list[dict[str, Sample]] = []
    faults: dict[str, str] = {}
    names = list(all_commands)
    for turn in range(number + 1):
        taken.append({})
        for name in [*names[turn % len(names) :], *names[: turn % len(names)]]:
            if name not in faults:
                try:
                    taken[-1][name] = _once(all_commands[name], folder)
                except (CommandError, OSError) as error:
                    faults[name] = str(error)
    sound = [name for name in names if name not in faults]
    counting, is_busy = calm(taken[1:], sound)
    notes = list(faults.values())
    if is_busy:
        notes.append(BUSY)
    return {name: [one[name] for one in counting] for name in sound}, notes


def calm(taken: Sequence[Mapping[str, Sample]], names: Sequence[str]) -> tuple[Sequence[Mapping[str, Sample]], bool]:
    """The rounds in which no process waited much longer for a processor than it did in its best round.

    If fewer than three were calm, all rounds, with processor time in the place of elapsed time; and whether it is that.
    """
    least_s = {name: min(one[name].waited_s for one in taken) for name in names}
    quiet = [one for one in taken if not any(_is_disturbed(one[name], least_s[name]) for name in names)]
    if len(quiet) >= ENOUGH:
        return quiet, False
    return [
        {name: Sample(one[name].seconds - one[name].waited_s, one[name].loop_s) for name in names} for one in taken
    ], True


def _is_disturbed(sample: Sample, least_s: float) -> bool:
    return sample.waited_s - least_s > SLIGHT_S + DISTURBED * sample.seconds


def _once(command: Sequence[str], folder: Path) -> Sample:
    before = calibration_s()
    started, busy_s = time.perf_counter(), _children_s()
    done = subprocess.run(  # noqa: S603 - commands of this module
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    taken_s = time.perf_counter() - started
    if done.returncode:
        raise CommandError(f"`{' '.join([Path(command[0]).name, *command[1:3]])} …` failed: {complaint(done.stderr)}")
    return Sample(taken_s, (before + calibration_s()) / 2, taken_s - (_children_s() - busy_s))


def _children_s() -> float:
    """Processor seconds of all processes that were started here and have ended."""
    if sys.platform == "win32":
        return 0.0  # not known there, so no round counts as disturbed
    import resource  # noqa: PLC0415 - not on Windows

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def complaint(text: str) -> str:
    """The line of an error output that says what was wrong."""
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "|"))] or ["no message"]
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def foreign_packages(system: str, python: str, folder: Path) -> list[str]:
    """Names of the third-party packages that importing and using a system loads, other than itself.

    Raises:
        CommandError: If the system is not there.
    """
    done = subprocess.run(  # noqa: S603 - a command of this module
        [python, "-c", _COUNT, _FRONTS[system]],
        cwd=folder, env=environment(folder), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise CommandError(complaint(done.stderr))
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    return [name for name in loaded if name not in (system, "add_plain")]
