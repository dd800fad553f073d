"""Fingerprint: the identity of a function's code, near and far, and what changed between two of them in words."""

from __future__ import annotations

import functools
import re
import sys
from dataclasses import dataclass
from hashlib import sha256
from types import FunctionType, MethodType
from typing import TYPE_CHECKING

from celltask.core.closure import Closure
from celltask.core.modules import origin_of
from celltask.core.references import content, wrapped_in

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Fingerprint", "explain", "fingerprint"]

_FORMAT = "1"  # part of every digest; to be raised when the same code gets other parts
_MOST_WRAPPERS = 100  # a wrapper that holds itself would go on for ever


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a function's code is made of.

    Attributes:
        parts: Text of each part by kind and name, sorted: ``{"body": "9f…", "constant RATE": "0.1", …}``.
        digest: SHA-256 of the parts, 64 hex digits: the same for the same code in every process.
    """

    parts: Mapping[str, str]
    digest: str

    def __hash__(self) -> int:
        return hash(self.digest)


def fingerprint(function: object) -> Fingerprint:
    """The fingerprint of a function: its own code and all code and constants of the project that it reaches.

    What counts: the syntax tree of the body; parameters, types, defaults; decorators other than celltask's own;
    helpers, classes with their methods, constants and other tasks that are reached by name, in the same notebook
    or in modules of the project; versions of the installed packages and the minor version of Python. What does
    not: comments, docstrings, formatting, options of tasks, the module's name, and whatever is not reached.

    Args:
        function: A function; for any other callable its content counts.

    >>> def half(x: int) -> float:
    ...     return x / 2
    >>> old = fingerprint(half)
    >>> def half(x: int) -> float:
    ...     '''Half of x.'''
    ...     return (x / 2)
    >>> fingerprint(half).digest == old.digest
    True
    """
    root = _innermost(function)
    closure = Closure(root)
    closure.walk()
    if root is not function:
        closure.parts["around"] = content(closure, function, "itself")
    parts = closure.finished()
    parts["python"] = "{}.{}".format(*sys.version_info)
    parts = dict(sorted(parts.items()))
    told = "\n".join((_FORMAT, *(f"{key}: {text}" for key, text in parts.items())))
    return Fingerprint(parts, sha256(told.encode("utf-8", "surrogatepass")).hexdigest())


def _innermost(function: object) -> FunctionType | None:
    """The function inside wrappers and partials, or the `__call__` of a user's callable object."""
    for _ in range(_MOST_WRAPPERS):
        wrapped = wrapped_in(function)
        if wrapped:
            function = wrapped[0]
        elif isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        else:
            break
    if not isinstance(function, FunctionType) and origin_of(type(function).__module__) == "project":
        function = getattr(type(function), "__call__", None)  # noqa: B004 - the function is wanted, not a yes or no
    return function if isinstance(function, FunctionType) else None


def explain(old: Fingerprint, new: Fingerprint) -> list[str]:
    """What changed from `old` to `new`, one sentence each; empty if nothing that counts did.

    >>> def step(x: int, rate: float = 0.1) -> float:
    ...     return x * rate
    >>> old = fingerprint(step)
    >>> def step(x: int, rate: float = 0.2) -> float:
    ...     return x * rate
    >>> explain(old, fingerprint(step))
    ['default of rate 0.1 → 0.2']
    """
    if old.digest == new.digest:
        return []
    changed = [key for key in {**old.parts, **new.parts} if old.parts.get(key) != new.parts.get(key)]
    before, now = (set(re.findall(r"\w+", each.parts.get("parameters", ""))) for each in (old, new))
    strangers = before ^ now
    told = []
    for key in sorted(changed, key=_rank):
        kind, _, name = key.partition(" ")
        if kind in ("type", "default") and name in strangers:
            continue  # an input that came or went is told by the list of all
        line = _line(kind, name, old.parts.get(key), new.parts.get(key))
        if line and line not in told:
            told.append(line)
    return told or ["the code changed"]


_ORDER = ("parameters", "type", "default", "returns", "decorators", "body", "around", "wrapped", "closure", "name")
_LATER = (
    "helper",
    "class",
    "method",
    "attribute",
    "constant",
    "data",
    "source",
    "unbound",
    "module",
    "package",
    "python",
)


def _rank(key: str) -> tuple[int, str]:
    kind = key.partition(" ")[0]
    order = (*_ORDER, *_LATER)
    return (order.index(kind) if kind in order else len(order), key)


_WORDS = {  # how a changed, a new and a missing part of each kind is told
    "parameters": ("parameters {old} → {new}", "", ""),
    "type": ("type of {name}: {old} → {new}", "{name} has a type now: {new}", "the type {old} of {name} is gone"),
    "default": (
        "default of {name} {old} → {new}",
        "{name} has a default now: {new}",
        "default {old} of {name} is gone",
    ),
    "returns": ("return type: {old} → {new}", "it has a return type now: {new}", "the return type {old} is gone"),
    "decorators": ("decorator changed: {old} → {new}", "decorator is new: {new}", "decorator is gone: {old}"),
    "body": ("body changed", "", ""),
    "around": (
        "what is around the function changed",
        "something is around the function now",
        "nothing is around it now",
    ),
    "wrapped": ("wrapped function changed", "a wrapped function is new", "a wrapped function is gone"),
    "closure": ("value of {name} around the function {old} → {new}", "", ""),
    "name": ("{quoted} means {new}, not {old}", "", ""),
    "helper": ("helper {quoted} changed", "helper {quoted} is new", "helper {quoted} is gone"),
    "class": ("class {name} changed", "class {name} is new", "class {name} is gone"),
    "method": ("method {name} changed", "method {name} is new", "method {name} is gone"),
    "attribute": ("attribute {name} {old} → {new}", "attribute {name} is new: {new}", "attribute {name} is gone"),
    "constant": ("constant {name} {old} → {new}", "constant {name} is new: {new}", "constant {name} is gone"),
    "data": (
        "{name} is of class {new}, not {old}",
        "it reads {name} of class {new}",
        "it does not read {name} any more",
    ),
    "source": ("data {name} is made in another way", "", ""),
    "unbound": ("", "{quoted} is not defined", "{quoted} is defined now"),
    "module": ("module {name} changed", "module {name} is new", "module {name} is gone"),
    "package": ("package {name} {old} → {new}", "package {name} {new} is new", "package {name} is gone"),
    "python": ("Python {old} → {new}", "", ""),
}


def _line(kind: str, name: str, old: str | None, new: str | None) -> str:
    words = _WORDS.get(kind, ("{kind} {name} changed",) * 3)
    pattern = words[0 if old is not None and new is not None else 1 if old is None else 2]
    reached, _, written = name.partition(":")  # a function without a name of its own: where it is reached and written
    if kind == "name":
        old, new = (re.sub(r"[\w.]+:(?=\w)", "", text or "") for text in (old, new))
    quoted = f"`{written}` (as `{reached}`)" if written else f"`{name}`"
    return pattern.format(kind=kind, name=name, quoted=quoted, old=old, new=new)
