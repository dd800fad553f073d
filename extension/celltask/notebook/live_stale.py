"""Pictures that stay under their cells, marked as stale when what they show was defined again. It holds state."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.branches import Branch, Conditional
from celltask.core.mapping import Mapped
from celltask.core.registry import registry
from celltask.core.task import Task
from celltask.core.workflow import Workflow
from celltask.errors import CelltaskError
from celltask.notebook.display import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from celltask.core.composite import Composite
    from celltask.core.graph import Graph
    from celltask.core.trace import Trace

__all__ = ["Pictures"]

Bundle = dict[str, str]


class Picture(NamedTuple):
    """A picture that is shown.

    Attributes:
        key: Name of the output.
        graph: What is drawn.
        members: For each entity of the graph all that it runs, near and far.
        draw: What makes it anew, with states of nodes beside those that it shows anyway.
    """

    key: str
    graph: Graph
    members: Mapping[str, list[Task[..., object] | Composite]]
    draw: Callable[[Mapping[str, str]], Bundle | None]


class Pictures:
    """The newest graph and the newest run of each workflow that a shell shows."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._shown: dict[tuple[str, str], Picture] = {}
        self._generation = registry.generation

    def note(
        self, what: str, key: str, graph: Graph, trace: Trace, draw: Callable[[Mapping[str, str]], Bundle | None]
    ) -> None:
        """Remember a picture.

        Args:
            what: ``"graph"`` or ``"run"``.
            key: Name of the output.
            graph: What is drawn.
            trace: What it was made of.
            draw: What makes the picture anew, with states of nodes beside those that it shows anyway.
        """
        members = {name: list(_reached(member)) for name, member in trace.keys.items()}
        self._shown[what, graph.name] = Picture(key, graph, members, draw)

    def refresh(self) -> None:
        """Mark what has become stale since the last time; each picture once."""
        if registry.generation == self._generation:
            return
        self._generation = registry.generation
        for name, picture in list(self._shown.items()):
            again = {key: new for key, members in picture.members.items() if (new := _defined_again(members))}
            if again:
                del self._shown[name]
                self._mark(picture, again)

    def _mark(self, picture: Picture, again: Mapping[str, Task[..., object] | Composite]) -> None:
        graph = picture.graph
        stale = _with_later(graph, {node.id for node in graph.nodes if node.entity in again})
        bundle = picture.draw(dict.fromkeys(stale, "stale"))
        if bundle is None:
            return
        places = dict.fromkeys(f"{new.name} was defined again in {new.place}" for new in again.values())
        told = f"stale: {', '.join(places)}; a new run uses it"
        bundle["text/html"] = f"<p><small>{escape(told)}</small></p>{bundle['text/html']}"
        bundle["text/plain"] = f"{told}\n{bundle['text/plain']}"
        show(self._shell, bundle, key=picture.key, update=True)


def _reached(member: Task[..., object] | Composite) -> Iterator[Task[..., object] | Composite]:
    """`member` and all that it runs; a map or a choice, which nobody defines again by itself, after what it runs."""
    if isinstance(member, Workflow):
        yield member
    if isinstance(member, Mapped):
        yield from _reached(member.task)
    elif isinstance(member, Workflow | Conditional | Branch):
        for inner in member.trace.keys.values():
            yield from _reached(inner)
    if not isinstance(member, Workflow):
        yield member


def _defined_again(members: list[Task[..., object] | Composite]) -> Task[..., object] | Composite | None:
    """What has taken the place of the first of `members` that means something else by now; ``None`` if all hold."""
    for member in members:
        if isinstance(member, Task | Workflow):
            now = registry.current(member)
            if now is not member and _differ(member, now):
                return now
        elif not member.is_current():
            return member
    return None


def _differ(one: Task[..., object] | Workflow[..., object], other: Task[..., object] | Workflow[..., object]) -> bool:
    try:
        return one.digest != other.digest
    except CelltaskError:
        return True


def _with_later(graph: Graph, nodes: set[str]) -> set[str]:
    """`nodes` and all that waits for one of them, near or far."""
    waits = graph.waits_for()
    found = set(nodes)
    for node in graph.order():
        if found.intersection(waits[node.id]):
            found.add(node.id)
    return found
