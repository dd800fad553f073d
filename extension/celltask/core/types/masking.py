"""Which parts of a value are secret, told by the type alone, and what is shown in their place.

Whatever shows a value (a preview, a form, an error, a command's output) asks `TypeHandler.masked` for it first;
whatever tells of a value that does not fit asks `discreet`.
"""

from __future__ import annotations

import typing
from contextlib import suppress

from celltask.core.types.marks import HIDDEN

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from celltask.core.types.base import Mismatch, TypeHandler

__all__ = ["Hidden", "class_of_secret", "discreet", "holds_secrets", "is_secret"]


class Hidden:
    """Stands where a secret stood, and knows nothing of it but its class.

    >>> Hidden(str)
    ••••••••
    """

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return HIDDEN

    def __len__(self) -> int:
        return len(HIDDEN)


def is_secret(handler: TypeHandler) -> bool:
    """Whether values of that type are secret as a whole: it says so, or describes itself as a password."""
    known = vars(handler).get("_is_secret")
    if known is None:
        known = vars(handler)["_is_secret"] = handler.is_secret or _is_password(handler)
    return bool(known)


def _is_password(handler: TypeHandler) -> bool:
    within = handler.within()
    if within and "" not in within:
        return False  # a description of all that it is made of takes time, and has no format
    with suppress(Exception):  # border: handlers and schemas are code of users
        return handler.describe().get("format") == "password"
    return False


def holds_secrets(handler: TypeHandler) -> bool:
    """Whether values of that type are secret, or can have secrets within, at whatever depth.

    >>> from celltask.core.types.lookup import handler_for
    >>> from celltask.core.types.marks import Secret
    >>> holds_secrets(handler_for(dict[str, list[typing.Annotated[str, Secret]]])), holds_secrets(handler_for(str))
    (True, False)
    """
    known = vars(handler).get("_holds_secrets")
    if known is None:
        known = vars(handler)["_holds_secrets"] = any(map(is_secret, _reached(handler)))
    return bool(known)


def class_of_secret(handler: TypeHandler) -> type:
    """The class that a secret of that type has, as far as the type says it; else text."""
    while "" in handler.within():
        handler = handler.within()[""]
    kind = getattr(handler, "cls", None) or handler.exact
    return kind if isinstance(kind, type) else str


def _reached(handler: TypeHandler) -> Iterator[TypeHandler]:
    """The handler and all within it, each once: a type may contain itself."""
    seen, waiting = {id(handler)}, [handler]
    while waiting:
        one = waiting.pop()
        yield one
        for inner in one.within().values():
            if id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)


def discreet(handler: TypeHandler, error: Mismatch) -> Mismatch:
    """The refusal `error` of `handler` without what may be secret in it: the value, keys on the way, the hint.

    >>> from celltask.core.types.base import Mismatch
    >>> from celltask.core.types.lookup import handler_for
    >>> from celltask.core.types.marks import Secret
    >>> pins = handler_for(dict[str, typing.Annotated[int, Secret]])
    >>> discreet(pins, Mismatch("int", "27182", ("['a']",))).value
    ••••••••
    """
    if not holds_secrets(handler):
        return error
    places, path, is_key_secret = _opened([handler]), [], False
    for step in error.path:
        is_key_secret = any(_has_secret_keys(place) for place in places)
        path.append(f"[{HIDDEN}]" if is_key_secret else step)
        places = _opened(_after(places, step))
    if is_key_secret or any(map(holds_secrets, places)):
        return type(error)(error.expected, Hidden(type(error.value)), tuple(path))
    return type(error)(error.expected, error.value, tuple(path), error.hint)


def _opened(places: Iterable[TypeHandler]) -> list[TypeHandler]:
    """`places` with the alternatives in the stead of those that no step leads into: unions, constraints."""
    found, waiting, seen = [], list(places), set[int]()
    while waiting:
        place = waiting.pop()
        if id(place) in seen:
            continue
        seen.add(id(place))
        inner = [] if is_secret(place) else [one for step, one in place.within().items() if step[:1] in ("", "|")]
        waiting += inner
        if not inner:
            found.append(place)
    return found


def _after(places: list[TypeHandler], step: str) -> Iterator[TypeHandler]:
    """Where `step` leads; what it does not lead into stays."""
    for place in places:
        within = place.within()
        yield within.get(step) or within.get("*") or place


def _has_secret_keys(place: TypeHandler) -> bool:
    keys = place.within().get("key")
    return keys is not None and holds_secrets(keys)
