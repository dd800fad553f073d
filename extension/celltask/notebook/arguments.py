"""The inputs on a `%run_task` line: `name=expression` words, evaluated in the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_arguments", "split_words"]


def read_arguments(text: str, namespace: Mapping[str, object], *, name: str, where: str = "") -> dict[str, object]:
    """The value of each input that `text` gives.

    Args:
        text: For example ``C=0.1 names=["a", "b"]``.
        namespace: The notebook's variables.
        name: Of the task, for messages.
        where: Place of the line.

    Raises:
        CallError: If a word is not ``name=expression``, or an expression cannot be evaluated.

    >>> read_arguments('C=0.1 names=["a", "b"]', {}, name="train")
    {'C': 0.1, 'names': ['a', 'b']}
    """
    found: dict[str, object] = {}
    for word in split_words(text):
        key, equals, expression = word.partition("=")
        if not equals or not key.isidentifier() or not expression:
            raise CallError(
                f"{word!r} is not INPUT=VALUE",
                where,
                f"write for example %run_task {name} x=1, without blanks around =",
            )
        if key in found:
            raise CallError(f"input {key!r} is given twice", where, "keep one of the two")
        found[key] = _evaluated(key, expression, namespace, where)
    return found


def _evaluated(key: str, expression: str, namespace: Mapping[str, object], where: str) -> object:
    try:
        return eval(expression, dict(namespace))  # noqa: S307 - the user's own expression, in the user's notebook
    except NameError as error:
        mend = f"define it, or quote it if it is a text: {key}={expression!r}"
        raise CallError(f"input {key!r}: {error}", where, mend) from None
    except Exception as error:  # noqa: BLE001 - border: users' code
        raise CallError(
            f"input {key!r}: {expression!r} cannot be evaluated ({type(error).__name__}: {error})",
            where,
            "write a Python expression",
        ) from None


def split_words(text: str) -> list[str]:
    """`text` split at the blanks outside of quotes and brackets.

    >>> split_words('a={"C": 1} b="x y"')
    ['a={"C": 1}', 'b="x y"']
    """
    words: list[str] = []
    word, depth, quote, escaped = "", 0, "", False
    for char in text:
        if char.isspace() and not quote and depth <= 0:
            words.append(word)
            word = ""
            continue
        word += char
        if quote:
            quote = "" if char == quote and not escaped else quote
            escaped = char == "\\" and not escaped
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
    return [item for item in [*words, word] if item]
