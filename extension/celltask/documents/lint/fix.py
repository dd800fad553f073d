"""Safe changes carried out in a file, whose other bytes stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.documents.lint.finding import Finding, Fix

__all__ = ["fix_documents"]


def fix_documents(findings: Iterable[Finding]) -> list[Finding]:
    """Carry out the fixes of `findings`, and give those findings that are left.

    Raises:
        DocumentError: If a document cannot be written.
    """
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
    write_whole(path, mark + "".join(lines).encode("utf-8"))
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
