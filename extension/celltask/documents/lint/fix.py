"""Safe changes carried out in a file, whose other bytes stay as they are."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.documents.lint.finding import Finding, Fix

__all__ = ["fix_documents"]


def fix_documents(findings: Iterable[Finding]) -> list[Finding]:
    """Carry out the fixes of `findings`, and give those findings that are left."""
    left: list[Finding] = []
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.fixes:
            by_path.setdefault(finding.path, []).append(finding)
        else:
            left.append(finding)
    for path, fixable in by_path.items():
        left += _fix_file(Path(path), fixable)
    return sorted(left)


def _fix_file(path: Path, findings: list[Finding]) -> list[Finding]:
    data = path.read_bytes()
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    lines = data.removeprefix(mark).decode("utf-8").splitlines(keepends=True)
    lines = _joined(lines)
    left = []
    for finding in sorted(findings, reverse=True):  # from the end on, so that columns before a change stay
        # Only where the text is still what the rule saw: two rules may want one place.
        if all(_fits(lines, fix) for fix in finding.fixes):
            for fix in finding.fixes:
                line, start = lines[fix.line - 1], fix.column - 1
                lines[fix.line - 1] = f"{line[:start]}{fix.new}{line[start + len(fix.old) :]}"
        else:
            left.append(finding)
    _write(path, mark + "".join(lines).encode("utf-8"))
    return left


def _joined(lines: list[str]) -> list[str]:
    """Lines as readers count them: only at line feeds and carriage returns, not at form feeds and the like."""
    joined: list[str] = []
    for line in lines:
        if joined and not joined[-1].endswith(("\n", "\r")):
            joined[-1] += line
        else:
            joined.append(line)
    return joined


def _fits(lines: list[str], fix: Fix) -> bool:
    return lines[fix.line - 1][fix.column - 1 :].startswith(fix.old)


def _write(path: Path, data: bytes) -> None:
    """Put `data` in the place of the file at once, so that nobody ever sees half of it."""
    target = path.resolve()
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        Path(name).chmod(target.stat().st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
