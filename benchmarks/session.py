"""A session: the subjects and processes that are asked in turn, and what they answered."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import process
import tracing
from measure import Sample, growth, median_s, usual_s
from rows import OURS, PEERS, PLAIN, SYSTEMS, Result, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Session"]


class Session:
    """What was measured so far, and how. It holds state.

    Args:
        folder: Where files may be written.
        peer_python: Interpreter that the peers are installed for.
        quick: Whether few repetitions are enough.
    """

    def __init__(self, folder: Path, peer_python: str, *, quick: bool) -> None:
        self.folder = folder
        self.pythons = {OURS: sys.executable, PLAIN: sys.executable, **dict.fromkeys(PEERS, peer_python)}
        self.turns, self.budget_s, self.rounds = (5, 2.0, 3) if quick else (15, 10.0, 11)
        self.samples: dict[str, dict[str, list[Sample]]] = {}
        self.counts: dict[str, float] = {}
        self.notes: dict[str, None] = {}

    def measure(self, row: Row) -> None:
        """Measure one row; what cannot be measured is left out, and `notes` tell why."""
        if row is process.MODULES:
            self._count()
        elif row in tracing.GROWTH.values():
            return  # computed from others
        elif row.key.startswith(("call.", "map.", "trace.", "run.", "once.")):
            self._in_process(row)
        else:
            commands = process.commands(row.key, self.pythons)
            self.samples[row.key], notes = process.rounds(commands, self.folder, self.rounds)
            self.notes.update(dict.fromkeys(f"{note}{row.title}" if note is process.BUSY else note for note in notes))

    def _in_process(self, row: Row) -> None:
        """Measure work that is done inside long-lived processes, one for each system, asked in turn."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        subjects = [Subject(row.key, system, self.pythons[system], folder) for system in SYSTEMS]
        try:
            for subject in subjects:
                subject.get_ready()
            ready = [subject for subject in subjects if subject.ready]
            for _ in range(self.turns):
                for subject in ready:
                    if subject.spent_s < self.budget_s:
                        subject.ask()
            self.samples[row.key] = {subject.system: subject.samples for subject in ready if subject.samples}
        finally:
            for subject in subjects:
                subject.end()
                if subject.note:
                    self.notes[subject.note] = None
            shutil.rmtree(folder, ignore_errors=True)

    def _count(self) -> None:
        for system in (OURS, *PEERS):
            try:
                found = process.foreign_packages(system, self.pythons[system], self.folder)
            except process.CommandError:
                continue  # the rows above tell that it is not there
            self.counts[system] = len(found)

    @property
    def loop_s(self) -> float:
        """Seconds that the calibration loop took at the usual speed of this session; 0 if there was nothing to time."""
        by_row = (samples.values() for samples in self.samples.values())
        taken = [sample for by_system in by_row for samples in by_system for sample in samples]
        return usual_s(taken) if taken else 0.0

    def results(self, rows: Iterable[Row]) -> list[Result]:
        """The figures of all rows at the usual speed of this session, in the order given."""
        loop_s = self.loop_s
        made = []
        for row in rows:
            if row is process.MODULES:
                made.append(Result(row, self.counts, {}))
            elif row in tracing.GROWTH.values():
                made.append(Result(row, self._growth(row.key.partition(".")[0], loop_s), {}))
            else:
                made.append(_result(row, self.samples[row.key], loop_s))
        return made

    def _growth(self, action: str, loop_s: float) -> dict[str, float]:
        figures = {}
        for system in SYSTEMS:
            known = {size: self.samples.get(f"{action}.{size}", {}).get(system) for size in tracing.SIZES}
            totals = {size: size * median_s(samples, loop_s) for size, samples in known.items() if samples}
            if len(totals) > 1:
                figures[system] = growth(totals)
        return figures


def _result(row: Row, samples: Mapping[str, list[Sample]], loop_s: float) -> Result:
    figures, ratios = {}, {}
    for system in SYSTEMS:
        taken, base = samples.get(system), samples.get(process.BASE + system)
        if taken and base:
            both = zip(taken, base, strict=True)
            taken = [Sample(one.seconds - bare.seconds, (one.loop_s + bare.loop_s) / 2) for one, bare in both]
        if taken:
            figures[system] = median_s(taken, loop_s)
        if taken and row.is_process and OURS in samples:
            pairs = zip(samples[OURS], taken, strict=True)
            ratios[system] = statistics.median(ours.seconds / theirs.seconds for ours, theirs in pairs)
    return Result(row, figures, ratios)


class Subject:
    """A process in which one system does the work of one row when asked. It holds state."""

    def __init__(self, key: str, system: str, python: str, folder: Path) -> None:
        self.system, self.ready, self.note, self.spent_s = system, False, "", 0.0
        self.samples: list[Sample] = []
        self._what = f"{key} of {system}"
        self._errors = tempfile.TemporaryFile("w+", dir=folder)  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - this folder's own script
            [python, Path(__file__).with_name("subject.py"), key, system],
            cwd=folder, env=process.environment(folder), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip

    def get_ready(self) -> None:
        """Wait until it has prepared its work; `ready` and `note` tell the outcome."""
        said = self._hear()
        self.ready = "ready" in said
        if "missing" in said:
            self.note = f"{self.system}: not measured, for want of {said['missing']}"

    def ask(self) -> None:
        """Have it do one repetition, and keep what it says."""
        started = time.perf_counter()
        print(file=self._process.stdin, flush=True)
        said = self._hear()
        self.spent_s += time.perf_counter() - started
        if self.ready:
            self.samples.append(Sample(said["seconds"], said["loop_s"]))

    def _hear(self) -> dict[str, float]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if line:
            said: dict[str, float] = json.loads(line)
            return said
        self._process.wait()
        self._errors.seek(0)
        self.ready, self.note = False, f"{self._what} failed: {process.complaint(self._errors.read())}"
        return {}

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate()
        self._errors.close()
