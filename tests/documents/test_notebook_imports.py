"""What is slow to import, and not needed to run documents, is imported by those alone who use it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GRAMMARS = """
print("compiled")
def is_valid_syntax(term, value):
    return value == "good"
"""
CHECKS = """
import sys
import celltask.documents.kernels.kernel
import jsonschema
print("rfc3987_syntax" in sys.modules)
from jsonschema import FormatChecker
checker = FormatChecker()
print(checker.conforms("good", "iri"), checker.conforms("bad", "iri"))
import rfc3987_syntax
print(rfc3987_syntax.is_valid_syntax("iri", "good"))
"""


def test_grammars_are_compiled_when_they_are_used(tmp_path: Path) -> None:
    """The formats of jsonschema that need rfc3987_syntax are checked as ever, but it is loaded by the first check."""
    (tmp_path / "rfc3987_syntax.py").write_text(GRAMMARS)
    done = subprocess.run(
        [sys.executable, "-c", CHECKS],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "False\ncompiled\nTrue False\nTrue\n"
