"""The side of `celltask watch`: tells tests which states of a document it keeps, and lets kernels go on from them.

A guest connects and is told all in one line of JSON. It answers by a line with the number of a state's process, and
then asks as it would ask a fork server: one request, with a socket for the answers, standard output and error beside
it. These are handed on to the state, so that what is forked belongs to the guest, and ends with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from celltask.documents.kernels.forked import can_fork
from celltask.documents.lent.address import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from celltask.documents.kernels.snapshots import Snapshots

__all__ = ["Lender"]

_MOST_S = 30.0
_MOST_FDS = 3
_MOST_BYTES = 1 << 22


class Lender:
    """Listens for guests from `open` until `close`; holds the socket.

    Args:
        document: Path of the document.
        snapshots: Its states.
        tell: What guests are told, when they ask.
    """

    def __init__(self, document: str, snapshots: Snapshots, tell: Callable[[], Mapping[str, object]]) -> None:
        self._document, self._snapshots, self._tell = document, snapshots, tell
        self._listener: socket.socket | None = None
        self._address: Path | None = None
        self._inode = 0
        self._guests: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begin to listen, in the place of an older one; where that is not possible, nothing is lent."""
        address = address_of(self._document, make=True)
        if address is None or not can_fork():
            return
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)  # noqa: FBT003 - its signature
        own = address.with_name(f"{address.name}.{os.getpid()}")
        try:
            _remove_dead(address.parent)
            own.unlink(missing_ok=True)
            listener.bind(str(own))
            listener.listen()
            own.replace(address)
            self._inode = address.stat().st_ino
        except OSError:  # no room, or a path too long for a socket
            listener.close()
            return
        self._listener, self._address = listener, address
        asyncio.get_running_loop().add_reader(listener, self._greet)

    def _greet(self) -> None:
        assert self._listener is not None  # noqa: S101 - else this is not called
        with suppress(OSError):  # it has left already
            guest, _ = self._listener.accept()
            task = asyncio.ensure_future(self._serve(guest))
            self._guests.add(task)
            task.add_done_callback(self._guests.discard)

    async def _serve(self, guest: socket.socket) -> None:
        guest.setblocking(False)  # noqa: FBT003 - its signature
        fds: list[int] = []
        with guest:
            try:
                async with asyncio.timeout(_MOST_S):
                    await asyncio.get_running_loop().sock_sendall(guest, f"{json.dumps(self._tell())}\n".encode())
                    state, request = await _asked(guest, fds)
                    wanted = {name: request[name] for name in ("arguments", "scratch")}
                    await self._snapshots.lend(state, wanted, fds)
            except (TimeoutError, OSError, ValueError, KeyError, TypeError):  # the guest has left, or is none
                pass
            finally:
                for fd in fds:
                    os.close(fd)

    async def close(self) -> None:
        """Listen no more."""
        for task in list(self._guests):
            task.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)
        listener, self._listener = self._listener, None
        if listener is None or self._address is None:
            return
        asyncio.get_running_loop().remove_reader(listener)
        listener.close()
        with suppress(OSError):
            if self._address.stat().st_ino == self._inode:  # else a newer one listens there
                self._address.unlink()


def _remove_dead(folder: Path) -> None:
    """Remove the sockets of those that were killed."""
    for path in folder.iterdir():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as guest:
            guest.setblocking(False)  # noqa: FBT003 - its signature
            try:
                guest.connect(str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:  # it is busy, or has gone
                pass


async def _asked(guest: socket.socket, fds: list[int]) -> tuple[int, dict[str, object]]:
    """The state that is wanted, and the request to it; what came beside these is put into `fds`."""
    text = b""
    while text.count(b"\n") < 2 and len(text) < _MOST_BYTES:  # noqa: PLR2004 - the lines
        await _readable(guest)
        part, more, _, _ = socket.recv_fds(guest, 1 << 16, _MOST_FDS)
        fds += more
        if not part:
            raise ConnectionError
        text += part
    state, request = text.splitlines()
    return int(state), json.loads(request)


async def _readable(guest: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(guest, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(guest)
