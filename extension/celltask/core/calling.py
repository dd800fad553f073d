"""The generated call of a task: the fewest steps between a caller and the body that still check everything.

For each task one Python function of the same signature is generated. Values whose class is exactly the declared
immutable one pass with one comparison; all others go through their type handler, which validates and isolates.
(How much a generated check saves over a generic one: ``benchmarks/call.py``.)
"""

from __future__ import annotations

import itertools
import linecache
import weakref
from contextlib import suppress
from textwrap import indent
from typing import TYPE_CHECKING, Literal

from celltask.core.context import ACTIVE, NodeContext, Tracing
from celltask.core.distant import Distant
from celltask.core.interface import MISSING, Input, Interface, handler_preview
from celltask.core.origin import line_in, place_of
from celltask.core.types.base import Mismatch
from celltask.core.types.masking import discreet
from celltask.errors import CallError, CelltaskError, ValueMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celltask.core.composite import Composite
    from celltask.core.interface import Output
    from celltask.core.task import Task

__all__ = [
    "annotate",
    "bound_arguments",
    "call_body",
    "call_error",
    "checked_inputs",
    "fault_of",
    "generate_call",
    "releaser",
    "tell_where",
]

_numbers = itertools.count(1)


Way = Literal["direct", "as_node", "as_call"]
"""Who calls a generated function: users; a run, which has set the context itself and traces nothing; or a call by
users in the body of a node, whose context comes first among the arguments."""


def generate_call(task: Task[..., object], body: Callable[..., object], way: Way) -> Callable[..., object]:
    """A function with the task's own parameters that validates, isolates, runs `body` and checks what it returns.

    Args:
        task: The task; its interface and its `share` option shape the code.
        body: What runs in the middle, with the inputs in order (keyword-only ones by name).
        way: Who calls it.
    """
    interface = task.interface
    space: dict[str, object] = {
        "_ct_task": task,
        "_ct_body": body,
        "_ct_active": ACTIVE,
        "_ct_tracing": Tracing,
        "_ct_node": NodeContext,
        "_ct_tell": tell_where,
        "_ct_release": releaser(task),
    }
    checks = []
    for number, port in enumerate(interface.inputs):
        space[f"_ct_r{number}"] = receiver(task, port)
        if port.default is not MISSING:
            space[f"_ct_d{number}"] = port.default
        check = f"{port.name} = _ct_r{number}({port.name})"
        if port.handler.exact is not None:
            space[f"_ct_c{number}"] = port.handler.exact
            check = f"if {port.name}.__class__ is not _ct_c{number}: {check}"
        elif port.handler.accepts:
            space[f"_ct_c{number}"] = port.handler.accepts
            check = f"if {port.name}.__class__ not in _ct_c{number}: {check}"
        checks.append(check)
    if interface.result == "single":
        space["_ct_o"] = interface.outputs[0].handler.exact
    text = _source(task, checks, way)
    filename = f"<celltask call {next(_numbers)} of {task.name}>"
    # The second field is None, not an mtime: linecache.checkcache() drops entries whose file is gone, except
    # those without one (CPython, Lib/linecache.py).
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), space)  # noqa: S102 - its names come from a function's signature
    made: Callable[..., object] = space["_ct_call"]  # type: ignore[assignment]  # the function just defined
    weakref.finalize(made, linecache.cache.pop, filename, None).atexit = False
    return made


_RUN_BODY = """\
    try:
        _ct_out = {wait}_ct_body({names})
    except Exception as _ct_error:
        _ct_tell(_ct_task, _ct_error)
        raise
"""

_ELSEWHERE = """\
    _ct_now = _ct_active.get()
    if _ct_now.__class__ is _ct_tracing:
        return _ct_now.add(_ct_task, {values})
    if _ct_now.__class__ is _ct_node:
        return _ct_task.as_call(_ct_now, *{values})
"""

_NOTED = """\
    _ct_call = _ct_now.inside(_ct_task)
    _ct_token = _ct_active.set(_ct_call)
    try:
{middle}\
    except BaseException as _ct_error:
        _ct_call.ended(_ct_error)
        raise
    finally:
        _ct_active.reset(_ct_token)
    _ct_call.ended()
    return _ct_out
"""


def _source(task: Task[..., object], checks: list[str], way: Way) -> str:
    """The text of the generated function; an async task gets a plain one around it, since tracing gives a Ref."""
    interface = task.interface
    names = ", ".join(f"{port.name}={port.name}" if port.keyword_only else port.name for port in interface.inputs)
    values = f"({''.join(port.name + ', ' for port in interface.inputs)})"
    head = f"def _ct_call({_parameters(interface, way)}):\n    __tracebackhide__ = True\n"
    check = "".join(f"    {line}\n" for line in checks)
    run = _RUN_BODY.format(wait="await " if task.is_async else "", names=names)
    is_quick = interface.result == "single" and interface.outputs[0].handler.exact is not None
    if way == "as_call":
        test = "    if _ct_out.__class__ is not _ct_o:\n    " if is_quick else ""
        middle = indent(f"{check}{run}{test}    _ct_out = _ct_release(_ct_out)\n", "    ")
        return ("async " if task.is_async else "") + head + _NOTED.format(middle=middle)
    if way == "direct":
        enter, leave = (
            "    _ct_token = _ct_active.set(_ct_task)\n",
            "    finally:\n        _ct_active.reset(_ct_token)\n",
        )
        run = enter + run + leave
    test = "    if _ct_out.__class__ is _ct_o:\n        return _ct_out\n" if is_quick else ""
    body = f"{check}{run}{test}    return _ct_release(_ct_out)\n"
    if way == "as_node":
        return ("async " if task.is_async else "") + head + body
    first = _ELSEWHERE.format(values=values)
    if not task.is_async:
        return head + first + body
    return f"async {head.replace('_ct_call', '_ct_awaited', 1)}{body}{head}{first}    return _ct_awaited({names})\n"


def _parameters(interface: Interface, way: Way) -> str:
    """The parameter list; all but users give all inputs by position."""
    positional = way != "direct"
    parts, starred = ["_ct_now"] if way == "as_call" else [], positional
    for number, port in enumerate(interface.inputs):
        if port.keyword_only and not starred:
            parts.append("*")
            starred = True
        parts.append(port.name if positional or port.default is MISSING else f"{port.name}=_ct_d{number}")
    return ", ".join(parts)


def receiver(task: Task[..., object], port: Input) -> Callable[[object], object]:
    """What validates and isolates the value of one input."""
    take = port.handler.validate if port.name in task.options.share else port.handler.receive

    def received(value: object) -> object:
        __tracebackhide__ = True
        try:
            return take(value)
        except Mismatch as error:
            raise mismatch(port, task, error) from None

    return received


def releaser(task: Task[..., object]) -> Callable[[object], object]:
    """What validates and detaches the value that a body returned."""
    interface = task.interface
    outputs = interface.outputs

    if interface.result == "none":

        def released(value: object) -> object:
            if value is None:
                return None
            raise ValueMismatchError(
                f"task {task.name!r} declares no output and returned {handler_preview(value)}",
                task.place,
                f"declare it: def {task.name}(…) -> {type(value).__name__}:, or return nothing",
            )
    elif interface.result == "single":
        port, release = outputs[0], outputs[0].handler.release

        def released(value: object) -> object:
            __tracebackhide__ = True
            try:
                return release(value)
            except Mismatch as error:
                raise mismatch(port, task, error) from None
    else:

        def released(value: object) -> object:
            __tracebackhide__ = True
            return _release_many(task, value)

    return released


def _release_many(task: Task[..., object], value: object) -> object:
    interface = task.interface
    wanted = len(interface.outputs)
    if not isinstance(value, tuple) or len(value) != wanted:
        got = f"{len(value)} values" if isinstance(value, tuple) else handler_preview(value)
        names = ", ".join(port.name for port in interface.outputs)
        raise ValueMismatchError(
            f"task {task.name!r} declares {wanted} outputs ({names}) and returned {got}",
            task.place,
            f"return a tuple of {wanted}" if wanted > 1 else "return a tuple of one: return value,",
        )
    items = []
    for port, item in zip(interface.outputs, value, strict=True):
        try:
            items.append(port.handler.release(item))
        except Mismatch as error:
            raise mismatch(port, task, error) from None
    return interface.returned(tuple(items))


def checked_inputs(member: Task[..., object] | Composite, values: tuple[object, ...]) -> tuple[object, ...]:
    """The values, validated; each node isolates what it gets.

    Raises:
        ValueMismatchError: If one does not fit its type.
    """
    __tracebackhide__ = True
    checked = []
    for port, value in zip(member.interface.inputs, values, strict=True):
        try:
            checked.append(value if value.__class__ is Distant else port.handler.validate(value))
        except Mismatch as error:
            raise mismatch(port, member, error) from None
    return tuple(checked)


def mismatch(port: Input | Output, member: Task[..., object] | Composite, error: Mismatch) -> ValueMismatchError:
    """The error a user meets when a value does not fit, naming the argument, the type and the value received."""
    error = discreet(port.handler, error)
    name = port.name if isinstance(port, Input) else ""
    which = f"{'input' if name else 'output'} {port.name!r} of {member.name!r}"
    if error.path:
        which += f", at {name or 'the value'}{''.join(error.path)},"
    mend = error.hint or (
        f"give a value that is {error.expected}" if name else "return what is declared, or change the declared type"
    )
    return ValueMismatchError(f"{which} {fault_of(error)}", member.place, mend)


def fault_of(error: Mismatch) -> str:
    """What is wrong with a value, in the words that every check uses: ``"must be int, got 'a' (str)"``."""
    return f"must be {error.expected}, got {handler_preview(error.value)}"


def bound_arguments(
    member: Task[..., object] | Composite, args: tuple[object, ...], kwargs: Mapping[str, object], where: str = ""
) -> tuple[object, ...]:
    """One value per input of `member`, defaults filled in.

    Raises:
        CallError: If the arguments do not fit the names, at `where`, by default the place of `member`.
    """
    __tracebackhide__ = True
    interface = member.interface
    positional = [port.name for port in interface.inputs if not port.keyword_only]
    given = dict(zip(positional, args, strict=False))
    is_odd = len(args) > len(positional) or given.keys() & kwargs.keys()
    if not is_odd and not kwargs.keys() - {port.name for port in interface.inputs}:
        given.update(kwargs)
        values = tuple([given.get(port.name, port.default) for port in interface.inputs])
        if all(value is not MISSING for value in values):  # by identity: a value may be an array
            return values
    raise call_error(member.name, interface, args, kwargs, where or member.place)


def call_error(
    name: str, interface: Interface, args: Sequence[object], kwargs: Mapping[str, object], where: str
) -> CallError:
    """The error for arguments that do not fit the names of the inputs, naming the first that does not."""
    names = [port.name for port in interface.inputs]
    positional = [port.name for port in interface.inputs if not port.keyword_only]
    usage = f"call it as {name}{str(interface).partition(' -> ')[0]}"
    if len(args) > len(positional):
        return CallError(f"{name!r} takes {len(positional)} positional inputs and got {len(args)}", where, usage)
    given = positional[: len(args)]
    for key in kwargs:
        if key not in names:
            import difflib  # noqa: PLC0415 - only for a mistake

            near = difflib.get_close_matches(key, names, 1)
            return CallError(
                f"{name!r} has no input {key!r}",
                where,
                f"did you mean {near[0]!r}? {usage}" if near else usage,
            )
        if key in given:
            return CallError(f"{name!r} got two values for input {key!r}", where, usage)
    missing = [port.name for port in interface.inputs if port.required and port.name not in (*given, *kwargs)]
    return CallError(f"{name!r} needs a value for {', '.join(missing) or 'its inputs'}", where, usage)


def call_body(body: Callable[..., object], interface: Interface, args: Sequence[object]) -> object:
    """What `body` returns for `args`, one per input, those by name that it takes by name only."""
    __tracebackhide__ = True
    pairs = list(zip(interface.inputs, args, strict=True))
    positional = [value for port, value in pairs if not port.keyword_only]
    return body(*positional, **{port.name: value for port, value in pairs if port.keyword_only})


def tell_where(task: Task[..., object], error: BaseException) -> None:
    """Add to an error from a task's body the task's name and the line in the user's own text, once per task."""
    code = getattr(task.function, "__code__", None)
    if code is None or isinstance(error, CelltaskError):
        return
    if any(note.startswith(f"in task {task.name!r}, ") for note in getattr(error, "__notes__", ())):
        return  # in the process that it ran in
    line = line_in(task.function, error.__traceback__) or code.co_firstlineno
    annotate(error, f"in task {task.name!r}, {place_of(code.co_filename, line)}")
    if type(error) is ValueError and "read-only" in str(error):  # as NumPy says it of an input
        annotate(error, "mend: copy an array before writing to it (values = values.copy()), or name it in share=(…)")


def annotate(error: BaseException, note: str) -> None:
    """Add `note` to `error` unless it has it, or is of a class that lets nothing be added."""
    if note not in getattr(error, "__notes__", ()):
        with suppress(AttributeError, TypeError):
            error.add_note(note)
