"""The rules of `celltask lint`, by name.

To add one: write a function that takes a `Page` and yields findings, name it in the table, and say its reason in
docs/guide/lint.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.lint import cell_rules, prose_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celltask.documents.lint.finding import Finding
    from celltask.documents.lint.page import Page

__all__ = ["RULES", "UNREADABLE", "Rule"]

UNREADABLE = "unreadable"
"""The name under which a document that cannot be read is told."""


class Rule(NamedTuple):
    """One thing to look for."""

    told: str
    """What it finds, in a few words."""
    check: Callable[[Page], Iterator[Finding]]


def _nothing(page: Page) -> Iterator[Finding]:
    del page
    yield from ()


RULES = {
    UNREADABLE: Rule("a document that cannot be read", _nothing),
    "swallowed-cell": Rule("a fence that runs over a code cell", cell_rules.noticed("swallowed-cell")),
    "unclosed-fence": Rule("a fence that is never closed", cell_rules.unclosed_fences),
    "fence-length": Rule("a fence closed with more marks than it was opened with", cell_rules.fence_lengths),
    "misspelt-cell": Rule("a fence that is almost a code cell", cell_rules.noticed("misspelt-cell")),
    "space-before-brace": Rule("a space before {code-cell}", cell_rules.spaces_before_braces),
    "colon-cell": Rule("a code cell written with colons", cell_rules.colon_cells),
    "hidden-cell": Rule("a code cell in a comment, in HTML or in an indented block", cell_rules.noticed("hidden-cell")),
    "nested-cell": Rule("a code cell inside a directive, list or quotation", cell_rules.nested_cells),
    "stray-output": Rule("an {output} fence that belongs to no cell", cell_rules.stray_outputs),
    "foreign-kernel": Rule("a kernel of another language in the header", cell_rules.noticed("foreign-kernel")),
    "two-languages": Rule("code cells of two languages", cell_rules.languages),
    "tags-as-string": Rule("tags that are not a list", cell_rules.tags_as_string),
    "unknown-tag": Rule("a tag that nothing reads", cell_rules.unknown_tags),
    "unknown-option": Rule("an option of a code cell that is nearly a known one", cell_rules.unknown_options),
    "python-target": Rule("a role of Python whose target does not exist", prose_rules.python_targets),
    "reference-target": Rule("a reference to a label or page that does not exist", prose_rules.reference_targets),
    "missing-file": Rule("a command that names a missing file", prose_rules.missing_files),
    "stale-name": Rule("a name in the text that is not in the code", prose_rules.stale_names),
}
"""Every rule by its name, in the order of the guide."""
