"""Which documents are to be run, and which of their cells: from what is typed, or else from the settings."""

from __future__ import annotations

import fnmatch
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.cell_names import cell_names
from celltask.documents.expected.doctests import doctest_blocks
from celltask.documents.expected.fences import stray_fences
from celltask.documents.failed import unknown_name
from celltask.documents.outline import Notice
from celltask.documents.reader import read_document
from celltask.documents.report import relative
from celltask.documents.set_up import hidden_code
from celltask.documents.settings import parameter_sets, shown_set
from celltask.documents.shell.blocks import asked_blocks
from celltask.documents.signs import NOTEBOOKS, SUFFIXES, may_be_document
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from celltask.documents.expected.doctests import DoctestBlock
    from celltask.documents.outline import DocumentText
    from celltask.documents.project import Settings
    from celltask.documents.shell.asking import Choice
    from celltask.documents.shell.blocks import ShellBlock

__all__ = ["Chosen", "choose", "typed_paths"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A document that is to be run, with names for its cells."""

    path: Path
    document: DocumentText | None
    """None if it cannot be read."""
    names: tuple[str, ...] = ()
    numbers: frozenset[int] = frozenset()
    """Numbers of the cells whose outcome is asked for; those above them are run as well."""
    examples: tuple[DoctestBlock, ...] = ()
    """The `>>>` examples whose outcome is asked for."""
    blocks: tuple[ShellBlock, ...] = ()
    """All its shell examples that are to be run, in their order."""
    commands: frozenset[str] = frozenset()
    """Names of those whose outcome is asked for; those above them are run as well."""
    error: DocumentError | None = None
    """Why it cannot be read."""
    notices: tuple[Notice, ...] = ()
    """What of it may be meant otherwise than it is run."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """What is set for it, if it is run under several sets of values."""

    @property
    def shown(self) -> str:
        """Its path as it is told."""
        return relative(str(self.path))

    @property
    def is_whole(self) -> bool:
        """Whether all its cells are asked for, and no examples, of which it is not known what they read."""
        cells = self.document.cells if self.document else ()
        return len(self.numbers) == len(cells) and not self.examples and not self.blocks

    @property
    def suffix(self) -> str:
        """Its parameters as they stand in the ids of tests: ``"[C=0.1]"``; empty if it has none."""
        return shown_set(self.parameters)

    @property
    def label(self) -> str:
        """Its path, and its parameters as they stand in the ids of tests: ``"page.md[C=0.1]"``."""
        return f"{self.shown}{shown_set(self.parameters)}"


def typed_paths(words: Sequence[str]) -> list[Path]:
    """The documents and folders in `words`, each of which may end in ``::`` and the name of a cell.

    Raises:
        DocumentError: If one of them does not exist.
    """
    paths = [Path(word.partition("::")[0]) for word in words]
    for path in paths:
        if not path.exists():
            read_document(path)  # knows what to say
    return paths


def choose(
    words: Sequence[str],
    settings: Settings,
    *,
    is_wanted: Callable[[str], bool] | None = None,
    shell: Choice = "document",
) -> list[Chosen]:
    """The documents that are meant, in the order of their names within each folder, none of them twice.

    Args:
        words: Documents, folders, and cells as ``page.md::train``; those of the settings if there are none.
        settings: Tell the documents of the project, and which folders and files are passed over.
        is_wanted: Whether a cell is, by its whole name ``page.md::train``.
        shell: Which shell examples are run.

    Raises:
        DocumentError: If nothing is left to run, or a named cell does not exist.
    """
    wanted: dict[Path, set[str] | None] = {}
    for path, cell in _files(words, settings, shell):
        before = wanted.setdefault(path, set())
        wanted[path] = None if before is None or not cell else {*before, cell}
    if not wanted:
        raise _nothing(words, settings)
    meant = _Meant(settings, is_wanted, shell)
    found = [one for path, cells in wanted.items() for one in meant.of(path, cells)]
    kept = [one for one in found if one.numbers or one.examples or one.commands or one.error is not None]
    if not kept:
        raise DocumentError(
            "no cell is chosen",
            mend="leave out -k, or list the names: celltask outline DOC" if is_wanted else "write a {code-cell}",
        )
    return kept


def _nothing(words: Sequence[str], settings: Settings) -> DocumentError:
    if not words and not settings.documents:
        return DocumentError(
            "no document is given", mend="name documents or folders, or set celltask_documents in pyproject.toml"
        )
    where = ", ".join(words or settings.documents)
    return DocumentError(
        "there is no document", where, "a document has {code-cell}s, is a notebook or a percent script"
    )


def _files(words: Sequence[str], settings: Settings, shell: Choice) -> Iterator[tuple[Path, str]]:
    """Each document with the name of a cell; empty for all of them."""
    for word in words:
        name, _, cell = word.partition("::")
        path = Path(name).absolute()
        if path.is_dir():
            yield from ((file, "") for file in _in_folder(path, settings, shell))
        else:
            yield path, cell
    if not words:
        for entry in settings.documents:
            place = settings.root / entry
            if place.is_dir():
                yield from ((file, "") for file in _in_folder(place, settings, shell))
            elif place.is_file():
                yield place, ""
            elif any(sign in entry for sign in "*?["):
                files = _in_folder(settings.root, settings, shell)
                yield from ((file, "") for file in files if _fits(file.relative_to(settings.root), entry))
            else:
                raise DocumentError(f"celltask_documents names {entry}, which does not exist in {settings.root}")


def _fits(name: Path, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name.as_posix(), pattern.removeprefix("./"))


def _in_folder(folder: Path, settings: Settings, shell: Choice) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        entered = (name for name in folders if not any(fnmatch.fnmatch(name, one) for one in settings.not_entered))
        folders[:] = sorted(name for name in entered if not Path(here, name, "pyvenv.cfg").exists())
        yield from (Path(here, name) for name in sorted(names) if _is_document(Path(here, name), settings, shell))


def _is_document(path: Path, settings: Settings, shell: Choice) -> bool:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES or (
        suffix == ".py" and any(fnmatch.fnmatch(path.name, one) for one in settings.test_modules)
    ):
        return False
    try:
        data = path.read_bytes() if suffix not in NOTEBOOKS else b""
    except OSError:
        return True  # it will be told
    if not may_be_document(suffix, data, all_shell=shell == "run"):
        return False
    try:
        return suffix != ".py" or read_document(path).format != "python"
    except DocumentError:
        return True


class _Meant:
    """Tells what of a document is to be run."""

    def __init__(self, settings: Settings, is_wanted: Callable[[str], bool] | None, shell: Choice) -> None:
        self._settings, self._is_wanted, self._shell = settings, is_wanted, shell

    def of(self, path: Path, cells: set[str] | None) -> Iterator[Chosen]:
        """The document once, or once for each set of values that it is to be run under.

        Args:
            path: Of the document.
            cells: Names of those that are asked for; None for all.
        """
        try:
            document = read_document(path, nested=self._settings.nested)
            examples = doctest_blocks(document)
            plain = cell_names(document.cells)
            blocks = tuple(asked_blocks(document, choice=self._shell, taken=plain))
            sets = parameter_sets(document, self._settings)
            for parameters in sets:
                hidden_code(document, parameters)
            notices = (*document.notices, *stray_fences(document), *_left_to_pytest(path, self._settings.root))
        except DocumentError as error:
            yield Chosen(path, None, error=error)
            return
        all_names = [*plain, *(one.name for one in examples), *(block.name for block in blocks)]
        known = {f"{name}{shown_set(parameters)}" for name in all_names for parameters in sets}.union(all_names)
        for name in cells or ():
            if name not in known:
                raise unknown_name(name, relative(str(path)), all_names, kind="cell")
        for parameters in sets:
            suffix = shown_set(parameters)
            meant = {name for name in all_names if self._is_meant(path, cells, name, suffix)}
            is_last = parameters is sets[-1]  # shell examples are run once, after all cells
            yield Chosen(
                path,
                document,
                tuple(f"{name}{suffix}" for name in plain),
                frozenset(cell.number for cell, name in zip(document.cells, plain, strict=True) if name in meant),
                tuple(one for one in examples if one.name in meant),
                blocks if is_last else (),
                frozenset(block.name for block in blocks if is_last and self._is_meant(path, cells, block.name, "")),
                notices=notices if parameters is sets[0] else (),
                parameters=parameters,
            )

    def _is_meant(self, path: Path, cells: set[str] | None, name: str, suffix: str) -> bool:
        is_named = cells is None or not cells.isdisjoint({name, f"{name}{suffix}"})
        return is_named and (self._is_wanted is None or self._is_wanted(f"{relative(str(path))}::{name}{suffix}"))


def _left_to_pytest(path: Path, root: Path) -> Iterator[Notice]:
    """Tell of a fixture that sets the document up, which is pytest's to make."""
    for folder in (path.parent, *path.parent.parents):
        file = folder / "conftest.py"
        if file.is_file() and b"def celltask_setup(" in file.read_bytes():
            what = f"the fixture celltask_setup of {relative(str(file))} is not made here"
            yield Notice(1, what, "run pytest for documents that need it")
            return
        if folder == root:
            return
