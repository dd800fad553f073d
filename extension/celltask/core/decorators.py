"""Decorators: which of a function's belong to celltask itself, and so are no part of its code."""

from __future__ import annotations

import ast
import functools
from types import ModuleType
from typing import TYPE_CHECKING

from celltask.core.constants import peek
from celltask.core.names import Chain, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["kept_decorators"]

_RUNTIME_NAME = "__celltask__"  # under which rewritten `%%task` lines reach celltask
_OWN_NAMES = frozenset({"dynamic", "map_task", "task", "workflow"})


def kept_decorators(decorators: list[ast.expr], namespace: Mapping[str, object]) -> Iterator[ast.expr]:
    r"""The decorators that change what the function does: all but celltask's own, whose options are no code.

    Args:
        decorators: Decorator expressions as written.
        namespace: Globals that their names are looked up in.

    >>> found = ast.parse("@celltask.task(cache=True)\n@retry(3)\ndef f(): ...").body[0]
    >>> import celltask
    >>> [ast.unparse(item) for item in kept_decorators(found.decorator_list, {"celltask": celltask})]
    ['retry(3)']
    """
    for decorator in decorators:
        called: ast.expr = decorator
        while isinstance(called, ast.Call):
            called = called.func
        chain = dotted(called)
        if chain is None or not _is_own(chain, namespace):
            yield decorator


def _is_own(chain: Chain, namespace: Mapping[str, object]) -> bool:
    if chain[0] == _RUNTIME_NAME:
        return True
    if chain[0] not in namespace:
        return chain[-1] in _OWN_NAMES  # imported inside the function around it, or deleted since
    value = namespace[chain[0]]
    for attribute in chain[1:]:
        if _is_celltask(value):
            return True
        value = peek(value, attribute)
    if isinstance(value, functools.partial):
        value = value.func
    return _is_celltask(value)


def _is_celltask(value: object) -> bool:
    name = value.__name__ if isinstance(value, ModuleType) else peek(value, "__module__")
    return isinstance(name, str) and name.partition(".")[0] == "celltask"
