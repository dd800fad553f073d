"""Asking: how a gate comes to its answer, where none was given with the run.

One function asks: `ask_here` in a terminal or a notebook, or whatever `set_asker` puts in its place.
"""

from __future__ import annotations

import builtins
import sys
import threading
import time
import types
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.types.base import Mismatch
from celltask.errors import RunError, TaskTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.types.base import TypeHandler

__all__ = ["Question", "ask", "ask_here", "set_asker", "too_late"]

_turn = threading.Lock()  # two gates that are ready at once ask one after the other where they share a prompt


class Question(NamedTuple):
    """What a gate wants to know."""

    name: str
    text: str
    """What a person is asked: ``"limit (int): "``."""
    handler: TypeHandler
    """Of the type of the answer."""
    read: Callable[[str], object]
    """Gives the answer that a text stands for, or raises `Mismatch`."""
    timeout_s: float | None
    where: str
    is_approval: bool
    """Whether it wants yes or no to go on."""
    is_apart: bool
    """Whether the run has a thread of its own, so that whoever began it can do other things meanwhile."""
    is_cancelled: Callable[[], bool]
    """Tells whether the answer is not wanted any more."""


def ask_here(question: Question) -> object:
    """The answer of whoever sits at the terminal or the notebook, one question at a time; asked again until it fits.

    Raises:
        RunError: If nobody is there to be asked.
        TaskTimeoutError: If no answer comes in time.
    """
    with _turn:
        if not isinstance(builtins.input, types.BuiltinFunctionType):  # a notebook has put its own there
            return _asked(question, builtins.input)
        if sys.stdin is None or not sys.stdin.isatty():
            raise nobody(question)
        return _asked(question, _Terminal(question).line)


def nobody(question: Question) -> RunError:
    """The error for a question without anybody to answer it."""
    return RunError(
        f"gate {question.name!r} has no answer, and there is nobody to ask",
        question.where,
        f"give it with the run: run(answers={{{question.name!r}: …}}), or celltask run … --answer {question.name}=…",
    )


def too_late(question: Question) -> TaskTimeoutError:
    """The error for a question that had no answer in its time."""
    return TaskTimeoutError(
        f"gate {question.name!r} had no answer within {question.timeout_s:g} s",
        question.where,
        "answer in time, or give it more (timeout=…)",
    )


def _asked(question: Question, line: Callable[[str], str]) -> object:
    prompt = question.text
    while True:
        try:
            text = line(prompt)
        except EOFError:
            raise nobody(question) from None
        except RuntimeError as error:  # a notebook whose front end takes no input
            if type(error).__name__ != "StdinNotImplementedError":
                raise
            raise nobody(question) from None
        try:
            return question.read(text)
        except Mismatch as error:
            prompt = f"{error.expected} is wanted. {question.text}"


class _Terminal:
    """Lines from the terminal, up to a moment after which none is waited for."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.until = None if question.timeout_s is None else time.monotonic() + question.timeout_s

    def line(self, prompt: str) -> str:
        """One line; the prompt goes to standard error, so that what the run prints stays clean."""
        sys.stderr.write(prompt)
        sys.stderr.flush()
        if self.until is not None:
            import select  # noqa: PLC0415 - only gates with a timeout wait so

            if not select.select([sys.stdin], [], [], max(0.0, self.until - time.monotonic()))[0]:
                sys.stderr.write("\n")
                raise too_late(self.question)
        text = sys.stdin.readline()
        if not text:
            raise EOFError
        return text.rstrip("\r\n")


_asker: Callable[[Question], object] = ask_here


def set_asker(asker: Callable[[Question], object]) -> Callable[[Question], object]:
    """Let `asker` answer the questions of gates from now on; the one that did so before is returned.

    Args:
        asker: Gets a `Question`, on whatever thread has one; returns a value of its type, or raises.
    """
    global _asker
    before, _asker = _asker, asker
    return before


def ask(question: Question) -> object:
    """The answer to `question`, from the present asker."""
    __tracebackhide__ = True
    return _asker(question)
