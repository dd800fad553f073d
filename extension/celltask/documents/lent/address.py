"""Where the states of a document are to be had: a socket in a folder that belongs to this user alone."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

__all__ = ["address_of"]


def address_of(document: str, *, make: bool = False) -> Path | None:
    """The socket for the document at this path; None where there is no folder that nobody else can write to.

    It is below ``XDG_RUNTIME_DIR``, or else below the folder for temporary files.

    Args:
        document: Its path; by whatever way it is reached, the address is the same.
        make: Whether to make the folder.
    """
    if not hasattr(os, "getuid"):
        return None
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(runtime, "celltask") if runtime else Path(tempfile.gettempdir(), f"celltask-of-{os.getuid()}")
    try:
        if make:
            folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        name = hashlib.sha256(os.fsencode(Path(document).resolve())).hexdigest()[:32]
    except (OSError, RuntimeError):  # of a loop of links
        return None
    is_private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder / name if is_private else None
