"""Which files a document reads, inside of its kernel: data, and modules that are not installed.

The text of this module is sent to the kernel; it needs nothing but the standard library. What a library reads without
Python's own `open` is not seen.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

__all__ = ["install"]

_ELSEWHERE = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/")


def install(shell: Any, answer: str) -> None:  # noqa: ANN401 - the types of IPython are not at hand
    """Begin to take note; ``compile.celltask_tell_reads()`` then writes a JSON list of paths to the file `answer`."""
    opened: set[str] = set()
    scratch = str(Path(answer).parent.parent / "celltask-")  # where this kernel and its successors have their sockets

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and not _writes(arguments[1], arguments[2]):
            opened.add(os.path.abspath(arguments[0]))  # noqa: PTH100 - it may be called a thousand times a second

    def tell(answer: str = answer) -> None:
        modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        found = {path for path in [*opened, *modules] if isinstance(path, str) and _is_own(path, scratch)}
        Path(answer).write_text(json.dumps(sorted(found)), encoding="utf-8")

    shell.compile.celltask_tell_reads = tell
    sys.addaudithook(hear)


def _writes(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return "r" not in mode
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _is_own(path: str, scratch: str) -> bool:
    """Whether it is a file that an author may change: not installed, not the system's."""
    installed = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    outside = (*(f"{folder}{os.sep}" for folder in installed if folder), *_ELSEWHERE, scratch)
    return not path.startswith(outside) and not path.endswith(".pyc") and Path(path).is_file()
