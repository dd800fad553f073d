"""What of a document could not be loaded, and how a document answers when it is asked for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from celltask.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["ByName", "Failed", "in_one_line", "unknown_name"]

E = TypeVar("E")

_MANY = 8
"""As many names as are listed for a name that is like none of them."""


class Failed(NamedTuple):
    """A definition of a document that could not be loaded, or a cell that could not be read."""

    cell: int
    line: int
    """Its first line, or that of the mistake: in the document, or within the cell for a notebook."""
    name: str
    """The first name that it would have defined; empty if it would define none."""
    error: Exception
    """A `CelltaskError`, or the `SyntaxError` of a cell that is no Python."""


class ByName(dict[str, E]):
    """Tasks, or workflows, of a document by their names.

    A dict whose items are those that were loaded. ``found[name]`` raises the error of a definition that could not be,
    and for a name that the document does not have an error that tells those it has.

    >>> ByName({"train": 1}, kind="task", path="page.md")["trian"]
    Traceback (most recent call last):
    celltask.errors.UnknownNameError: no task is called 'trian'
      at: page.md
      mend: did you mean 'train'?
    """

    def __init__(
        self,
        found: Mapping[str, E],
        *,
        kind: str,
        path: str,
        errors: Mapping[str, Exception] | None = None,
        others: Collection[str] = (),
    ) -> None:
        """Hold `found`.

        Args:
            found: The items.
            kind: What they are: "task" or "workflow".
            path: The document.
            errors: Of the definitions that could not be loaded, by name.
            others: Names of what is not of this kind.
        """
        super().__init__(found)
        self.kind, self.path, self.errors, self.others = kind, path, dict(errors or {}), tuple(others)

    def __missing__(self, name: str) -> E:
        """Raise for a name that is not there.

        Raises:
            UnknownNameError: If the document does not have it; it is a `KeyError`.
            Exception: The error of its definition.
        """
        if name in self.errors:
            raise self.errors[name].with_traceback(None)
        if name in self.others:
            other = "workflow" if self.kind == "task" else "task"
            mend = f"it is a {other}: take it from {other}s"
            raise UnknownNameError(f"no {self.kind} is called {name!r}", _shown(self.path), mend)
        raise unknown_name(name, self.path, self, kind=self.kind)


def unknown_name(
    name: str, path: str, known: Iterable[str], *, kind: str = "task or workflow", cause: str = ""
) -> UnknownNameError:
    """The error for a name that the document does not have.

    Args:
        name: As asked for.
        path: The document.
        known: The names it has.
        kind: What was asked for.
        cause: Why it may be missing; told after the name.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    names = list(known)
    near = get_close_matches(str(name), names, 1)
    mend = "define one"
    if near:
        mend = f"did you mean {near[0]!r}?"
    elif cause:
        mend = "mend that cell, or check the name"
    elif names:
        mend = f"use one of: {', '.join(names[:_MANY])}{', …' if len(names) > _MANY else ''}"
    return UnknownNameError(f"no {kind} is called {name!r}{cause and f'; {cause}'}", _shown(path), mend)


def in_one_line(error: Exception) -> str:
    """What is wrong, without the place.

    >>> in_one_line(SyntaxError("invalid syntax", ("page.md", 9, 5, "y = = 2", 9, 6)))
    'invalid syntax: y = = 2'
    """
    if isinstance(error, SyntaxError):
        text = (error.text or "").strip()
        return f"{error.msg}: {text}" if text else str(error.msg)
    return (str(error) or type(error).__name__).partition("\n")[0]


def _shown(path: str) -> str:
    from celltask.documents.places import shown_path  # noqa: PLC0415 - only for a mistake

    return shown_path(path)
