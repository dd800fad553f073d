"""Ids of cases that are the same in every process."""

from __future__ import annotations

import re


def steady_id(value: object) -> str:
    """The beginning of `value` as text, without addresses, which differ between the workers of one test run."""
    return re.sub(r" at 0x[0-9a-f]*|0x[0-9a-f]+", "", str(value))[:40]
