"""The sockets to a kernel: requests out, replies and printed text back, without an event loop."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq
from jupyter_client.connect import write_connection_file
from jupyter_client.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Asked", "Channels"]

_TICK_MS = 50
_IDLE_S = 5.0
"""How long to wait for what a cell printed, after its reply."""
_AGAIN_S = 0.2
_MOST_TEXT = 200_000


@dataclass
class Asked:
    """One request, and what has come back of it so far."""

    number: str
    content: dict[str, Any] = field(default_factory=dict)
    """Of the reply; its parts are as Jupyter's protocol has them."""
    is_idle: bool = False
    streams: dict[str, str] = field(default_factory=dict)

    def add(self, stream: str, text: str) -> None:
        """Keep what was printed, up to 200,000 characters of each stream."""
        before = self.streams.get(stream, "")
        if len(before) < _MOST_TEXT:
            whole = before + text
            self.streams[stream] = whole if len(whole) < _MOST_TEXT else f"{whole[:_MOST_TEXT]}\n[and more]\n"


class Channels:
    """Connections to one kernel by the connection file `file`, which is written here.

    Args:
        file: Where to write it; sockets of the transport ``ipc`` stand beside it.
        transport: ``"ipc"`` or ``"tcp"``.
    """

    def __init__(self, file: str, *, transport: str) -> None:
        key = secrets.token_hex(16).encode()
        ip = str(Path(file).with_name("socket")) if transport == "ipc" else "127.0.0.1"
        _, written = write_connection_file(file, ip=ip, key=key, transport=transport)
        info: dict[str, object] = {**written}
        self._session = Session(key=key)
        self._context = zmq.Context()
        self._shell = self._connected(zmq.DEALER, info, "shell")
        self._control = self._connected(zmq.DEALER, info, "control")
        self._iopub = self._connected(zmq.SUB, info, "iopub")
        self._iopub.setsockopt(zmq.SUBSCRIBE, b"")
        self._poller = zmq.Poller()
        self._poller.register(self._shell, zmq.POLLIN)
        self._poller.register(self._iopub, zmq.POLLIN)
        self._asked: dict[str, Asked] = {}

    def _connected(self, kind: int, info: dict[str, object], name: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.reconnect_ivl = 10  # milliseconds: the kernel makes its end while we try
        joint = "-" if info["transport"] == "ipc" else ":"
        socket.connect(f"{info['transport']}://{info['ip']}{joint}{info[f'{name}_port']}")
        return socket

    def wait_until_ready(self, deadline: float, is_alive: Callable[[], bool]) -> bool:
        """Whether the kernel has answered, and what it prints arrives here too."""
        while time.monotonic() < deadline and is_alive():
            # Until the subscription is known to the kernel, what it publishes is lost: ask again.
            asked = self._send("kernel_info_request", {})
            self.finish(asked, time.monotonic() + _AGAIN_S, is_alive, idle_s=_TICK_MS / 1000)
            if any(earlier.content for earlier in self._asked.values() if earlier.is_idle):
                return True
        return False

    def execute(self, code: str, expressions: dict[str, str], *, silent: bool = False) -> Asked:
        """Send `code` to be executed; `expressions` are evaluated after it if it succeeds."""
        content = {
            "code": code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": expressions,
            "allow_stdin": False,
            "stop_on_error": False,
        }
        return self._send("execute_request", content)

    def finish(self, asked: Asked, deadline: float, is_alive: Callable[[], bool], *, idle_s: float = _IDLE_S) -> bool:
        """Wait for the reply and all that was printed before it; False if the kernel dies or `deadline` passes."""
        while not (asked.content and asked.is_idle):
            now = time.monotonic()
            if asked.content and now > deadline:
                return True
            alive = is_alive()
            if not self._receive() and (not alive or now > deadline):
                break
            if asked.content:
                deadline = min(deadline, now + idle_s)
        return bool(asked.content)

    def ask_to_stop(self) -> None:
        """Send the request to shut down, and do not wait."""
        self._session.send(self._control, "shutdown_request", {"restart": False})

    def close(self) -> None:
        """Close every socket."""
        self._context.destroy(linger=0)

    def _send(self, kind: str, content: dict[str, object]) -> Asked:
        message = self._session.msg(kind, content)
        self._session.send(self._shell, message)
        asked = Asked(message["header"]["msg_id"])
        self._asked = {asked.number: asked} if kind == "execute_request" else {**self._asked, asked.number: asked}
        return asked

    def _receive(self) -> bool:
        """Take in what has arrived, after up to 50 ms; False if that is nothing."""
        ready = dict(self._poller.poll(_TICK_MS))
        for socket in ready:
            while True:
                _, message = self._session.recv(socket, mode=zmq.NOBLOCK)
                if message is None:
                    break
                self._take(message)
        return bool(ready)

    def _take(self, message: dict[str, Any]) -> None:
        asked = self._asked.get(message["parent_header"].get("msg_id", ""))
        if asked is None:
            return
        kind, content = message["header"]["msg_type"], message["content"]
        if kind.endswith("_reply"):
            asked.content = content
        elif kind == "stream":
            asked.add(content["name"], content["text"])
        elif kind == "status" and content["execution_state"] == "idle":
            asked.is_idle = True
