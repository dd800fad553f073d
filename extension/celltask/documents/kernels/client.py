"""nbclient as it is needed here: cells with their places, told at once when a kernel dies, a limit to what is shown."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Literal, cast

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from traitlets import Any as AnyTrait

from celltask.documents.kernels.notebooks import DeadKernelError, NotebookClient, ensure_async

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_client.manager import AsyncKernelManager

    from celltask.documents.kernels.notebooks import NotebookNode
    from celltask.documents.kernels.provisioner import DocumentProvisioner

__all__ = ["DocumentClient", "Requests"]

_INTERRUPT_S = 3.0
"""How long a cell may take to end after an interrupt, before the kernel is killed."""
_DRAIN_S = 0.1
"""How long to wait for what a kernel sent before it died."""
_AGAIN_S = 0.1
_QUIET_S = 0.1
"""How long nothing must be printed until a prompt is shown."""
_KEY = "celltask"

_silent = logging.getLogger("celltask.documents.nbclient")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # what goes wrong is told as a verdict


class Requests(AsyncKernelClient):
    """The channels to a kernel; the next request to execute takes along what the watch in the kernel is to do."""

    beside: Mapping[str, object] = {}

    def execute(  # noqa: PLR0913, PLR0917 - its base's
        self,
        code: str,
        silent: bool = False,  # noqa: FBT001, FBT002 - its base's
        store_history: bool = True,  # noqa: FBT001, FBT002 - its base's
        user_expressions: dict[str, Any] | None = None,
        allow_stdin: bool | None = None,  # noqa: FBT001 - its base's
        stop_on_error: bool = True,  # noqa: ARG002, FBT001, FBT002 - its base's; requests are sent one by one here
    ) -> str:
        """Send `code` to be executed; the number of the request."""
        content = {
            "code": code,
            "silent": silent,
            "store_history": store_history,
            "user_expressions": user_expressions or {},
            "allow_stdin": bool(allow_stdin),
            "stop_on_error": False,
        }
        message = self.session.msg("execute_request", content, metadata={_KEY: dict(self.beside)})
        self.beside = {}
        self.shell_channel.send(message)
        return str(message["header"]["msg_id"])


class DocumentClient(NotebookClient):
    """Executes the cells of one notebook in one kernel.

    Args:
        notebook: Its cells, which are given their outputs.
        manager: Of a kernel that runs.
        provisioner: Of its process.

    A cell that shows more than `most_output` characters is interrupted.
    """

    reply: Any = AnyTrait(None)

    def __init__(self, notebook: NotebookNode, manager: AsyncKernelManager, provisioner: DocumentProvisioner) -> None:
        super().__init__(notebook, manager, log=_silent, allow_errors=True, interrupt_on_timeout=True)
        self.provisioner = provisioner
        self.most_output = 0
        self.late = self.flooded = False
        self._shown = 0
        self._killing: asyncio.Future[None] | None = None
        self.on_cell_executed = self._executed

    @property
    def stopped_by(self) -> Literal["timeout", "flood"] | None:
        """Why the last cell was interrupted; None if it was not."""
        return "timeout" if self.late else "flood" if self.flooded else None

    @property
    def requests(self) -> Requests:
        """The channels, once they are connected."""
        return cast("Requests", self.kc)

    async def connect(self, timeout_s: float) -> bool:
        """Connect to the kernel; False if it ends or does not answer in time."""
        assert self.km is not None  # noqa: S101 - given at the beginning
        self.km.client_class = f"{Requests.__module__}.{Requests.__qualname__}"
        self.kc = requests = self.km.client()
        requests.start_channels(stdin=True, hb=False, control=False)
        ready = asyncio.ensure_future(self._ready())
        ended = asyncio.ensure_future(self.provisioner.ended())
        await asyncio.wait({ready, ended}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not ready.done():
            ready.cancel()
            return False
        return True

    async def _ready(self) -> None:
        """Wait until the kernel answers, and what it publishes arrives here: before that, it is lost."""
        requests = self.requests
        asked = set()
        while True:
            asked.add(requests.kernel_info())
            # Newer kernels welcome a subscriber; of an older one, its idle state is seen sooner or later.
            message: dict[str, Any] | None = {}
            while message is not None:
                if message and (
                    message["msg_type"] == "iopub_welcome"
                    or (
                        message["parent_header"].get("msg_id") in asked
                        and message["content"].get("execution_state") == "idle"
                    )
                ):
                    return
                try:
                    message = await asyncio.wait_for(
                        ensure_async(requests.iopub_channel.get_msg(timeout=None)), _AGAIN_S
                    )
                except TimeoutError:
                    message = None

    async def ask(self, timeout_s: float, code: str = "", **request: object) -> dict[str, Any]:
        """The watch's answer to `request`, made without a cell; empty if the kernel is gone or does not answer.

        Args:
            timeout_s: Seconds to wait.
            code: Executed silently with it; the answer then has the ``status`` and the ``traceback``.
            request: As `in_kernel.Watch.asked` takes it.
        """
        self.requests.beside = request
        number = self.requests.execute(code, silent=True, store_history=False)
        reply = asyncio.ensure_future(self._reply_to(number))
        ended = asyncio.ensure_future(self.provisioner.ended())
        await asyncio.wait({reply, ended}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not reply.done():
            reply.cancel()
            return {}
        return reply.result()

    async def _reply_to(self, number: str) -> dict[str, Any]:
        while True:
            message = await ensure_async(self.requests.shell_channel.get_msg(timeout=None))
            if message["parent_header"].get("msg_id") == number:
                return {**message["content"], **message["metadata"].get(_KEY, {})}

    async def converse(self, code: str, ask: Callable[[str], str], write: Callable[[str], object]) -> None:
        """Execute `code` with answers by `ask` to its prompts, and what it prints given to `write`; no cell is it."""
        number = self.requests.execute(code, silent=False, store_history=False, allow_stdin=True)
        ended = asyncio.ensure_future(self.provisioner.ended())
        asked = asyncio.ensure_future(self._answer(ask))
        shown = asyncio.ensure_future(self._show(number, write))
        await asyncio.wait({ended, asked, shown}, return_when=asyncio.FIRST_COMPLETED)
        for future in (ended, asked, shown):
            future.cancel()

    async def _answer(self, ask: Callable[[str], str]) -> None:
        while True:
            message = await ensure_async(self.requests.stdin_channel.get_msg(timeout=None))
            seen = -1
            while seen != self._shown:  # what was printed before the prompt comes by another channel
                seen = self._shown
                await asyncio.sleep(_QUIET_S)
            self.requests.input(ask(message["content"]["prompt"]))

    async def _show(self, number: str, write: Callable[[str], object]) -> None:
        while True:
            message = await ensure_async(self.requests.iopub_channel.get_msg(timeout=None))
            if message["parent_header"].get("msg_id") != number:
                continue
            if message["msg_type"] == "stream":
                self._shown += 1
                write(message["content"]["text"])
            elif message["content"].get("execution_state") == "idle":
                return

    async def run(self, cell: NotebookNode, index: int, timeout_s: float, **request: object) -> dict[str, Any] | None:
        """The reply to the cell; None if the kernel died, which it may have been made to.

        Without a request it is no cell of the document, and is not counted.
        """
        self.late = self.flooded = False
        self._shown = 0
        self.reply = None
        self.timeout_func = lambda _: timeout_s  # type: ignore[assignment]  # waits for parts of seconds, too
        self.requests.beside = request
        try:
            await self.async_execute_cell(cell, index, store_history=bool(request))
        except DeadKernelError:
            if not self.provisioner.has_ended:  # nbclient takes every cancellation, as by Ctrl-C, for a death
                raise asyncio.CancelledError from None
            return None
        finally:
            if self._killing is not None:
                self._killing.cancel()
                self._killing = None
        return cast("dict[str, Any] | None", self.reply)

    def _executed(self, *, execute_reply: dict[str, Any], **_: object) -> None:
        self.reply = execute_reply

    async def _async_poll_kernel_alive(self) -> None:
        await self.provisioner.ended()
        await asyncio.sleep(_DRAIN_S)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    async def _async_handle_timeout(self, timeout: int, cell: NotebookNode | None = None) -> None:  # noqa: ASYNC109 - its base's
        del timeout, cell
        if not self.late:
            self.late = True
            await self._interrupt()

    async def _interrupt(self) -> None:
        """Interrupt the cell; the kernel is killed if that has not helped."""
        assert self.km is not None  # noqa: S101 - given at the beginning
        if self._killing is None:
            self._killing = asyncio.ensure_future(self._kill_if_deaf())
            await ensure_async(self.km.interrupt_kernel())

    async def _kill_if_deaf(self) -> None:
        await asyncio.sleep(_INTERRUPT_S)
        await self.provisioner.kill()
        await self._async_poll_kernel_alive()

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Take in what the cell shows, up to a limit."""
        if msg["msg_type"] in {"stream", "display_data", "execute_result", "update_display_data"} and not self._admits(
            msg["content"]
        ):
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        finally:
            # By then, widgets may have sent what they show, on the socket by which the reply comes. The descriptor that
            # the loop watches tells of it once, and sending may take that: it would wait until the cell's time is over.
            self.requests.shell_channel.socket.get(zmq.EVENTS)  # has the loop look

    def _admits(self, content: dict[str, Any]) -> bool:
        parts = [content["text"]] if "text" in content else content.get("data", {}).values()
        self._shown += sum(len(part) if isinstance(part, str) else 100 for part in parts)
        if self._shown <= self.most_output:
            return True
        if not self.flooded:
            self.flooded = True
            asyncio.ensure_future(self._interrupt())  # noqa: RUF006 - ends with the cell, at the latest when it is killed
        return False
