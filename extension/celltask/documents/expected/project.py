"""What the settings of a project say about expected output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.documents.expected.rules import Rules, Tolerance, rules_of
from celltask.documents.expected.sanitise import built_in, chosen, own
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celltask.documents.expected.sanitise import Sanitiser
    from celltask.documents.outline import DocumentText

__all__ = ["project_rules"]


def project_rules(document: DocumentText, sanitize: Sequence[str], rtol: str) -> tuple[tuple[Sanitiser, ...], Rules]:
    """All sanitisers that a fence of `document` may name, and the rules where a fence says nothing.

    Args:
        document: As read.
        sanitize: The setting ``celltask_sanitize``.
        rtol: The setting ``celltask_expected_rtol``; empty for the default.

    Raises:
        DocumentError: If one of the settings cannot be meant.
    """
    folder = document.path.replace("\\", "/").rpartition("/")[0]
    names, owned = [], []
    for line in sanitize:
        name, is_own, pattern = line.partition("=")
        if is_own:
            owned.append(own(name.strip(), pattern.strip()))
        else:
            names.append(line)
    known = (*owned, *built_in(folder))
    on = chosen(",".join(names) or "all", known, where="celltask_sanitize")
    if names:
        on = (*(one for one in owned if one not in on), *on)
    rules = Rules(Tolerance(), on)
    if rtol:
        try:
            rules = rules_of({"rtol": rtol}, rules)
        except DocumentError as error:
            raise DocumentError(f"celltask_expected_rtol: {error.what}", error.where, error.mend) from None
    return known, rules
