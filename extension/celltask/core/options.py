"""The options of a header line, as one table: the grammar, the help and the completion are made from it."""

from __future__ import annotations

import keyword
import re
from typing import NamedTuple

from celltask.errors import HeaderError

__all__ = ["OPTIONS", "Option", "flags", "help_text", "read_value", "short"]

_BOTH = ("task", "workflow")
_RESOURCES = ("cpu", "memory", "gpu")
_POLICIES = ("stop", "finish")
_LONGEST = 60
_EXAMPLES = {"retry_on": "OSError", "on_failure": "clean_up"}


class Option(NamedTuple):
    """One option of the line.

    Attributes:
        flag: As written on the line: ``"--cache-version"``.
        keyword: As written in the decorator: ``"cache_version"``.
        help: One line for people.
        metavar: Stands for its value; ``""`` if it takes none.
        off: Its negative form, ``""`` if it has none.
        repeats: Whether it may be given more than once.
        kinds: The lines it may stand on.
    """

    flag: str
    keyword: str
    help: str
    metavar: str = ""
    off: str = ""
    repeats: bool = False
    kinds: tuple[str, ...] = ("task",)

    @property
    def usage(self) -> str:
        """How it is written: ``"--retries N"``, ``"--cache / --no-cache"``."""
        return f"{self.flag} {self.metavar}" if self.metavar else " / ".join(filter(None, (self.flag, self.off)))


class Reference(str):
    """A name whose value is meant; its repr is the name itself, as code has it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


OPTIONS = (
    Option("--name", "name", "name to register it under; the function's own by default", "NAME", kinds=_BOTH),
    Option("--cache", "cache", "reuse the result of an earlier call with equal code and inputs", off="--no-cache"),
    Option(
        "--cache-ignore", "cache_ignore", "input that does not count in the key; may repeat", "NAME,…", repeats=True
    ),
    Option("--cache-ttl", "cache_ttl", "seconds for which a result is reused; for ever by default", "SECONDS"),
    Option("--cache-version", "cache_version", "your own label for the code in the cache's key", "TEXT"),
    Option("--retries", "retries", "how often to try again after an exception", "N"),
    Option("--retry-on", "retry_on", "only after errors of these classes; may repeat", "NAME,…", repeats=True),
    Option(
        "--retry-delay", "retry_delay", "seconds before the second attempt, then twice as long each time", "SECONDS"
    ),
    Option("--concurrency", "concurrency", "how many may run at once: 2, or database=2 for a common place", "N"),
    Option("--timeout", "timeout", "seconds that one attempt may take", "SECONDS"),
    Option(
        "--environment",
        "environment",
        "environment variable for the body; may repeat",
        "KEY=VALUE",
        repeats=True,
    ),
    Option(
        "--resources",
        "resources",
        "what it asks of a machine: cpu=2,memory=8GiB,gpu=1",
        "NAME=AMOUNT,…",
        repeats=True,
    ),
    Option("--docs", "docs", "description; the docstring by default", "TEXT", kinds=_BOTH),
    Option(
        "--failure-policy",
        "failure_policy",
        "after a failed node: stop, or finish what does not need it",
        "POLICY",
        kinds=("workflow",),
    ),
    Option(
        "--on-failure",
        "on_failure",
        "task or workflow to run after a node has failed",
        "NAME",
        kinds=("workflow",),
    ),
    Option("--share", "share", "input handed over without a copy; may repeat", "NAME", repeats=True),
    Option(
        "--allow-globals",
        "allow_globals",
        "notebook data it may read; may repeat",
        "NAME,…",
        repeats=True,
        kinds=_BOTH,
    ),
    Option("--card", "card", "show the card under the cell", off="--no-card"),
    Option("--run", "run", "run it at once with the notebook's variables of the same names", kinds=_BOTH),
    Option("--help", "help", "show this", kinds=_BOTH),
)
"""Every option, in the order of the help."""


def flags(kind: str = "task") -> list[str]:
    """Every option word that may stand on a line of `kind`, for completion.

    >>> "--no-cache" in flags("task"), "--retries" in flags("workflow")
    (True, False)
    """
    return [flag for option in OPTIONS if kind in option.kinds for flag in (option.flag, option.off) if flag]


def short(text: str) -> str:
    """`text` quoted, on one line, and cut where it is too long to read."""
    quoted = repr(text)
    return quoted if len(quoted) <= _LONGEST else quoted[:_LONGEST] + "…'"


def read_value(  # noqa: C901 - one case for each form of value
    option: Option, text: str, *, off: bool, into: dict[str, object]
) -> None:
    """Read the value of `option` and add it to the keywords `into`.

    Args:
        option: The option given.
        text: Its value as written; ignored for an option without one.
        off: Whether its ``--no-…`` form was written.
        into: Keywords read so far; changed.

    Raises:
        HeaderError: If the value does not fit.
    """
    if not option.metavar:
        into[option.keyword] = not off
        return
    match option.keyword:
        case "retries":
            into["retries"] = _whole(text)
        case "timeout" | "retry_delay" | "cache_ttl":
            into[option.keyword] = _seconds(text, option)
        case "concurrency":
            into["concurrency"] = _places(text)
        case "environment":
            into["environment"] = {**_earlier(into, "environment"), **_variable(text)}
        case "failure_policy":
            into["failure_policy"] = _one_of(text, _POLICIES, option)
        case "on_failure":
            into["on_failure"] = Reference(_names(text, option)[-1])
        case "resources":
            into["resources"] = {**_earlier(into, "resources"), **_amounts(text)}
        case "share" | "allow_globals" | "cache_ignore" | "retry_on":
            earlier = into.get(option.keyword, ())
            assert isinstance(earlier, tuple)  # noqa: S101 - put there below
            into[option.keyword] = tuple(dict.fromkeys((*earlier, *_names(text, option))))
        case _:
            if not text.strip():
                raise HeaderError(
                    f"{option.flag} is empty", mend=f"write {option.flag} {option.metavar}, or leave it out"
                )
            into[option.keyword] = text


def _earlier(into: dict[str, object], key: str) -> dict[str, object]:
    found = into.get(key, {})
    assert isinstance(found, dict)  # noqa: S101 - put there by read_value
    return found


def _one_of(text: str, known: tuple[str, ...], option: Option) -> str:
    if text not in known:
        told = " or ".join(known)
        raise HeaderError(f"{option.flag} takes {told}, not {short(text)}", mend=f"write {option.flag} {known[0]}")
    return text


def _whole(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        raise HeaderError(f"--retries takes a whole number, not {short(text)}", mend="write for example --retries 2")
    return int(text)


def _places(text: str) -> int | dict[str, int]:
    name, equals, count = text.rpartition("=")
    if re.fullmatch(r"[1-9][0-9]{0,8}", count) is None or (equals and not name):
        raise HeaderError(
            f"--concurrency takes a number above 0, not {short(text)}",
            mend="write for example --concurrency 2, or --concurrency database=2",
        )
    return {name: int(count)} if equals else int(count)


def _seconds(text: str, option: Option) -> float:
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9}", text) is None or float(text) <= 0:
        raise HeaderError(
            f"{option.flag} takes seconds above 0, not {short(text)}", mend=f"write for example {option.flag} 30"
        )
    seconds = float(text)
    return int(seconds) if seconds.is_integer() else seconds


def _variable(text: str) -> dict[str, object]:
    key, equals, value = text.partition("=")
    if not equals or not key or "\0" in text:
        raise HeaderError(
            f"--environment takes KEY=VALUE, not {short(text)}",
            mend="write for example --environment MODE=fast",
        )
    return {key: value}


def _amounts(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in text.split(","):
        key, equals, amount = (piece.strip() for piece in part.partition("="))
        if not equals or key not in _RESOURCES or not amount:
            raise HeaderError(
                f"--resources takes {', '.join(_RESOURCES)} with amounts, not {short(part)}",
                mend="write for example --resources cpu=2,memory=8GiB",
            )
        found[key] = _amount(key, amount)
    return found


def _amount(key: str, text: str) -> int | float | str:
    if re.fullmatch(r"[0-9]{1,18}", text) and (int(text) or key == "gpu"):
        return int(text)
    if key == "cpu" and re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", text) and float(text):
        return float(text)
    if key == "memory" and re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,9})?\s*([KMGT]i?)?B?", text):
        return text
    raise HeaderError(f"{short(text)} is no amount of {key}", mend="write for example --resources cpu=2,memory=8GiB")


def _names(text: str, option: Option) -> list[str]:
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split(".")):
            raise HeaderError(
                f"{option.flag} takes names, not {short(name)}",
                mend=f"write for example {option.flag} {_EXAMPLES.get(option.keyword, 'settings')}",
            )
    return names


def help_text(kind: str = "task") -> str:
    """The help of `%%task` or `%%workflow`: what `--help` on the line and `%%task?` show."""
    rows = [(option.usage, option.help) for option in OPTIONS if kind in option.kinds]
    width = max(len(usage) for usage, _ in rows)
    table = "\n".join(f"  {usage:<{width}}  {told}" for usage, told in rows)
    return f"{_INTRODUCTIONS[kind]}\nOptions (the same as the keywords of @{kind}):\n\n{table}\n"


_INTRODUCTIONS = {
    "task": """Make the functions of this cell tasks, or the cell itself one task.

    %%task [OPTIONS]                           every public top-level def of the cell becomes a task
    %%task NAME -> OUTPUT: TYPE, … [OPTIONS]   the cell is the body of one task

`%task` on the line above a def means the same, and so does the decorator @task(…). In the body form the annotated
names at the top of the cell are the inputs, and the names after the arrow must be assigned.

    %%task --cache --retries 2
    def area(width: float, height: float = 1.0) -> float:
        return width * height

    %%task measure -> area: float
    width: float
    height: float = 1.0
    area = width * height
""",
    "workflow": """Make the functions of this cell workflows.

    %%workflow [OPTIONS]   every public top-level def of the cell becomes a workflow

`%workflow` on the line above a def means the same, and so does the decorator @workflow(…).

    %%workflow
    def areas(width: float) -> tuple[float, float]:
        return area(width=width), area(width=width, height=2.0)
""",
}
