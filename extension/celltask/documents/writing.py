"""Files written so that no reader meets half of one."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from celltask.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write the file at `path`, or leave it as it is: at no time is it missing or half written. Its folder is made.

    Its permissions stay, and a symbolic link stays one.

    Raises:
        DocumentError: If it cannot be written.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                with suppress(FileNotFoundError):
                    shutil.copymode(target, part)  # before there is anything to read
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DocumentError(f"the file cannot be written: {reason}", str(path), "check its permissions") from None
