"""By what bytes a file is known that may be a document, before it is read."""

from __future__ import annotations

__all__ = ["NOTEBOOKS", "PAGES", "SUFFIXES", "may_be_document"]

PAGES, NOTEBOOKS = frozenset({".md", ".markdown", ".myst", ".rmd", ".qmd"}), frozenset({".ipynb"})
SUFFIXES = PAGES | NOTEBOOKS | {".py"}
_CELLS = (b"{code-cell}", b"{python")
_ASKS_FOR_SHELL = (b"celltask:", b":run:")
_ANY_FENCE = (b"```", b"~~~", b":::")
_MARKED = (b"%%", b"%task", b"%workflow", b"format_name: light")


def may_be_document(suffix: str, data: bytes, *, all_shell: bool = False) -> bool:
    """Whether a file has something to test, as far as that can be told quickly; most Markdown and Python has not.

    Args:
        suffix: Of its name, in lower case; one of `SUFFIXES`.
        data: What it holds; it does not matter of a notebook.
        all_shell: Whether every shell example is to be run, and not only where the document asks for it.

    >>> may_be_document(".md", b"# Prose"), may_be_document(".md", b"```{code-cell}")
    (False, True)
    """
    if suffix in NOTEBOOKS:
        return True
    in_pages = _ANY_FENCE if all_shell else (*_CELLS, *_ASKS_FOR_SHELL)
    return any(sign in data for sign in (_MARKED if suffix == ".py" else in_pages))
