"""What a document and the person who tests it say about shell examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from celltask.documents.settings import celltask_header
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from celltask.documents.outline import Block, DocumentText

__all__ = ["Choice", "block_choice", "document_runs", "exit_code_of", "timeout_of"]

Choice = Literal["document", "run", "skip"]
"""``"document"``: as the document says."""

_YES, _NO = ("", "true", "yes", "on", "run"), ("false", "no", "off", "skip")
_LARGEST_CODE = 255


def document_runs(document: DocumentText) -> bool:
    r"""Whether the header of `document` asks for its shell examples to be run: ``celltask: {shell: run}``.

    Raises:
        DocumentError: If it says something else than ``run`` or ``skip``.

    >>> from celltask.documents.outline import DocumentText
    >>> document_runs(DocumentText("page.md", "myst", (), "---\ncelltask: {shell: run}\n---\n"))
    True
    """
    given = celltask_header(document).get("shell", "skip")
    if given not in {"run", "skip"}:
        raise DocumentError(f"the header says `shell: {given}`", f"{document.path}, line 1", "write run or skip")
    return given == "run"


def block_choice(block: Block, where: str) -> Choice:
    """What the options ``run`` and ``skip`` of a block say.

    Raises:
        DocumentError: If an option is neither yes nor no.

    >>> from celltask.documents.outline import Block
    >>> block_choice(Block("code-block", "bash", "ls", 1, 3, 4, options={"run": "false"}), "page.md:1")
    'skip'
    """
    for name, meant in (("skip", "skip"), ("run", "run")):
        if name not in block.options:
            continue
        value = str(block.options[name] if block.options[name] is not None else "").strip().lower()
        if value not in (*_YES, *_NO):
            raise DocumentError(f"the option {name} cannot be {value!r}", where, f"write :{name}: or :{name}: false")
        if value in _YES:
            return cast("Choice", meant)
        if name == "run":
            return "skip"
    return "document"


def exit_code_of(block: Block, where: str) -> int:
    """The exit code that the option ``exit`` of a block says; 0 if it has none.

    Raises:
        DocumentError: If it is not a number from 0 to 255.
    """
    given = str(block.options.get("exit", 0)).strip()
    if not given.isdecimal() or int(given) > _LARGEST_CODE:
        raise DocumentError(f"the option exit cannot be {given!r}", where, "write a number, for example :exit: 2")
    return int(given)


def timeout_of(block: Block, where: str) -> float | None:
    """Seconds that the option ``timeout`` gives a block; None if it has none.

    Raises:
        DocumentError: If it is not a number above 0.
    """
    given = block.options.get("timeout")
    if given is None:
        return None
    try:
        seconds = float(str(given))
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise DocumentError(f"the option timeout cannot be {given!r}", where, "write seconds, for example :timeout: 60")
    return seconds
