"""Run inside the kernel of a document: sends a value of its by a file. It leaves no name behind."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

__all__ = ["send"]


def send(shell: Any, name: str, file: str) -> None:  # noqa: ANN401 - IPython's, which is not imported here
    """Write to `file` what `name` is bound to in `shell`, or why that cannot be sent; all names, if `name` is empty."""
    names = shell.user_ns
    told: dict[str, object]
    if not name:
        told = {"value": pickle.dumps([key for key in names if key[:1] != "_" and key not in shell.user_ns_hidden])}
    elif name not in names:
        told = {"missing": True}
    else:
        import cloudpickle  # noqa: PLC0415 - only for a value

        try:
            told = {"value": cloudpickle.dumps(names[name])}
        except Exception as error:  # noqa: BLE001 - border: pickling calls the user's code
            told = {"refused": f"{type(error).__name__}: {error}"}
    Path(file).write_bytes(pickle.dumps(told))
