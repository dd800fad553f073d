"""What a cell shows, as text: the outputs of a kernel the way a reader of the page sees them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["shown_text"]

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ERASING = re.compile(r"[^\n]\x08")


def shown_text(outputs: Iterable[Mapping[str, object]]) -> str:
    r"""The text of a cell's outputs; empty if it shows nothing.

    Printed text comes first standard output, then standard error, between one result and the next: how the two are
    interleaved differs from run to run. A result or a figure is its ``text/plain``; one that has none is told by its
    type, ``<text/html>``. An exception is its last line. Carriage returns overwrite, as in a terminal; colours go.

    Args:
        outputs: Of nbformat 4; also ``{"output_type": "clear_output", "wait": False}``, as the kernel sends it.

    >>> shown_text([
    ...     {"output_type": "stream", "name": "stdout", "text": "50 %\r100 %\n"},
    ...     {"output_type": "execute_result", "data": {"text/plain": "[1, 2]"}},
    ... ])
    '100 %\n[1, 2]\n'
    """
    parts: list[str] = []
    printed = {"stdout": "", "stderr": ""}
    is_cleared = False
    for output in outputs:
        kind = output.get("output_type")
        if kind == "clear_output":
            is_cleared = True
            if output.get("wait"):
                continue
        if is_cleared:  # what is cleared with `wait` stays until there is something new
            parts, printed, is_cleared = [], {"stdout": "", "stderr": ""}, False
        if kind == "stream":
            printed["stderr" if output.get("name") == "stderr" else "stdout"] += _joined(output.get("text"))
        elif kind in {"execute_result", "display_data", "error"}:
            parts += [*_taken(printed), _ended(_result(output))]
    return "".join([*parts, *_taken(printed)])


def _taken(printed: dict[str, str]) -> list[str]:
    texts = [_ended(text) for text in printed.values() if text]
    printed.update(stdout="", stderr="")
    return texts


def _result(output: Mapping[str, object]) -> str:
    if output.get("output_type") == "error":
        name, message = _joined(output.get("ename")), _joined(output.get("evalue"))
        return f"{name}: {message}" if message else name
    data = output.get("data")
    if not isinstance(data, dict) or not data:
        return ""
    if "text/plain" in data:
        return _joined(data["text/plain"])
    return f"<{min(data)}>"


def _joined(text: object) -> str:
    """Text as the protocol has it, or as the lines that stand in a file."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


def _ended(text: str) -> str:
    """The text as it looks in the end, its last line ended."""
    text = _ANSI.sub("", text.replace("\r\n", "\n"))
    while _ERASING.search(text):
        text = _ERASING.sub("", text)
    text = "\n".join(_overwritten(line) for line in text.split("\n"))
    text = _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return text if not text or text.endswith("\n") else f"{text}\n"


def _overwritten(line: str) -> str:
    """What is left of a line when each carriage return goes back to its beginning."""
    seen = ""
    for text in line.split("\r"):
        seen = text + seen[len(text) :]
    return seen
