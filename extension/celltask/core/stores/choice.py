"""Which store this process uses: the folder that the environment, the project or the user's cache gives."""

from __future__ import annotations

import os
import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

from celltask.errors import CelltaskError
from celltask.plugins import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.stores.base import Store

__all__ = ["ASKED", "VARIABLE", "current_store", "folder_of", "folder_of_user", "opened", "shelf", "tell_once", "where"]

VARIABLE = "CELLTASK_STORE"

ASKED: ContextVar[str | None] = ContextVar("celltask_store", default=None)
"""What stands for the environment variable in a process that works for another one, whose store it is to use."""

shelf = Shelf(
    "celltask.stores",
    {"memory": "celltask.core.stores.memory:MemoryStore", "files": "celltask.core.stores.files:FilesStore"},
)

_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", ".git", ".hg")

_chosen: dict[tuple[str | None, str], Store] = {}
_opened: dict[str, Store] = {}
_folders: dict[tuple[str | None, str], str] = {}
_told: set[str] = set()
_real: dict[str, str | None] = {}
"""The real path of each folder that was asked for; ``None`` for one whose disk did not answer."""
_PATIENCE_S = 5.0
_opening = threading.RLock()


class StoreWarning(UserWarning):
    """Results cannot be kept, or one that was kept cannot be used; the run itself goes on."""


def current_store() -> Store:
    """The store of this process, as the environment says now; one in memory, with a warning, if it cannot be used."""
    key = _asked_where()
    found = _chosen.get(key)
    if found is None:
        with _opening:
            found = _chosen.get(key)
            if found is None:
                found = _chosen[key] = _chosen_now()
    return found


def _chosen_now() -> Store:
    from celltask.core.stores.base import StoreProblem  # noqa: PLC0415 - a run without cached tasks needs no store
    from celltask.core.stores.memory import MemoryStore  # noqa: PLC0415 - as above

    try:
        return opened(where())
    except (StoreProblem, CelltaskError) as problem:
        tell_once(f"{problem.what}; results are kept in memory, until the process ends", problem.mend)
        return MemoryStore()


def where() -> str:
    """What the environment says, else the folder beside the project, else that of the user.

    ``CELLTASK_STORE`` is a folder, ``memory``, or ``NAME:TEXT`` for a store from another package. Without it the
    store is ``.celltask/store`` in the nearest folder above that has a ``.celltask`` or looks like a project's.
    """
    asked, folder = _asked_where()
    if asked:
        return asked
    home = os.path.expanduser("~")  # noqa: PTH111 - pathlib is slow to import
    while folder and folder != home and os.path.dirname(folder) != folder:  # noqa: PTH120 - as above
        if any(os.path.exists(f"{folder}/{mark}") for mark in (".celltask", *_MARKS)):  # noqa: PTH110 - as above
            return f"{folder}/.celltask/store"
        folder = os.path.dirname(folder)  # noqa: PTH120 - as above
    return folder_of_user()


def folder_of(part: str) -> str | None:
    """The folder below that of the store where `part` of what it keeps lies; none if the store is no folder.

    It is not looked whether the folder is there.
    """
    key = _asked_where()
    found = _folders.get(key)
    if found is None:
        name, text = _name_and_text(where())
        found = _folders[key] = text if name == "files" and _real[text] is not None else ""
    return f"{found}/{part}" if found else None


def folder_of_user() -> str:
    """The user's own folder for what can be computed again."""
    home = os.path.expanduser("~")  # noqa: PTH111 - as above
    if sys.platform == "darwin":
        return f"{home}/Library/Caches/celltask"
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or f"{home}/AppData/Local"
        return f"{base}/celltask/Cache"
    return (os.environ.get("XDG_CACHE_HOME") or f"{home}/.cache") + "/celltask"


def opened(place: str) -> Store:
    """The store at `place`, one for this process.

    Raises:
        StoreProblem: If it cannot be used.
        PluginError: If no store is called as the place says.
    """
    name, text = _name_and_text(place)
    key = f"{name}:{text}"
    with _opening:
        if key not in _opened:
            if name == "files" and _real[text] is None:
                from celltask.core.stores.base import StoreProblem  # noqa: PLC0415 - only where something is wrong

                told = f"the folder {text} has not answered for {_PATIENCE_S:.0f} s"
                raise StoreProblem(told, "see whether its disk is there, or set CELLTASK_STORE to another folder")
            made = cast("Callable[[str], Store]", shelf.get(name))(text)
            check: Callable[[], None] | None = getattr(made, "check", None)
            if check is not None:
                check()
            _opened[key] = made
        return _opened[key]


def _name_and_text(place: str) -> tuple[str, str]:
    """Name of the store at `place`, and what it is made with; a folder is told in one way, however it was written."""
    name, colon, text = place.partition(":")
    if place == "memory":
        return "memory", ""
    if not colon or len(name) == 1 or os.sep in name:  # one letter: a drive
        name, text = "files", place
    return name, _real_path(os.path.expanduser(text)) if name == "files" else text  # noqa: PTH111 - as above


def _real_path(folder: str) -> str:
    """The folder without links, where its disk answers within a few seconds; else as it is."""
    folder = os.path.abspath(folder)  # noqa: PTH100 - as above
    if folder not in _real:
        found: list[str] = []
        # It may lie on a machine that does not answer, and then the system waits for ever.
        thread = threading.Thread(target=lambda: found.append(os.path.realpath(folder)), daemon=True)
        thread.start()
        thread.join(_PATIENCE_S)
        real = found[0] if found else None
        _real[real or folder] = _real[folder] = real
    return _real[folder] or folder


def tell_once(what: str, mend: str) -> None:
    """Warn, once in this process."""
    if what in _told:
        return
    _told.add(what)
    import warnings  # noqa: PLC0415 - only where something is wrong

    warnings.warn_explicit(f"{what}\n  mend: {mend}" if mend else what, StoreWarning, "celltask", 1)


def _forget() -> None:
    global _opening  # noqa: PLW0603 - a thread of the parent may have held it
    _opening = threading.RLock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)


def _asked_where() -> tuple[str | None, str]:
    """What is asked for, if anything is; else the working directory, which decides then."""
    asked = ASKED.get() or os.environ.get(VARIABLE)
    if asked:
        return asked, ""
    try:
        return None, os.getcwd()  # noqa: PTH109 - as above
    except OSError:  # removed
        return None, ""
