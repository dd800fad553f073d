"""Labels for the anchors of tasks, so that `{ref}` and `[](#task-train)` find them from any page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["LABELS", "forget_labels", "settle_labels"]

LABELS = "celltask_labels"
"""Key of a page's metadata: the name of each task, by the anchor of its cell."""


def settle_labels(_: Sphinx, env: BuildEnvironment) -> None:
    """Make labels of the anchors: ``task-train``, if no other page has it, and ``guide/page:task-train`` in any case.

    A label that a page itself gives goes before these.
    """
    domain = env.domains.standard_domain
    for label, (docname, anchor, name) in _labels(env):
        if label not in domain.anonlabels:
            domain.anonlabels[label] = (docname, anchor)
            domain.labels[label] = (docname, anchor, name)


def forget_labels(_: Sphinx, env: BuildEnvironment, __: list[str]) -> None:
    """Take away what the build before has made, of which pages that are read anew may have something else."""
    domain = env.domains.standard_domain
    for label, place in _labels(env):
        if domain.labels.get(label) == place:
            del domain.labels[label], domain.anonlabels[label]


def _labels(env: BuildEnvironment) -> Iterator[tuple[str, tuple[str, str, str]]]:
    places: dict[str, list[tuple[str, str, str]]] = {}
    for docname, metadata in env.metadata.items():
        for anchor, name in metadata.get(LABELS, {}).items():
            place = (docname, anchor, name)
            places.setdefault(anchor, []).append(place)
            yield f"{docname}:{anchor}".lower(), place
    yield from ((anchor, found[0]) for anchor, found in places.items() if len(found) == 1)
