"""Answers to the gates of a workflow: from `--answer`, else from whoever sits at the terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from celltask.cli.opening import Entity
    from celltask.cli.progress import Progress
    from celltask.core.asking import Question

__all__ = ["answers_of", "asking"]


def answers_of(given: Sequence[str], entity: Entity, command_line: str) -> dict[str, dict[str, object]]:
    """What a run of `entity` is given for `--answer NAME=VALUE`; nothing where it was not used.

    Raises:
        CelltaskError: If one has no `=`, or `entity` is a task, which asks nothing.
    """
    if not given:
        return {}
    from celltask.core.gates import AnswerText  # noqa: PLC0415 - only for --answer
    from celltask.core.task import Task  # noqa: PLC0415 - loaded by whoever has an entity

    if isinstance(entity, Task):
        raise CelltaskError(f"{entity.name!r} is a task, and has no gates", f"{command_line} --answer", "leave it out")
    answers: dict[str, object] = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not equals or not name:
            at = f"{command_line} --answer {word}"
            raise CelltaskError(f"--answer takes NAME=VALUE, not {word!r}", at, "write for example --answer limit=3")
        answers[name] = AnswerText(text)
    return {"answers": answers}


@contextmanager
def asking(listener: Progress | None) -> Iterator[None]:
    """Within it, the display of progress is taken off the terminal before a gate asks there."""
    if listener is None:
        yield
        return
    from celltask.core.asking import ask_here, set_asker  # noqa: PLC0415 - only on a terminal

    def asked(question: Question) -> object:
        listener.stop()
        return ask_here(question)

    before = set_asker(asked)
    try:
        yield
    finally:
        set_asker(before)
