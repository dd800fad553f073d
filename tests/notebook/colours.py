"""Text as a person reads it."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """`text` without the codes that colour it."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
