"""The folder that shell examples, or cells, run in: it shows the project's files, and takes what is written."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.shell.named_files import module_names, paths_in
from celltask.documents.shell.page_module import page_as
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.documents.outline import Cell, DocumentText

__all__ = ["Scratch"]

_MOST_COPIED_BYTES = 1_000_000
_MOST_IN_ALL_BYTES = 1_000_000_000
_MOST_IN_ALL = 20_000
"""Files of a folder that is copied as a whole."""
_NOT_SHOWN = frozenset({"__pycache__", "node_modules"})


class Scratch:
    """A folder of its own for one document. Holds files until it is closed.

    A folder of the project that commands name is a folder here, and so are those on the way to it; their files are
    copies up to 1 MB, and links above that. Other folders are links, hidden ones are left out.

    Args:
        document: The document.
        root: The project's folder; the document's own folder if that is not in there.
        from_root: Whether examples begin in `root`, and not in the document's folder.
        within: Folder to make this one in; that for temporary files if empty.
        copies_all: Whether all that lies in the document's folder is a copy, at any depth and of any size.

    Raises:
        DocumentError: If that cannot be copied, or is too much.
    """

    def __init__(
        self,
        document: DocumentText,
        root: Path | None = None,
        *,
        from_root: bool = False,
        within: str = "",
        copies_all: bool = False,
    ) -> None:
        self._document = document
        home = Path(document.path).resolve().parent
        self.root = root.resolve() if root is not None and home.is_relative_to(root.resolve()) else home
        self.place = Path(tempfile.mkdtemp(prefix="celltask-", dir=within or None)).resolve()
        self.top = self.place / "shown" / (self.root.name or "root")
        """What shows `root`."""
        self.written: set[Path] = set()
        """Modules made of the page's own cells."""
        self._filled: set[Path] = set()
        self._copied = home if copies_all else None
        self._copied_files = self._copied_bytes = 0
        self.start = self.top if from_root else self.top / home.relative_to(self.root)
        try:
            self._fill(self.top, self.root)
            self._show(self.start)
        except OSError as error:
            self.close()
            raise DocumentError(f"its folder cannot be copied: {error}", document.path) from None
        except DocumentError:
            self.close()
            raise

    def prepare(self, text: str, folder: Path) -> None:
        """Have the files there that the commands in `text`, run in `folder`, name."""
        self.show(text, folder)
        for name in module_names(text):
            target = Path(os.path.normpath(folder / name))
            if target.is_relative_to(self.top) and target.parent.is_dir() and not os.path.lexists(target):
                target.write_text(page_as(self._document, target.suffix), encoding="utf-8")
                self.written.add(target)

    def show(self, text: str, folder: Path) -> None:
        """Have the folders be folders here that words of `text` name, as seen from `folder`."""
        for word in paths_in(text):
            with suppress(OSError):  # a word may be longer than any path
                self._show(Path(os.path.normpath(folder / word)))

    def show_named(self, cells: Iterable[Cell]) -> None:
        """Have the folders be folders here that `cells` name, which run where this one begins.

        Raises:
            DocumentError: If what they name is too much.
        """
        for cell in cells:
            self.show(cell.source, self.start)

    @property
    def places(self) -> tuple[str, str]:
        """The folder that shows the project, and the project's own."""
        return str(self.top), str(self.root)

    def close(self) -> None:
        """Remove the folder; a second call does nothing."""
        shutil.rmtree(self.place, ignore_errors=True)

    def _show(self, target: Path) -> None:
        """Turn links to folders on the way to `target`, and `target` itself, into folders."""
        if not target.is_relative_to(self.top):
            return
        here, there = self.top, self.root
        for part in target.relative_to(self.top).parts:
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
        is_whole = self._copied is not None and there.is_relative_to(self._copied)
        with os.scandir(there) as entries:
            for entry in entries:
                if not is_whole:
                    _show_entry(entry, here / entry.name)
                elif entry.is_dir(follow_symlinks=False) and _is_shown(entry) and not _is_environment(entry):
                    self._fill(here / entry.name, there / entry.name)
                else:
                    self._count(entry)
                    _show_entry(entry, here / entry.name, most_bytes=_MOST_IN_ALL_BYTES)

    def _count(self, entry: os.DirEntry[str]) -> None:
        self._copied_files += 1
        self._copied_bytes += entry.stat().st_size if entry.is_file() else 0
        if self._copied_files > _MOST_IN_ALL or self._copied_bytes > _MOST_IN_ALL_BYTES:
            limit = f"{_MOST_IN_ALL:,} files or {_MOST_IN_ALL_BYTES // 10**9} GB"
            raise DocumentError(
                f"more than {limit} would be copied for `cwd: scratch`",
                str(self._copied),
                "give the document a folder of its own; other folders are linked, not copied",
            )


def _is_shown(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.name not in _NOT_SHOWN


def _is_environment(entry: os.DirEntry[str]) -> bool:
    return Path(entry.path, "pyvenv.cfg").exists()


def _show_entry(entry: os.DirEntry[str], here: Path, *, most_bytes: int = _MOST_COPIED_BYTES) -> None:
    if entry.is_dir():
        if _is_shown(entry):
            here.symlink_to(entry.path)
    elif entry.is_file():
        if entry.stat().st_size > most_bytes:
            here.symlink_to(entry.path)
        else:
            shutil.copy2(entry.path, here)
