"""Promotion: what cells show is put into the fences of their document, and not one byte else is touched."""

from __future__ import annotations

import re
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.expected.compare import compare, written_lines
from celltask.documents.expected.fences import expected_of
from celltask.documents.expected.files import Edit, edited, encoding_of
from celltask.documents.expected.rules import Rules, rules_of
from celltask.documents.reader import document_from
from celltask.documents.writing import write_whole
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from celltask.documents.expected.sanitise import Sanitiser
    from celltask.documents.outline import Block, DocumentText

__all__ = ["Promotion", "Replaced", "promoted", "write"]

_OPTION = re.compile(r"\s*:[A-Za-z_][\w.-]*:(?:\s|$)|---\s*$")
"""A first line of content that would be read as an option, or as the beginning of a block of options."""


class Replaced(NamedTuple):
    """Lines of a fence that show the output of an example, and what is to stand there."""

    start: int
    """Line of the document where they begin, from 1."""
    stop: int
    """Line below them; equal if there are none yet."""
    lines: tuple[str, ...]


class Promotion(NamedTuple):
    """A document as it would be with what its cells show. Nothing is written yet."""

    path: str
    before: bytes
    after: bytes

    @property
    def is_change(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after

    def diff(self, name: str = "") -> str:
        """The change as a unified diff of the file; empty if there is none.

        Args:
            name: What the file is called in it; its path if empty.
        """
        encoding = encoding_of(self.before, self.path)
        before, after = (data.decode(encoding).replace("\r\n", "\n").split("\n") for data in (self.before, self.after))
        name = name or self.path
        return "\n".join(unified_diff(before, after, name, f"{name} (promoted)", lineterm=""))


def promoted(
    document: DocumentText,
    shown: Mapping[int, str],
    rules: Rules | None = None,
    *,
    known: tuple[Sanitiser, ...] = (),
    examples: Sequence[Replaced] = (),
) -> Promotion:
    """The document with the text that cells show in the fences below them, and examples in theirs.

    A fence whose text still fits stays as it is. In one that does not, lines that still fit stay as written, and so
    do the author's `...` where they still stand for something. A cell without a fence is left alone.

    Args:
        document: As it was read before its cells were executed.
        shown: What cells show, by their number.
        rules: Of the project; options of a fence go before them.
        known: Sanitisers that a fence may name, if those are more than `rules` have.
        examples: Outputs of examples.

    Raises:
        DocumentError: If the file was changed since `document` was read, or the text cannot stand in its fence.
    """
    data = _unchanged(document)
    edits: list[Edit] = []
    written: dict[int, tuple[str, ...]] = {}
    differing = _of_cells(document, shown, rules or Rules(), known)
    for block, replaced, text in (*differing, *_of_examples(document, examples)):
        written[block.line] = tuple(text)
        edits += _edits(document, block, replaced, text)
    after = edited(data, edits, encoding=encoding_of(data, document.path), where=document.path) if edits else data
    promotion = Promotion(document.path, data, after)
    _check(document, promotion, written)
    return promotion


def write(promotion: Promotion) -> bool:
    """Write the document, whole or not at all, and tell whether there was anything to write.

    Raises:
        DocumentError: If the file was changed meanwhile, or cannot be written.
    """
    if not promotion.is_change:
        return False
    if Path(promotion.path).read_bytes() != promotion.before:
        raise _changed(promotion.path)
    write_whole(Path(promotion.path), promotion.after)
    return True


def _unchanged(document: DocumentText) -> bytes:
    try:
        data = Path(document.path).read_bytes()
        now = document_from(data, document.path)
    except (OSError, DocumentError):
        raise _changed(document.path) from None
    if now.text != document.text or (not now.text and now.cells != document.cells):
        raise _changed(document.path)
    return data


def _changed(path: str) -> DocumentError:
    return DocumentError("the document was changed while its cells were executed", path, "run it again")


def _of_cells(
    document: DocumentText, shown: Mapping[int, str], rules: Rules, known: tuple[Sanitiser, ...]
) -> Iterator[tuple[Block, list[Replaced], list[str]]]:
    """Each fence whose text does not fit, what is replaced there, and the text that it holds then."""
    for number, block in expected_of(document).items():
        if number not in shown:
            continue
        where = f"{document.path}, line {block.line}"
        difference = compare(block.source, shown[number], rules_of(block.options, rules, known=known, where=where))
        if difference is not None:
            text = list(difference.accepted)
            if text and _OPTION.match(text[0]):
                text = ["", *text]
            start = min(block.first_line, block.last_line)
            yield block, [Replaced(start, block.last_line, tuple(text))], text


def _of_examples(
    document: DocumentText, examples: Sequence[Replaced]
) -> Iterator[tuple[Block, list[Replaced], list[str]]]:
    """The same of each fence that has some of `examples`."""
    for block in document.blocks:
        found = [one for one in examples if block.first_line <= one.start <= block.last_line]
        if found:
            text = block.source.split("\n")
            for one in sorted(found, reverse=True):
                text[one.start - block.first_line : one.stop - block.first_line] = one.lines
            yield block, found, text


def _edits(document: DocumentText, block: Block, replaced: Sequence[Replaced], text: list[str]) -> list[Edit]:
    """The changes to one fence that holds `text` then: also to its marks, if they would end within that."""
    if not block.closed:
        where = f"{document.path}, line {block.line}"
        raise DocumentError("this fence is not closed", where, f"end it with a line {block.marks}")
    lines = document.text.split("\n")
    opening, closing = lines[block.line - 1], lines[block.last_line - 1]
    bare = block.prefix.rstrip()
    edits = [
        Edit(one.start, one.stop, tuple(f"{block.prefix}{line}" if line else bare for line in one.lines))
        for one in replaced
    ]
    marks = _marks(block.marks, text)
    if marks != block.marks:
        edits += [
            Edit(block.line, block.line + 1, (opening.replace(block.marks, marks, 1),)),
            Edit(
                block.last_line, block.last_line + 1, (re.sub(f"{re.escape(marks[0])}{{3,}}", marks, closing, count=1),)
            ),
        ]
    return edits


def _marks(marks: str, text: list[str]) -> str:
    """Marks that no line of the content can be taken for."""
    sign = re.escape(marks[0])
    runs = [len(found[1]) for line in text if (found := re.match(rf"\s*({sign}{{3,}})\s*$", line))]
    return marks[0] * max(len(marks), *(run + 1 for run in runs)) if runs else marks


def _check(document: DocumentText, promotion: Promotion, written: Mapping[int, tuple[str, ...]]) -> None:
    """Read what would be written: cells and fences must be the same, but for what was put there, by their lines.

    Raises:
        DocumentError: If text cannot stand in its fence.
    """
    if not promotion.is_change:
        return
    before, after = (document_from(data, promotion.path) for data in (promotion.before, promotion.after))
    kept = [cell.source for cell in before.cells] == [cell.source for cell in after.cells]
    for place, block in enumerate(document.blocks):
        text = written.get(block.line, tuple(block.source.split("\n")))
        found = after.blocks[place] if len(after.blocks) == len(document.blocks) else None
        if not kept or found is None or written_lines(found.source) != written_lines("\n".join(text)):
            line = block.line if block.line in written else min(written)
            raise DocumentError(
                "what is shown cannot stand in this fence",
                f"{document.path}, line {line}",
                "put the fence and its cell outside of other fences",
            )
