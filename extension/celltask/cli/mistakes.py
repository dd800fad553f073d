"""Words on a command line that a shell made of something else, and what was meant by them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from celltask.cli.inputs import plain_type
from celltask.cli.wording import near, quoted, shell_word
from celltask.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.cli.inputs import InputOption

__all__ = ["as_json", "stray_word"]

_BARE = re.compile(r"(?<=[\[{,:])(\s*)([A-Za-z_][\w.-]*)(?=\s*[,:}\]])")


def stray_word(
    words: Sequence[str],
    before: tuple[InputOption, str] | None,
    inputs: Sequence[InputOption],
    own: Mapping[str, bool],
    command: str,
) -> CallError:
    """The error for a word that is neither an option nor the value of one.

    Args:
        words: The word, and all that follow it.
        before: The option right before it with its value, if there is one.
        inputs: The options of the inputs.
        own: The flags of celltask's own options.
        command: The command so far.
    """
    word = words[0]
    if before is not None:
        told = _split_value(*before, words, command)
        if told is not None:
            return told
    flags = [option.flag for option in inputs]
    if word.startswith("-") and word.strip("-"):
        flag = word.partition("=")[0]
        return CallError(f"there is no input or option {flag}", command, near(flag, [*flags, *own]))
    mend = f"write {flags[0]} {shell_word(word)}" if len(flags) == 1 else f"give each input by its name: {_all(flags)}"
    return CallError(f"{quoted(word)} stands alone", command, mend if flags else "leave it out; there are no inputs")


def _all(flags: Sequence[str]) -> str:
    return ", ".join(flags)


def _split_value(option: InputOption, text: str, words: Sequence[str], command: str) -> CallError | None:
    """The error for a value that a shell made several words of; None if the words tell of no such thing."""
    from celltask.cli.help import example_of, metavar_of  # noqa: PLC0415 - only for a mistake

    values = [text, *_values(words)]
    what = f"the value of {option.flag} was split at a blank"
    if _open(text) > 0:
        count = next((n for n in range(1, len(words) + 1) if _open(" ".join([text, *words[:n]])) <= 0), len(words))
        meant = as_json(" ".join([text, *words[:count]]))
        shown = f"{option.flag} {shell_word(meant)}" if meant else example_of(option)
        return CallError(what, command, f"put it in single quotes: {shown}")
    if len(values) == 1:
        return None
    if option.item is not None:
        repeated = " ".join(f"{option.flag} {shell_word(value)}" for value in values)
        return CallError(f"{quoted(words[0])} stands alone", command, f"repeat the option: {repeated}")
    if plain_type(option.port.annotation) is str:
        return CallError(what, command, f"put it in single quotes: {option.flag} {shell_word(' '.join(values))}")
    if metavar_of(option) == "JSON":
        mend = f"put the value of {option.flag} in single quotes: {example_of(option)}"
        return CallError(f"{quoted(words[0])} stands alone", command, mend)
    return None


def _values(words: Sequence[str]) -> list[str]:
    """The words up to the next option; a number below 0 is none."""
    ends = (n for n, word in enumerate(words) if re.match(r"--?[^\W\d]|--$", word))
    return list(words[: next(ends, len(words))])


def _open(text: str) -> int:
    """How many brackets are open at the end of what may be the beginning of JSON."""
    if text.lstrip()[:1] not in ("{", "["):
        return 0
    return sum((char in "{[") - (char in "}]") for char in text)


def as_json(text: str) -> str | None:
    """`text` as JSON, if quotes are all that it lacks.

    >>> as_json("{C: 0.1}"), as_json("{'C': None}"), as_json("{C")
    ('{"C": 0.1}', '{"C": null}', None)
    """
    import json  # noqa: PLC0415 - only for a mistake

    bare = _BARE.sub(lambda found: f"{found[1]}{_quoted_name(found[2])}", text)
    for attempt in (text, bare):
        try:
            json.loads(attempt)
        except (ValueError, RecursionError):
            continue
        return attempt
    return _from_python(text)


def _quoted_name(name: str) -> str:
    return name if name in ("true", "false", "null", "NaN", "Infinity") else f'"{name}"'


def _from_python(text: str) -> str | None:
    import ast  # noqa: PLC0415 - only for a mistake
    import json  # noqa: PLC0415 - as above
    import warnings  # noqa: PLC0415 - as above

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler's, of odd escapes and numbers
            value = ast.literal_eval(text.strip())
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else None
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
