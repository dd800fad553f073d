"""One kernel of a document: started or forked before it is needed, given a document, asked for its cells, ended."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from celltask.core.scratch import KEPT_IN
from celltask.documents.kernels.client import DocumentClient
from celltask.documents.kernels.notebooks import NotebookNode
from celltask.documents.kernels.provisioner import DocumentProvisioner
from celltask.documents.kernels.reply import Reply, how_it_ended
from celltask.documents.kernels.scene import for_kernels
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celltask.documents.kernels.forked import ForkServer
    from celltask.documents.kernels.reply import Ended
    from celltask.documents.kernels.scene import Scene
    from celltask.documents.outline import Cell

__all__ = ["Kernel"]

_START_S = 60.0
_ASK_S = 20.0
_MOST_OUTPUT = 20_000_000
_LINGER_S = 1.0
_AGAIN_S = 0.03
_LONGEST_FOLDER = 80
"""Characters of a folder in which every Unix takes sockets."""
_WATCH = ("raised.py", "bounds.py", "in_kernel.py")
_INSTALL = (
    "(lambda names: ([exec(text, names) for text in {texts!r}], names['install'](get_ipython())))"
    "({{'__name__': '_celltask_in_kernel'}})"
)
_ARGUMENTS = ("--HistoryManager.enabled=False", "--Kernel._execute_sleep=0")


class Kernel:
    """One process that holds the state of the cells run so far; used from one event loop.

    Args:
        server: What it is forked from; None to start it instead.
        python: The interpreter and its flags.
        is_bare: Whether `server` starts it and does not fork it.
        folder: Of the run; it has its own folder there.
        environment: Variables that its process starts with, beside those of this process.
        spec: Of an installed kernel of another language.
    """

    def __init__(  # noqa: PLR0913 - what kinds of kernels differ in
        self,
        server: ForkServer | None = None,
        python: Sequence[str] = (sys.executable,),
        *,
        is_bare: bool = False,
        folder: str,
        environment: Mapping[str, str] | None = None,
        spec: KernelSpec | None = None,
    ) -> None:
        self._server, self._python = server, tuple(python)
        self._is_forked = server is not None and not is_bare
        self._spec = spec
        self._folder, self._given = folder, dict(environment or {})
        self._scratch = ""
        self._client: DocumentClient | None = None
        self._manager: AsyncKernelManager | None = None
        self.provisioner: DocumentProvisioner | None = None

    @property
    def folder(self) -> str:
        """Where its connection file and its sockets are; not the working folder. Empty before its start."""
        return self._scratch

    @property
    def most_output(self) -> int:
        """Characters that each of its cells may show."""
        return self._open().most_output

    @property
    def is_watched(self) -> bool:
        """Whether it tells what its cells raise; kernels of other languages only tell whether they failed."""
        return self._spec is None

    async def start(self, working_folder: str = "") -> None:
        """Start the process and wait until it answers.

        Args:
            working_folder: Of one that is not told its folder by `begin`.

        Raises:
            DocumentError: If it ends, or does not answer within 60 s.
        """
        try:
            await self._start(working_folder)
        except BaseException:
            await self.stop()
            raise

    async def _start(self, working_folder: str) -> None:
        self._scratch = tempfile.mkdtemp(prefix="", dir=self._folder)
        spec = self._spec or KernelSpec(
            argv=[*self._python, "-m", "ipykernel_launcher", "-f", "{connection_file}", *_ARGUMENTS],
            display_name="Python 3",
            language="python",
            interrupt_mode="signal",
        )
        manager = AsyncKernelManager(
            connection_file=str(Path(self._scratch, "kernel.json")), kernel_spec_manager=_OneSpec(spec)
        )
        if os.name == "posix" and len(self._scratch) < _LONGEST_FOLDER:
            manager.transport, manager.ip = "ipc", str(Path(self._scratch, "socket"))
        manager.provisioner = DocumentProvisioner(kernel_id=manager.kernel_id, kernel_spec=spec, parent=manager)
        self._manager, self.provisioner = manager, manager.provisioner
        with Path(self._scratch, "log").open("wb") as log:  # noqa: ASYNC230 - a new file, and nobody waits for it
            self.provisioner.server, self.provisioner.log_file = self._server, log
            self.provisioner.is_bare, self.provisioner.scratch = not self._is_forked, self._scratch
            await manager.start_kernel(cwd=working_folder or self._scratch, env={**self._environment(), **self._given})
        notebook = _record(cells=[], metadata=_record())
        self._client = DocumentClient(notebook, manager, self.provisioner)
        if not await self._client.connect(_START_S):
            alive = await manager.is_alive()
            what = "does not answer" if alive else how_it_ended(await self.provisioner.ended())
            raise DocumentError(
                f"the kernel {what} at its start{self._last_words()}", mend="try: python -m ipykernel_launcher"
            )
        if not self._is_forked and self.is_watched:
            told = await self._client.ask(_ASK_S, _INSTALL.format(texts=_watch()))
            if told.get("status") != "ok":
                raise DocumentError("the kernel cannot be watched", mend="upgrade ipykernel and IPython")

    async def begin(self, scene: Scene, cells: Sequence[Cell]) -> None:
        """Be the kernel of a document with these cells.

        Raises:
            DocumentError: If the kernel cannot be prepared so: the folder is gone, say.
        """
        self.go_on(cells, scene.most_output)
        if not self.is_watched:
            return
        begin = {
            "folder": scene.folder,
            "environment": {**self._environment(), **scene.environment},
            "filters": scene.filters,
            "coverage": scene.coverage,
            "most_output": scene.most_output,
            "memory_mib": scene.memory_mib,
        }
        told = await self._open().ask(_ASK_S, begin=begin)
        failed = told.get("failed", "" if told else "it does not answer")
        if failed:
            raise DocumentError(f"the kernel cannot be made ready: {failed}", scene.folder)

    def go_on(self, cells: Sequence[Cell], most_output: int = _MOST_OUTPUT) -> None:
        """Be the kernel of these cells, in the state that it has."""
        client = self._open()
        client.most_output = most_output
        client.nb.cells = [_node(cell.source) for cell in cells]

    async def run(self, cell: Cell, *, timeout_s: float) -> Reply:
        """Execute `cell`; one that takes longer than `timeout_s` seconds is interrupted, then killed."""
        if not cell.source.strip():
            return Reply("ok")  # nbclient sends nothing then, so that there would be no reply
        place = [cell.filename, cell.first_line, cell.marker_line]
        return await self._reply(cell.number - 1, timeout_s, place=place)

    async def run_beside(self, code: str, *, timeout_s: float) -> Reply:
        """Execute `code` that is no cell: it is not counted, and not in the history."""
        nodes = self._open().nb.cells
        nodes.append(_node(code))
        try:
            return await self._reply(len(nodes) - 1, timeout_s)
        finally:
            nodes.pop()

    async def _reply(self, index: int, timeout_s: float, **request: object) -> Reply:
        client = self._open()
        node = client.nb.cells[index]
        begun = time.perf_counter()
        reply = await client.run(node, index, timeout_s, **request)
        seconds = time.perf_counter() - begun
        if reply is None:
            ended = await self._ended()
            return Reply(client.stopped_by or "dead", outputs=_plain(node), seconds=seconds, ended=ended)
        content, told = reply["content"], reply["metadata"].get("celltask", {})
        return Reply(
            client.stopped_by or ("ok" if content.get("status") == "ok" else "error"),
            error=told.get("error"),
            unseen=told.get("unseen", []),
            warned=told.get("warned", []),
            name=str(content.get("ename", "")),
            message=str(content.get("evalue", "")),
            lines=tuple(map(str, content.get("traceback", ()))),
            ends_session=any(part.get("source") == "ask_exit" for part in content.get("payload", ())),
            outputs=_plain(node),
            execution_count=node.get("execution_count"),
            seconds=seconds,
        )

    @property
    def widgets(self) -> dict[str, object]:
        """State of the widgets shown so far, as the metadata of a notebook hold it; empty if there are none."""
        client = self._client
        if client is None or not client.widget_state:
            return {}
        client.set_widgets_metadata()
        return cast("dict[str, object]", client.nb.metadata["widgets"])

    async def execute(self, code: str, *, timeout_s: float = _ASK_S) -> dict[str, Any]:
        """The reply to hidden code: its ``status``, and ``ename``, ``evalue`` and ``traceback`` of an error.

        It is empty if the kernel ends, or does not answer within `timeout_s` seconds.
        """
        return await self._open().ask(timeout_s, code)

    async def converse(self, code: str, ask: Callable[[str], str], write: Callable[[str], object]) -> None:
        """Execute `code`, which may ask for input, and show what it prints at once."""
        await self._open().converse(code, ask, write)

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.provisioner is not None and not self.provisioner.has_ended

    async def finish(self) -> list[list[object]]:
        """What was raised where nobody looks, and is known only now; to be called after the last cell.

        Threads and tasks that still run are given a second to end.
        """
        until = time.monotonic() + _LINGER_S
        while True:
            told = await self._open().ask(_ASK_S, finish=True)
            if not told:
                ended = self.provisioner is not None and self.provisioner.has_ended
                how = how_it_ended(await self._ended()) if ended else "does not answer any more"
                return [[f"the kernel {how}, after the last cell", None, None]]
            if told.get("unseen") or not told.get("running") or time.monotonic() > until:
                return list(told.get("unseen", []))
            await asyncio.sleep(_AGAIN_S)

    async def kill(self) -> None:
        """Have the process end, and whatever it started, without waiting for that; `stop` is still to be called."""
        if self.provisioner is not None and self.provisioner.has_process:
            await self.provisioner.kill()

    async def stop(self) -> None:
        """End the process and whatever it started; a second call does nothing."""
        if self._client is not None and self._client.kc is not None:
            self._client.nb.cells = []  # outputs can be large
            self._client.kc.stop_channels()
            self._client = None
        manager, self._manager = self._manager, None
        if manager is not None and self.provisioner is not None:
            if self.provisioner.has_process:
                await self.provisioner.kill()
                await self.provisioner.wait()
            with suppress(OSError):
                await manager.cleanup_resources()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = ""

    async def _ended(self) -> Ended | None:
        return await self.provisioner.ended() if self.provisioner is not None else None

    def _open(self) -> DocumentClient:
        if self._client is None:
            raise DocumentError("the kernel is not running")
        return self._client

    def _last_words(self) -> str:
        with suppress(OSError):
            told = Path(self._scratch, "log").read_text(encoding="utf-8", errors="replace").strip()
            return f": {told.rpartition(chr(10))[2]}" if told else ""
        return ""

    def _environment(self) -> dict[str, str]:
        # Nobody's profile and history; a started kernel whose parent is gone ends by itself.
        # What our own tasks leave goes with the run.
        own = {"IPYTHONDIR": str(Path(self._scratch, "ipython")), KEPT_IN: self._folder}
        return {**for_kernels(os.environ), **own}


class _OneSpec(KernelSpecManager):
    """Knows one kernel, by whatever name it is asked for: that of the Python that runs the tests."""

    def __init__(self, spec: KernelSpec) -> None:
        super().__init__()
        self._spec = spec

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """That one."""
        del kernel_name
        return self._spec


def _watch() -> list[str]:
    """What is executed in a kernel to watch it."""
    folder = Path(__file__).parent
    return [(folder / name).read_text(encoding="utf-8") for name in _WATCH]


def _node(source: str) -> NotebookNode:
    return _record(cell_type="code", source=source, metadata=_record(), outputs=[], execution_count=None)


def _record(**fields: object) -> NotebookNode:
    return NotebookNode(**fields)  # type: ignore[no-untyped-call]  # untyped in nbformat


def _plain(node: NotebookNode) -> list[dict[str, object]]:
    return list(node.outputs)
