"""Rules for what the prose of a document names: functions, labels, files, and things of its own code."""

from __future__ import annotations

import builtins
import keyword
import re
import shlex
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

from celltask.documents.lint.resolve import exists

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.documents.lint.finding import Finding
    from celltask.documents.lint.page import Page, Span

__all__ = ["missing_files", "python_targets", "reference_targets", "stale_names"]

_PYTHON_ROLES = frozenset(["func", "class", "meth", "attr", "mod", "exc", "obj", "data", "const"])
_REFERENCES = frozenset({"ref", "numref", "std:ref"})
_TITLED = re.compile(r".*<([^>]+)>\s*$", re.DOTALL)
_ELSEWHERE = re.compile(r"[\w.-]+:\S")
"""A target in another project, which cannot be known here."""
_WORD = re.compile(r"[^\W\d]\w*")
_NAME = re.compile(r"([^\W\d]\w*)(\(\))?")
_DOTTED = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)+)(\(.*\))?")
_KIND = "tasks?|workflows?|functions?|variables?|methods?|class|classes|arguments?|parameters?|decorators?|inputs?"
_KIND_BEFORE = re.compile(rf"\b(?:the|a|an|our|this|your)\s+(?:{_KIND})\s+(?:called\s+|named\s+)?$", re.IGNORECASE)
_KIND_AFTER = re.compile(rf"^\s+(?:{_KIND})\b", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(?:the|our|this|your|its)\s+$", re.IGNORECASE)
_SHELL = frozenset({"", "console", "bash", "shell", "sh", "zsh", "shell-session"})
_COMMANDS = frozenset({"python", "python3", "pytest", "celltask", "pyflyte", "ipython", "jupytext", "streamlit"})
_FILE = re.compile(r"[\w./-]+\.(?:py|md|ipynb|Rmd|qmd)")
_WRITES = frozenset(["execute", "export", "convert", "save"])


def python_targets(page: Page) -> Iterator[Finding]:
    """Roles of Python whose target is not in the package that it names."""
    for span in page.spans:
        domain, _, kind = span.role.rpartition(":")
        target = _target(span).lstrip("~!.").removesuffix("()")
        if domain in {"py", ""} and kind in _PYTHON_ROLES and "." in target and exists(target) is False:
            what = f"{{{span.role}}} names {target}, which does not exist"
            yield page.finding(span.line, "python-target", what, "correct the name", column=span.column)


def reference_targets(page: Page) -> Iterator[Finding]:
    """References to labels and pages that the project does not have."""
    for span in page.spans:
        target = _target(span)
        if _ELSEWHERE.match(target):
            continue
        if span.role in _REFERENCES and target.lower() not in page.project.labels:
            what = f"no document of this project has the label {target!r}"
            yield page.finding(span.line, "reference-target", what, f"write ({target})= above it", column=span.column)
        if span.role == "doc" and not _is_page(page, target):
            what = f"no document is called {target!r}"
            yield page.finding(span.line, "reference-target", what, "correct the path", column=span.column)


def _is_page(page: Page, target: str) -> bool:
    start = page.project.root if target.startswith("/") else page.folder
    place = start / target.lstrip("/")
    return any(place.with_name(f"{place.name}{suffix}").is_file() for suffix in ("", ".md", ".rst", ".ipynb", ".py"))


def _target(span: Span) -> str:
    titled = _TITLED.match(span.text)
    return titled[1].strip() if titled else span.text


def missing_files(page: Page) -> Iterator[Finding]:
    """Commands that name a document which is not there; the page's own tasks may be told under any name."""
    defined = {word for _, tree in page.trees for word in _WORD.findall(_text_of(tree))}
    for block in page.document.blocks:
        if block.language not in _SHELL or block.directive not in {"", "code-block", "code", "prompt"}:
            continue
        written: set[str] = set()
        for number, line in enumerate(block.source.split("\n"), block.first_line):
            words = _words(line)
            if not words or words[0].rpartition("/")[2] not in _COMMANDS:
                written.update(words)
                continue
            for place, word in enumerate(words[1:], 1):
                if not _FILE.fullmatch(word) or word in written or _exists(page, word) or words[place - 1][:1] == "-":
                    continue
                if words[1] in _WRITES or any(other in defined for other in words[place + 1 :]):
                    continue
                column = page.lines[number - 1].find(word) + 1
                what = f"the command names {word}, and there is no such file"
                yield page.finding(number, "missing-file", what, "name a document of this project", column=column)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line.strip().removeprefix("$ ").removeprefix("! "), comments=True)
    except ValueError:
        return []


def _exists(page: Page, name: str) -> bool:
    return any((start / name).exists() for start in (page.folder, page.project.root))


def _text_of(tree: object) -> str:
    import ast  # noqa: PLC0415 - one use

    return ast.dump(tree) if isinstance(tree, ast.AST) else ""


def stale_names(page: Page) -> Iterator[Finding]:
    """Names that the prose speaks of as things of the page's code, and that are not in it."""
    if not page.trees:
        return
    known = _known(page)
    imports = dict(page.imports())
    for span in page.spans:
        if span.role:
            continue
        plain, dotted = _NAME.fullmatch(span.text), _DOTTED.fullmatch(span.text)
        if dotted:
            first, _, rest = dotted[1].partition(".")
            if first in imports and exists(f"{imports[first]}.{rest}") is False:
                what = f"the text names `{dotted[1]}`, and {imports[first]} has no {rest}"
                yield page.finding(span.line, "stale-name", what, "correct the name", column=span.column)
        elif plain and plain[1] not in known and _is_spoken_of(span) and not _is_elsewhere(plain[1], imports):
            what = f"the text speaks of `{plain[1]}`, which exists nowhere in the document"
            yield page.finding(span.line, "stale-name", what, "write the name that the code has", column=span.column)


def _is_spoken_of(span: Span) -> bool:
    """Whether the words around inline code say that it is a thing of the code: "the `x` task", "a function `x`"."""
    after = _KIND_AFTER.match(span.after) and _ARTICLE.search(span.before)
    return bool(after or _KIND_BEFORE.search(span.before))


def _is_elsewhere(name: str, imports: dict[str, str]) -> bool:
    """Whether something that the document imports has it; also where that cannot be told."""
    return any(exists(f"{dotted}.{name}") is True for dotted in imports.values())


def _known(page: Page) -> set[str]:
    known = {*dir(builtins), *keyword.kwlist, *packages_distributions()}
    for cell in page.document.cells:
        known.update(_WORD.findall(cell.source))
        known.update(cell.tags)
        known.update(cell.options)
    for block in page.document.blocks:
        known.update(_WORD.findall(block.source if not block.directive or block.language else ""))
    for folder in {page.folder, page.project.root}:
        known.update(path.stem for path in folder.iterdir())
    return known
