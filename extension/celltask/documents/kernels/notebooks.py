"""What nbclient and nbformat give, imported without a second of work that nobody here has use for.

nbformat imports jsonschema, which knows more formats of text where rfc3987_syntax is installed (with Jupyter Server it
is); that one compiles its grammars when it is imported (https://github.com/python-jsonschema/jsonschema/issues/1428).
Here they wait until jsonschema checks the first text by them.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLOW = "rfc3987_syntax"


@contextmanager
def _checked_later() -> Iterator[None]:
    """Let a stand-in be imported in the place of the grammars; it loads them when it is asked to check a text."""
    if {_SLOW, "jsonschema"} & sys.modules.keys() or find_spec(_SLOW) is None:
        yield
        return
    stand_in: Any = ModuleType(_SLOW)
    stand_in.is_valid_syntax = lambda term, value: import_module(_SLOW).is_valid_syntax(term, value)
    sys.modules[_SLOW] = stand_in
    try:
        yield
    finally:
        sys.modules.pop(_SLOW, None)


with _checked_later():
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError
    from nbclient.util import ensure_async
    from nbformat import NotebookNode
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

__all__ = [
    "DeadKernelError",
    "NotebookClient",
    "NotebookNode",
    "ensure_async",
    "make_ready",
    "nbformat",
    "new_code_cell",
    "new_markdown_cell",
    "new_notebook",
    "new_output",
]


def make_ready() -> None:
    """Do what the first cell that shows something would wait for: nbformat compiles the schema of outputs."""
    new_output("stream")  # type: ignore[no-untyped-call]  # untyped in nbformat
