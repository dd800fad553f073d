"""The side of the tests: a kernel in a state that `celltask watch` keeps, if the cells above would lead to the same."""

from __future__ import annotations

import asyncio
import io
import socket
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.kernels.forked import ForkServer, can_fork, told_at
from celltask.documents.kernels.kernel import Kernel
from celltask.documents.lent.address import address_of
from celltask.documents.lent.kept import Kept, digest_of, surroundings, why_other
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celltask.documents.outline import Cell, DocumentText
    from celltask.documents.session import Stage

__all__ = ["Borrowed", "borrow"]

_HEAR_S = 3.0
_START_S = 15.0


class Borrowed(NamedTuple):
    """A kernel that goes on from a kept state, or why there is none."""

    kernel: Kernel | None = None
    after: int = 0
    """Number of the cell that was the last to be executed there."""
    seconds: float = 0.0
    """That the cells took."""
    hash_seed: str = ""
    why_not: str = ""
    """Why no kept state can be gone on from; empty if none is to be had."""


async def borrow(document: DocumentText, stage: Stage, first: int, folder: str) -> Borrowed:
    """A kernel in the newest kept state before cell number `first`; it is the caller's to stop.

    Whatever is wrong with the other side, the answer is that there is none, after some seconds at most.

    Args:
        document: As it is now.
        stage: How its cells are to be executed.
        first: The first cell that is asked for.
        folder: Where the kernel has its own folder.
    """
    address = address_of(document.path)
    if address is None or not address.exists() or not can_fork():
        return Borrowed()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        try:
            told = await asyncio.wait_for(told_at(address, control), _HEAR_S)
            why = why_other(surroundings(stage), told["surroundings"])
            states = [Kept.of(plain) for plain in told["states"]]
            hash_seed = str(told["hash_seed"])
        except (OSError, TimeoutError, ValueError, KeyError, TypeError, AttributeError):  # it is none of ours
            return Borrowed()
        kept, why = (None, why) if why else _newest(states, document.cells, first)
        if kept is None:
            return Borrowed(why_not=why)
        kernel = await _forked(control, kept.process, folder)
    if kernel is None:
        return Borrowed()
    kernel.go_on(document.cells, stage.scene.most_output)
    return Borrowed(kernel, kept.after, kept.seconds, hash_seed)


def _newest(states: Sequence[Kept], cells: Sequence[Cell], first: int) -> tuple[Kept | None, str]:
    """The last state before cell number `first` that the cells would come to; or why there is none."""
    why = ""
    for kept in sorted(states, key=lambda kept: -kept.after):
        if not 0 < kept.after < first:
            continue
        if kept.cells != digest_of(cells[: kept.after]):
            why = why or f"a cell above cell {kept.after + 1} differs or has moved"
            continue
        reason = kept.why_not()
        if not reason:
            return kept, ""
        why = why or reason
    return None, why


async def _forked(control: socket.socket, state: int, folder: str) -> Kernel | None:
    """A kernel in that state; None if there is none in time."""
    control.settimeout(_HEAR_S)
    kernel = Kernel(ForkServer(control, None, io.BytesIO()), folder=folder)
    try:
        control.sendall(f"{state}\n".encode())
        await asyncio.wait_for(kernel.start(), _START_S)
    except (OSError, TimeoutError, DocumentError):
        return None
    return kernel
