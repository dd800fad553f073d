"""The YAML header of a text document: where it ends, whether it can be read, and the language that it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.outline import PYTHON_NAMES, Notice
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OTHER_LANGUAGES", "Header", "header_of", "header_text", "header_values"]

_END = re.compile(r"(---|\.\.\.)\s*$")
_LANGUAGE = re.compile(r"\s+(?:main_language|language):\s*['\"]?([\w+#-]+)")
_KERNEL = re.compile(r"\s+name:\s*['\"]?([\w+#.-]+)")
_LONGEST = 1000
_OTHER_KERNELS = re.compile(
    r"(ir|irkernel|julia|bash|zsh|xcpp|gophernotes|javascript|deno|rust|evcxr|sas|octave|matlab|scala|almond|ruby|sql)\b",
    re.IGNORECASE,
)
OTHER_LANGUAGES = {
    "ir": "r",
    "xr": "r",
    "bash": "bash",
    "xeus-cling": "c++",
    "deno": "typescript",
    "javascript": "javascript",
}
"""Languages of kernels that documents name without their language."""
_PLAIN = re.compile(
    r"(?P<indent> *)(?P<item>- )*[\w.-]+:(?P<value>[ ]+(?:[\w./](?:[^:#]|:(?=\S)|(?<=\S)#)*|true))?\s*$"
)
"""A line of YAML that needs no reader to be known as right: a name, and perhaps a word or number."""


class Header(NamedTuple):
    """What the head of a document says."""

    length: int
    """Number of its lines, with its rules; 0 if there is none."""
    language: str
    """In lower case; empty if it names none."""
    kernel: str = ""
    """The name that it gives its kernel; empty if it gives none."""
    notices: tuple[Notice, ...] = ()

    @property
    def is_other_language(self) -> bool:
        """Whether the document says that it is of a language other than Python."""
        return self.language not in PYTHON_NAMES


def header_of(lines: Sequence[str], path: str) -> Header:
    """The header that `lines` begin with.

    Args:
        lines: Of the document, those of a script without the mark of the comment.
        path: For messages.

    Raises:
        DocumentError: If it is no YAML.
    """
    if not lines or lines[0].rstrip() != "---":
        return Header(0, "")
    length = next((number for number, line in enumerate(lines[1:], 2) if _END.match(line)), 0)
    header = lines[1 : max(length - 1, 1)]
    if not _is_plain(header):
        header_values("\n".join(header), path)
    named = next((found for found in map(_LANGUAGE.match, header) if found), None)
    language = named[1].lower() if named else ""
    notices = () if named else tuple(_foreign_kernels(header))
    return Header(length, language, _named_kernel(header)[1], notices)


def header_text(text: str) -> str:
    r"""The YAML header of a page or, without its ``#``, of a percent script; empty if there is none.

    >>> header_text("# ---\n# title: T\n# ---\n# %%\n")
    'title: T'
    """
    lines = text.split("\n", _LONGEST)
    mark = "# " if lines[0].rstrip() == "# ---" else ""
    if lines[0].rstrip() != f"{mark}---":
        return ""
    for number, line in enumerate(lines[1:], 1):
        if _END.match(line.removeprefix(mark)):
            return "\n".join(line.removeprefix(mark) for line in lines[1:number])
    return ""


def header_values(text: str, path: str) -> dict[str, object]:
    r"""The header `text`, without its rules, as values; nothing if it holds no names.

    Raises:
        DocumentError: If it is no YAML; the line is that of the document.

    >>> header_values("title: T\ncelltask: {shell: run}", "page.md")
    {'title': 'T', 'celltask': {'shell': 'run'}}
    """
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - 18 ms, and it has no types of its own

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = min(mark.line + 2 if mark else 2, text.count("\n") + 2)
        told = getattr(error, "problem", None) or str(error).partition("\n")[0]
        where = f"{path}, line {line}"
        raise DocumentError(
            f"the header is not YAML: {told}", where, "write `key: value`, quoted if it has a colon"
        ) from None
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _is_plain(header: Sequence[str]) -> bool:
    """Whether all lines are so plain, and so indented, that they are YAML for certain."""
    indents = [0]
    opens = False
    for line in header:
        found = _PLAIN.match(line)
        if found is None:
            return False
        indent = len(found["indent"])
        if indent > indents[-1]:
            if not opens:
                return False
            indents.append(indent)
        while indents[-1] > indent:
            indents.pop()
        if indents[-1] != indent:
            return False
        opens = found["value"] is None
    return True


def _named_kernel(header: Sequence[str]) -> tuple[int, str]:
    """Line and name of the kernel; the name is empty if there is none."""
    start = next((number for number, line in enumerate(header) if line.strip() == "kernelspec:"), len(header))
    for number, line in enumerate(header[start + 1 :], start + 3):
        found = _KERNEL.match(line)
        if not line.startswith(" "):
            break
        if found:
            return number, found[1]
    return 0, ""


def _foreign_kernels(header: Sequence[str]) -> list[Notice]:
    number, name = _named_kernel(header)
    if not _OTHER_KERNELS.match(name):
        return []
    what = f"the header names the kernel {name!r}, and the code cells are run as Python"
    return [Notice(number, what, "name a Python kernel, or set `language:` below kernelspec", "foreign-kernel")]
