"""The bounds of a document in its kernel: what it shows, the memory it takes, and processes that it forks.

Like `in_kernel`, this is executed in the kernel as text, and needs nothing but the standard library.
"""

# ruff: noqa: TC004 - what is imported for the type checker here is there already when this is executed
from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.documents.kernels.raised import text_of

__all__ = ["Children", "Shown", "limit_memory"]

_MOST_TOLD = 500
"""Characters of what a forked process tells: one line must go through a pipe in one piece."""
_SHOWN = frozenset({"stream", "display_data", "execute_result", "update_display_data"})
_MIB = 1 << 20


class Shown:
    """Counts the characters that a cell shows, and sends hardly more than are allowed."""

    def __init__(self, make: Callable[..., dict[str, Any]]) -> None:
        self._make = make
        self.most = 0
        """Of a cell; 0 for any number."""
        self.count = 0

    def message(self, kind: str, content: Any = None, *args: object, **kwargs: object) -> dict[str, Any]:  # noqa: ANN401 - as jupyter_client has it
        """A message of the session, cut where it exceeds what the cell may show; one character more tells that."""
        if kind in _SHOWN and isinstance(content, dict):
            content = self._cut(content)
        return self._make(kind, content, *args, **kwargs)

    def result(self, hook: Any) -> Callable[[], object]:  # noqa: ANN401 - ipykernel has no type for it
        """What finishes the display of a value by `hook`, whose message gets its content when it is made already."""
        finish: Callable[[], object] = hook.finish_displayhook

        def finish_displayhook() -> object:
            if hook.msg is not None:
                hook.msg["content"] = self._cut(hook.msg["content"])
            return finish()

        return finish_displayhook

    def _cut(self, content: dict[str, Any]) -> dict[str, Any]:
        parts = [content.get("text", ""), *content.get("data", {}).values()]
        texts = [part for part in parts if isinstance(part, str)]
        left = max(0, self.most + 1 - self.count)
        size = sum(map(len, texts))
        self.count += size
        if not self.most or size <= left:
            return content
        most = max(texts, key=len)[:left]
        return {**content, "text": most} if "text" in content else {**content, "data": {"text/plain": most}}


class Children:
    """Processes forked by a cell that go on behind its end, which would be second kernels: they end there."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._told, self._tell = os.pipe()
        os.set_blocking(self._told, False)

    @property
    def is_here(self) -> bool:
        """Whether this process is one of them."""
        return os.getpid() != self._process

    def adopt(self) -> None:
        """Take this process for the one that forks; it has the pipe in common with the one that it comes from."""
        self._process = os.getpid()

    def leave(self, error: BaseException | None) -> NoReturn:
        """End this process, which is one of them, as a script ends."""
        try:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            if error is not None and not isinstance(error, SystemExit):
                text = f"{type(error).__name__}: {text_of(error)}"[:_MOST_TOLD].partition("\n")[0]
                with contextlib.suppress(OSError):
                    os.write(self._tell, f"{json.dumps(text)}\n".encode())
        finally:
            code = error.code if isinstance(error, SystemExit) else int(error is not None)
            os._exit(code if isinstance(code, int) else int(code is not None))

    def told(self) -> list[str]:
        """What they raised since this was asked for."""
        try:
            return [str(json.loads(line)) for line in os.read(self._told, 1 << 16).splitlines()]
        except (OSError, ValueError):  # nothing; or the document has closed what it did not open
            return []


def limit_memory(mib: float) -> None:
    """Have allocations fail where this process would take `mib` MiB more than it has; on Linux.

    What a process has is its ``VmData``, which is what RLIMIT_DATA counts, see getrlimit(2).
    """
    import resource  # noqa: PLC0415 - not on Windows

    with open("/proc/self/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123 - no more is needed
        taken = next((int(line.split()[1]) << 10 for line in status if line.startswith("VmData:")), 0)
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = taken + int(mib * _MIB)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
