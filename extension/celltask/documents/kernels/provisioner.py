"""How jupyter_client comes by the process of a kernel: forked from a server, or else started."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, cast

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from celltask.documents.kernels.forked import ForkedProcess
from celltask.documents.kernels.reply import Ended

if TYPE_CHECKING:
    from typing import BinaryIO

    from jupyter_client.connect import KernelConnectionInfo

    from celltask.documents.kernels.forked import ForkServer

__all__ = ["DocumentProvisioner"]


class DocumentProvisioner(LocalProvisioner):
    """A local provisioner that can fork, and is told of the end of a process instead of asking ten times a second.

    `server`, `is_bare`, `scratch` and `log_file` are set before the kernel is launched.
    """

    server: ForkServer | None = None
    is_bare = False
    """Whether the server does not fork kernels but starts and keeps them."""
    scratch = ""
    """Folder of the kernel alone, which is removed with it if this process is gone."""
    log_file: BinaryIO | None = None
    """Where the process writes what it does not send to its client."""
    _end: asyncio.Task[Ended] | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:  # noqa: ANN401 - its base's
        """Have the kernel forked, or started if there is no server."""
        log = self.log_file.fileno() if self.log_file is not None else os.open(os.devnull, os.O_WRONLY)
        if self.server is None:
            kwargs |= {"stdout": log, "stderr": log}
            await super().launch_kernel(cmd, **kwargs)
        else:
            request = {"cwd": kwargs.get("cwd"), "env": kwargs.get("env"), "scratch": self.scratch}
            if self.is_bare:
                request["command"] = cmd
            else:
                request["arguments"] = cmd[cmd.index("ipykernel_launcher") + 1 :]
            process = await self.server.fork(request, log, log)
            self.process = process  # type: ignore[assignment]  # like a Popen, as far as the base needs it
            self.pid = self.pgid = process.pid
            self.cwd = kwargs.get("cwd")
            try:
                await process.wait_until_bound()
            except BaseException:
                process.release()  # which ends it
                raise
        self._end = asyncio.ensure_future(self._wait())
        return self.connection_info

    async def _wait(self) -> Ended:
        process = cast("Any", self.process)
        if isinstance(process, ForkedProcess):
            return await process.wait()
        return Ended(await asyncio.to_thread(process.wait))

    async def ended(self) -> Ended:
        """How the process ended, once it has."""
        if self._end is None:
            return Ended(0)
        return await asyncio.shield(self._end)

    @property
    def has_ended(self) -> bool:
        """Whether the process is known to have ended."""
        return self._end is None or self._end.done()

    async def kill(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - its base's
        """End the process and all that it started."""
        process = cast("Any", self.process)
        if isinstance(process, ForkedProcess):
            process.kill()
        else:
            await super().kill(restart)

    async def wait(self) -> int | None:
        """Exit code of the process, once it has ended."""
        code = (await self.ended()).code
        self.process = None
        return code
