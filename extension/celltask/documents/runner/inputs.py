"""What a document depends on beside its text: files, folders, packages and Python, as data that can be compared."""

from __future__ import annotations

import ast
import glob
import hashlib
import importlib.metadata
import os
import stat
import sys
import sysconfig
from functools import cache
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.magics import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from celltask.documents.outline import Cell

__all__ = ["Inputs", "changed", "file_state", "files_read", "forget_versions", "inputs_of", "named_files"]

_NO_FILES = ("/proc", "/dev", "/sys")
_MOST_NAMED = 1000
"""Files of a folder that a cell names."""


class Inputs(NamedTuple):
    """As it is stored; paths are relative to the project where they are in it."""

    python: str
    packages: Mapping[str, str]
    """Versions of the installed packages that were imported."""
    files: Mapping[str, Sequence[object]]
    """Size, time of change in ns, and digest of each file; empty for one that was looked for and is not there."""
    folders: Mapping[str, str]
    """Digests of the names in folders whose content was listed."""


def inputs_of(
    told: Mapping[str, object], named: Sequence[str], *, root: Path, started_ns: int, before: Inputs | None = None
) -> Inputs | str:
    """What a document that has just passed depends on; or in words why that is not known.

    Args:
        told: By `recorder.finish`.
        named: Paths that its cells name, some of which code in other languages may have read.
        root: Folder of the project.
        started_ns: When the document began.
        before: What cells above the last depend on; it counts as it was then.
    """
    unknown, read, written, listed = (_texts(told[key]) for key in ("unknown", "read", "written", "listed"))
    modules: dict[str, str] = told["modules"]  # type: ignore[assignment]  # as it is told
    own = _own(modules)
    both = next((path for path in read if path in written), None)
    if unknown or both:
        return unknown[0] if unknown else f"it changes {_shown(str(both), root)}, which it reads"
    files: dict[str, Sequence[object]] = {}
    for path in dict.fromkeys([*read, *own, *named]):
        if path in written or _is_foreign(path, root):
            continue
        if before is not None and _shown(path, root) in before.files:
            continue
        found = file_state(path)
        if found and int(str(found[1])) >= started_ns:
            if path in read or path in own:
                return f"{_shown(path, root)} changed while it ran"
            if path in named:  # written by it
                continue
        files[_shown(path, root)] = found
    folders = {_shown(path, root): _names_in(path) for path in listed if not _is_foreign(path, root)}
    if before is not None:
        files |= before.files
        folders |= before.folders
    return Inputs(_python(), _packages(modules), files, folders)


def files_read(told: Mapping[str, object], *, root: Path) -> list[str]:
    """The files that a document has read, and its own modules.

    Args:
        told: By `recorder.tell`.
        root: Folder of the project.
    """
    modules: dict[str, str] = told["modules"]  # type: ignore[assignment]  # as it is told
    paths = dict.fromkeys([*_texts(told["read"]), *_own(modules)])
    return [path for path in paths if not _is_foreign(path, root)]


def forget_versions() -> None:
    """Look the versions of packages up again when they are needed: meanwhile, others may have been installed."""
    _version.cache_clear()
    _distributions.cache_clear()


def changed(inputs: Inputs, root: Path) -> str:
    """What is not as it was, in words: ``"data/prices.csv changed"``; empty if all is."""
    if inputs.python != _python():
        return f"Python is {_python()}, and was {inputs.python}"
    for name, version in inputs.packages.items():
        now = _version(name)
        if now != version:
            return f"{name} is {now or 'not installed'}, and was {version}"
    for path, before in inputs.files.items():
        now_found = file_state(str(root / path), before)
        if now_found[2:] != [*before][2:]:
            return f"{path} {'is new' if not before else 'changed' if now_found else 'is gone'}"
    for path, names in inputs.folders.items():
        if _names_in(str(root / path)) != names:
            return f"other files are in {path}"
    return ""


def named_files(cells: Sequence[Cell], folder: Path) -> list[str]:
    """Files that texts in the cells name, from the folder of the document: alone, by a pattern, or by their folder."""
    found: dict[str, None] = {}
    for cell in cells:
        for text in _texts_in(cell):
            place = folder / text
            if any(sign in text for sign in "*?["):
                found.update(dict.fromkeys(glob.glob(str(place), recursive=True)[:_MOST_NAMED]))  # noqa: PTH207 - the pattern may be absolute
            elif place.is_dir() and not folder.is_relative_to(place.resolve()):
                found.update(dict.fromkeys(_files_below(place)))
            elif place.is_file():
                found[os.path.abspath(place)] = None  # noqa: PTH100 - as the recorder tells it
    return [path for path in found if Path(path).is_file()]


def _texts_in(cell: Cell) -> Iterator[str]:
    tree = tree_of(cell.source) if cell.is_python else None
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if 0 < len(text) < 256 and text.isprintable() and text not in {"*", "**"}:  # noqa: PLR2004 - the longest name
                yield text


def _files_below(folder: Path) -> list[str]:
    found: list[str] = []
    for here, _, names in os.walk(folder):
        found += [os.path.abspath(Path(here, name)) for name in names]  # noqa: PTH100 - as the recorder tells it
        if len(found) > _MOST_NAMED:
            return []
    return found


def _own(modules: Mapping[str, str]) -> list[str]:
    return [path for path in modules.values() if not _is_installed(path)]


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def file_state(path: str, before: Sequence[object] = ()) -> list[object]:
    """Size, time and digest; the digest is that of `before` if size and time are. Empty if there is no such file."""
    try:
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode):  # to open a pipe would wait for its other end
            return []
        if [found.st_size, found.st_mtime_ns] == [*before][:2]:
            return [*before]
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, digest]


def _names_in(folder: str) -> str:
    try:
        names = sorted(name for name in os.listdir(folder) if name != "__pycache__")  # noqa: PTH208 - names alone
    except OSError:
        return ""
    return hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()


def _shown(path: str, root: Path) -> str:
    return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path


@cache
def _installed_places() -> tuple[str, ...]:
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple(
        f"{place}{os.sep}"
        for kind in kinds
        for place in {sysconfig.get_path(kind), os.path.realpath(sysconfig.get_path(kind))}
    )


def _is_installed(path: str) -> bool:
    return path.startswith(_installed_places())


def _is_foreign(path: str, root: Path) -> bool:
    """Whether a file is none of the document's inputs, or known otherwise."""
    own = (f"{root / '.celltask'}{os.sep}", f"{sys.prefix}{os.sep}")
    return path.endswith(".pyc") or _is_installed(path) or path.startswith((*_NO_FILES, *own))


def _python() -> str:
    return f"{python_version()} ({sys.platform})"


@cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _packages(modules: Mapping[str, str]) -> dict[str, str]:
    tops = {name.partition(".")[0] for name, path in modules.items() if _is_installed(path)}
    names = sorted({found for top in tops for found in _distributions().get(top, ())})
    return {name: _version(name) for name in names}


@cache
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
