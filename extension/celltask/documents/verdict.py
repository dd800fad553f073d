"""Whether a cell did what its document says, judged by the kernel's reply and never by what is shown alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from celltask.documents.kernels.reply import how_it_ended
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.documents.kernels.reply import Reply
    from celltask.documents.outline import Cell

__all__ = ["Failure", "Raises", "headline", "judge", "must_raise", "skip_reason", "tags_of", "timeout_of"]

_SKIP_TAGS = frozenset({"skip-execution", "skip_execution", "no-execute", "nbval-skip"})
_RAISE_TAGS = frozenset({"raises-exception", "raises_exception", "nbval-raises-exception"})
_NBVAL = re.compile(r"#\s*(NBVAL_\w+)", re.IGNORECASE)
_RAISES = re.compile(r"""\s*(?P<name>[A-Za-z_][\w.]*)?\s*(?:(?P<quote>["'])(?P<match>.*)(?P=quote))?\s*$""")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Raises:
    """What a cell must raise; anything will do where a part is empty."""

    name: str = ""
    """Class of the exception or one of its bases, with or without its module."""
    match: str = ""
    """Regular expression that its message must contain."""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.name or "an exception", self.match and f'that matches "{self.match}"']))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a cell failed, in words, with the exception as the kernel told it."""

    what: str
    """One line: ``"ValueError: empty"``."""
    error: Mapping[str, object] | None = None
    line: int | None = None
    """Line that was running, where the exception does not tell it."""
    lines: tuple[str, ...] = ()
    """The kernel's own traceback, where there is nothing better."""


def skip_reason(cell: Cell, own: str = "python") -> str:
    """Why `cell` of a document in the language `own` is not to be executed; empty if it is."""
    if cell.language not in {own, ""}:
        return f"is {cell.language}, not {'Python' if own == 'python' else own}"
    tag = next((tag for tag in tags_of(cell) if tag in _SKIP_TAGS), "")
    return f"is tagged {tag}" if tag else ""


def tags_of(cell: Cell) -> tuple[str, ...]:
    r"""The tags of `cell`, with what nbval would read in a comment on its first line.

    >>> from celltask.documents.outline import Cell
    >>> tags_of(Cell(1, "# NBVAL_SKIP\nf()", first_line=1, tags=("slow",)))
    ('slow', 'nbval-skip')
    """
    marked = _NBVAL.match(cell.source)
    return (*cell.tags, marked[1].lower().replace("_", "-")) if marked else cell.tags


def must_raise(cell: Cell, *, where: str = "") -> Raises | None:
    """What `cell` must raise by its tag ``raises-exception`` or its option ``raises``; None if nothing.

    Raises:
        DocumentError: If the option cannot be read.

    >>> from celltask.documents.outline import Cell
    >>> must_raise(Cell(1, "f()", first_line=1, options={"raises": 'ValueError "is empty"'}))
    Raises(name='ValueError', match='is empty')
    """
    option = cell.options.get("raises")
    if option is None:
        return Raises() if _RAISE_TAGS.intersection(tags_of(cell)) else None
    found = _RAISES.match(str(option))
    try:
        re.compile((found and found["match"]) or "")
    except re.error:
        found = None
    if found is None:
        raise DocumentError(
            f"the option raises cannot be {option!r}", where, 'write for example :raises: ValueError "empty"'
        )
    return Raises(found["name"] or "", found["match"] or "")


def timeout_of(cell: Cell, default_s: float, *, where: str = "") -> float:
    """Seconds that `cell` may take.

    Raises:
        DocumentError: If its option ``timeout`` is not a number above 0.
    """
    option = cell.options.get("timeout", default_s)
    try:
        seconds = float(str(option))
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise DocumentError(
            f"the option timeout cannot be {option!r}", where, "write seconds, for example :timeout: 60"
        )
    return seconds


def judge(reply: Reply, raises: Raises | None, *, timeout_s: float) -> Failure | None:
    """What is wrong with the cell that gave `reply`; None if nothing is."""
    if reply.status == "dead":
        return Failure(f"the kernel {how_it_ended(reply.ended)}")
    never = {
        f"the cell took longer than {timeout_s:g} s": reply.status == "timeout",
        "the cell showed more than the limit, and was interrupted": reply.status == "flood",
        "the cell asks for input, and nobody is there to answer": reply.name == "StdinNotImplementedError",
        "the cell ends the session: exit or quit": reply.ends_session,
    }
    for what, is_so in never.items():
        if is_so:
            return Failure(what, reply.error)
    return _unexpected(reply) if raises is None else _raised_as_told(reply, raises)


def _unexpected(reply: Reply) -> Failure | None:
    if reply.error is not None or (reply.status == "error" and not reply.unseen):
        return Failure(_headline(reply), reply.error, lines=_plain(reply.lines))
    for how, error, line in reply.unseen:  # the first will do; also told when the display of a value raised
        told = cast("Mapping[str, object] | None", error)
        return Failure(f"{headline(told)} ({how})" if told else str(how), told, cast("int | None", line))
    return None


def _raised_as_told(reply: Reply, raises: Raises) -> Failure | None:
    if reply.status == "ok":
        told = f"must raise {raises}, and raised nothing"
        return None if reply.unseen and raises == Raises() else Failure(f"the cell {told}")
    error = reply.error or {"names": [reply.name], "message": reply.message}
    names = cast("list[str]", error["names"])
    if any(_is_meant(raises.name, name) for name in names) and re.search(raises.match, str(error["message"])):
        return None
    return Failure(
        f"the cell must raise {raises}, and raised {_headline(reply)}", reply.error, lines=_plain(reply.lines)
    )


def _is_meant(written: str, name: str) -> bool:
    """Whether `written` means the class `name`; a package may show a class of one of its modules as its own."""
    package, _, last = written.rpartition(".")
    end = f".{name}".endswith(f".{written}")
    return not written or end or (name.startswith(f"{package.partition('.')[0]}.") and name.endswith(f".{last}"))


def _headline(reply: Reply) -> str:
    if reply.error is not None:
        return headline(reply.error)
    return f"{reply.name}: {reply.message}" if reply.message else reply.name


def headline(error: Mapping[str, object]) -> str:
    """Class and message of an exception in one line."""
    name = cast("list[str]", error["names"])[0]
    message = str(error["message"]).strip().partition("\n")[0]
    return f"{name}: {message}" if message else name


def _plain(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_ANSI.sub("", line) for line in lines)
