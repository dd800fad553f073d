"""The kernel's own threads, sockets, loops and streams, inside of the kernel: told apart, left behind, and made anew.

After a fork only the thread that forked goes on. What ipykernel's other threads did, and every ZeroMQ socket, belongs
to the process that was forked from. Here the kernel is given new ones, while the shell, the streams and the kernel
itself, which the document may have looked at, stay the same objects.

The text of this module is sent to the kernel; it needs nothing but ipykernel, of version 6.29 to 7.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import selectors
import signal
import socket
import sys
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Transports"]

_OLDEST, _NEWEST = (6, 29), (7,)
_CHANNELS = ("shell", "iopub", "stdin", "hb", "control")
_THREADS = ("iopub_thread", "control_thread", "shell_channel_thread", "heartbeat", "poller")


class Transports:
    """All that ties a kernel to its process and its clients.

    Args:
        app: The `IPKernelApp` of the kernel, before the first cell of a document.
    """

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - ipykernel has no types
        self.app = app
        self.kernel: Any = app.kernel
        self.streams: list[Any] = [
            stream
            for stream in (sys.stdout, sys.stderr)
            if hasattr(stream, "pub_thread") and hasattr(stream, "_buffers")
        ]
        self.first_fds = dict(self.open_fds())
        self._buried: list[object] = []

    def reason_against(self) -> str:
        """Why this kernel cannot be made anew; empty if it can."""
        from ipykernel._version import version_info  # noqa: PLC0415 - known in a kernel alone

        version = tuple(part for part in version_info if isinstance(part, int))
        if not (version >= _OLDEST and version[:1] <= _NEWEST):
            return f"ipykernel {'.'.join(map(str, version))} is not between 6.29 and 7"
        if not isinstance(self.loop, asyncio.SelectorEventLoop) or not hasattr(self.loop, "_make_self_pipe"):
            return f"the event loop of the kernel is a {type(self.loop).__name__}"
        if self.kernel.eventloop is not None:
            return "the event loop of a window system runs (%gui)"
        lock = getattr(self.kernel, "_main_asyncio_lock", None)
        return "a cell still runs" if lock is not None and lock.locked() else ""

    @property
    def loop(self) -> Any:  # noqa: ANN401 - its private parts are needed
        """The event loop in which cells run."""
        return self.kernel.io_loop.asyncio_loop

    def threads(self) -> set[threading.Thread]:
        """Every thread of Python that belongs to the kernel."""
        found = [getattr(self.app, name, None) for name in _THREADS]
        found += [getattr(stream, "watch_fd_thread", None) for stream in self.streams]
        found += [_zmq_collector().thread, threading.main_thread()]
        threads = (getattr(item, "thread", item) for item in found)
        return {thread for thread in threads if isinstance(thread, threading.Thread)}

    def contexts(self) -> int:
        """How many ZeroMQ contexts belong to the kernel."""
        found = [self.app.context, getattr(self.app.heartbeat, "context", None), _zmq_collector()._context]  # noqa: SLF001 - as above
        return len([context for context in found if context is not None and not context.closed])

    def owns(self, fd: int, target: str) -> bool:
        """Whether the kernel, not the document, has opened this file descriptor."""
        return (
            self.first_fds.get(fd) == target
            or fd in self._known_fds()
            or target in {"anon_inode:[eventfd]", "anon_inode:[eventpoll]"}
            or (target.startswith("socket:") and self._is_at_own_address(fd))
        )

    @staticmethod
    def open_fds() -> Iterator[tuple[int, str]]:
        """The open file descriptors of this process, each with what it stands for, as Linux tells it."""
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # the one that lists them
                yield int(link.name), str(link.readlink())

    def _known_fds(self) -> set[int]:
        known = set()
        for loop in self._loops():
            known |= {loop._ssock.fileno(), loop._csock.fileno(), loop._selector.fileno()}  # noqa: SLF001 - asyncio's
        for stream in self.streams:
            known |= {fd for fd in (stream._fid, getattr(stream, "_original_stdstream_copy", None)) if fd is not None}  # noqa: SLF001 - as above
        return known

    def _loops(self) -> Iterator[Any]:
        loops = [self.kernel.io_loop, *(getattr(getattr(self.app, name, None), "io_loop", None) for name in _THREADS)]
        for loop in loops:
            if loop is not None and not loop.asyncio_loop.is_closed():
                yield loop.asyncio_loop

    def _is_at_own_address(self, fd: int) -> bool:
        app = self.app
        ports = {getattr(app, f"{name}_port") for name in _CHANNELS} | {getattr(app.iopub_thread, "_pipe_port", 0)}
        paths = {f"{app.ip}-{port}" for port in ports}
        with socket.socket(fileno=os.dup(fd)) as found:
            for ask in (found.getsockname, found.getpeername):
                with contextlib.suppress(OSError):
                    address = ask()
                    if address in paths if isinstance(address, str) else address[1] in ports:
                        return True
        return False

    def flush(self) -> None:
        """Send what was printed until now."""
        for stream in (*self.streams, sys.__stdout__, sys.__stderr__):
            if stream is not None:
                stream.flush()

    def leave_behind(self, kept: Iterable[int]) -> None:
        """In a forked process: let go of everything that the other process goes on with, but `kept`, and touch none."""
        loop = self.loop
        for one in self._loops():
            # The selectors are closed before anything is taken out of them: that would take it out of the other
            # process's as well, since both look at the same one in the system.
            one._selector.close()  # noqa: SLF001 - asyncio's
            one._ssock.close()  # noqa: SLF001 - asyncio's
            one._csock.close()  # noqa: SLF001 - asyncio's
        self._silence(self.kernel.io_loop)
        for task in asyncio.all_tasks(loop):
            if getattr(task.get_coro(), "__qualname__", "") == "Kernel.dispatch_queue":
                task.cancel()  # of ipykernel 6; there will be a new one
        self._bury()
        null = os.open(os.devnull, os.O_RDWR)
        stays = {0, 1, 2, null, *kept}
        for stream in self.streams:
            copy = getattr(stream, "_original_stdstream_copy", None)
            if copy is not None:
                stays.add(copy)
                os.dup2(null, copy)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        for fd, target in self.open_fds():
            if fd not in stays and target.startswith(("socket:", "pipe:", "anon_inode:")):
                os.close(fd)
        os.close(null)

    def _bury(self) -> None:
        """Keep what must not be collected: closing it would reach into the other process, or warn."""
        app, kernel = self.app, self.kernel
        names = ("context", "shell_socket", "control_socket", "debugpy_socket", "debug_shell_socket", "stdin_socket")
        self._buried += [getattr(app, name, None) for name in (*names, "iopub_socket", *_THREADS)]
        self._buried += [getattr(kernel, name, None) for name in ("shell_stream", "control_stream", "debugpy_stream")]
        self._buried += [
            vars(app.iopub_thread).copy(),
            list(weakref.getweakrefs(app.context)),
            _zmq_collector()._context,  # noqa: SLF001 - as above
        ]
        self._buried += [getattr(kernel, name, None) for name in ("msg_queue", "control_queue", "_control_lock")]
        atexit.unregister(app.close)
        atexit.unregister(app.iopub_thread.stop)

    def _silence(self, io_loop: Any) -> None:  # noqa: ANN401 - tornado's
        """Have streams of the old sockets do nothing, whatever is still planned for them."""
        for _, handle in io_loop.handlers.values():
            stream = getattr(handle, "__self__", None)
            if stream is not None:
                stream._handle_events = lambda *_: None  # noqa: SLF001 - pyzmq's
                self._buried.append(stream)
        for registered in (io_loop.handlers, io_loop.readers, io_loop.writers):
            registered.clear()

    def make_anew(self, file: str, stdout: int, stderr: int) -> None:
        """Be reachable by the connection file `file`, and print to these file descriptors what no client is sent."""
        self._renew_loop()
        self._renew_standard(stdout, stderr)
        app = self.app
        app.context = None
        app.connection_file = file
        for name in _CHANNELS:
            setattr(app, f"{name}_port", 0)  # else those of the file would not count
        app.session.pid = os.getpid()
        app.load_connection_file()
        app.poller = None  # the system ends this process when its parent is gone
        app.init_sockets()
        app.init_heartbeat()
        app.write_connection_file()
        app._ports = {name: getattr(app, f"{name}_port") for name in _CHANNELS}  # noqa: SLF001 - told to `%connect_info`
        self._renew_streams()
        self._renew_kernel()

    def _renew_loop(self) -> None:
        loop = self.loop
        asyncio._set_running_loop(loop)  # noqa: SLF001 - the mark that it runs holds for one process
        loop._selector = selectors.DefaultSelector()  # noqa: SLF001 - asyncio has no other way
        loop._internal_fds -= 1  # noqa: SLF001 - as above; the next line adds it
        loop._make_self_pipe()  # noqa: SLF001 - as above
        if loop._signal_handlers:  # noqa: SLF001 - as above
            signal.set_wakeup_fd(loop._csock.fileno())  # noqa: SLF001 - as above

    def _renew_standard(self, stdout: int, stderr: int) -> None:
        """Put new files below the streams, and new pipes with threads that read what is written past Python."""
        for stream in self.streams:
            new = stderr if stream.name == "stderr" else stdout
            if getattr(stream, "watch_fd_thread", None) is None:
                continue
            os.dup2(new, stream._original_stdstream_copy)  # noqa: SLF001 - ipykernel's
            stream._fid, into = os.pipe()  # noqa: SLF001 - as above
            os.dup2(into, stream._original_stdstream_fd)  # noqa: SLF001 - as above
            os.close(into)
        watched = {stream.name for stream in self.streams if getattr(stream, "watch_fd_thread", None) is not None}
        for name, new, standard in (("stdout", stdout, 1), ("stderr", stderr, 2)):
            if name not in watched:
                os.dup2(new, standard)
        self.first_fds |= {fd: target for fd, target in self.open_fds() if fd in {0, 1, 2}}

    def _renew_streams(self) -> None:
        for stream in self.streams:
            stream.pub_thread = self.app.iopub_thread
            stream._io_loop = self.app.iopub_thread.io_loop  # noqa: SLF001 - ipykernel's
            stream._master_pid = os.getpid()  # noqa: SLF001 - as above
            stream._buffer_lock = threading.RLock()  # noqa: SLF001 - as above; another thread may have held it
            stream._flush_pending = stream._subprocess_flush_pending = False  # noqa: SLF001 - as above
            stream._rotate_buffers()  # noqa: SLF001 - as above; the other process sends these
            if getattr(stream, "watch_fd_thread", None) is not None:
                stream.watch_fd_thread = threading.Thread(target=stream._watch_pipe_fd, daemon=True)  # noqa: SLF001 - as above
                stream.watch_fd_thread.start()

    def _renew_kernel(self) -> None:
        app, kernel = self.app, self.kernel
        given: dict[str, Any] = {}

        class Same(type(kernel)):  # type: ignore[misc]  # whatever class it is
            @classmethod
            def instance(cls, **kwargs: object) -> object:
                given.update(kwargs)
                return kernel

        kernel_class, app.kernel_class = app.kernel_class, Same
        app.init_kernel()  # makes streams and threads as this version of ipykernel has them
        app.kernel_class = kernel_class
        for name, value in given.items():
            if name not in {"parent", "session", "log", "profile_dir", "user_ns"}:
                setattr(kernel, name, value)
        app.displayhook.pub_socket = app.iopub_socket
        kernel.shell.displayhook.pub_socket = app.iopub_socket
        kernel.shell.display_pub.pub_socket = app.iopub_socket
        debugger = getattr(kernel, "debugger", None)
        if debugger is not None:
            debugger.debugpy_client.debugpy_stream = given["debugpy_stream"]
            debugger.shell_socket = given["debug_shell_socket"]
            debugger.stopped_queue = type(debugger.stopped_queue)()
        kernel.start()


def _zmq_collector() -> Any:  # noqa: ANN401 - pyzmq's
    from zmq.utils.garbage import gc  # noqa: PLC0415 - known in a kernel alone

    return gc
