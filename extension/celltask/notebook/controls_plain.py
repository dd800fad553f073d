"""Places of a form that hold one thing: a text, a number, a switch, a choice, an expression."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, cast

from celltask.core.types.base import Mismatch
from celltask.notebook.controls import Blank, Entry, Held

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.notebook.controls import Description, Scope

__all__ = [
    "ChoiceEntry",
    "ExpressionEntry",
    "LaterError",
    "NothingEntry",
    "NumberEntry",
    "SecretEntry",
    "SwitchEntry",
    "TextEntry",
    "holds_literals",
    "is_expression",
]

MOST_CHARACTERS = 1_000_000
"""More than that is no text for a form: each change would travel to the kernel and back."""


class LaterError(Exception):
    """An expression may do anything, and is evaluated only when the form runs."""


class _TypedEntry(Entry):
    """What is typed, up to a length. It holds state.

    Attributes:
        refused: The beginning of a text that was too long, which is not kept.
        held: The value that stands here while nothing was typed, where the control can hold one.
    """

    refused = ""
    held: Held | None = None

    def enter(self, entered: object) -> None:
        """Take what was typed, unless it is far too long."""
        text = str(entered or "")
        self.refused = text[:80] if len(text) > MOST_CHARACTERS else ""
        if self.refused:
            self.entered = ""
            self.shown()
            self.scope.changed()
        else:
            super().enter(entered)

    def fill(self, data: object) -> None:
        """Show `data` in the place of what was typed."""
        self.refused = ""
        super().fill(data)

    def hold(self, held: Held | None) -> None:
        """Let `held` stand here, and nothing be typed."""
        self.held, self.entered, self.refused = held, "", ""

    def typed(self) -> str:
        """The text.

        Raises:
            Mismatch: If it was too long.
        """
        if self.refused:
            hint = "put it into a variable, and give the variable (=)"
            raise Mismatch(f"a text of at most {MOST_CHARACTERS:,} characters", self.refused, hint=hint)
        return str(self.entered or "")


class TextEntry(_TypedEntry):
    """Text; an empty one is a value only where any text is."""

    def to_entered(self, data: object) -> object:
        """The text."""
        return data if isinstance(data, str) else json.dumps(data)

    def read(self) -> object:
        """The text that was entered."""
        text = self.typed()
        if not text and self.description.get("format") not in (None, "multi-line", "password"):
            raise Blank("", text)
        return text


class NumberEntry(TextEntry):
    """A number, as it was typed; what is no number is told by its type."""

    def to_entered(self, data: object) -> object:
        """The shortest text that says the number exactly."""
        return data if isinstance(data, str) else repr(data)

    def read(self) -> object:
        """The number, or the text if it is none."""
        text = str(super().read()).strip()
        if not text:
            raise Blank("", text)
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:  # too many digits, too
                continue
        return text


class SecretEntry(NumberEntry):
    """Text or a number that is shown nowhere; while nothing was typed, what it was filled with stands here."""

    def fill(self, data: object) -> None:
        """Hold `data`; no control shows it."""
        self.hold(data if isinstance(data, Held) else Held(data))
        self.shown()

    def read(self) -> object:
        """What was entered, or what is held."""
        if self.held is not None and not (self.entered or self.refused):
            return self.held.value
        is_number = self.description.get("type") in ("integer", "number")
        return super().read() if is_number else TextEntry.read(self)


class SwitchEntry(Entry):
    """Yes or no."""

    empty = False

    def to_entered(self, data: object) -> object:
        """The truth."""
        return bool(data)


class NothingEntry(Entry):
    """None."""

    def read(self) -> object:
        """None, whatever was entered."""
        return None


class ChoiceEntry(Entry):
    """One of a few; what is entered is its text."""

    def __init__(self, description: Description, scope: Scope, label: str) -> None:
        super().__init__(description, scope, label)
        listed = cast("list[object]", description["enum"] if "enum" in description else [description.get("const")])
        self.options = {_text(one, listed): one for one in listed}
        if len(self.options) == 1:
            self.entered = next(iter(self.options))

    def to_entered(self, data: object) -> object:
        """The option with that data; one that is not listed (two flags at once) is added."""
        for text, one in self.options.items():
            if type(one) is type(data) and one == data:
                return text
        self.options[_text(data, [])] = data
        return _text(data, [])

    def read(self) -> object:
        """The data of the option."""
        if self.entered not in self.options:
            raise Blank("", self.entered)
        return self.options[str(self.entered)]


def _text(data: object, among: list[object]) -> str:
    """A string as it is, unless another option would read the same."""
    alone = isinstance(data, str) and not any(json.dumps(one) == data for one in among if not isinstance(one, str))
    return str(data) if alone else "none" if data is None else json.dumps(data, default=str, ensure_ascii=False)


class ExpressionEntry(_TypedEntry):
    """A Python expression over the notebook's variables, for what no control can show. It holds state.

    Attributes:
        fits: What says of a variable whether it can stand here; None if that is not known.
        preview: Tells a person what the held value is.
        modules: What an expression written by the form needs beside the notebook's variables.
        uploaded: Expression and path of a file that was uploaded.
    """

    def __init__(self, description: Description, scope: Scope, label: str) -> None:
        super().__init__(description, scope, label)
        self.fits: Callable[[object], object] | None = None
        self.preview: Callable[[object], str] = lambda value: f"a {type(value).__name__}"
        self.modules: dict[str, object] = {}
        self.uploaded = ("", "")

    def fill(self, data: object) -> None:
        """Show `data` as Python text where there is such, else hold it."""
        from celltask.notebook.forms_source import source_of  # noqa: PLC0415 - only where there is such a place

        value = data.value if isinstance(data, Held) else data
        source = source_of(value, self.scope.namespace)
        is_text = source is not None and not source.imports and self.description.get("format") != "password"
        self.hold(None if is_text else Held(value))
        self.entered = source.text if source is not None and is_text else ""
        self.shown()

    def read(self) -> object:
        """The value of the expression.

        Raises:
            Mismatch: If it cannot be evaluated.
            LaterError: If it is to be evaluated only when the form runs.
        """
        text = self.typed().strip()
        if not text:
            if self.held is not None:
                return self.held.value
            raise Blank("", text)
        tree = _tree_of(text)
        if not self.scope.runs and not _is_harmless(tree):
            raise LaterError
        return _evaluated(tree, text, {**self.modules, **self.scope.namespace})


def is_expression(text: str) -> bool:
    """Whether Python can read `text` as an expression."""
    try:
        _tree_of(text)
    except Mismatch:
        return False
    return True


def _tree_of(text: str) -> ast.Expression:
    try:
        return ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        told = getattr(error, "msg", None) or str(error)
        raise Mismatch("a Python expression", text, hint=str(told)) from None


def holds_literals(text: str) -> bool:
    """Whether an expression says a text or a number itself, or cannot be read.

    >>> holds_literals("Account(name, token)"), holds_literals("Account(name, 's3cr3t')")
    (False, True)
    """
    if not is_expression(text):
        return True
    constants = [node.value for node in ast.walk(_tree_of(text)) if isinstance(node, ast.Constant)]
    return any(isinstance(one, str | bytes | int | float | complex) and not isinstance(one, bool) for one in constants)


def _is_harmless(tree: ast.Expression) -> bool:
    """Whether evaluating it runs no code of anybody: names and literals."""
    allowed = (
        *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.List, ast.Tuple, ast.Dict, ast.Set),
        *(ast.UnaryOp, ast.USub, ast.UAdd),
    )
    return all(
        isinstance(node, allowed) and not (isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant))
        for node in ast.walk(tree)
    )


def _evaluated(tree: ast.Expression, text: str, names: dict[str, object]) -> object:
    try:
        return eval(compile(tree, "<form>", "eval"), names)  # noqa: S307 - the user's own expression, in the user's notebook
    except NameError as error:
        raise Mismatch("an expression over the notebook's variables", text, hint=str(error)) from None
    except Exception as error:  # noqa: BLE001 - border: users' code
        raise Mismatch("an expression that can be evaluated", text, hint=f"{type(error).__name__}: {error}") from None
