"""What a document says of how it is to be tested: the key ``celltask`` of its header, or of a notebook's metadata."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from celltask.documents.header import header_text, header_values
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.outline import DocumentText
    from celltask.documents.project import Settings

__all__ = [
    "DocumentSettings",
    "Folder",
    "celltask_header",
    "document_settings",
    "parameter_sets",
    "parameters_in",
    "shown_set",
]

Folder = Literal["document", "root", "scratch"]

_KNOWN = frozenset({"cwd", "document_timeout", "env", "lint", "parametrize", "shell", "timeout"})


class DocumentSettings(NamedTuple):
    """The settings that concern cells."""

    timeout_s: float | None = None
    """That a cell may take."""
    document_timeout_s: float | None = None
    """That all cells together may take."""
    folder: Folder | Literal[""] = ""
    """Where cells and shell examples run: in the document's folder, the project's, or one with copies; empty if the
    document does not say."""
    environment: Mapping[str, str] = {}
    parameters: tuple[Mapping[str, object], ...] = ()
    """Sets of values, under each of which the document is run once; none if it is run as it stands."""


def celltask_header(document: DocumentText) -> Mapping[str, object]:
    r"""The key ``celltask`` of the document's header; empty if it has none.

    Raises:
        DocumentError: If it is not YAML, or has settings that are not known.

    >>> from celltask.documents.outline import DocumentText
    >>> dict(celltask_header(DocumentText("page.md", "myst", (), "---\ncelltask: {timeout: 5}\n---\n")))
    {'timeout': 5}
    """
    where = f"{document.path}, line 1"
    given: object = document.settings or None
    text = "" if given else header_text(document.text)
    if "celltask" in text:
        given = header_values(text, document.path).get("celltask")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise DocumentError(
            f"the header says `celltask: {given}`", where, "write for example `celltask: {timeout: 60}`"
        )
    for name in given:
        if name not in _KNOWN:
            near = get_close_matches(str(name), _KNOWN, n=1)
            mend = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(_KNOWN))}"
            raise DocumentError(f"the header has a setting {name!r} that is not known", where, mend)
    return given


def document_settings(document: DocumentText) -> DocumentSettings:
    r"""What the document says of how its cells are to be tested.

    Raises:
        DocumentError: If a setting is not known, or its value cannot be meant.

    >>> from celltask.documents.outline import DocumentText
    >>> text = "---\ncelltask:\n  parametrize: {C: [0.1, 1.0]}\n---\n"
    >>> document_settings(DocumentText("page.md", "myst", (), text)).parameters
    ({'C': 0.1}, {'C': 1.0})
    """
    header = celltask_header(document)
    if not header:
        return DocumentSettings()
    where = f"{document.path}, line 1"
    folder = header.get("cwd", "")
    if folder not in ("", "document", "root", "scratch"):
        raise DocumentError(f"the header says `cwd: {folder}`", where, "write document, root or scratch")
    environment = header.get("env", {})
    if not isinstance(environment, dict):
        raise DocumentError("the setting env is no mapping", where, "write for example `env: {API: test}`")
    return DocumentSettings(
        _seconds(header, "timeout", where),
        _seconds(header, "document_timeout", where),
        folder,
        {str(name): str(value) for name, value in environment.items()},
        _parameter_sets(header.get("parametrize"), where),
    )


def parameter_sets(document: DocumentText, settings: Settings) -> tuple[Mapping[str, object], ...]:
    """The sets of values that `document` is run under: its own, or else the project's; an empty one if it has none.

    Raises:
        DocumentError: If they cannot be read.
    """
    found = document_settings(document).parameters
    path = Path(document.path).absolute()
    if not found and settings.parametrize and path.is_relative_to(settings.root):
        found = parameters_in(settings.parametrize, path.relative_to(settings.root).as_posix())
    return found or ({},)


def shown_set(parameters: Mapping[str, object]) -> str:
    """A set of values as it stands in the ids of tests; empty if it is.

    >>> shown_set({"C": 0.1, "solver": "lbfgs"})
    '[C=0.1-solver=lbfgs]'
    """
    told = "-".join(f"{name}={value}" for name, value in parameters.items())
    return f"[{told}]" if told else ""


def parameters_in(lines: Sequence[str], name: str) -> tuple[Mapping[str, object], ...]:
    """The sets that the lines of a project's settings give to the document `name`.

    Args:
        lines: Each a path or pattern, a colon, and what the header would say.
        name: Path of the document from the project's folder.

    Raises:
        DocumentError: If a line cannot be read.

    >>> parameters_in(["docs/*.md: {C: [0.1, 1.0]}"], "docs/tutorial.md")
    ({'C': 0.1}, {'C': 1.0})
    """
    found: tuple[Mapping[str, object], ...] = ()
    for line in lines:
        pattern, colon, text = line.partition(":")
        where = f"celltask_parametrize, {line!r}"
        if not colon:
            raise DocumentError("this setting has no colon", where, "write `docs/page.md: {C: [0.1, 1.0]}`")
        if fnmatchcase(name, pattern.strip()):
            found += _parameter_sets(_read_yaml(text, where), where)
    return found


def _read_yaml(text: str, where: str) -> object:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - 18 ms, for documents with settings; it has no types

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = getattr(error, "problem", None) or error
        raise DocumentError(f"this is not YAML: {problem}", where, "write `key: value`") from None


def _seconds(header: Mapping[str, object], name: str, where: str) -> float | None:
    if name not in header:
        return None
    value = header[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise DocumentError(f"the setting {name} cannot be {value!r}", where, "write seconds, for example 60")
    return float(value)


def _parameter_sets(given: object, where: str) -> tuple[Mapping[str, object], ...]:
    """A list of sets as it stands; of lists by name, every combination."""
    mend = "write a list of sets, `[{C: 0.1}, {C: 1.0}]`, or lists by name, `{C: [0.1, 1.0]}`"
    if given is None:
        return ()
    sets = given
    if isinstance(given, dict) and given and all(isinstance(values, list) for values in given.values()):
        sets = [dict(zip(given, values, strict=True)) for values in product(*given.values())]
    if not isinstance(sets, list) or not sets or not all(isinstance(found, dict) and found for found in sets):
        raise DocumentError(f"the setting parametrize cannot be {given!r}", where, mend)
    for found in sets:
        for name in found:
            if not str(name).isidentifier():
                raise DocumentError(f"the parameter {name!r} is no name of Python", where, mend)
    return tuple(sets)
