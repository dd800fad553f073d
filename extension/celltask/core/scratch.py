"""Temporary folders that go when this process does; in the kernel of a document, with the kernels of that run.

A kernel is killed when it is not needed any more, so that it cannot remove anything: whoever started it can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from tempfile import TemporaryDirectory

__all__ = ["KEPT_IN", "temporary_folder"]

KEPT_IN = "CELLTASK_TEMPORARY"
"""Environment variable: the folder for these folders, if there is one."""
_folders: list[TemporaryDirectory[str]] = []
"""Those of this process; each removes itself when the interpreter ends."""


def temporary_folder(name: str = "") -> Path:
    """A new, empty folder, removed when the interpreter ends.

    Args:
        name: Part of its name.

    >>> temporary_folder("prices").name.startswith("celltask-prices-")
    True
    """
    import os  # noqa: PLC0415 - only who writes files pays for it
    import tempfile  # noqa: PLC0415 - as above
    from pathlib import Path  # noqa: PLC0415 - as above

    place = os.environ.get(KEPT_IN, "")
    prefix = f"celltask-{name}-" if name else "celltask-"
    folder = tempfile.TemporaryDirectory(
        prefix=prefix, dir=place if place and Path(place).is_dir() else None, ignore_cleanup_errors=True
    )
    _folders.append(folder)
    return Path(folder.name)
