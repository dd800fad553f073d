"""Documents looked at by every rule, with the settings of their project."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.lint.finding import Finding
from celltask.documents.lint.page import Page, Project
from celltask.documents.lint.rules import RULES, UNREADABLE
from celltask.documents.reader import SUFFIXES, read_document
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["lint_documents"]

_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "build", "dist"})
_LINE = re.compile(r", line (\d+)(?:, column (\d+))?")
_LABELS = re.compile(
    r"^\s*\(([^)\s]+)\)=\s*$|^\s*:(?:name|label):\s*[\"']?([^\s\"']+)[\"']?\s*$|^\.\. _([^:]+):\s*$", re.MULTILINE
)


class _Settings(NamedTuple):
    root: Path
    ignore: frozenset[str]
    tags: frozenset[str]


def lint_documents(paths: Iterable[str], *, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> list[Finding]:
    """What every rule finds in the documents at `paths`, by document, line and column; folders are searched.

    Args:
        paths: Of documents, and of folders with documents.
        select: Names of the only rules to use; all if empty.
        ignore: Names of rules to leave out, besides those of the project and of each document.

    Raises:
        CelltaskError: If no rule has a name that is given, or a path is not there.
    """
    _check_names([*select, *ignore], "the command line")
    found: list[Finding] = []
    known: dict[Path, Project] = {}
    paths = list(paths)
    given = frozenset[str]().union(*(_labels(Path(path)) for path in paths if Path(path).is_dir()))
    for path in _documents(paths):
        settings = _settings(path)
        if settings.root not in known:
            known[settings.root] = Project(settings.root, given | _labels(settings.root), settings.tags)
        left_out = settings.ignore.union(ignore)
        names = [name for name in RULES if (name in select or not select) and name not in left_out]
        found += _lint(path, known[settings.root], names)
    return found


def _lint(path: Path, project: Project, names: list[str]) -> list[Finding]:
    shown = str(path)
    try:
        document = read_document(path)
    except DocumentError as error:
        place = _LINE.search(error.where)
        line, column = (int(place[1]), int(place[2] or 1)) if place else (1, 1)
        finding = Finding(shown, line, column, UNREADABLE, error.what, error.mend)
        return [finding] if UNREADABLE in names else []
    page = Page(document, shown, project._replace(labels=project.labels | Page(document, shown, project).labels))
    unknown = [name for name in page.ignored if name not in RULES]
    _check_names(unknown, shown)
    return sorted(finding for name in names if name not in page.ignored for finding in RULES[name].check(page))


def _check_names(names: Iterable[str], where: str) -> None:
    from difflib import get_close_matches  # noqa: PLC0415 - only here

    for name in names:
        if name not in RULES:
            near = get_close_matches(name, RULES, n=1)
            mend = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(RULES)}"
            raise CelltaskError(f"no rule is called {name!r}", where, mend)


def _documents(paths: Iterable[str]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.exists():
            raise DocumentError("there is no such document", str(path), "check the path")
        if not path.is_dir():
            found[path] = None
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
            found.update({Path(folder, name): None for name in sorted(files) if name.lower().endswith(SUFFIXES)})
    return [path for path in found if path.suffix != ".py" or _is_script(path)]


def _is_script(path: Path) -> bool:
    """Whether a Python file has cells; plain modules are left to the linters of Python."""
    try:
        return read_document(path).format != "python"
    except DocumentError:
        return True


def _settings(path: Path) -> _Settings:
    folder = path.absolute().parent
    for root in (folder, *folder.parents):
        if (root / "pyproject.toml").is_file():
            return _from_toml(root)
        if (root / ".git").exists():
            return _Settings(root, frozenset(), frozenset())
    return _Settings(folder, frozenset(), frozenset())


def _from_toml(root: Path) -> _Settings:
    file = root / "pyproject.toml"
    try:
        table: object = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CelltaskError(f"the settings cannot be read: {error}", str(file), "mend that file") from None
    for key in ("tool", "celltask", "lint"):
        table = table.get(key, {}) if isinstance(table, dict) else {}
    lists: dict[str, frozenset[str]] = {}
    for key in ("ignore", "tags"):
        value = table.get(key, []) if isinstance(table, dict) else []
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            what = f"`{key}` of [tool.celltask.lint] is not a list of names"
            raise CelltaskError(what, str(file), f'write {key} = ["name"]')
        lists[key] = frozenset(value)
    _check_names(lists["ignore"], str(file))
    return _Settings(root, lists["ignore"], lists["tags"])


def _labels(root: Path) -> frozenset[str]:
    """Labels of every document below `root`, which are not read for more than that."""
    found: set[str] = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        for name in files:
            if name.endswith((".md", ".rst", ".markdown")):
                try:
                    text = Path(folder, name).read_text("utf-8", errors="replace")
                except OSError:
                    continue
                found.update(label.lower() for labels in _LABELS.findall(text) for label in labels if label)
    return frozenset(found)
