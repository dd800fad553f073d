"""The exit codes of every command, as the end of `celltask --help` tells them."""

from __future__ import annotations

__all__ = ["DONE", "FAILED", "INTERRUPTED", "REFUSED", "TOLD"]

DONE = 0
FAILED = 1
REFUSED = 2
INTERRUPTED = 130

TOLD = f"""\b
Exit codes:
  {DONE}    all went well
  {FAILED}    a task failed
  {REFUSED}    something given is wrong: an option, a value, a name, a document
  {INTERRUPTED}  interrupted"""
"""For the help page; the first character keeps click from wrapping the lines."""
