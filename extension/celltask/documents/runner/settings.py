"""What the settings of pytest say about documents, read without pytest, so that both ways of running agree."""

from __future__ import annotations

import configparser
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.project import Settings
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.outline import Nested
    from celltask.documents.settings import Folder

__all__ = ["read_settings", "warning_filter"]

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
_ACTIONS = ("default", "always", "ignore", "module", "once", "error")
_PARTS = 5
_TRUE = frozenset({"1", "on", "true", "yes"})


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
        memory_mib=_positive(found, "celltask_memory", 1.0, "MiB", file) if found.get("celltask_memory") else None,
        folder=_folder(found, file),
        filters=tuple(filters),
        not_entered=_words(found.get("norecursedirs", settings.not_entered)),
        test_modules=_words(found.get("python_files", settings.test_modules)),
    )


def _nested(found: Mapping[str, object], file: Path) -> Nested:
    given = found.get("celltask_nested", "run")
    if given not in ("run", "report", "refuse"):
        raise DocumentError(f"celltask_nested is {given!r}, not run, report or refuse", str(file))
    return given


def _folder(found: Mapping[str, object], file: Path) -> Folder:
    given = found.get("celltask_cwd", "document")
    if given not in ("document", "root", "scratch"):
        raise DocumentError(f"celltask_cwd is {given!r}, not document, root or scratch", str(file))
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
