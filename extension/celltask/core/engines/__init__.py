"""Where jobs run."""

from __future__ import annotations

from typing import cast

from celltask.core.engines.base import Engine
from celltask.plugins import Shelf

__all__ = ["Engine", "engine_of"]

shelf = Shelf(
    "celltask.engines",
    {
        "inline": "celltask.core.engines.inline:InlineEngine",
        "processes": "celltask.core.engines.processes:ProcessesEngine",
        "threads": "celltask.core.engines.threads:ThreadsEngine",
    },
)

_made: dict[str, Engine] = {}


def engine_of(name: str) -> Engine:
    """The engine called `name`, one for this process.

    Raises:
        PluginError: If there is none of that name.
    """
    if name not in _made:
        _made[name] = cast("type[Engine]", shelf.get(name))()
    return _made[name]
