"""From the texts of a command line, and from an inputs file, to values that fit the interface."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from celltask.cli.inputs import STANDARD_INPUT, TABLE_SUFFIXES, InputOption, container_of, plain_type
from celltask.cli.paths import expanded, looked_in
from celltask.core.types.base import Mismatch
from celltask.core.types.marks import HIDDEN
from celltask.core.types.masking import discreet, holds_secrets
from celltask.errors import CallError, CelltaskError, ValueMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celltask.cli.opening import Entity
    from celltask.core.interface import Input
    from celltask.core.types.base import TypeHandler

__all__ = ["Reader", "check_complete"]


class Reader:
    """Reads the values of one command; holds whether standard input was used up.

    Args:
        command: The command so far, for messages: ``"celltask run page.md train"``.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        self._input_taken_by = ""

    def from_options(self, option: InputOption, texts: Sequence[str]) -> object:
        """The value that `texts` say, one for each time the option was given.

        Raises:
            ValueMismatchError: If one does not fit, or there is more than one where only one can be.
        """
        if option.item is None and len(texts) > 1:
            raise CallError(f"{option.flag} is given {len(texts)} times", self._at(option, texts), "give it once")
        contents = [self._content(option, text) for text in texts]
        if option.item is None or (len(contents) == 1 and contents[0].lstrip()[:1] in ("[", "")):
            read = lambda: self._parsed(option, option.port.handler, texts[0], contents[0])  # noqa: E731 - read only where it is checked
            return self._checked(option, texts, read, contents[0])
        if len(contents) == 1 and option.port.handler.accepts.intersection({type(None)}) and contents[0] in _NONE:
            return None
        return self._many(option, texts, contents)

    def _many(self, option: InputOption, texts: Sequence[str], contents: Sequence[str]) -> object:
        item, items = option.item, []
        for written, content in zip(texts, contents, strict=True):
            read = lambda given=written, text=content: self._parsed(option, item, given, text)  # type: ignore[arg-type]  # noqa: E731 - called at once; a repeated option has an item
            items.append(self._checked(option, [written], read, content))
        made = container_of(plain_type(option.port.annotation))(items)
        return self._checked(option, texts, lambda: option.port.handler.validate(made))

    def _parsed(self, option: InputOption, handler: TypeHandler, written: str, content: str) -> object:
        """What `content`, written as `written`, is read as; files that it names must be there."""
        if option.is_table and written in _STANDARD_INPUT:
            from celltask.cli.tables import table_of_text  # noqa: PLC0415 - only for a table from standard input

            return table_of_text(handler, content)
        if (option.is_table or option.must_exist) and _is_missing(content):
            what = f"{option.flag}: there is no {option.must_exist or 'file'} {content!r}"
            suffixes = TABLE_SUFFIXES if option.is_table else ()
            raise CelltaskError(what, self._at(option, [written]), looked_in(content, suffixes))
        return handler.parse(content)

    def from_file(self, path: str, inputs: Sequence[Input]) -> dict[str, object]:
        """The values in the JSON object that the file at `path` holds (``-``: standard input), by input.

        Raises:
            CelltaskError: If it cannot be read, is no JSON object, or names what is no input.
            ValueMismatchError: If a value does not fit.
        """
        text = self._standard_input("--inputs-file") if path == "-" else _text_of(path, f"{self.command} --inputs-file")
        name = "standard input" if path == "-" else path
        data = _json_of(text, name)
        if not isinstance(data, dict):
            raise CelltaskError("the inputs are no JSON object", name, f"write for example {_sample_of(inputs)}")
        by_name = {port.name: port for port in inputs}
        by_name |= {port.name.replace("_", "-"): port for port in inputs}
        values: dict[str, object] = {}
        for key, item in data.items():
            if key not in by_name:
                from celltask.cli.wording import near  # noqa: PLC0415 - only for a mistake

                raise CallError(f"there is no input {key!r}", name, near(key, [port.name for port in inputs]))
            port = by_name[key]
            if port.name in values:
                raise CallError(f"input {port.name!r} is given twice", name, "give it once")
            values[port.name] = _read(
                lambda handler=port.handler, data=item: handler.from_json(data),  # type: ignore[misc]  # called at once
                f'"{key}"',
                lambda: name,
                lambda _, port=port: f"write for example {_sample_of([port])}",  # type: ignore[misc]  # as above
                port.handler,
            )
        return values

    def _checked(self, option: InputOption, texts: Sequence[str], read: Callable[[], object], text: str = "") -> object:
        at = lambda: self._at(option, texts)  # noqa: E731 - told only if it does not fit
        handler = option.port.handler
        return _read(read, option.flag, at, lambda error: _mend_of(option, error, text), handler)

    def _at(self, option: InputOption, texts: Sequence[str]) -> str:
        from celltask.cli.wording import shell_word  # noqa: PLC0415 - only for a mistake

        typed = ["-" if text == STANDARD_INPUT else shell_word(text) for text in texts]
        if holds_secrets(option.port.handler):
            typed = [text if text == "-" else HIDDEN for text in typed]
        return " ".join([self.command, *(f"{option.flag} {word}" for word in typed)])

    def _content(self, option: InputOption, text: str) -> str:
        if option.names_a_file:
            return "-" if text == STANDARD_INPUT else text
        if text in _STANDARD_INPUT:
            return self._standard_input(option.flag)
        if not text.startswith("@"):
            return text
        if text.startswith("@@"):
            return text[1:]
        if option.is_table:
            return text[1:]  # it is read from its path in any case
        return _text_of(text[1:], f"{self.command} {option.flag} {text}")

    def _standard_input(self, flag: str) -> str:
        if self._input_taken_by:
            raise CelltaskError(
                f"standard input is wanted by {self._input_taken_by} and by {flag}",
                self.command,
                "write one of them to a file and give its name: @file",
            )
        self._input_taken_by = flag
        from io import TextIOWrapper  # noqa: PLC0415 - only where standard input is a value

        # Decoded here: Python would let other bytes through as lone surrogates, depending on the locale.
        reader = TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig")
        try:
            return reader.read()
        except UnicodeDecodeError:
            raise CelltaskError("standard input is not UTF-8", self.command, "convert it to UTF-8") from None
        finally:
            reader.detach()


_NONE = ("none", "null", "None")
_STANDARD_INPUT = (STANDARD_INPUT, "@-")


def _is_missing(path: str) -> bool:
    import os  # noqa: PLC0415 - loaded already, and only files are looked for

    if not path.strip() or path in _NONE or path.lstrip()[0] in "{[" or "://" in path or "\0" in path:
        return False
    return not os.path.exists(expanded(path))  # noqa: PTH110 - pathlib may not be loaded yet


def check_complete(
    entity: Entity, options: Mapping[str, InputOption], values: Mapping[str, object], command: str
) -> None:
    """Raise a `CallError` that names every required input without a value.

    Args:
        entity: Task or workflow.
        options: By the name of the input.
        values: Those given, by the name of the input.
        command: The command so far, for the mend.
    """
    missing = [port.name for port in entity.interface.inputs if port.required and port.name not in values]
    if missing:
        from celltask.cli.help import metavar_of  # noqa: PLC0415 - only for a mistake

        flags = [options[one].flag for one in missing]
        told = flags[0] if len(flags) == 1 else f"{', '.join(flags[:-1])} and {flags[-1]}"
        written = " ".join(f"{options[one].flag} {metavar_of(options[one])}".rstrip() for one in missing)
        raise CallError(f"{entity.name} needs a value for {told}", entity.place, f"{command} {written}")


def _read(
    read: Callable[[], object],
    told: str,
    at: Callable[[], str],
    mend: Callable[[Mismatch], str],
    handler: TypeHandler,
) -> object:
    """What `read` gives; if it does not fit, a `ValueMismatchError` that begins with `told`."""
    try:
        return read()
    except Mismatch as refused:
        error = discreet(handler, refused)
        from celltask.cli.wording import quoted  # noqa: PLC0415 - only for a mistake

        received = quoted(error.value) if isinstance(error.value, str) else _short(error.value)
        what = f"{told}{''.join(error.path)} takes {error.expected}, not {received}"
        raise ValueMismatchError(what, at(), error.hint or mend(error)) from None
    except RecursionError:
        raise ValueMismatchError(f"{told} is nested too deep to be read", at(), "nest it less") from None
    except CelltaskError:
        raise
    except Exception as error:  # border: a class of the user's is made from the value
        why = type(error).__name__ + ("" if holds_secrets(handler) else f": {error}")
        raise ValueMismatchError(f"{told} is refused by its type: {why}", at(), "give a value that it takes") from error


def _short(value: object) -> str:
    from celltask.cli.report import shown  # noqa: PLC0415 - only for a mistake

    text = " ".join(shown(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"  # noqa: PLR2004 - a line of an error stays readable


def _text_of(path: str, at: str) -> str:
    from pathlib import Path  # noqa: PLC0415 - only for values in files

    try:
        return Path(expanded(path)).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", "") or error
        mend = looked_in(path) if isinstance(error, FileNotFoundError) else "check its name and content"
        raise CelltaskError(f"the file {path!r} cannot be read: {reason}", at, mend) from None


def _json_of(text: str, name: str) -> object:
    import json  # noqa: PLC0415 - only for structured values

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CelltaskError(
            f"this is not JSON: {error.msg}", f"{name}, line {error.lineno}, column {error.colno}", "mend that place"
        ) from None
    except (RecursionError, ValueError) as error:
        raise CelltaskError(f"this JSON cannot be read: {error}", name, "make it smaller") from None


def _sample_of(inputs: Sequence[Input]) -> str:
    from celltask.cli.help import json_sample  # noqa: PLC0415 - only for a mistake

    return json_sample({port.name: port.handler for port in inputs})


def _mend_of(option: InputOption, error: Mismatch, text: str) -> str:
    if error.expected.endswith(" as JSON"):
        import json  # noqa: PLC0415 - only for a mistake

        from celltask.cli.mistakes import as_json  # noqa: PLC0415 - as above
        from celltask.cli.wording import shell_word  # noqa: PLC0415 - as above

        try:
            json.loads(text)
        except json.JSONDecodeError as fault:
            meant = as_json(text)
            if meant is not None:
                return f"JSON wants double quotes: {shell_word(meant)}"
            return f"{fault.msg} at line {fault.lineno}, column {fault.colno}; {_example(option)}"
        except (RecursionError, ValueError):
            return "nest it less"
    return _example(option)


def _example(option: InputOption) -> str:
    from celltask.cli.help import example_of  # noqa: PLC0415 - only for a mistake

    return f"write for example {example_of(option)}"
