"""What is executed in a kernel to have it note what its cells read and write; see `recorder`, whose text is sent."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

__all__ = ["noting"]


def noting(step: Literal["install", "tell", "finish"], *arguments: str) -> str:
    """The code that calls a function of `recorder`, and leaves no name behind."""
    given = ", ".join(["get_ipython()", *map(repr, arguments)])
    return f"(lambda names: (exec({_text()!r}, names), names[{step!r}]({given})))({{'__name__': '_celltask_recorder'}})"


@cache
def _text() -> str:
    return Path(__file__).with_name("recorder.py").read_text(encoding="utf-8")
