"""A map over many small items: what one item costs beyond the call of its function.

celltask runs it inline with a listener, and on the threads engine. joblib has no column of its own: its row stands in
the one of plain Python, without types, records or places of failures.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bodies import hear, same
from measure import Case
from rows import OURS, PLAIN, Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ROWS", "prepare"]

SIZE = 10_000
ROWS = (
    Row("map.inline", f"map over {SIZE:,} items inline, per item", Target(1e-6)),
    Row("map.threads", f"map over {SIZE:,} items on threads, per item"),
    Row("map.joblib", "the same inline; the plain column is joblib.Parallel(1)", Target(1.0, "ratio")),
)


def prepare(key: str, system: str) -> Case | None:
    """The case of one row for one system; None if it has no such thing.

    Raises:
        ImportError: If something that it needs is not installed.
    """
    made = _MAKERS.get(system)
    return made(key.partition(".")[2]) if made is not None else None


def _ours(way: str) -> Case:
    celltask = import_module("celltask")
    mapped = celltask.map_task(celltask.task(same))
    names = {"run": mapped.run, "items": list(range(SIZE)), "hear": hear}
    engine = "threads" if way == "threads" else "inline"
    return Case(f"run(number=items, engine={engine!r}, on_event=hear)", names, SIZE)


def _plain(way: str) -> Case | None:
    items = list(range(SIZE))
    if way == "joblib":
        joblib = import_module("joblib")
        names = {"parallel": joblib.Parallel(n_jobs=1), "delayed": joblib.delayed, "same": same, "items": items}
        return Case("parallel(delayed(same)(item) for item in items)", names, SIZE)
    return Case("[same(item) for item in items]", {"same": same, "items": items}, SIZE) if way == "inline" else None


def _flytekit(way: str) -> Case | None:
    if way != "inline":
        return None
    flytekit = import_module("flytekit")
    mapped = flytekit.map_task(flytekit.task(same))
    return Case("mapped(number=items)", {"mapped": mapped, "items": list(range(SIZE))}, SIZE)


_MAKERS: dict[str, Callable[[str], Case | None]] = {OURS: _ours, PLAIN: _plain, "flytekit": _flytekit}
