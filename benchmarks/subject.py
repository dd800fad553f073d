"""One system doing the work of one row, in a process of its own, so that no system's imports weigh on another's.

``python subject.py KEY SYSTEM`` prepares the work and prints ``{"ready": true}``, or why it cannot; then it prints the
seconds of one repetition for each line that it reads. `session.py` starts these and asks them in turn.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import call
import mapping
import tracing
from measure import Case, repetition, sized, timer_of

STACK_BYTES = 512 * 2**20
"""Hamilton walks its graph recursively; a long chain needs a deep stack."""


def case_of(key: str, system: str) -> Case | None:
    """The work of one row for one system; None if the system is not asked for it."""
    rooms = {"call": call.prepare, "map": mapping.prepare}
    return rooms.get(key.partition(".")[0], tracing.prepare)(key, system)


def serve(key: str, system: str, answer: int) -> None:
    """Prepare the work, then do it once for each line read; every answer is one line of JSON."""

    def tell(**said: object) -> None:
        os.write(answer, f"{json.dumps(said)}\n".encode())

    try:
        case = case_of(key, system)
    except ImportError as error:
        tell(missing=error.name or str(error))
        return
    if case is None:
        tell(none=True)
        return
    timer = timer_of(case)
    number = sized(timer)
    tell(ready=True)
    for _ in sys.stdin:
        sample = repetition(case, timer, number)
        tell(seconds=sample.seconds, loop_s=sample.loop_s)


def main() -> None:
    """Serve on the standard streams; what the systems themselves print goes to standard error."""
    key, system = sys.argv[1:]
    answer = os.dup(1)
    os.dup2(2, 1)
    sys.path.insert(1, os.getcwd())  # noqa: PTH109 - where the modules of chains are written
    if system != "hamilton":
        serve(key, system, answer)
        return
    sys.setrecursionlimit(1_000_000)
    threading.stack_size(STACK_BYTES)
    worker = threading.Thread(target=serve, args=(key, system, answer))
    worker.start()
    worker.join()


if __name__ == "__main__":
    main()
