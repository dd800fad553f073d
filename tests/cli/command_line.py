"""What a command answers, and the documents that the tests of the command line run."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


Cli = Callable[..., Said]

ADD = '''
from celltask import task, workflow


@task
def add(a: int, b: int = 2) -> int:
    """Add two numbers.

    Args:
        a: The first.
        b: The second.
    """
    return a + b


@task
def halve(number: int) -> float:
    """Half of it."""
    return number / 2


@workflow
def half_sum(a: int, b: int = 2) -> float:
    """Half of a sum."""
    return halve(number=add(a=a, b=b))
'''

PAGE = '''
# Roots

```{code-cell}
import math

from celltask import task, workflow
```

```{code-cell}
%%task --retries 1
def root(x: float, digits: int = 2) -> float:
    """The square root.

    Args:
        x: Any number from 0.
        digits: How many to keep.
    """
    return round(math.sqrt(x), digits)
```

```{code-cell}
print("a demonstration")
root(x=2.0)
```

```{code-cell}
%%workflow
def roots(x: float = 16.0) -> tuple[float, float]:
    """The root, and the root of the root."""
    first = root(x=x)
    return first, root(x=first)
```
'''

KINDS = '''
import datetime as dt
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from celltask import task


class Colour(Enum):
    RED = "r"
    GREEN = "g"


@dataclass
class Settings:
    rate: float
    names: list[str]

    def __post_init__(self):
        if self.rate < 0:
            raise ValueError("rate below 0")


class Point(NamedTuple):
    x: int
    y: int


@task
def kinds(
    whole: int = 1,
    real: float = 0.5,
    text: str = "x",
    verbose: bool = False,
    day: dt.date = dt.date(2026, 1, 31),
    moment: dt.datetime = dt.datetime(2026, 1, 1),
    wait: dt.timedelta = dt.timedelta(0),
    colour: Colour = Colour.RED,
    mode: Literal["fast", "slow"] = "fast",
    level: Literal[1, 2] = 1,
    where: Path = Path("here"),
    maybe: int | None = 5,
    maybe_flag: bool | None = None,
    numbers: list[int] = [],
    names: Annotated[list[str], "some names"] = [],
    grid: list[list[int]] = [],
    tags: set[str] = set(),
    pair: tuple[int, str] = (1, "a"),
    many: tuple[int, ...] = (),
    table: dict[str, float] = {},
    settings: Settings = Settings(1.0, []),
    point: Point = Point(0, 0),
    anything: Any = None,
    maybe_many: list[float] | None = None,
    _hidden: int = 0,
) -> dict:
    """Give back what came."""
    return dict(locals())
'''
