"""Interface: the typed inputs and named outputs of a task or workflow, read from a function.

Output names follow Flyte: one output is ``o0``, a tuple gives ``o0, o1, …``, a NamedTuple gives its fields.
"""

from __future__ import annotations

import inspect
import types
import typing
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from types import CodeType
from typing import Literal

from celltask.core.docstrings import descriptions, first_line
from celltask.core.graph import Port
from celltask.core.origin import RUNTIME_NAME, place_of_function
from celltask.core.outputs import Outputs
from celltask.core.types.base import Mismatch, TypeHandler, beginning
from celltask.core.types.lookup import handler_for
from celltask.core.types.masking import Hidden, discreet, holds_secrets
from celltask.errors import InterfaceError

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["MISSING", "Input", "Interface", "Output", "interface_from_types", "interface_of"]


class _Missing(Enum):
    MISSING = "no default"

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing.MISSING
"""Stands for "no default", since ``None`` may be one."""


@dataclass(frozen=True, slots=True)
class Input:
    """One typed input."""

    name: str
    annotation: object
    handler: TypeHandler
    default: object = MISSING
    keyword_only: bool = False

    @property
    def required(self) -> bool:
        """Whether a call must give a value."""
        return self.default is MISSING


@dataclass(frozen=True, slots=True)
class Output:
    """One typed, named output."""

    name: str
    annotation: object
    handler: TypeHandler


@dataclass(frozen=True)
class Interface:
    """What goes in and what comes out.

    >>> from celltask import task
    >>> @task
    ... def split(text: str, at: str = ",") -> tuple[str, str]:
    ...     '''Cut a text in two.'''
    ...     left, _, right = text.partition(at)
    ...     return left, right
    >>> print(split.interface)
    (text: str, at: str = ',') -> (o0: str, o1: str)
    """

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    result: Literal["none", "single", "tuple", "named"] = "single"
    """How a call returns the outputs: not at all, as the value, as a tuple, or as a NamedTuple."""
    result_type: type | None = None
    """The NamedTuple class where `result` is ``"named"``."""
    docstring: str = ""
    _parsed: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def doc(self) -> str:
        """First line of the docstring; empty if it begins with a section such as ``Args:`` at once."""
        return first_line(self.docstring)

    def description_of(self, name: str) -> str:
        """What the docstring (Google, NumPy or reST form) or ``Annotated[T, "text"]`` says of an input or output."""
        if not self._parsed:
            self._parsed.update(descriptions(self), **{"": ""})
        return self._parsed.get(name, "")

    def ports(self) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        """Inputs and outputs as plain data, for pictures and help."""
        ins = tuple(
            Port(
                port.name,
                port.handler.name,
                self.description_of(port.name),
                port.required,
                "" if port.default is MISSING else port.handler.preview(port.default),
                holds_secrets(port.handler),
            )
            for port in self.inputs
        )
        outs = tuple(
            Port(
                port.name,
                port.handler.name,
                self.description_of(port.name),
                is_secret=holds_secrets(port.handler),
            )
            for port in self.outputs
        )
        return ins, outs

    def input(self, name: str) -> Input:
        """The input called `name`.

        Raises:
            KeyError: If there is none.
        """
        for port in self.inputs:
            if port.name == name:
                return port
        raise KeyError(name)

    def by_name(self, value: object) -> dict[str, object]:
        """The outputs in what a call returned, by name."""
        if self.result == "none":
            return {}
        if self.result == "single":
            return {self.outputs[0].name: value}
        return {
            port.name: item for port, item in zip(self.outputs, typing.cast("tuple[object, ...]", value), strict=True)
        }

    def returned(self, values: tuple[object, ...]) -> object:
        """What a call gives for several outputs: the declared NamedTuple, or a tuple that knows the names given."""
        if self.result_type is not None:
            return self.result_type(*values)
        names = tuple(port.name for port in self.outputs)
        return values if names == _numbered(len(names)) else Outputs(values, names)

    def __str__(self) -> str:
        ins = ", ".join(
            f"{port.name}: {port.handler.name}"
            + ("" if port.default is MISSING else f" = {port.handler.preview(port.default)}")
            for port in self.inputs
        )
        outs = ", ".join(f"{port.name}: {port.handler.name}" for port in self.outputs)
        return f"({ins}) -> ({outs})"


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"o{number}" for number in range(count))


def interface_of(function: Callable[..., object], *, names: Sequence[str] = (), kind: str = "task") -> Interface:
    """The interface that the annotations and defaults of `function` declare.

    Args:
        function: Any Python function; annotations may be strings.
        names: Names for the outputs instead of ``o0, o1, …``.
        kind: What errors call it.

    Raises:
        InterfaceError: If a type is missing, unknown or unusable, if a default does not fit, or if `names` does not.
    """
    where = place_of_function(function)
    label = f"{kind} {getattr(function, '__name__', '')!r}"
    signature = inspect.signature(function)
    hints = _resolved(function, where)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InterfaceError(f"{label} is a generator, which can be read only once", where, "return a list")
    is_cell = RUNTIME_NAME in getattr(function, "__globals__", {})
    parameters = signature.parameters.values()
    inputs = tuple(_input(parameter, hints, label, where, is_cell=is_cell) for parameter in parameters)
    if "return" in hints:
        result, result_type, outputs = _outputs(hints["return"], names, label, where)
    elif _returns_a_value(function):
        raise InterfaceError(f"{label} returns a value but has no return type", where, "write it, for example: -> int")
    else:
        result, result_type, outputs = _outputs(type(None), names, label, where)
    return Interface(inputs, outputs, result, result_type, inspect.getdoc(function) or "")


def interface_from_types(
    inputs: Mapping[str, object], outputs: Mapping[str, object], *, docstring: str = "", where: str = ""
) -> Interface:
    """The interface of a task without a Python function, from names and types.

    Raises:
        InterfaceError: If a type cannot be used.
    """
    ins = tuple(Input(name, type_, _handler(type_, f"input {name!r}", where)) for name, type_ in inputs.items())
    outs = tuple(Output(name, type_, _handler(type_, f"output {name!r}", where)) for name, type_ in outputs.items())
    result: Literal["none", "single", "tuple"] = "none" if not outs else "single" if len(outs) == 1 else "tuple"
    return Interface(ins, outs, result, None, docstring)


def _resolved(function: Callable[..., object], where: str) -> dict[str, object]:
    """The annotations, with strings turned into types; an unknown name is told with the input it stands at."""
    raw = dict(getattr(function, "__annotations__", {}))
    scope = _names_around(function)
    space = getattr(function, "__globals__", {})
    found: dict[str, object] = {}
    for name, annotation in raw.items():
        try:
            found[name] = _evaluated(annotation, space, scope)
        except (NameError, AttributeError, SyntaxError, TypeError) as error:
            told = "the return type" if name == "return" else f"the type of {name!r}"
            raise InterfaceError(
                f"{told}, {_text(annotation)}, cannot be resolved: {error}",
                where,
                "import or define the type above this task",
            ) from None
    if found.get("return") is None and "return" in found:
        found["return"] = type(None)
    return found


def _names_around(function: Callable[..., object]) -> dict[str, object]:
    """What the names of the function around `function` are bound to, as far as they are bound yet."""
    found: dict[str, object] = {}
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=True):
        with suppress(ValueError):  # not bound yet: a function that calls itself
            found[name] = cell.cell_contents
    return found


def _evaluated(annotation: object, space: dict[str, object], scope: Mapping[str, object]) -> object:
    """The type that an annotation means, whether written as such or as text."""
    while isinstance(annotation, str):
        annotation = eval(annotation, space, dict(scope))  # noqa: S307 - the user's own annotation, as typing does
    if isinstance(annotation, tuple):  # `-> (int, str)`, as Flyte's pages write it
        annotation = types.GenericAlias(tuple, annotation)
    if isinstance(annotation, type) or annotation is None:
        return annotation
    holder = type("holder", (), {"__annotations__": {"it": annotation}})
    return typing.get_type_hints(holder, space, dict(scope), include_extras=True)["it"]


def _text(annotation: object) -> str:
    return annotation.strip("'\"") if isinstance(annotation, str) else getattr(annotation, "__name__", repr(annotation))


def _input(
    parameter: inspect.Parameter, hints: Mapping[str, object], label: str, where: str, *, is_cell: bool
) -> Input:
    name = parameter.name
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        stars = "*" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else "**"
        raise InterfaceError(
            f"{label} takes {stars}{name}, which has no typed inputs",
            where,
            f"name each input, or take one input: {name}: {'list[int]' if stars == '*' else 'dict[str, int]'}",
        )
    if name.startswith(("_ct_", "__")):
        raise InterfaceError(f"input {name!r} of {label} has a name that celltask uses itself", where, "rename it")
    if name not in hints:
        mend = f"write its type, for example {name}: int"
        if is_cell:
            mend += "; a helper that is no task has a name with a leading underscore"
        if name == "self":
            mend = "make it a function of its own: methods cannot be tasks"
        raise InterfaceError(f"input {name!r} of {label} has no type", where, mend)
    handler = _handler(hints[name], f"input {name!r} of {label}", where)
    default: object = MISSING
    if parameter.default is not inspect.Parameter.empty:
        default = parameter.default
        try:
            default = handler.validate(default)
        except Mismatch as refused:
            error = discreet(handler, refused)
            raise InterfaceError(
                f"the default of {name!r} of {label}, {handler_preview(error.value)}, is not {error.expected}",
                where,
                f"change the default or the type, for example {name}: {handler.name} | None"
                if parameter.default is None
                else "change the default or the type",
            ) from None
    return Input(name, hints[name], handler, default, parameter.kind is inspect.Parameter.KEYWORD_ONLY)


def handler_preview(value: object) -> str:
    """A value as errors show it: its repr, at most 60 characters, and its class."""
    kind = value.kind if isinstance(value, Hidden) else type(value)
    try:
        text = repr(beginning(value, 60))
    except Exception:  # noqa: BLE001 - border: a value's own code; an error about it must still be told
        text = f"a {type(value).__name__} without a repr"
    if "\n" in text and hasattr(value, "shape"):
        text = f"a table or array of shape {value.shape}"
    text = " ".join(text.split())
    if len(text) > 60:  # noqa: PLR2004 - a line of an error stays readable
        text = text[:59] + "…"
    return f"{text} ({kind.__name__})"


def _handler(annotation: object, told: str, where: str) -> TypeHandler:
    try:
        return handler_for(annotation)
    except InterfaceError as error:
        raise InterfaceError(f"{told}: {error.what}", where, error.mend) from None


def _outputs(
    annotation: object, names: Sequence[str], label: str, where: str
) -> tuple[Literal["none", "single", "tuple", "named"], type | None, tuple[Output, ...]]:
    if annotation is type(None):
        kinds: list[object] = []
        result: Literal["none", "single", "tuple", "named"] = "none"
    elif len(names) == 1:  # the one name is for the whole value, whatever its type
        kinds, result = [annotation], "single"
    elif (parts := _tuple_parts(annotation)) is not None:
        kinds, result = parts, "tuple"
    elif isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
        try:
            fields = typing.get_type_hints(annotation, include_extras=True)
        except (NameError, AttributeError, SyntaxError, TypeError) as error:
            told = f"a field type of {annotation.__name__}, which {label} returns, cannot be resolved: {error}"
            raise InterfaceError(told, where, "import or define the type above the class") from None
        names = names or annotation._fields
        kinds, result = [fields.get(name, object) for name in annotation._fields], "named"
    else:
        kinds, result = [annotation], "single"
    names = names or _numbered(len(kinds))
    if len(names) != len(kinds) or len(set(names)) != len(names):
        raise InterfaceError(
            f"{label} names {len(names)} outputs ({', '.join(names)}) and returns {len(kinds)}",
            where,
            "give each output one name of its own",
        )
    ports = tuple(
        Output(name, kind, _handler(kind, f"output {name!r} of {label}", where))
        for name, kind in zip(names, kinds, strict=True)
    )
    return result, annotation if result == "named" else None, ports  # type: ignore[return-value]  # a class when "named"


def _tuple_parts(annotation: object) -> list[object] | None:
    """The item types of ``tuple[int, str]``; ``None`` for ``tuple``, ``tuple[int, ...]`` and all else."""
    if typing.get_origin(annotation) is not tuple:
        return None
    parts = list(typing.get_args(annotation))
    return None if not parts or parts[-1] is Ellipsis else parts


def _returns_a_value(function: Callable[..., object]) -> bool:
    """Whether some `return` in the body gives anything but None, read from the bytecode."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return False
    import dis  # noqa: PLC0415 - only for tasks that leave their return type out

    before = None
    for step in dis.get_instructions(code):
        if step.opname == "RETURN_CONST" and step.argval is not None:
            return True
        if step.opname == "RETURN_VALUE" and not (before and before.opname == "LOAD_CONST" and before.argval is None):
            return True
        before = step
    return False
