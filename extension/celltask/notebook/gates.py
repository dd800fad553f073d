"""Gates in a notebook: a run that goes on beside the cells asks in a small form, answered there or by `%answer`.

A run that a cell waits for cannot be answered by a click, since the kernel does not look at clicks meanwhile
(ipykernel 7.4): there the prompt under the cell asks, as without this module. It holds state: the gates that wait.
"""

from __future__ import annotations

import html
import queue
import threading
import time
from typing import TYPE_CHECKING

from celltask.core.asking import set_asker, too_late
from celltask.core.types.base import Mismatch
from celltask.core.types.masking import discreet
from celltask.errors import CallError, RunCancelledError
from celltask.notebook.forms_display import close_all

if TYPE_CHECKING:
    from contextlib import ExitStack

    from IPython.core.interactiveshell import InteractiveShell
    from ipywidgets import Widget

    from celltask.core.asking import Question

__all__ = ["answer", "install_gates", "waiting"]

_LOOKED_EVERY_S = 0.1

_waiting: list[OpenGate] = []
_lock = threading.Lock()


class OpenGate:
    """A gate that waits for its answer.

    Attributes:
        question: What it asks.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self._answers: queue.SimpleQueue[object] = queue.SimpleQueue()

    def answer(self, text: str) -> None:
        """Answer it.

        Raises:
            Mismatch: If `text` stands for no value that fits.
        """
        self._answers.put(self.question.read(text))
        _forget(self)

    def wait(self) -> object:
        """The answer, when there is one.

        Raises:
            TaskTimeoutError: If there is none in time.
            RunCancelledError: If nobody wants it any more.
        """
        question = self.question
        until = None if question.timeout_s is None else time.monotonic() + question.timeout_s
        while True:
            try:
                return self._answers.get(timeout=_LOOKED_EVERY_S)
            except queue.Empty:
                if question.is_cancelled():
                    raise RunCancelledError(f"gate {question.name!r} is not asked any more", question.where) from None
                if until is not None and time.monotonic() > until:
                    raise too_late(question) from None


def _forget(gate: OpenGate) -> None:
    with _lock:
        if gate in _waiting:
            _waiting.remove(gate)


def install_gates(shell: InteractiveShell, undo: ExitStack) -> None:
    """Let gates ask in the notebook of `shell` until `undo` is closed."""

    def ask(question: Question) -> object:
        return _answered(shell, question) if question.is_apart else before(question)

    before = set_asker(ask)
    undo.callback(set_asker, before)


def _answered(shell: InteractiveShell, question: Question) -> object:
    """The answer that the form or `%answer` gives."""
    gate = OpenGate(question)
    with _lock:
        _waiting.append(gate)
    shown = _shown(shell, gate)
    try:
        return gate.wait()
    finally:
        _forget(gate)
        if shown is not None:
            close_all(shown)


def waiting() -> list[str]:
    """Names of the gates that wait."""
    with _lock:
        return sorted({gate.question.name for gate in _waiting})


def answer(name: str, text: str, where: str) -> None:
    """Answer the gate called `name` of a run that is under way; of two of that name the one that has waited longer.

    Raises:
        CallError: If no such gate waits, or `text` does not fit.
    """
    with _lock:
        gate = next((gate for gate in _waiting if gate.question.name == name), None)
    if gate is None:
        names = waiting()
        told = f"these wait: {', '.join(names)}" if names else "none waits now"
        raise CallError(f"no gate {name!r} waits for an answer", where, told)
    try:
        gate.answer(text)
    except Mismatch as error:
        seen = discreet(gate.question.handler, Mismatch(error.expected, text, (), error.hint))
        raise CallError(f"gate {name!r} wants {seen.expected}, not {seen.value!r}", where, seen.hint) from None


def _shown(shell: InteractiveShell, gate: OpenGate) -> Widget | None:
    """The form of a gate, on the screen; None without a kernel that could hear of clicks."""
    question = gate.question
    if getattr(shell, "kernel", None) is None:
        return None
    from ipywidgets import HTML, Button, HBox, Label, Text, VBox  # noqa: PLC0415 - 160 ms, and only gates need it

    told = HTML()

    def send(text: str) -> None:
        try:
            gate.answer(text)
        except Mismatch as error:
            told.value = f"<span role='alert'>{html.escape(f'{error.expected} is wanted')}</span>"

    if question.is_approval:
        controls = [Button(description=word, tooltip=f"{word}: {question.name}") for word in ("Approve", "Refuse")]
        for control, text in zip(controls, ("yes", "no"), strict=True):
            control.on_click(lambda _, text=text: send(text))
    else:
        field = Text(continuous_update=False, placeholder=question.handler.name)
        button = Button(description="Send", tooltip=f"answer {question.name}")
        field.on_submit(lambda _: send(field.value))
        button.on_click(lambda _: send(field.value))
        controls = [field, button]
    made = VBox([Label(question.text.strip()), HBox(controls), told])
    from IPython.display import display  # noqa: PLC0415 - loaded in every notebook

    display(made)  # type: ignore[no-untyped-call]  # IPython gives it no types
    return made
