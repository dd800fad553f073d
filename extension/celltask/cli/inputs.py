"""Options of a command line from the inputs of an interface, and their values from what was written.

An input `test_size` is given as ``--test-size 0.3`` or ``--test_size=0.3``. A value that begins with ``--`` needs the
``=``. For a bool there are ``--flag``, ``--no-flag`` and ``--flag false``; for a list the option repeats, or takes the
list as JSON. ``@file`` stands for the content of a file, ``-`` (or ``@-``) for standard input, ``@@`` for an ``@``.
A table is the file that its path names.
"""

from __future__ import annotations

import typing
from collections import deque
from types import UnionType

from celltask.core.types.lookup import handler_for
from celltask.core.types.naming import place_in_library
from celltask.errors import CelltaskError

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from celltask.core.interface import Input, Interface
    from celltask.core.types.base import TypeHandler

__all__ = [
    "STANDARD_INPUT", "TABLES", "TABLE_SUFFIXES", "InputOption", "container_of", "is_table", "options_of", "plain_type",
    "sorted_out",
]  # fmt: skip

STANDARD_INPUT = "\0-"
"""A ``-`` that stands for standard input, among the texts given; no word of a command line can hold a NUL."""
TABLES = ("pandas.DataFrame", "polars.DataFrame", "pyarrow.Table")
"""What is read from the file that its path names."""
TABLE_SUFFIXES = (".csv", ".csv.gz", ".json", ".parquet", ".feather", ".arrow")
_PLACES = {"celltask.File": "file", "celltask.Directory": "folder"}

_REPEATED = {"list": list, "set": set, "frozenset": frozenset, "tuple": tuple, "deque": deque}


class InputOption(typing.NamedTuple):
    """How one input is given on the command line."""

    port: Input
    flags: tuple[str, ...]
    """``("--test-size", "--test_size")``; the first one is shown."""
    off_flags: tuple[str, ...] = ()
    """What makes a bool false: ``("--no-verbose", "--no_verbose")``."""
    item: TypeHandler | None = None
    """How one of many is read, where the option repeats."""
    names_a_file: bool = False
    """Whether its value is a path, so that ``@`` and ``-`` mean nothing more."""
    is_bool: bool = False
    """Whether it may stand without a value."""
    is_table: bool = False
    """Whether it, or each of many, is a table."""
    must_exist: str = ""
    """What has to lie at the path: ``"file"`` or ``"folder"``; empty if nothing has to."""

    @property
    def flag(self) -> str:
        """``"--test-size"``."""
        return self.flags[0]


def options_of(interface: Interface) -> tuple[InputOption, ...]:
    """One option for each input, in their order."""
    names = {port.name for port in interface.inputs}
    return tuple(_option(port, names) for port in interface.inputs)


def _option(port: Input, names: set[str]) -> InputOption:
    plain = plain_type(port.annotation)
    flags = _flags(port.name)
    if plain is bool:
        negative = f"no_{port.name}"
        return InputOption(port, flags, () if negative in names else _flags(negative), is_bool=True)
    names_a_file = isinstance(plain, type) and hasattr(plain, "__fspath__")
    item = _item(plain)
    one = plain if item is None else plain_type(item.annotation)
    must_exist = _PLACES.get(place_in_library(one), "") if isinstance(one, type) else ""
    return InputOption(port, flags, (), item, names_a_file, is_table=is_table(one), must_exist=must_exist)


def is_table(annotation: object) -> bool:
    """Whether `annotation` declares a table that files can hold.

    >>> is_table(int)
    False
    """
    plain = plain_type(annotation)
    return isinstance(plain, type) and place_in_library(plain) in TABLES


def _flags(name: str) -> tuple[str, ...]:
    kebab = f"--{name.replace('_', '-')}"
    # A name such as _x has no kebab form that reads well: ---x.
    return tuple(dict.fromkeys((kebab, f"--{name}"))) if not name.startswith("_") else (f"--{name}",)


def plain_type(annotation: object) -> object:
    """`annotation` without `Annotated`, `NewType` and ``| None`` around it.

    >>> plain_type(typing.Annotated[list[int] | None, "some numbers"])
    list[int]
    """
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return plain_type(typing.get_args(annotation)[0])
    if origin in (typing.Union, UnionType):
        members = [one for one in typing.get_args(annotation) if one is not type(None)]
        return plain_type(members[0]) if len(members) == 1 else annotation
    for name in ("__supertype__", "__value__"):
        if not isinstance(annotation, type) and hasattr(annotation, name):
            return plain_type(getattr(annotation, name))
    return annotation


def _item(plain: object) -> TypeHandler | None:
    origin, arguments = typing.get_origin(plain) or plain, typing.get_args(plain)
    if origin is tuple and arguments and arguments[-1] is not ...:
        return None
    abstract = getattr(origin, "__module__", "") == "collections.abc" and arguments and len(arguments) == 1
    if origin in _REPEATED.values() or abstract:
        return handler_for(arguments[0] if arguments else typing.Any)
    return None


def container_of(plain: object) -> type:
    """The class that the values of a repeated option are put into."""
    origin = typing.get_origin(plain) or plain
    name = getattr(origin, "__name__", "").lower()
    return _REPEATED.get(name.removeprefix("mutable"), list)


def sorted_out(
    tokens: Iterable[str], inputs: Sequence[InputOption], own: Mapping[str, bool], command: str
) -> tuple[dict[str, list[str]], list[str]]:
    """What is given for each input, in the order given, and the tokens that are celltask's own options.

    Args:
        tokens: What follows the name on the command line.
        inputs: The options of the inputs.
        own: The flags of celltask's own options, each with whether it takes a value.
        command: The command so far, for messages.

    Raises:
        CelltaskError: If an option is unknown, a value is missing, or a word stands where none can.
    """
    by_flag = {flag: option for option in inputs for flag in option.flags}
    off = {flag: option for option in inputs for flag in option.off_flags}
    waiting, given, ours = deque(tokens), dict[str, list[str]](), list[str]()
    before: tuple[InputOption, str] | None = None
    while waiting:
        word = waiting.popleft()
        flag, equals, value = word.partition("=")
        if flag in by_flag:
            option = by_flag[flag]
            text = value if equals else _value_of(option, flag, waiting, command)
            given.setdefault(option.port.name, []).append(text)
            before = (option, text)
            continue
        if flag in off:
            option = off[flag]
            if equals:
                raise CelltaskError(f"{flag} takes no value", f"{command} {word}", f"write {option.flag}={value}")
            given.setdefault(option.port.name, []).append("false")
        elif flag in own:
            needs_value = own[flag] and not equals
            ours.append(f"{flag}={_value_after(flag, waiting, command)}" if needs_value else word)
        else:
            from celltask.cli.mistakes import stray_word  # noqa: PLC0415 - only for a mistake

            raise stray_word([word, *waiting], before, inputs, own, command)
        before = None
    return given, ours


def _value_of(option: InputOption, flag: str, waiting: deque[str], command: str) -> str:
    if option.is_bool and (not waiting or waiting[0].startswith("-")):
        return "true"
    value = _value_after(flag, waiting, command)
    return STANDARD_INPUT if value == "-" else value


def _value_after(flag: str, waiting: deque[str], command: str) -> str:
    if not waiting:
        raise CelltaskError(f"{flag} needs a value", command, f"write {flag} VALUE")
    value = waiting.popleft()
    if value.startswith("--"):
        raise CelltaskError(
            f"{flag} needs a value, and {value} follows it", command, f"write {flag}={value} if that is the value"
        )
    return value
