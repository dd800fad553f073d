"""The document that a command names, and the task or workflow in it that is meant."""

# ruff: noqa: PTH100, PTH109, PTH117, PTH120 - pathlib would be loaded for every run
from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from celltask.cli.paths import expanded, looked_in, missing_file
from celltask.core.task import Task
from celltask.documents.loader import load_document
from celltask.errors import CelltaskError, DocumentError

if TYPE_CHECKING:
    from celltask.core.workflow import Workflow
    from celltask.documents.loader import Document

    Entity = Task[..., object] | Workflow[..., object]

__all__ = ["as_name", "choices_in", "entity_in", "failures_in", "open_document", "refuse_failed"]


def open_document(path: str, name: str | None = None, *, execute_all: bool = False) -> Document:
    """The document at `path`, with as much of it executed as `name` needs.

    Args:
        path: As given on the command line.
        name: The one task or workflow wanted; every one of them if None.
        execute_all: Execute the demonstrations too.

    Raises:
        CelltaskError: If it cannot be read or does not define what it should; what its own statements raise is told
            as a `DocumentError` with their place.
    """
    path = _document_at(path, name)
    try:
        return load_document(path, None if name is None else [as_name(name)], execute_all=execute_all)
    except CelltaskError:
        raise
    except SyntaxError as error:
        raise _not_python(path, error) from error
    except (Exception, SystemExit) as error:  # border: the document's own statements run here
        raise _raised(path, error) from error


def entity_in(document: Document, name: str | None, path: str) -> Entity:
    """The task or workflow called `name`; without a name the only workflow, else the only task.

    Args:
        document: As opened.
        name: As given on the command line, or None.
        path: How the command line calls the document.

    Raises:
        DocumentError: If there is none of that name, or more than one to choose from.
    """
    if name is not None:
        name = as_name(name)
        found = document.workflows.get(name) or document.tasks.get(name) or document.namespace.get(name)
        if isinstance(found, Task) or _is_workflow(found):
            return cast("Entity", found)
        names = ", ".join([*document.workflows, *document.tasks])
        mend = f"use one of: {names}" if names else "put %%task above a function, or @task"
        raise DocumentError(f"{name!r} is no task or workflow", path, mend)
    refuse_failed(document, path)
    if len(document.workflows) == 1:
        return next(iter(document.workflows.values()))
    if len(document.tasks) == 1 and not document.workflows:
        return next(iter(document.tasks.values()))
    raise DocumentError(*choices_in(document, path))


def _is_workflow(found: object) -> bool:
    """Whether `found` is a workflow or of a kind of them; told by name, so that nothing is imported for it."""
    return any(base.__module__ == "celltask.core.workflow" for base in type(found).__mro__)


def failures_in(document: Document, path: str) -> list[CelltaskError]:
    """The errors of the definitions that could not be loaded, in their order."""
    errors = [item.error for item in document.failed]
    return [
        _not_python(path, error) if isinstance(error, SyntaxError) else cast("CelltaskError", error) for error in errors
    ]


def refuse_failed(document: Document, path: str) -> None:
    """Refuse to choose among the entities of a document where some could not be loaded.

    Raises:
        CelltaskError: The error of the first one that has a name.
    """
    for item, error in zip(document.failed, failures_in(document, path), strict=True):
        if item.name:
            raise error


def as_name(word: str) -> str:
    """The name that `word` says; names have no dashes, but options do, so both are taken.

    >>> as_name("by-region")
    'by_region'
    """
    return word.replace("-", "_")


def _document_at(path: str, name: str | None) -> str:
    """`path` with ``~`` expanded; whatever is not there is told with what lies near."""
    place = expanded(path)
    if os.path.lexists(place):
        return place
    from celltask.documents.reader import SUFFIXES  # noqa: PLC0415 - only for a mistake

    if name is not None and name.lower().endswith(SUFFIXES) and not path.lower().endswith(SUFFIXES):
        import click  # noqa: PLC0415 - loaded by whoever came from a command line

        context = click.get_current_context(silent=True)
        command = context.command_path if context is not None else "celltask run"
        raise DocumentError(f"{path!r} is no document", command, f"the document comes first: {command} {name} {path}")
    raise DocumentError("there is no such document", path, looked_in(path, SUFFIXES))


def choices_in(document: Document, path: str) -> tuple[str, str, str]:
    """What to say, as what, where and mend, when a document does not tell by itself which entity is meant."""
    counted = [
        f"{len(found)} {kind}{'' if len(found) == 1 else 's'}"
        for found, kind in ((document.workflows, "workflow"), (document.tasks, "task"))
        if found
    ]
    if not counted:
        return "the document defines no task or workflow", path, "put %%task above a function, or @task"
    names = ", ".join([*document.workflows, *document.tasks])
    return f"the document defines {' and '.join(counted)}", path, f"name one of: {names}"


def _not_python(path: str, error: SyntaxError) -> DocumentError:
    from celltask.core.origin import place_of  # noqa: PLC0415 - only for a mistake

    cells = [note.removeprefix("in ") for note in getattr(error, "__notes__", ()) if note.startswith("in ")]
    if error.lineno is None:
        where = cells[0] if cells else path
    elif cells:
        where = f"{cells[0]}, line {error.lineno}"
    else:
        where = place_of(error.filename or path, error.lineno)
    line = (error.text or "").strip()
    told = f": {error.msg}" + (f": {line}" if line else "")
    return DocumentError(f"this is not Python{told}", where, "mend that line")


def _raised(path: str, error: BaseException) -> DocumentError:
    from celltask.cli.failure import class_and_message, user_frames  # noqa: PLC0415 - only for a failure

    frames = user_frames(error)
    where = f"{frames[-1].place}: {frames[-1].text}" if frames else path
    mend = _mend_of(path, error)
    return DocumentError(f"the document raises {class_and_message(error)}", where, mend)


def _mend_of(path: str, error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"install {error.name.partition('.')[0]}, or put its folder on sys.path"
    missing = missing_file(error)
    if missing and not os.path.isabs(missing):
        folder = os.path.dirname(os.path.abspath(expanded(path)))
        return f"relative paths start at {os.getcwd()}, where celltask runs; the document lies in {folder}"
    return "mend that statement"
