"""Loading celltask into a running IPython shell, and taking every trace of it out again."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from celltask.core.cell import RUNTIME_NAME
from celltask.core.origin import add_resolver
from celltask.notebook.completion import install_completion
from celltask.notebook.display import install_formatters
from celltask.notebook.failures import install_failures
from celltask.notebook.gates import install_gates
from celltask.notebook.live import install_live
from celltask.notebook.magics import install_magics
from celltask.notebook.places import Places
from celltask.notebook.session import Session
from celltask.notebook.transform import TreeTransformer, rewrite_lines, wait_for_def
from celltask.notebook.warned import install_warnings

if TYPE_CHECKING:
    from ast import NodeTransformer

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]

_loaded: WeakKeyDictionary[InteractiveShell, ExitStack] = WeakKeyDictionary()


def load(shell: InteractiveShell) -> None:
    """Make `%%task`, `%%workflow` and the rest known to `shell`; a second time changes nothing.

    Called by ``%load_ext celltask``.
    """
    if shell in _loaded:
        return
    undo = ExitStack()
    try:
        _install(shell, undo)
    except BaseException:
        undo.close()
        raise
    _loaded[shell] = undo


def unload(shell: InteractiveShell) -> None:
    """Leave `shell` as it was before; tasks that were defined stay usable.

    Called by ``%unload_ext celltask``.
    """
    undo = _loaded.pop(shell, None)
    if undo is not None:
        undo.close()


def _install(shell: InteractiveShell, undo: ExitStack) -> None:
    places = Places(shell)
    session = Session(shell, places)
    transformer = TreeTransformer(session)
    undo.callback(add_resolver(places.resolve))
    undo.callback(places.running.clear)  # nobody tells of the end of the cell that unloads
    _expose_runtime(shell, undo)
    # IPython copies this list on no version tried (7.34 to 9.18), so what is appended is used from the next cell on.
    for transform in (wait_for_def, rewrite_lines):
        shell.input_transformers_cleanup.append(transform)
        undo.callback(shell.input_transformers_cleanup.remove, transform)
    shell.ast_transformers.append(transformer)
    undo.callback(_discard, shell.ast_transformers, transformer)
    for event, callback in (("pre_run_cell", session.begin_cell), ("post_run_cell", session.end_cell)):
        shell.events.register(event, callback)
        undo.callback(shell.events.unregister, event, callback)
    viewer = install_live(shell, session, undo)
    install_magics(shell, session, viewer, undo)
    install_completion(shell, undo)
    install_formatters(shell, session, viewer, undo)
    install_failures(shell, undo)
    install_warnings(places, undo)
    install_gates(shell, undo)


def _expose_runtime(shell: InteractiveShell, undo: ExitStack) -> None:
    """Put the module `celltask` where rewritten cells look for it, hidden from `%who`."""
    module = sys.modules["celltask"]
    shell.push({RUNTIME_NAME: module}, interactive=False)  # type: ignore[no-untyped-call]  # IPython gives it no types

    def hide() -> None:
        if shell.user_ns.get(RUNTIME_NAME) is module:
            del shell.user_ns[RUNTIME_NAME]
        shell.user_ns_hidden.pop(RUNTIME_NAME, None)

    undo.callback(hide)


def _discard(items: list[NodeTransformer], item: NodeTransformer) -> None:
    # IPython itself takes out a transformer that raised something unforeseen.
    if item in items:
        items.remove(item)
