"""Purity: what a function reads besides its inputs, and whether it may.

Runs at every definition of a task, so it looks at instructions only (some 20 µs for a usual function): no syntax
tree, and no import of the packages whose values it meets. Only a refusal takes the time to be told well.
"""

from __future__ import annotations

import builtins
from collections import deque
from opcode import opmap
from operator import attrgetter, is_
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Literal, NamedTuple

from celltask.core.constants import AMBIENT, Kind, kind_of, peek
from celltask.core.nesting import functions_in_cells, nested_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

__all__ = ["Capture", "FrozenConstantWarning", "captured", "check"]

_LOADS = {opmap[name]: shift for name, shift in (("LOAD_GLOBAL", 1), ("LOAD_NAME", 0)) if name in opmap} | {
    opmap[name]: 0 for name in ("LOAD_FROM_DICT_OR_GLOBALS",) if name in opmap
}
_STORE_NAME, _EXTENDED_ARG = opmap["STORE_NAME"], opmap["EXTENDED_ARG"]
_LASTING: frozenset[type] = frozenset({int, float, complex, bool, str, bytes, type(None), FunctionType})
_MOST_SETTLED = 64
_code_of = attrgetter("__code__")
_MOST_WRAPPERS = 100  # a wrapper that holds itself would go on for ever


class FrozenConstantWarning(UserWarning):
    """A task reads an upper-case list, dict or set: its content counts in the version of the task."""


class Capture(NamedTuple):
    """One global that a function, or a helper of the same notebook or module, reads."""

    name: str
    type_name: str
    """Class of the value as users write it, ``"pandas.DataFrame"``; ``""`` if the name is not bound."""
    size_bytes: int | None
    """Size of data in memory; ``None`` for all else, and where it cannot be told cheaply."""
    line: int
    """First line that reads it, from 1."""
    filename: str
    """File of the code that reads it, as tracebacks name it."""
    what: Kind | Literal["unbound", "ambient"]
    mend: str
    """What to do about it, or what becomes of it."""


class _Settled(NamedTuple):
    """What a helper reads, near and far, when nothing of it needs a word, nor will while all names mean the same."""

    names: tuple[str, ...]
    values: tuple[object, ...]
    functions: tuple[FunctionType, ...]
    codes: tuple[CodeType, ...]

    def holds(self, namespace: dict[str, object]) -> bool:
        """Whether all is as it was."""
        return all(map(is_, map(namespace.get, self.names), self.values)) and all(
            map(is_, map(_code_of, self.functions), self.codes)
        )


class _Memory:
    """What is settled of the helpers in the namespace that was looked at last. It holds state.

    A cell of a thousand tasks over a chain of a thousand helpers would else read half a million of them.
    """

    def __init__(self) -> None:
        self.namespace: dict[str, object] = {}
        self.settled: dict[FunctionType, _Settled] = {}

    def of(self, namespace: dict[str, object]) -> dict[FunctionType, _Settled]:
        """What is settled in `namespace`; of any other, all is forgotten."""
        if namespace is not self.namespace:
            self.namespace, self.settled = namespace, {}
        return self.settled


_memory = _Memory()


class _Read(NamedTuple):
    """A global as it was met: what it is bound to, and the instructions that load it."""

    name: str
    value: object
    what: Kind | Literal["unbound", "ambient"]
    spots: list[tuple[CodeType, int]]


def check(
    function: Callable[..., object],
    *,
    allow: Collection[str] = (),
    where: Callable[[str, int], str] | None = None,
    again: bool = False,
) -> tuple[str, ...]:
    """Refuse a function that reads data which is not one of its inputs.

    Modules, functions, classes, tasks and constants may be read, and what a closure holds; also by the helpers of
    the same notebook or module that it calls. An upper-case list, dict or set may be read with a warning.

    Args:
        function: The function of a task.
        allow: Names of data that it may read all the same.
        where: Tells the place of a file name and a line in words.
        again: Whether it was looked at before, so that what it was warned of then is known.

    Returns:
        The names it reads that are not bound yet, sorted; look again when they may be.

    Raises:
        PurityError: If it reads data, with a table of what, where, and what to do.

    Warns:
        FrozenConstantWarning: If it reads an upper-case list, dict or set.

    >>> rate = 0.1
    >>> def priced(price: float) -> float:
    ...     return rounded(price * rate)
    >>> check(priced)
    ('rounded',)
    """
    root = _innermost(function)
    reads = _reads(root, _memory.of(root.__globals__)) if root is not None else {}
    data = [read for read in reads.values() if read.what == "data" and read.name not in allow]
    if data:
        from celltask.core.refusal import refusal  # noqa: PLC0415 - only a refusal needs the words

        raise refusal(function, [_capture(function, read) for read in data], where)
    for read in reads.values():
        if read.what == "frozen" and read.name not in allow and not again:
            _warn(function, read)
    return tuple(sorted(read.name for read in reads.values() if read.what == "unbound" and read.name not in allow))


def captured(function: Callable[..., object]) -> list[Capture]:
    """Every global that `function` reads, helpers of the same notebook or module included, by line.

    >>> import math
    >>> rate = 0.1
    >>> def rounded(price: float) -> float:
    ...     return math.floor(price * rate)
    >>> [(found.name, found.what) for found in captured(rounded)]
    [('math', 'module'), ('rate', 'constant')]
    """
    root = _innermost(function)
    found = [_capture(function, read) for read in _reads(root, {}).values()] if root is not None else []
    own = function.__code__.co_filename if isinstance(function, FunctionType) else ""
    return sorted(found, key=lambda item: (item.filename != own, item.filename, item.line, item.name))


def _capture(function: Callable[..., object], read: _Read) -> Capture:
    from celltask.core.refusal import mend_of, size_of, type_name_of  # noqa: PLC0415 - only for people

    spots = [(_line_of(code, offset), code.co_filename) for code, offset in read.spots]
    own = [spot for spot in spots if spot[1] == spots[0][1]]
    line, filename = min(own)
    if read.what == "unbound":
        return Capture(read.name, "", None, line, filename, "unbound", mend_of(read.name, None, "unbound", {}))
    namespace = getattr(function, "__globals__", {})
    mend = mend_of(read.name, read.value, read.what, namespace)
    size = size_of(read.value) if read.what in ("data", "frozen") else None
    return Capture(read.name, type_name_of(type(read.value), namespace), size, line, filename, read.what, mend)


def _reads(root: FunctionType, settled: dict[FunctionType, _Settled]) -> dict[str, _Read]:
    """Every global read by `root` and by what it calls in the same globals, by name.

    Args:
        root: The function.
        settled: Helpers whose reads are left out; those that `root` calls are added where that can be.
    """
    namespace, found = root.__globals__, dict[str, _Read]()
    # By identity: two closures of one factory have equal code and may hold different functions.
    seen: dict[int, FunctionType] = {}
    read_codes: set[int] = set()
    left_out: list[_Settled] = []
    todo = deque([root])
    while todo:
        each = todo.popleft()
        if id(each) in seen:
            continue
        seen[id(each)] = each
        known = settled.get(each)
        if known is not None and each is not root and known.holds(namespace):
            left_out.append(known)
            continue
        todo.extend(_functions_behind(each, namespace))
        if id(each.__code__) in read_codes:
            continue
        read_codes.add(id(each.__code__))
        for code in nested_codes(each.__code__):
            for name, offset in _globals_read(code):
                read = found.get(name)
                if read is None:
                    read = found[name] = _read(name, namespace)
                    if read.what in ("function", "class"):
                        todo.extend(_functions_behind(read.value, namespace))
                read.spots.append((code, offset))
    _settle(root, found, [each for each in seen.values() if each is not root], left_out, settled)
    own = (read for read in found.values() if read.what != "ambient")
    return {read.name: read for read in own if read.what != "unbound" or read.name != root.__name__}


def _settle(
    root: FunctionType,
    found: dict[str, _Read],
    helpers: list[FunctionType],
    left_out: list[_Settled],
    settled: dict[FunctionType, _Settled],
) -> None:
    """Remember the helpers that `root` itself names, if nothing that they reach can need a word."""
    namespace = root.__globals__
    if not all(_is_lasting(read, namespace) for read in found.values()):
        return
    if not all(each.__closure__ is None and not each.__dict__ for each in helpers):
        return
    names = tuple(dict.fromkeys([*found, *(name for known in left_out for name in known.names)]))
    functions = tuple(dict.fromkeys([*helpers, *(each for known in left_out for each in known.functions)]))
    made = _Settled(names, tuple(map(namespace.get, names)), functions, tuple(map(_code_of, functions)))
    for each in helpers:
        if each.__name__ in root.__code__.co_names:
            settled.pop(each, None)  # the newest stands last
            settled[each] = made
    while len(settled) > _MOST_SETTLED:
        settled.pop(next(iter(settled)), None)


def _is_lasting(read: _Read, namespace: dict[str, object]) -> bool:
    """Whether the verdict on a name holds as long as the name is bound to the same object."""
    if read.what in ("ambient", "module", "task"):
        return True
    if read.what == "class":
        return type(read.value) is type and read.value.__module__ != namespace.get("__name__")
    return read.what in ("constant", "function") and type(read.value) in _LASTING


def _read(name: str, namespace: dict[str, object]) -> _Read:
    if name in AMBIENT or name.startswith("@") or (name.startswith("__") and name.endswith("__")):
        # `__name__`, `__file__` and the like belong to the module, `@py_assert1` and the like to pytest.
        return _Read(name, None, "ambient", [])
    if name in namespace:
        return _Read(name, namespace[name], kind_of(name, namespace[name]), [])
    return _Read(name, None, "ambient" if hasattr(builtins, name) else "unbound", [])


def _innermost(function: Callable[..., object]) -> FunctionType | None:
    """The function as the user wrote it, inside what decorators put around it."""
    for _ in range(_MOST_WRAPPERS):
        inner = getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    if isinstance(function, FunctionType) and function.__globals__.get("__name__") != "__main__":
        for inner in functions_in_cells(function):
            if inner.__globals__.get("__name__") == "__main__":
                return inner  # in the notebook, around it a decorator of a module that does not use functools.wraps
    return function if isinstance(function, FunctionType) else None


def _functions_behind(value: object, namespace: dict[str, object]) -> Iterator[FunctionType]:
    """The functions of the same globals that calling `value` may run."""
    candidates: Iterable[object]
    if isinstance(value, FunctionType):
        candidates = (value, *functions_in_cells(value), getattr(value, "__wrapped__", None))
    elif isinstance(value, type):
        if value.__module__ != namespace.get("__name__"):
            return
        members = vars(value).values()
        candidates = [peek(member, role) for member in members for role in ("__func__", "fget", "fset", "func")]
        candidates = [*members, *candidates]
    else:
        candidates = (peek(value, "__wrapped__"), peek(value, "func"))
    for found in candidates:
        if isinstance(found, FunctionType) and found.__globals__ is namespace:
            yield found


def _globals_read(code: CodeType) -> Iterator[tuple[str, int]]:
    """Name and offset of each instruction that loads a global."""
    # Each instruction is two bytes, operation and argument. `dis` tells the same in fifty times the time.
    raw = code.co_code
    operations = raw[::2]
    own = {name for name, _ in _arguments(code, raw, operations, _STORE_NAME, 0)} if _STORE_NAME in operations else ()
    for load, shift in _LOADS.items():
        for name, offset in _arguments(code, raw, operations, load, shift):
            if shift or name not in own:  # the body of a class may read its own names back
                yield name, offset


def _arguments(code: CodeType, raw: bytes, operations: bytes, wanted: int, shift: int) -> Iterator[tuple[str, int]]:
    place = operations.find(wanted)
    while place >= 0:
        argument, higher, bits = raw[2 * place + 1], place - 1, 8
        while higher >= 0 and operations[higher] == _EXTENDED_ARG:
            argument |= raw[2 * higher + 1] << bits
            higher, bits = higher - 1, bits + 8
        yield code.co_names[argument >> shift], 2 * place
        place = operations.find(wanted, place + 1)


def _line_of(code: CodeType, offset: int) -> int:
    for start, end, line in code.co_lines():
        if start <= offset < end and line is not None:
            return line
    return code.co_firstlineno


def _warn(function: Callable[..., object], read: _Read) -> None:
    import warnings  # noqa: PLC0415 - only for a warning

    code, offset = read.spots[0]
    name = getattr(function, "__name__", "a task")
    # The registry makes Python say it once a line and not at every new definition.
    registry = getattr(function, "__globals__", {}).setdefault("__warningregistry__", {})
    warnings.warn_explicit(
        f"{read.name} is a {type(read.value).__name__} that {name!r} reads as a constant: its content counts in the "
        "version of the task, so do not change it in place",
        FrozenConstantWarning,
        code.co_filename,
        _line_of(code, offset),
        registry=registry,
    )
