"""Completion of options on the magic line, and of names after `%dag`, `%run_task`, `%answer` and others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.core.cell import flags
from celltask.core.registry import registry
from celltask.notebook.gates import waiting

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["candidates", "install_completion"]

_NAMES = "task|workflow|dag|form|run_task|task_diff|why|answer|celltask"
_LINE = re.compile(rf"\s*%{{1,2}}(?P<magic>{_NAMES})\s(?P<rest>.*)\Z", re.DOTALL)
_KEYS = ("%%task", "%%workflow", *(f"%{name}" for name in _NAMES.split("|")))
_SETTINGS = {"cards": ["off", "on"], "live": ["off", "on", "static"], "status": []}


def candidates(before: str) -> tuple[str, list[str]] | None:
    """The fragment that is being written and all that it can become, for the text before the cursor.

    Returns:
        ``None`` if the line is none of ours.

    >>> candidates("%%task --cache --timeo")
    ('--timeo', ['--timeout'])
    """
    match = _LINE.match(before)
    if match is None:
        return None
    words = match["rest"].split(" ")
    fragment = words[-1]
    return fragment, [word for word in _words(match["magic"], words) if word.startswith(fragment)]


def _words(magic: str, words: list[str]) -> list[str]:
    if magic in ("task", "workflow"):
        return [flag for flag in flags(magic) if flag not in words[:-1]]
    if magic == "celltask":
        return sorted(_SETTINGS) if len(words) == 1 else _SETTINGS.get(words[0], [])
    if magic == "answer":
        return waiting() if len(words) == 1 else []
    tasks, workflows = registry.tasks(), registry.workflows()
    if len(words) == 1:
        return sorted([*(tasks if magic != "dag" else ()), *(workflows if magic != "task_diff" else ())])
    member = registry.get(words[0]) if magic in ("run_task", "why") else None
    given = {word.partition("=")[0] for word in words[1:-1]}
    return [f"{port.name}=" for port in member.interface.inputs if port.name not in given] if member is not None else []


def install_completion(shell: InteractiveShell, undo: ExitStack) -> None:
    """Complete the lines of our magics in `shell` until `undo` is closed."""
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher  # noqa: PLC0415 - since IPython 8.6
    except ImportError:
        _install_hooks(shell, undo)
        return

    @context_matcher()  # type: ignore[untyped-decorator]  # IPython gives it no types
    def celltask_matcher(context: object) -> dict[str, object]:
        found = candidates(context.text_until_cursor)  # type: ignore[attr-defined]  # CompletionContext
        if found is None:
            return {"completions": []}
        fragment, words = found
        completions = [SimpleCompletion(word, type="option") for word in words]
        return {"completions": completions, "matched_fragment": fragment, "suppress": True}

    matchers = shell.Completer.custom_matchers
    matchers.append(celltask_matcher)
    undo.callback(matchers.remove, celltask_matcher)


def _install_hooks(shell: InteractiveShell, undo: ExitStack) -> None:
    """The way of older shells, where other completers add to the words given."""

    def complete(_shell: object, event: object) -> list[str]:
        found = candidates(event.text_until_cursor)  # type: ignore[attr-defined]  # a plain namespace of IPython's
        return found[1] if found else []

    for key in _KEYS:
        shell.set_hook("complete_command", complete, str_key=key)  # type: ignore[no-untyped-call]  # as above
        undo.callback(_remove_hook, shell, key, complete)


def _remove_hook(shell: InteractiveShell, key: str, hook: Callable[..., object]) -> None:
    keyed = shell.strdispatchers["complete_command"].strs
    chain = keyed[key].chain
    chain[:] = [item for item in chain if getattr(item[1], "__func__", item[1]) is not hook]
    if not chain:
        del keyed[key]
