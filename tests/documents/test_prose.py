"""Prose is passed over quickly; fences are found as by markdown-it's own rule for paragraphs."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it.rules_block.paragraph import paragraph

from celltask.documents.fences import Fence, fence_parser, fences_in

starts = st.sampled_from(
    ["", "", " ", "   ", "    ", "\t", "> ", ">> ", "- ", "* ", "+ ", "1. ", "10) ", "-   ", "> - "]
)
rests = st.sampled_from(
    ["", "", "prose", "prose", "```", "```{code-cell}", "````", "~~~", "```a`", ":::", ":::{note}", "::::", "# T",
     "#T", "===", "---", "- - -", "***", "_ _ _", "<div>", "<!--", "-->", "</pre>", "<b>", "[a]: b", "2) x", "\x0b",
     "\xa0```", "\\```", "|a|b|", "7", "1.", "-", "é", "\u2028"]
)  # fmt: skip
lines = st.tuples(starts, st.sampled_from(["", "", "", "> ", "- ", "  "]), rests).map("".join)
pages = st.lists(lines, max_size=14).map("\n".join)


def found(text: str, *, by_markdown_it: bool) -> list[Fence]:
    """The fences of a text, by the one rule for paragraphs or the other."""
    parser = fence_parser()
    if by_markdown_it:
        parser.block.ruler.at("paragraph", paragraph)
    return list(fences_in(parser, text, 1, page=text.split("\n")))


@settings(max_examples=400, deadline=None)
@given(text=pages)
@example(text="> prose\n```\nx\n```")
@example(text="- prose\n\n  ```\n  x\n prose\n```")
@example(text="prose\n    ```\nprose\n   ```\nx")
@example(text="> > prose\nprose\n>```\nx")
def test_fences_are_those_of_the_full_reader(text: str) -> None:
    """At the same places, with the same content, closed or not; whatever stands around them."""
    assert found(text, by_markdown_it=False) == found(text, by_markdown_it=True)


def test_most_prose_is_followed_by_fences_in_these_pages() -> None:
    """So that the comparison is of something."""
    texts = [f"{start}prose\n{start}```\nx\n" for start in ("", "> ", "- ", "1. ")]
    assert all(found(text, by_markdown_it=False) for text in texts)
