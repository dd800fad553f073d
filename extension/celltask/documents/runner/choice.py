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
from celltask.documents.settings import document_settings, parameters_in
from celltask.documents.shell.blocks import shell_blocks
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from celltask.documents.expected.doctests import DoctestBlock
    from celltask.documents.outline import DocumentText
    from celltask.documents.project import Settings

__all__ = ["Chosen", "choose", "typed_paths"]

_PAGE, _SCRIPT = (b"{code-cell}", b"{python"), (b"%%", b"%task", b"%workflow", b"format_name: light")
_SIGNS = {".ipynb": (b"",), ".py": _SCRIPT} | dict.fromkeys((".md", ".markdown", ".myst", ".rmd", ".qmd"), _PAGE)
"""What the text of a document has, by the suffix of its name; most Markdown and Python has none of it."""


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
    def suffix(self) -> str:
        """Its parameters as they stand in the ids of tests: ``"[C=0.1]"``; empty if it has none."""
        return _suffix(self.parameters)

    @property
    def label(self) -> str:
        """Its path, and its parameters as they stand in the ids of tests: ``"page.md[C=0.1]"``."""
        return f"{self.shown}{_suffix(self.parameters)}"


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


def choose(words: Sequence[str], settings: Settings, *, is_wanted: Callable[[str], bool] | None = None) -> list[Chosen]:
    """The documents that are meant, in the order of their names within each folder, none of them twice.

    Args:
        words: Documents, folders, and cells as ``page.md::train``; those of the settings if there are none.
        settings: Tell the documents of the project, and which folders and files are passed over.
        is_wanted: Whether a cell is, by its whole name ``page.md::train``.

    Raises:
        DocumentError: If nothing is left to run, or a named cell does not exist.
    """
    wanted: dict[Path, set[str] | None] = {}
    for path, cell in _files(words, settings):
        before = wanted.setdefault(path, set())
        wanted[path] = None if before is None or not cell else {*before, cell}
    if not wanted:
        raise _nothing(words, settings)
    found = [one for path, cells in wanted.items() for one in _chosen(path, cells, settings, is_wanted)]
    kept = [one for one in found if one.numbers or one.examples or one.error is not None]
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


def _files(words: Sequence[str], settings: Settings) -> Iterator[tuple[Path, str]]:
    """Each document with the name of a cell; empty for all of them."""
    for word in words:
        name, _, cell = word.partition("::")
        path = Path(name).absolute()
        if path.is_dir():
            yield from ((file, "") for file in _in_folder(path, settings))
        else:
            yield path, cell
    if not words:
        for entry in settings.documents:
            place = settings.root / entry
            if place.is_dir():
                yield from ((file, "") for file in _in_folder(place, settings))
            elif place.is_file():
                yield place, ""
            elif any(sign in entry for sign in "*?["):
                files = _in_folder(settings.root, settings)
                yield from ((file, "") for file in files if _fits(file.relative_to(settings.root), entry))
            else:
                raise DocumentError(f"celltask_documents names {entry}, which does not exist in {settings.root}")


def _fits(name: Path, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name.as_posix(), pattern.removeprefix("./"))


def _in_folder(folder: Path, settings: Settings) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        entered = (name for name in folders if not any(fnmatch.fnmatch(name, one) for one in settings.not_entered))
        folders[:] = sorted(name for name in entered if not Path(here, name, "pyvenv.cfg").exists())
        yield from (Path(here, name) for name in sorted(names) if _is_document(Path(here, name), settings))


def _is_document(path: Path, settings: Settings) -> bool:
    suffix = path.suffix.lower()
    if suffix not in _SIGNS or (
        suffix == ".py" and any(fnmatch.fnmatch(path.name, one) for one in settings.test_modules)
    ):
        return False
    try:
        text = path.read_bytes() if suffix != ".ipynb" else b""
    except OSError:
        return True  # it will be told
    if not any(sign in text for sign in _SIGNS[suffix]):
        return False
    try:
        return suffix != ".py" or read_document(path).format != "python"
    except DocumentError:
        return True


def _suffix(parameters: Mapping[str, object]) -> str:
    told = "-".join(f"{name}={value}" for name, value in parameters.items())
    return f"[{told}]" if told else ""


def _chosen(
    path: Path, cells: set[str] | None, settings: Settings, is_wanted: Callable[[str], bool] | None
) -> Iterator[Chosen]:
    """The document once, or once for each set of values that it is to be run under."""
    try:
        document = read_document(path, nested=settings.nested)
        examples = doctest_blocks(document)
        sets = document_settings(document).parameters or _sets_by_settings(path, settings) or ({},)
        for parameters in sets:
            hidden_code(document, parameters)
        notices = (*document.notices, *stray_fences(document), *_left_to_pytest(document))
    except DocumentError as error:
        yield Chosen(path, None, error=error)
        return
    plain = cell_names(document.cells)
    all_names = [*plain, *(block.name for block in examples)]
    known = {f"{name}{_suffix(parameters)}" for name in all_names for parameters in sets}.union(all_names)
    for name in cells or ():
        if name not in known:
            raise unknown_name(name, relative(str(path)), all_names, kind="cell")
    for parameters in sets:
        suffix = _suffix(parameters)

        def is_meant(own: str, suffix: str = suffix) -> bool:
            is_named = cells is None or not cells.isdisjoint({own, f"{own}{suffix}"})
            return is_named and (is_wanted is None or is_wanted(f"{relative(str(path))}::{own}{suffix}"))

        numbers = frozenset(cell.number for cell, name in zip(document.cells, plain, strict=True) if is_meant(name))
        blocks = tuple(block for block in examples if is_meant(block.name))
        yield Chosen(
            path,
            document,
            tuple(f"{name}{suffix}" for name in plain),
            numbers,
            blocks,
            notices=notices if parameters is sets[0] else (),
            parameters=parameters,
        )


def _left_to_pytest(document: DocumentText) -> Iterator[Notice]:
    """Tell of shell examples that the document wants to be run."""
    lines = [block.line for block in shell_blocks(document) if block.runs]
    if lines:
        number = "a shell example is" if len(lines) == 1 else f"{len(lines)} shell examples are"
        yield Notice(lines[0], f"{number} not run here", "run pytest --celltask for it")


def _sets_by_settings(path: Path, settings: Settings) -> tuple[Mapping[str, object], ...]:
    if not settings.parametrize or not path.is_relative_to(settings.root):
        return ()
    return parameters_in(settings.parametrize, path.relative_to(settings.root).as_posix())
