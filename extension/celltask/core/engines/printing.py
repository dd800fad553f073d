"""What bodies print in a process of ours, sent over its pipe as it comes. It holds state: how much of it is left."""

from __future__ import annotations

import io
import os
import sys
import threading
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, TextIO

from celltask.core.engines.wire import packed, send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celltask.core.engines.wire import Packed, Wire

__all__ = ["Printing"]

_MOST_PRINTED = 1 << 20


class Printing:
    """Both streams of one process, and the only way of its answers, so that neither comes amid the other.

    The streams last as long as the process does: a logger may keep one, and a thread that a body left behind may be
    in the middle of a print().

    Args:
        wire: Where all goes.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._left = 0
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._streams = _Stream("stdout", self), _Stream("stderr", self)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Send what is printed while the block runs, at most 1 MiB of it; what comes later belongs to no node."""
        self._left = _MOST_PRINTED
        out, err = self._streams
        try:
            with redirect_stdout(out), redirect_stderr(err):
                yield
        finally:
            self._left = 0

    def send(self, name: str, text: str) -> None:
        """Send `text`, which was printed to the stream `name`."""
        with self._lock:
            if os.getpid() != self._process or self._left <= 0:
                return
            self._left -= len(text)
            if self._left <= 0:
                text = text[: self._left] + "\n… and more, which is not kept\n"
            send(self._wire, packed(("log", name, text)))

    def warned(  # noqa: PLR0913, PLR0917 - as `warnings.showwarning`
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        """Send a warning in its parts: its text is made there, where it is known which cell a file stands for.

        What a body sends elsewhere, and what comes before any body, goes where Python would write it.
        """
        target = sys.stderr if file is None else file
        if target is not self._streams[1]:
            if target is not None:
                target.write(warnings.formatwarning(message, category, filename, lineno, line))
            return
        with self._lock:
            if os.getpid() == self._process and self._left > 0:
                text = str(message)[: self._left]
                self._left -= len(text) + len(filename)
                send(self._wire, packed(("warning", text, category.__name__, filename, lineno)))

    def answer(self, parts: list[Packed]) -> None:
        """Send the answer to a call."""
        with self._lock:
            for part in parts:
                send(self._wire, part)


class _Stream(io.TextIOBase):
    """A text stream whose every write is sent."""

    encoding = "utf-8"

    def __init__(self, name: str, printing: Printing) -> None:
        super().__init__()
        self._name, self._printing = name, printing

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Pass `text` on."""
        if text:
            self._printing.send(self._name, text)
        return len(text)
