"""The line that makes a cell a task: `%%task --cache --retries 2`, read into a `Header`.

The grammar is the same for `%%task`, `%task`, `%%workflow` and `%workflow`:

    %%task [NAME [-> OUTPUT: TYPE, …]] [OPTION …]

Words are split as a shell splits them (quotes, backslashes, a backslash at the end of a line to go on, `#` for a
comment). Every option has the name of the keyword of `celltask.task`, with dashes for underscores.
"""

from __future__ import annotations

import ast
import keyword
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from celltask.core.options import OPTIONS, Option, read_value, short
from celltask.core.origin import RUNTIME_NAME
from celltask.errors import HeaderError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HEADER", "RUNTIME_NAME", "Header", "decorator_source", "parse_header"]


HEADER = re.compile(r"(?P<percents>%%?)(?P<kind>task|workflow)(?=\s|$)")
"""How a header line begins; `%task?` (help of the notebook) and `%tasks` are other lines."""

_TYPE_FAULTS = (
    SyntaxError,
    ValueError,
    RecursionError,
    MemoryError,
)  # all that `ast.parse` raises for odd text
_NO_TYPES = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Lambda, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Header:
    """What a header line says.

    Attributes:
        kind: What the cell becomes.
        name: Name of the body form, ``""`` for the definition form.
        outputs: Name and type text of each output of the body form.
        options: Keywords of `celltask.task` or `celltask.workflow` with plain values; `resources` is a dict.
        run: Whether the cell is to run at once with the notebook's variables.
        help: Whether only the help was asked for.
        text: The line itself, continuation lines joined.
    """

    kind: Literal["task", "workflow"]
    name: str = ""
    outputs: tuple[tuple[str, str], ...] = ()
    options: dict[str, object] = field(default_factory=dict)
    run: bool = False
    help: bool = False
    text: str = ""

    @property
    def is_body(self) -> bool:
        """Whether the cell below is the body of a task, not definitions."""
        return bool(self.name or self.outputs)

    @property
    def magic(self) -> str:
        """The magic as people write it: ``"%%task"``."""
        return f"%%{self.kind}"


class _Word(NamedTuple):
    text: str
    start: int
    end: int
    quoted: bool


def parse_header(line: str, *, where: str = "") -> Header:
    r"""What a header line says.

    Args:
        line: The whole line, from its ``%``; continued lines with their backslashes and newlines.
        where: Place of the line, told in the error.

    Raises:
        HeaderError: If it cannot be read, for whatever reason; nothing else is raised.

    >>> parse_header("%%task evaluate -> accuracy: float, report: dict --retries 2").outputs
    (('accuracy', 'float'), ('report', 'dict'))
    """
    match = HEADER.match(line)
    if match is None:
        raise HeaderError(f"{short(line)} is not a task line", where, "begin it with `%%task` or `%%workflow`")
    kind: Literal["task", "workflow"] = "task" if match["kind"] == "task" else "workflow"
    text = joined(line)
    try:
        words, outputs = _words_and_outputs(text, match.end())
        if any(word.text == "--help" and not word.quoted for word in words):
            return Header(kind, help=True, text=text)
        names, options = _read_words(words, kind)
        header = _checked(
            Header(kind, names[0] if names else "", outputs or (), options, text=text),
            names,
            outputs,
        )
    except HeaderError as error:
        # What was written may hold any character; each of the three parts stays one line.
        what, mend = (part.replace("\r", "\\r").replace("\n", "\\n") for part in (error.what, error.mend))
        raise HeaderError(what, where, mend or f"see {match[0]}?") from None
    return header


def joined(line: str) -> str:
    """A header line with the lines that it continues on made one."""
    return re.sub(r"\\(\r\n|\r|\n)\s*", " ", line).strip()


def _words_and_outputs(text: str, start: int) -> tuple[list[_Word], tuple[tuple[str, str], ...] | None]:
    """The words on both sides of the outputs, and the outputs; ``None`` if there is no arrow."""
    if (len(text) - len(text.rstrip("\\"))) % 2:
        raise HeaderError("the line ends in a backslash, and nothing goes on below it", mend="take it off")
    words: list[_Word] = []
    outputs = None
    position = start
    while position < len(text):
        for word in _words(text, position):
            if word.text.startswith("->") and not word.quoted:
                if outputs is not None:
                    raise HeaderError(
                        "two `->` stand on the line", mend="separate the outputs by commas: -> a: int, b: int"
                    )
                begin = word.start + 2
                position = _end_of_outputs(text, begin)
                outputs = _outputs(text[begin:position])
                break
            words.append(word)
        else:
            position = len(text)
    return words, outputs


def _words(text: str, start: int) -> Iterator[_Word]:
    """The words of `text` from `start`, by the rules of a POSIX shell, without expansions."""
    position, length = start, len(text)
    while position < length:
        if text[position].isspace():
            position += 1
            continue
        if text[position] == "#":
            return
        word, position = _word(text, position)
        yield word


def _word(text: str, start: int) -> tuple[_Word, int]:
    parts: list[str] = []
    position, length, quoted, quote = start, len(text), False, ""
    while position < length:
        char = text[position]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and text[position + 1 : position + 2] in ('"', "\\", "$"):
                position += 1
                parts.append(text[position : position + 1])
            else:
                parts.append(char)
        elif char in "'\"":
            quote, quoted = char, True
        elif char == "\\":
            position += 1
            quoted = True
            parts.append(text[position : position + 1])
        elif char.isspace():
            break
        else:
            parts.append(char)
        position += 1
    if quote:
        raise HeaderError(f"the quote in {short(text[start:])} is never closed", mend=f"add {quote} at the end")
    return _Word("".join(parts), start, position, quoted), position


def _read_words(words: list[_Word], kind: str) -> tuple[list[str], dict[str, object]]:
    """The positional words, and the value of each option by keyword."""
    names: list[str] = []
    options: dict[str, object] = {}
    spelled: dict[str, str] = {}
    left = iter(words)
    for word in left:
        if not word.text.startswith("-") or (word.quoted and not word.text.startswith("--")):
            names.append(word.text)
            continue
        flag, equals, value = word.text.partition("=")
        option, off = _option(flag, kind)
        if option.metavar and not equals:
            value = _next_value(left, option)
        elif equals and not option.metavar:
            raise HeaderError(
                f"{flag} takes no value",
                mend=f"write only {flag}" + (f" or {option.off}" if option.off else ""),
            )
        if option.keyword in options and not option.repeats:
            raise HeaderError(f"{flag} is given after {spelled[option.keyword]}", mend="keep one of the two")
        spelled[option.keyword] = flag
        read_value(option, value, off=off, into=options)
    return names, options


def _next_value(left: Iterator[_Word], option: Option) -> str:
    word = next(left, None)
    if word is None or (word.text.startswith("--") and not word.quoted):
        raise HeaderError(f"{option.flag} needs a value", mend=f"write {option.flag} {option.metavar}")
    return word.text


def _option(flag: str, kind: str) -> tuple[Option, bool]:
    """The option that `flag` means, and whether it is its `--no-…` form."""
    table = [option for option in OPTIONS if kind in option.kinds]
    for option in table:
        if flag in (option.flag, option.off):
            return option, flag == option.off
    if any(flag in (option.flag, option.off) for option in OPTIONS):
        raise HeaderError(f"%%{kind} has no option {flag}", mend=f"use one of: {', '.join(o.flag for o in table)}")
    import difflib  # noqa: PLC0415 - only for a mistake

    known = [name for option in table for name in (option.flag, option.off) if name]
    wanted = "--" + flag.strip("-").replace("_", "-").lower()
    near = [wanted] if wanted in known else difflib.get_close_matches(wanted, known, 3, 0.7)
    near = near or difflib.get_close_matches(wanted, known, 1, 0.5)
    mend = f"did you mean {' or '.join(near)}?" if near else f"use one of: {', '.join(known)}"
    raise HeaderError(f"there is no option {short(flag)}", mend=mend)


def _end_of_outputs(text: str, start: int) -> int:
    """Where the outputs end: at an option or a comment outside of quotes and brackets, or with the line."""
    depth, quote, position = 0, "", start
    while position < len(text):
        char = text[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth <= 0 and text[position - 1].isspace() and (text.startswith(("--", "->"), position) or char == "#"):
            return position
        position += 1
    return len(text)


def _outputs(text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for part in split_commas(text):
        name, colon, annotation = (piece.strip() for piece in part.partition(":"))
        example = "name each with its type: -> accuracy: float, report: dict"
        if not name and not colon:
            raise HeaderError(
                "an output is missing after `->`" if not found else "an output is missing after a comma",
                mend=example,
            )
        if not name.isidentifier() or keyword.iskeyword(name):
            raise HeaderError(f"{short(name)} cannot be the name of an output", mend=example)
        if not annotation:
            raise HeaderError(f"output {name!r} has no type", mend=f"write for example -> {name}: float")
        if any(name == earlier for earlier, _ in found):
            raise HeaderError(f"two outputs are called {name!r}", mend="give each its own name")
        _check_type(name, annotation)
        found.append((name, annotation))
    return tuple(found)


def split_commas(text: str) -> list[str]:
    """`text` split at the commas outside of quotes and brackets."""
    parts, depth, quote, begin = [], 0, "", 0
    escaped = False
    for position, char in enumerate(text):
        if escaped:
            escaped = False
        elif quote:
            escaped = char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
    return [*parts, text[begin:]]


def _check_type(name: str, annotation: str) -> None:
    try:
        tree = ast.parse(annotation, mode="eval")
    except _TYPE_FAULTS:
        raise HeaderError(
            f"the type {short(annotation)} of output {name!r} is not Python", mend="write it as in a def"
        ) from None
    if any(isinstance(node, _NO_TYPES) for node in ast.walk(tree)):
        raise HeaderError(f"{short(annotation)} is not a type (output {name!r})", mend="write it as in a def")


def _checked(header: Header, names: list[str], outputs: tuple[tuple[str, str], ...] | None) -> Header:
    if outputs is not None and not names:
        raise HeaderError("the outputs belong to no name", mend=f"write {header.magic} NAME -> OUTPUT: TYPE")
    if names:
        _check_name(header, names[0])
    if len(names) > 1:
        raise HeaderError(f"{short(names[1])} is one word too many", mend=_mend_for_word(names[1], header.magic))
    options = dict(header.options)
    run = options.pop("run", False) is True
    return Header(header.kind, header.name, header.outputs, options, run, header.help, header.text)


def _check_name(header: Header, name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise HeaderError(
            f"{short(name)} cannot be the name of a {header.kind}", mend=_mend_for_word(name, header.magic)
        )
    if header.kind == "workflow":
        raise HeaderError(
            f"a workflow is written as a def, and {name!r} stands on the line",
            mend=f"write %%workflow alone, and def {name}(…) below it",
        )
    if any(name == output for output, _ in header.outputs):
        raise HeaderError(f"the task and its output are both called {name!r}", mend="give the task another name")


def _mend_for_word(word: str, magic: str) -> str:
    word = " ".join(word.split())  # a quoted word may hold line ends, and a mend is one line
    key, _, value = word.partition("=")
    option = next((option for option in OPTIONS if option.keyword == key.strip().rstrip(",")), None)
    if option is not None:
        if option.metavar:
            return f"write {option.flag} {value.rstrip(',') or option.metavar}"
        return f"write {option.off if value.startswith('False') and option.off else option.flag}"
    if "->" in word:
        return f"put a space on both sides of the arrow: {magic} {word.replace('->', ' -> ')}"
    if "(" in word:
        return "write the signature as a def below the line"
    return f"write {magic} [OPTIONS] above a def, or {magic} NAME -> OUTPUT: TYPE above a body; quote texts with spaces"


def decorator_source(header: Header, *, runtime: str = RUNTIME_NAME) -> str:
    """The decorator that says the same as `header`, without its ``@``.

    Args:
        header: A header line that was read.
        runtime: Name that the module `celltask` is reached by; ``""`` if `task` itself was imported.

    >>> decorator_source(parse_header("%%task --cache --retries 2"), runtime="celltask")
    'celltask.task(cache=True, retries=2)'
    """
    dot = f"{runtime}." if runtime else ""
    told = []
    for name, value in header.options.items():
        if name == "resources" and isinstance(value, dict):
            amounts = ", ".join(f"{key}={amount!r}" for key, amount in value.items())
            told.append(f"resources={dot}Resources({amounts})")
        else:
            told.append(f"{name}={value!r}")
    if header.outputs:
        told.append(f"outputs={tuple(name for name, _ in header.outputs)!r}")
    return f"{dot}{header.kind}" + (f"({', '.join(told)})" if told else "")
