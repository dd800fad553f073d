"""How strictly an expected output is compared: tolerance and sanitisers, of the project and of one fence."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.expected.sanitise import Sanitiser, built_in, chosen
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NUMBER", "Rules", "Tolerance", "rules_of"]

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w]*\d)")
"""A number as programs print it; not the digits in `x1` or `a.1`."""

_WRITTEN = "written"


class Tolerance(NamedTuple):
    """How far a shown number may be from the expected one. Whole numbers on both sides must be equal."""

    rtol: float = 0.0
    """As a share of the expected number."""
    atol: float = 0.0
    as_written: bool = False
    """Whether the digits that the page shows are enough."""

    @property
    def is_exact(self) -> bool:
        """Whether numbers must be equal."""
        return not (self.rtol or self.atol or self.as_written)

    def allows(self, expected: str, shown: str) -> bool:
        """Whether the number written as `shown` will do for that written as `expected`.

        >>> Tolerance(rtol=0.01).allows("3.14", "3.15"), Tolerance(rtol=0.01).allows("314", "315")
        (True, False)
        >>> Tolerance(as_written=True).allows("3.14", "3.14159"), Tolerance().allows("0.5", "0.50")
        (True, True)
        """
        wanted, got = float(expected), float(shown)
        if self.is_exact and _is_whole(expected) != _is_whole(shown):
            return False  # 1 and 1.0 are of different types
        if wanted == got or (math.isnan(wanted) and math.isnan(got)):
            return True
        if _is_whole(expected) and _is_whole(shown):
            return False
        allowed = self.atol + self.rtol * abs(wanted)
        if self.as_written and not _is_whole(expected):
            allowed = max(allowed, 0.5 * 10.0 ** -_precision(expected) * (1 + 1e-9))
        return abs(wanted - got) <= allowed  # False where one is infinite: its difference is inf or nan


class Rules(NamedTuple):
    """How expected and shown text are compared."""

    tolerance: Tolerance = Tolerance()
    sanitisers: tuple[Sanitiser, ...] = built_in()

    def clean(self, line: str) -> str:
        """The line as it is compared."""
        line = line.rstrip()
        for sanitiser in self.sanitisers:
            line = sanitiser(line)
        return line


def rules_of(
    options: Mapping[str, object], project: Rules, *, known: tuple[Sanitiser, ...] = (), where: str = ""
) -> Rules:
    """The rules of the project, with what the options of a fence say otherwise.

    Args:
        options: ``rtol`` (a number, or ``written``), ``atol``, ``sanitize``; all else is left alone.
        project: The rules where the fence says nothing.
        known: Sanitisers that the fence may name, if those are more than the project has on.
        where: Place of the fence, for messages.

    Raises:
        DocumentError: If one of the options cannot be read.

    >>> rules_of({"rtol": "1e-3", "sanitize": "none"}, Rules())
    Rules(tolerance=Tolerance(rtol=0.001, atol=0.0, as_written=False), sanitisers=())
    """
    tolerance, sanitisers = project
    if "rtol" in options or "atol" in options:
        rtol, atol = options.get("rtol", 0), options.get("atol", 0)
        as_written = str(rtol).strip() == _WRITTEN
        tolerance = Tolerance(
            0.0 if as_written else _share("rtol", rtol, where), _share("atol", atol, where), as_written
        )
    for name in ("sanitize", "sanitise"):
        if name in options:
            sanitisers = chosen(options[name], known or project.sanitisers or built_in(), where=where)
    return Rules(tolerance, sanitisers)


def _share(name: str, option: object, where: str) -> float:
    try:
        number = float(str(option))
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise DocumentError(f"the option {name} cannot be {option!r}", where, f"write a number: :{name}: 1e-3")
    return number


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdecimal()


def _precision(text: str) -> int:
    """Decimal places of a number as it is written; of ``1.50e3`` that is -1."""
    mantissa, _, exponent = text.lower().partition("e")
    return len(mantissa.partition(".")[2]) - int(exponent or 0)
