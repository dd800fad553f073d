"""Kernels by demand: forked from servers that have imported what the document wants, or started; one is kept ready."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from celltask.documents.kernels.forked import ForkServer, can_fork
from celltask.documents.kernels.scene import for_kernels
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.kernels.kernel import Kernel
    from celltask.documents.kernels.scene import Scene
    from celltask.documents.outline import DocumentText

__all__ = ["Kernels", "Path"]

Path = tuple[tuple[str, ...], ...]
"""What servers on the way to a kernel import, one after the other; see `imports.shared_paths`."""

_MOST_SERVERS = 12
_VOLATILE = ("PYTEST_", "PWD", "OLDPWD", "COLUMNS", "LINES", "_")


class Kernels:
    """The kernels of one run. Holds state: servers, and at most one kernel that nobody has asked for yet.

    Args:
        mode: ``"fork"``, or ``"cold"`` to start each kernel; where kernels cannot be forked, all are cold.
        python: The interpreter and its flags.
        environment: Variables that all its documents have beside those of this process. Only these hold for what the
            servers import, too: numerical libraries look once, when they are loaded, how many threads they may start.
        hash_seed: As ``PYTHONHASHSEED``; by chance, and another for each interpreter, if empty.
    """

    def __init__(
        self,
        mode: Literal["fork", "cold"] = "fork",
        python: Sequence[str] = (sys.executable,),
        environment: Mapping[str, str] | None = None,
        *,
        hash_seed: str = "",
    ) -> None:
        self.mode: Literal["fork", "cold"] = "fork" if mode == "fork" and can_fork() else "cold"
        self._python = tuple(python)
        self._seed = {"PYTHONHASHSEED": hash_seed} if hash_seed else {}
        self._keeper: ForkServer | None = None
        self._folder = ""
        self._shared = dict(environment or {})
        self._roots: dict[tuple[tuple[str, str], ...], ForkServer] = {}
        self._servers: dict[Path, ForkServer | None] = {}
        self._environment: dict[str, str] = {}
        self._ready: tuple[Path, asyncio.Task[Kernel]] | None = None
        self._turn = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def folder(self) -> str:
        """The folder of the run, in which kernels have theirs; gone when this is closed, or this process."""
        if not self._folder:
            self._folder = tempfile.mkdtemp(prefix="celltask-")
        return self._folder

    def warm(self) -> None:
        """Start the server now, so that it is ready when the first kernel is wanted.

        When this is called again before that, the server is started anew if the environment has changed meanwhile.
        """
        if self.mode == "cold":
            self._kept()
            return
        environment = self._of_process()
        if self._environment != _lasting(environment) and not any(root.is_asked for root in self._roots.values()):
            for root in self._roots.values():
                root.close()
            self._roots.clear()
        self._root(environment)

    async def expect(self, path: Path = ()) -> None:
        """Begin to make the first kernel ready, and meanwhile load what talks to kernels."""
        self.prepare(path)
        await asyncio.sleep(0)  # until the server has been asked
        from celltask.documents.kernels import kernel, notebooks  # noqa: F401, PLC0415 - as in _started

        notebooks.make_ready()

    async def take(self, path: Path = (), environment: Mapping[str, str] | None = None) -> Kernel:
        """A kernel that has run nothing; it is the caller's to stop.

        Args:
            path: What its servers have imported, at most.
            environment: Variables that the document has beside those of this process.

        Raises:
            DocumentError: If it does not start.
        """
        of_process = self._of_process()
        if environment and any(of_process.get(name) != value for name, value in environment.items()):
            path = ()  # what is imported already may have looked at another environment
        ready, self._ready = self._ready, None
        if ready is not None:
            if ready[0] == path and not _of_interpreter(environment or {}):
                return await ready[1]
            await _discard(ready[1])
        return await self._started(path, environment or {})

    async def take_other(self, document: DocumentText, scene: Scene) -> Kernel:
        """A kernel of the language of `document`, started in its folder.

        Raises:
            DocumentError: If none is installed, or it does not start.
        """
        from celltask.documents.kernels.other import installed_kernel  # noqa: PLC0415 - loads Jupyter's protocol

        spec = installed_kernel(document)
        if spec is None:
            raise DocumentError(f"no kernel of {document.language} is installed", document.path)
        from celltask.documents.kernels.kernel import Kernel  # noqa: PLC0415 - as in _started

        kernel = Kernel(self._kept(), is_bare=True, folder=self.folder, environment=scene.environment, spec=spec)
        await kernel.start(scene.folder)
        return kernel

    def prepare(self, path: Path = ()) -> None:
        """Begin to make a kernel ready for the next call of `take`."""
        if self._ready is None:
            self._ready = (path, asyncio.ensure_future(self._started(path, {})))

    async def end(self, kernel: Kernel) -> None:
        """Have `kernel` end; whoever must not meet it any more waits by `ended`."""
        await kernel.kill()
        self._ending.add(asyncio.ensure_future(kernel.stop()))

    async def ended(self) -> None:
        """Wait until nothing is left of the kernels given to `end`."""
        ending, self._ending = self._ending, set()
        await asyncio.gather(*ending)

    async def close(self) -> None:
        """End the servers, and the kernel that nobody took."""
        await self.ended()
        ready, self._ready = self._ready, None
        if ready is not None:
            await _discard(ready[1])
        for server in [*self._servers.values(), *self._roots.values(), self._keeper]:
            if server is not None:
                server.close()
        self._servers.clear()
        self._roots.clear()
        self._keeper = None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    async def _started(self, path: Path, environment: Mapping[str, str]) -> Kernel:
        if self.mode == "cold":
            server, given = self._kept(), {**self._seed, **dict(_of_interpreter(environment))}
        else:
            of_process, given = self._of_process(), {}
            server = root = self._root({**of_process, **environment})
            async with self._turn:
                if path and _lasting(of_process) == self._environment:
                    server = await self._server(path, root)
        from celltask.documents.kernels.kernel import Kernel  # noqa: PLC0415 - slow: meanwhile, servers start

        is_bare = self.mode == "cold"
        kernel = Kernel(server, self._python, is_bare=is_bare, folder=self.folder, environment=given)
        await kernel.start()
        return kernel

    def _kept(self) -> ForkServer | None:
        """What starts kernels, and ends them and all they leave when this process is gone; None if nothing can."""
        if self._keeper is None and can_fork():
            self._keeper = ForkServer.start((sys.executable, "-I", "-S"), os.environ, self.folder, bare=True)
        return self._keeper

    def _of_process(self) -> dict[str, str]:
        return {**os.environ, **self._shared}

    def _root(self, environment: Mapping[str, str]) -> ForkServer:
        """The server for an interpreter that is started with `environment`."""
        is_random = environment.get("PYTHONHASHSEED", "random") == "random"
        seeded = {**environment, **self._seed} if is_random else environment
        key = _of_interpreter(seeded)
        if key not in self._roots:
            if not self._roots:
                self._environment = _lasting(environment)
            self._roots[key] = ForkServer.start(self._python, for_kernels(seeded), self.folder)
        return self._roots[key]

    async def _server(self, path: Path, root: ForkServer) -> ForkServer:
        """The server at the end of `path`, or as far on the way as there is one."""
        server = root
        for end in range(1, len(path) + 1):
            step = path[:end]
            if step not in self._servers:
                if len(self._servers) >= _MOST_SERVERS:
                    break
                self._servers[step] = await server.fork_server(step[-1])
            found = self._servers[step]
            if found is None:
                break
            server = found
        return server


def _of_interpreter(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The variables that are read once, when a process starts."""
    return tuple(sorted(item for item in environment.items() if item[0].startswith(("PYTHON", "LD_"))))


def _lasting(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(_VOLATILE)}


async def _discard(task: asyncio.Task[Kernel]) -> None:
    with suppress(DocumentError, asyncio.CancelledError):
        kernel = await task
        await kernel.stop()
