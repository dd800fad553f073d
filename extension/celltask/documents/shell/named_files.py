"""The files that commands name: any path in them, and the documents or modules that a program is to run."""

from __future__ import annotations

import importlib.util
import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["module_names", "paths_in"]

_WORD = re.compile(r"[^\s'\"=;|&<>()`]+")
_SEPARATORS = frozenset({";", "|", "||", "&&", "&", "(", ")", ";;", "|&"})
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_PYTHON = re.compile(r"(?:.*/)?(?:python|pypy)[\d.]*$")
_DOCUMENT = re.compile(r"[^\s*?\[\]{}$~]+\.(?:py|md|ipynb)$")
_RUNNERS = frozenset({"celltask", "pyflyte"})
_WITH_SUFFIX = frozenset({"pytest", "py.test", "ipython", "jupytext", "cat", "head", "coverage"})


def paths_in(text: str) -> Iterator[str]:
    """Every word of `text` that could be a path, whatever it means there.

    >>> list(paths_in("celltask run docs/a.md --inputs-file=data/b.json > c.txt"))[2:]
    ['docs/a.md', '--inputs-file', 'data/b.json', 'c.txt']
    """
    for found in _WORD.finditer(text):
        yield found[0].partition("::")[0]


def module_names(text: str) -> list[str]:
    """The modules and documents that commands in `text` run, by their file names; each once.

    >>> module_names("cd x && celltask run --quiet task.py train; python -m steps; pytest -q test_it.py::test_one")
    ['task.py', 'steps.py', 'test_it.py']
    """
    found = [name for words in _simple_commands(text) for name in _named_by(words)]
    return list(dict.fromkeys(found))


def _simple_commands(text: str) -> Iterator[list[str]]:
    for line in re.sub(r"\\\n", " ", text).split("\n"):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        try:
            for word in lexer:
                if word in _SEPARATORS:
                    yield words
                    words = []
                else:
                    words.append(word)
        except ValueError:  # a quotation that ends in another line; what was read of this one still counts
            pass
        yield words


def _named_by(words: Sequence[str]) -> Iterator[str]:
    start = 0
    while start < len(words) and (_ASSIGNED.match(words[start]) or words[start] in {"time", "!", "env", "exec"}):
        start += 1
    program, arguments = (words[start], list(words[start + 1 :])) if start < len(words) else ("", [])
    if _PYTHON.match(program):
        yield from _run_by_python(arguments)
    elif program in _RUNNERS:  # a command, then options, then the document
        yield from [word for word in arguments[1:] if _DOCUMENT.match(word)][:1]
    elif program in _WITH_SUFFIX:
        named = (word.partition("::")[0] for word in arguments if not word.startswith("-"))
        yield from (word for word in named if _DOCUMENT.match(word))


def _run_by_python(arguments: list[str]) -> Iterator[str]:
    for place, word in enumerate(arguments):
        if word == "-m":
            name, rest = (*arguments[place + 1 : place + 2], "")[0], arguments[place + 2 :]
            if name in _RUNNERS | _WITH_SUFFIX:
                yield from _named_by([name, *rest])
            elif name.isidentifier() and importlib.util.find_spec(name) is None:
                yield f"{name}.py"
            return
        if word == "-c":
            return
        if not word.startswith("-"):
            if _DOCUMENT.match(word):
                yield word
            return
