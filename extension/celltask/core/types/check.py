"""The proof that a type handler keeps its promises; `celltask.testing.check_type_handler` for authors of handlers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from celltask.core.types.base import Mismatch, TypeHandler
from celltask.core.types.lookup import handler_for

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_type_handler"]


def check_type_handler(annotation: object, *, values: Iterable[object], wrong: Iterable[object] = ()) -> TypeHandler:
    """Assert that the handler of `annotation` does with `values` and `wrong` ones what its contract says.

    Every value is accepted, comes back from `receive`, `release`, bytes and (if it has a form there) JSON with the
    digest that it had, and is itself unchanged by all that; every wrong one is refused with a `Mismatch`.

    Args:
        annotation: A type as users write it.
        values: Some that fit; each is its own validated form, so ``1.0`` and not ``1`` for `float`.
        wrong: Some that do not.

    Returns:
        The handler.

    Raises:
        AssertionError: At the first promise that is not kept.

    >>> check_type_handler(list[int], values=[[], [1, 2]], wrong=[["1"], (1,), None])
    <handler of list[int]>
    """
    handler = handler_for(annotation)
    _hold(handler_for(annotation) is handler or _has_no_hash(annotation), f"two handlers of {handler.name}")
    _hold(bool(handler.name), "a handler without a name")
    _hold(isinstance(handler.describe(), dict), f"describe() of {handler.name} is no dict")
    json.dumps(handler.describe())
    for value in values:
        _check_value(handler, value)
    for value in wrong:
        _check_refused(handler, value)
    return handler


def _check_value(handler: TypeHandler, value: object) -> None:
    told = f"{value!r} as {handler.name}"
    before = _digest(handler, value)
    for how in (handler.validate, handler.isolate, handler.receive, handler.release):
        _hold(_digest(handler, how(value)) == before, f"{how.__name__}() changes {told}")
    _hold(_digest(handler, value) == before, f"the giver's {told} was changed")
    if handler.exact is not None and type(value) is handler.exact:
        _hold(handler.receive(value) is value, f"{told} is not passed as it is, though its class is `exact`")
    _hold(before is None or handler.digest(value) == before, f"two digests of {told}")
    _hold(_digest(handler, handler.decode(handler.encode(value))) == before, f"bytes change {told}")
    line = handler.preview(value)
    _hold(len(line) <= 80 and "\n" not in line, f"the preview of {told} is no line of 80 characters")  # noqa: PLR2004 - one line, as promised
    try:
        data = handler.to_json(value)
    except Mismatch:
        return
    text = json.dumps(data, allow_nan=False)
    _hold(_digest(handler, handler.from_json(json.loads(text))) == before, f"JSON changes {told}: {text}")


def _check_refused(handler: TypeHandler, value: object) -> None:
    for how in (handler.validate, handler.receive, handler.release):
        try:
            how(value)
        except Mismatch as mismatch:
            _hold(bool(mismatch.expected), f"{how.__name__}() does not say what it expected of {value!r}")
        else:
            raise AssertionError(f"{how.__name__}() of {handler.name} takes {value!r}")


def _digest(handler: TypeHandler, value: object) -> str | None:
    try:
        return handler.digest(value)
    except Mismatch:
        return None


def _has_no_hash(annotation: object) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return True
    return False


def _hold(promise: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as `assert`
    if not promise:
        raise AssertionError(otherwise)
