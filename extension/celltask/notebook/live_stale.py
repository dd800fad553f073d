"""Pictures that stay under their cells, marked as stale when what they show was defined again. It holds state."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.branches import Branch, Conditional
from celltask.core.graph import FromInput, sources_of
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
    from celltask.core.graph import Binding, Graph
    from celltask.core.trace import Trace

__all__ = ["Pictures"]

Bundle = dict[str, str]


class Part(NamedTuple):
    """What the nodes of one entity run.

    Attributes:
        members: All of it, near and far.
        inside: The same for the entities of its own graph, if it has one.
    """

    members: list[Task[..., object] | Composite]
    inside: Mapping[str, Part]


class Picture(NamedTuple):
    """A picture that is shown.

    Attributes:
        key: Name of the output.
        graph: What is drawn.
        parts: What each entity of the graph runs.
        draw: What makes it anew, with states of nodes beside those that it shows anyway.
    """

    key: str
    graph: Graph
    parts: Mapping[str, Part]
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
        self._shown[what, graph.name] = Picture(key, graph, _parts(trace), draw)

    def refresh(self) -> None:
        """Mark what has become stale since the last time; each picture once."""
        if registry.generation == self._generation:
            return
        self._generation = registry.generation
        for name, picture in list(self._shown.items()):
            again = _defined_again(picture.parts)
            if again:
                del self._shown[name]
                self._mark(picture, list(again.values()))

    def _mark(self, picture: Picture, again: list[Task[..., object] | Composite]) -> None:
        bundle = picture.draw(dict.fromkeys(_stale(picture.graph, picture.parts, set(), ""), "stale"))
        if bundle is None:
            return
        places = dict.fromkeys(f"{new.name} was defined again in {new.place}" for new in again)
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


def _parts(trace: Trace) -> dict[str, Part]:
    return {
        name: Part(
            list(_reached(member)),
            _parts(member.trace) if isinstance(member, Workflow | Conditional | Branch) else {},
        )
        for name, member in trace.keys.items()
    }


def _defined_again(parts: Mapping[str, Part]) -> dict[str, Task[..., object] | Composite]:
    """Of the entities that run something else by now, what has taken its place."""
    return {name: new for name, part in parts.items() if (new := _successor(part.members)) is not None}


def _successor(members: list[Task[..., object] | Composite]) -> Task[..., object] | Composite | None:
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


def _stale(graph: Graph, parts: Mapping[str, Part], inputs: set[str], prefix: str) -> Iterator[str]:
    """Nodes that run what was defined again, or get what comes of it, with those inside of them.

    Args:
        graph: A graph.
        parts: What its entities run.
        inputs: Those of its inputs that come of what was defined again.
        prefix: What ids of its nodes begin with.
    """
    again, waits, found = _defined_again(parts), graph.waits_for(), set[str]()

    def is_stale(binding: Binding | None) -> bool:
        return any(
            source.name in inputs if isinstance(source, FromInput) else source.node in found
            for source in sources_of(binding)
        )

    for node in graph.order():
        entity = graph.entities[node.entity]
        given = {port.name for port, binding in zip(entity.inputs, node.bindings, strict=True) if is_stale(binding)}
        if entity.graph is not None:  # a branch takes all inputs of its choice, and need not use them
            given.intersection_update(port.name for port in entity.graph.inputs)
        if node.entity in again or given or found.intersection(waits[node.id]):
            yield prefix + node.id
            if entity.graph is not None and node.entity in parts:
                yield from _stale(entity.graph, parts[node.entity].inside, given, f"{prefix}{node.id}/")
            found.add(node.id)
