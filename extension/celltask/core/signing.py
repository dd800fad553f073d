"""Signatures of what this user stored: a pickle is code, and only code that this user wrote is run.

The key lies in the user's own folder of settings and not in the store, so that who can write to a store that is shared
cannot sign.
"""

from __future__ import annotations

import hmac
import os
from contextlib import suppress

__all__ = ["KEY_VARIABLE", "is_signed", "signature"]

KEY_VARIABLE = "CELLTASK_KEY_FILE"

_BYTES = 32
_keys: dict[str, bytes] = {}


def signature(text: str) -> str:
    """HMAC-SHA256 of `text` with the user's key, which is made at the first use; hex digits.

    >>> is_signed("some text", signature("some text")), is_signed("another", signature("some text"))
    (True, False)
    """
    return hmac.digest(_key(), text.encode(), "sha256").hex()


def is_signed(text: str, given: object) -> bool:
    """Whether `given` is the signature of `text`."""
    return isinstance(given, str) and hmac.compare_digest(signature(text), given)


def _path() -> str:
    asked = os.environ.get(KEY_VARIABLE)
    if asked:
        return asked
    home = os.path.expanduser("~")  # noqa: PTH111 - pathlib is slow to import
    return (os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config") + "/celltask/key"


def _key() -> bytes:
    path = _path()
    if path not in _keys:
        _keys[path] = _read(path) or _made(path) or os.urandom(_BYTES)  # the last holds for this process alone
    return _keys[path]


def _read(path: str) -> bytes:
    with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123 - as above
        found = file.read()
        return found if len(found) == _BYTES else b""
    return b""


def _made(path: str) -> bytes:
    """A new key at `path`, or the one that another process put there at the same moment."""
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 - as above
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - as above
                file.write(os.urandom(_BYTES))
            os.link(temporary, path)  # never over a key that is there
        finally:
            os.unlink(temporary)  # noqa: PTH108 - as above
    return _read(path)
