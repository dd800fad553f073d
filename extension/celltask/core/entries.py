"""Entries: results of tasks as what a store keeps, signed where they hold code, and back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, cast

from celltask.core.calling import releaser
from celltask.core.signing import is_signed, signature
from celltask.core.stores.base import Entry
from celltask.core.stores.values import digest_of
from celltask.core.types.base import Mismatch
from celltask.core.types.pieces import are_code, pieces_of, value_of
from celltask.errors import ValueMismatchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.core.interface import Output
    from celltask.core.task import Task
    from celltask.core.types.pieces import Buffer

__all__ = ["Unfit", "digests_in", "entry_of", "result_of"]

_SMALL: Final = 1 << 16
"""Bytes up to which the digest of a value is made when it is stored, whatever it is; those of arrays always are."""


class Unfit(Exception):  # noqa: N818 - a signal to the cache; users meet a warning
    """An entry that cannot be used: damaged, not signed by this user, or of a class that has changed."""


def entry_of(task: Task[..., object], key: str, value: object, facts: Mapping[str, object], seconds: float) -> Entry:
    """What a store keeps of a released `value`.

    Args:
        task: The task that gave it.
        key: What it is kept under; part of the signature, so that no entry passes for another.
        value: What its body returned.
        facts: What is known of the call.
        seconds: How long the body took.

    Raises:
        Mismatch: If the value cannot leave the process.
    """
    blobs, digests, code = [], [], []
    for port, part in zip(task.interface.outputs, _parts(task, value), strict=True):
        pieces = pieces_of(part, port.handler)
        blobs.append(pieces)
        digests.append(_digest(port, part, pieces))
        if are_code(pieces):
            code.append(digest_of(pieces))
    told = {**facts, "outputs": digests, "seconds": round(seconds, 6)}
    if code:
        told["signature"] = signature(f"{key} {' '.join(code)}")
    return Entry(task.name, time.time(), told, blobs)


def _digest(port: Output, value: object, pieces: Sequence[Buffer]) -> str:
    """Content of one output, as the key of what receives it has it; ``""`` if that is better told when it is asked."""
    if sum(len(piece) for piece in pieces) > _SMALL and type(value).__name__ not in ("ndarray", "DataFrame", "Table"):
        return ""
    try:
        return port.handler.digest(value)
    except Mismatch:
        return ""


def digests_in(facts: Mapping[str, object]) -> tuple[str, ...]:
    """The content of each output, as noted when it was stored."""
    return tuple(cast("Sequence[str]", facts.get("outputs", ())))


def result_of(task: Task[..., object], key: str, entry: Entry, *, signed: bool) -> object:
    """What the body of `task` had returned, made anew: nobody else has it.

    Args:
        task: The task.
        key: What the entry is kept under.
        entry: What the store gave.
        signed: Whether code in it must be signed by this user.

    Raises:
        Unfit: If it must not or cannot be used, with the reason as its text.
    """
    outputs = task.interface.outputs
    if len(entry.blobs) != len(outputs):
        raise Unfit("it has another number of outputs")
    if signed:
        code = [digest_of(pieces) for pieces in entry.blobs if are_code(pieces)]
        if code and not is_signed(f"{key} {' '.join(code)}", entry.facts.get("signature")):
            raise Unfit("it holds a pickle or file that is not signed with this user's key, and is not loaded")
    try:
        parts = [value_of(pieces, port.handler) for port, pieces in zip(outputs, entry.blobs, strict=True)]
    except Exception as error:  # noqa: BLE001 - border: classes of users are rebuilt by their own code
        raise Unfit(f"it cannot be read ({type(error).__name__}: {error})") from None
    if task.interface.result == "none":
        return None
    if task.interface.result == "single":
        if type(parts[0]) is outputs[0].handler.exact:
            return parts[0]
        value: object = parts[0]
    else:
        value = tuple(parts)
    try:
        return releaser(task)(value)
    except ValueMismatchError as error:
        raise Unfit(error.what) from None


def _parts(task: Task[..., object], value: object) -> tuple[object, ...]:
    if task.interface.result == "none":
        return ()
    return (value,) if task.interface.result == "single" else cast("tuple[object, ...]", value)
