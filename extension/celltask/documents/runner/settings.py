"""What the settings of pytest say about documents, read without pytest, so that both ways of running agree."""

from __future__ import annotations

import configparser
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.outline import Nested

__all__ = ["Settings", "read_settings", "warning_filter"]

_TABLES = {
    "pytest.toml": ("pytest",),
    ".pytest.toml": ("pytest",),
    "pytest.ini": ("pytest",),
    ".pytest.ini": ("pytest",),
    "pyproject.toml": ("tool", "pytest"),
    "tox.ini": ("pytest",),
    "setup.cfg": ("tool:pytest",),
}
"""Where pytest looks for its settings, in its order; the table or section that holds them."""
_NOT_ENTERED = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")
_ACTIONS = ("default", "always", "ignore", "module", "once", "error")
_PARTS = 5
_TRUE = frozenset({"1", "on", "true", "yes"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that matter to documents; the defaults are those of the pytest plugin."""

    root: Path
    """Folder of the file that holds them; the working folder if there is none."""
    documents: tuple[str, ...] = ()
    """Folders, files and patterns, from `root`."""
    timeout_s: float = 300.0
    document_timeout_s: float = float("inf")
    """That all cells of a document together may take."""
    nested: Nested = "run"
    """What becomes of code cells inside of directives, lists and quotations."""
    parametrize: tuple[str, ...] = ()
    """Sets of values for documents, a line each; see `documents.settings.parameters_in`."""
    sanitize: tuple[str, ...] = ()
    """Sanitisers of expected output, a line each."""
    expected_rtol: str = ""
    """Relative tolerance of numbers in it."""
    compares_notebooks: bool = False
    """Whether cells of notebooks must show what is stored there."""
    most_output: int = 20_000_000
    """Characters that a cell may show."""
    filters: tuple[tuple[object, ...], ...] = ()
    """Warning filters: action, message, category, module, line."""
    not_entered: tuple[str, ...] = _NOT_ENTERED
    """Patterns of folders in which no document is looked for."""
    test_modules: tuple[str, ...] = ("test_*.py", "*_test.py")
    """Patterns of Python files that are modules of tests, and no documents."""


def read_settings(paths: Sequence[Path] = ()) -> Settings:
    """The settings that pytest would find for `paths`: upwards from the folder that holds them all.

    Args:
        paths: Documents and folders; the working folder by default.

    Raises:
        DocumentError: If the file cannot be read, or one of the values cannot be meant.
    """
    start = _common(paths) if paths else Path.cwd()
    for folder in (start, *start.parents):
        for name, keys in _TABLES.items():
            file = folder / name
            found = _table(file, keys) if file.is_file() else None
            if found is not None:
                return _settings(file, found)
    here = Path.cwd()
    return Settings(here if start.is_relative_to(here) else start)


def _common(paths: Sequence[Path]) -> Path:
    parents = [path if path.is_dir() else path.parent for path in (path.absolute() for path in paths)]
    above = (parents[0], *parents[0].parents)
    return next((folder for folder in above if all(one.is_relative_to(folder) for one in parents)), Path.cwd())


def _table(file: Path, keys: tuple[str, ...]) -> Mapping[str, object] | None:
    """The settings in `file`; None if it has none."""
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix != ".toml":
            parser = configparser.ConfigParser(interpolation=None)
            parser.read_string(text)
            return dict(parser[keys[0]]) if parser.has_section(keys[0]) else None
        found: object = tomllib.loads(text)
    except (OSError, ValueError, configparser.Error) as error:
        raise DocumentError(f"the settings cannot be read: {str(error).partition(chr(10))[0]}", str(file)) from None
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None
    older = found.get("ini_options")
    return older if isinstance(older, dict) else found


def _settings(file: Path, found: Mapping[str, object]) -> Settings:
    settings = Settings(file.parent)
    filters = [warning_filter(text, where=str(file)) for text in _lines(found.get("filterwarnings", ()))]
    return Settings(
        file.parent,
        documents=_words(found.get("celltask_documents", ())),
        timeout_s=_positive(found, "celltask_timeout", settings.timeout_s, "seconds", file),
        document_timeout_s=_positive(found, "celltask_document_timeout", settings.document_timeout_s, "seconds", file),
        nested=_nested(found, file),
        parametrize=tuple(_lines(found.get("celltask_parametrize", ()))),
        sanitize=tuple(_lines(found.get("celltask_sanitize", ()))),
        expected_rtol=str(found.get("celltask_expected_rtol", "")),
        compares_notebooks=str(found.get("celltask_notebook_outputs", "")).lower() in _TRUE,
        most_output=int(_positive(found, "celltask_output_limit", 20.0, "megabytes", file) * 1e6),
        filters=tuple(filters),
        not_entered=_words(found.get("norecursedirs", settings.not_entered)),
        test_modules=_words(found.get("python_files", settings.test_modules)),
    )


def _nested(found: Mapping[str, object], file: Path) -> Nested:
    given = found.get("celltask_nested", "run")
    if given not in ("run", "report", "refuse"):
        raise DocumentError(f"celltask_nested is {given!r}, not run, report or refuse", str(file))
    return given


def _words(value: object) -> tuple[str, ...]:
    """A list, or words as a shell reads them."""
    return tuple(shlex.split(value) if isinstance(value, str) else map(str, value))  # type: ignore[call-overload]  # a list


def _lines(value: object) -> list[str]:
    lines = value.split("\n") if isinstance(value, str) else map(str, value)  # type: ignore[call-overload]  # a list
    return [line.strip() for line in lines if line.strip()]


def _positive(found: Mapping[str, object], name: str, default: float, unit: str, file: Path) -> float:
    given = found.get(name, default)
    try:
        number = float(str(given))
    except ValueError:
        number = 0.0
    if not number > 0:
        raise DocumentError(f"{name} is {given!r}, not a number of {unit} above 0", str(file))
    return number


def warning_filter(text: str, *, where: str = "") -> tuple[object, ...]:
    """A filter as pytest's settings write it: action, message, category, module and line, parted by colons.

    Raises:
        DocumentError: If the action is none, or the line no number.

    >>> warning_filter("ignore:old:DeprecationWarning")
    ('ignore', 'old', 'DeprecationWarning', '', 0)
    """
    parts = text.split(":")
    action, message, category, module, line = (*parts, *[""] * _PARTS)[:_PARTS]
    meant = next(
        (known for known in _ACTIONS if action and known.startswith("always" if action == "all" else action)), ""
    )
    if len(parts) > _PARTS or not meant or not (line or "0").isdigit():
        raise DocumentError(f"{text!r} is no warning filter", where, 'write for example "error::DeprecationWarning"')
    return (meant, message.strip(), category.strip() or "Warning", module.strip(), int(line or 0))
