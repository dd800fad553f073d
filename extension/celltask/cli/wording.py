"""Words for mistakes: what a wrong command line is told, always as what, where and mend."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["near", "quoted", "refusal"]

_LONGEST = 60


def near(word: str, known: Iterable[str]) -> str:
    """What to write instead of `word`: the name most like it, or all there are.

    >>> near("trian", ["train", "test"]), near("x", ["train", "test"])
    ("did you mean 'train'?", 'use one of: train, test')
    """
    names = list(known)
    bare = {name.lower().strip("-"): name for name in names}  # dashes would make short options look alike
    found = get_close_matches(word.lower().strip("-"), bare, 1)
    if found:
        name = bare[found[0]]
        return f"did you mean {name if name.startswith('-') else repr(name)}?"
    return f"use one of: {', '.join(names)}" if names else ""


def quoted(text: str) -> str:
    """`text` in quotes on one line, cut where it is too long to read.

    >>> quoted("abc")
    "'abc'"
    """
    told = repr(text)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 2]}…{told[0]}"


def refusal(error: click.ClickException | CelltaskError) -> str:
    """The message for a command line that is wrong: the fault, where it is, and how to mend it."""
    if isinstance(error, CelltaskError):
        return str(error)
    ctx = getattr(error, "ctx", None)
    command = ctx.command_path if ctx is not None else "celltask"
    help_line = f"`{command} --help` tells the options"
    if isinstance(error, click.NoSuchOption):
        told = near(error.option_name, _flags(ctx)) if error.possibilities else help_line
        return str(CelltaskError(f"there is no option {error.option_name}", command, told))
    if isinstance(error, click.MissingParameter):
        name = error.param.metavar if error.param is not None else "an argument"
        return str(CelltaskError(f"{name} is missing", command, help_line))
    if isinstance(error, click.BadParameter) and isinstance(getattr(error.param, "type", None), click.Choice):
        choices = ", ".join(map(str, error.param.type.choices))  # type: ignore[union-attr]  # it is a Choice
        return str(CelltaskError(f"{error.param.opts[0]} takes one of: {choices}", command, help_line))  # type: ignore[union-attr]  # it has a param
    what = error.format_message().strip().rstrip(".")
    return str(CelltaskError(what[:1].lower() + what[1:], command, help_line))


def _flags(ctx: click.Context | None) -> list[str]:
    if ctx is None:
        return []
    return [flag for param in ctx.command.get_params(ctx) for flag in param.opts if flag.startswith("--")]


def shell_word(text: str) -> str:
    """`text` as it would be typed in a shell, cut where it is too long to read.

    >>> shell_word("[1, 2]")
    "'[1, 2]'"
    """
    from shlex import quote  # noqa: PLC0415 - only for a message

    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    word = " ".join(cut.split()) if cut.strip() else cut
    if "'" in word and not set('"$`\\!').intersection(word):
        return f'"{word}"'  # the other way would be a thicket of quotes
    return quote(word)
