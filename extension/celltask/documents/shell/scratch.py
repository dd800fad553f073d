"""The folder that shell examples run in: it shows the project's files, and takes what the examples write."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.shell.named_files import module_names, paths_in
from celltask.documents.shell.page_module import page_as

if TYPE_CHECKING:
    from celltask.documents.outline import DocumentText

__all__ = ["Scratch"]

_MOST_COPIED_BYTES = 1_000_000
_NOT_SHOWN = frozenset({"__pycache__", "node_modules"})


class Scratch:
    """A folder of its own for one document. Holds files until it is closed.

    A folder of the project that commands name is a folder here, and so are those on the way to it; their files are
    copies up to 1 MB, and links above that. Other folders are links, hidden ones are left out.

    Args:
        document: The document.
        root: The project's folder; the document's own folder if that is not in there.
        from_root: Whether examples begin in `root`, and not in the document's folder.
    """

    def __init__(self, document: DocumentText, root: Path | None = None, *, from_root: bool = False) -> None:
        self._document = document
        home = Path(document.path).resolve().parent
        self._root = root.resolve() if root is not None and home.is_relative_to(root.resolve()) else home
        self.place = Path(tempfile.mkdtemp(prefix="celltask-")).resolve()
        self._top = self.place / "shown" / (self._root.name or "root")
        self.written: set[Path] = set()
        """Modules made of the page's own cells."""
        self._filled: set[Path] = set()
        self._fill(self._top, self._root)
        self.start = self._top if from_root else self._top / home.relative_to(self._root)
        self._show(self.start)

    def prepare(self, text: str, folder: Path) -> None:
        """Have the files there that the commands in `text`, run in `folder`, name."""
        for word in paths_in(text):
            self._show(Path(os.path.normpath(folder / word)))
        for name in module_names(text):
            target = Path(os.path.normpath(folder / name))
            if target.is_relative_to(self._top) and target.parent.is_dir() and not os.path.lexists(target):
                target.write_text(page_as(self._document, target.suffix), encoding="utf-8")
                self.written.add(target)

    def close(self) -> None:
        """Remove the folder; a second call does nothing."""
        shutil.rmtree(self.place, ignore_errors=True)

    def _show(self, target: Path) -> None:
        """Turn links to folders on the way to `target`, and `target` itself, into folders."""
        if not target.is_relative_to(self._top):
            return
        here, there = self._top, self._root
        for part in target.relative_to(self._top).parts:
            here, there = here / part, there / part
            if here.is_symlink() and here.readlink() == there and there.is_dir():
                here.unlink()
            elif os.path.lexists(here) or not there.is_dir() or part == ".git":
                continue
            self._fill(here, there)

    def _fill(self, here: Path, there: Path) -> None:
        if there in self._filled:  # what was removed from here stays away
            return
        self._filled.add(there)
        here.mkdir(parents=True)
        with os.scandir(there) as entries:
            for entry in entries:
                _show_entry(entry, here / entry.name)


def _show_entry(entry: os.DirEntry[str], here: Path) -> None:
    if entry.is_dir():
        if not entry.name.startswith(".") and entry.name not in _NOT_SHOWN:
            here.symlink_to(entry.path)
    elif entry.is_file():
        if entry.stat().st_size > _MOST_COPIED_BYTES:
            here.symlink_to(entry.path)
        else:
            shutil.copy2(entry.path, here)
