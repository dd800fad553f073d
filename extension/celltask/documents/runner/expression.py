"""Expressions that choose cells by name, as ``-k`` of pytest reads them: words with ``and``, ``or``, ``not``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["name_test"]

_TOKEN = re.compile(r"\s*([()]|[^\s()]+)")


def name_test(text: str) -> Callable[[str], bool]:
    """Whether a name fits `text`; a word fits every name that contains it, in upper or lower case.

    Raises:
        DocumentError: If `text` is no expression.

    >>> fits = name_test("train and not (slow or plot)")
    >>> fits("page.md::train_model"), fits("page.md::plot_train"), fits("page.md::load")
    (True, False, False)
    """
    parser = _Parser(text)
    test = parser.either()
    if parser.word:
        raise parser.mistake()
    return lambda name: test(name.lower())


class _Parser:
    """Reads an expression from left to right; holds the word that comes next, empty at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = _TOKEN.findall(text)
        self.word = ""
        self._next()

    def _next(self) -> str:
        word, self.word = self.word, self._words.pop(0) if self._words else ""
        return word

    def mistake(self) -> DocumentError:
        """The error for the word that comes next."""
        what = f"{self.word!r} is not expected" if self.word else "it ends too early"
        return DocumentError(
            f"-k {self._text!r} cannot be read: {what}", mend="write for example: -k 'train and not slow'"
        )

    def either(self) -> Callable[[str], bool]:
        """Parts joined by ``or``."""
        parts = [self._both()]
        while self.word == "or":
            self._next()
            parts.append(self._both())
        return lambda name: any(part(name) for part in parts)

    def _both(self) -> Callable[[str], bool]:
        parts = [self._one()]
        while self.word == "and":
            self._next()
            parts.append(self._one())
        return lambda name: all(part(name) for part in parts)

    def _one(self) -> Callable[[str], bool]:
        if self.word in {"", ")", "and", "or"}:
            raise self.mistake()
        word = self._next()
        if word == "not":
            other = self._one()
            return lambda name: not other(name)
        if word != "(":
            return lambda name: word.lower() in name
        inner = self.either()
        if self.word != ")":
            raise self.mistake()
        self._next()
        return inner
