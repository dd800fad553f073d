"""Prints one table: celltask beside plain Python, flytekit and Hamilton, measured now, on this machine.

    python benchmarks/run.py [--quick] [--only PREFIX] [--peer-python PATH]

Ends with status 1 if a promise does not hold. How to read it: ``README.md`` beside this file.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import call
import mapping
import process
import scripts
import tracing
from measure import LOOPS
from rows import SYSTEMS, Row, shown, table
from session import Session

__all__ = ["main"]

HEADINGS = ("", *SYSTEMS, *(f"vs {system}" for system in SYSTEMS[1:]), "target", "holds")
_VERSIONS = """
from importlib import metadata
for name in ("flytekit", "apache-hamilton", "numpy", "pandas", "scikit-learn"):
    try:
        print(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        print(name, "missing")
"""


def rows_of(prefix: str) -> list[Row]:
    """All rows, in the order of the table, whose key begins with `prefix`."""
    rows = [*process.IMPORTS, process.MODULES, *call.ROWS]
    for action in ("trace", "run", "once"):
        rows += [row for row in tracing.ROWS if row.key.startswith(action)]
        rows += [tracing.GROWTH[action]] if action in tracing.GROWTH else []
    rows += mapping.ROWS
    return [row for row in [*rows, *process.ROWS] if row.key.startswith(prefix)]


def setting(peer_python: str, loop_s: float) -> str:
    """Where this was measured, and with what."""
    done = subprocess.run(  # noqa: S603 - asks the interpreter that the user named
        [peer_python, "-c", _VERSIONS], capture_output=True, text=True, check=True
    )
    found = ", ".join(done.stdout.splitlines())
    mend = " (to install what is missing: pip install -e '.[bench]')" if "missing" in found else ""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.machine()}; "
        f"{found}{mend}.\nTimes are medians, scaled to the usual speed of this session, at which a loop of {LOOPS:,} "
        f"rounds takes {shown(loop_s)}."
    )


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions: a minute or two, rough figures")
    parser.add_argument("--only", default="", metavar="PREFIX", help="only rows whose key begins so: call, run.1000")
    parser.add_argument(
        "--peer-python", default=sys.executable, metavar="PATH",
        help="interpreter that flytekit and Hamilton are installed for (default: this one)",
    )  # fmt: skip
    return parser.parse_args()


def main() -> int:
    """Measure and print; 1 if a promise does not hold, 2 if there is nothing to measure, else 0."""
    asked = arguments()
    rows = rows_of(asked.only)
    if not rows:
        keys = ", ".join(row.key for row in rows_of(""))
        print(f"no row's key begins with {asked.only!r}; there are {keys}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="celltask-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        scripts.write(folder)
        session = Session(folder, asked.peer_python, quick=asked.quick)
        for place, row in enumerate(rows):
            print(f"\r[{place + 1}/{len(rows)}] {row.title:<60}", end="", file=sys.stderr, flush=True)
            session.measure(row)
        print("\r" + " " * 70, end="\r", file=sys.stderr)
    results = session.results(rows)
    print(table(HEADINGS, [result.cells() for result in results]))
    print(f"\n{setting(asked.peer_python, session.loop_s)}")
    for note in session.notes:
        print(f"- {note}")
    return int(any((result.over() or 0) > 0 for result in results))


if __name__ == "__main__":
    sys.exit(main())
