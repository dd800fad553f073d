"""Known: what is known of the content of values that go from node to node, so that none is hashed twice in a run.

A digest stands here, by the place where the value came from, and never on the value, which its owner may change. It
holds state while the run lasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from celltask.core.graph import FromInput, FromNode
from celltask.core.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.context import NodeContext
    from celltask.core.program import Program, Step

__all__ = ["KnownDigests", "facts_of"]

Source = tuple[str, int]
"""Id of a node and number of its output; ``("<name>", 0)`` for an input of the workflow."""


class KnownDigests:
    """Digests by where a value came from, each with the type that it was checked for.

    A digest is taken over only by an input of the same declared type: checking for another may convert the value.

    Args:
        program: What is run.

    Attributes:
        places: The steps that ask for digests and tell them: those of cached tasks.
    """

    def __init__(self, program: Program) -> None:
        self._steps = steps = program.steps
        self.places = frozenset(
            place for place, step in enumerate(steps) if isinstance(step.member, Task) and step.member.options.cache
        )
        self._digests: dict[Source, tuple[object, str]] = {}
        self._changing = _changing(program) if self.places else frozenset()

    def told(self) -> list[tuple[Source, str]]:
        """What is known at the end, for the record of the run."""
        return [(source, digest) for source, (_, digest) in self._digests.items()]

    def give(self, step: Step, context: NodeContext) -> None:
        """Tell a cached task what is known of its inputs."""
        context.input_digests = self.of(step) or None

    def of(self, step: Step) -> dict[int, str]:
        """What is known of the inputs of a node, by place."""
        known = {}
        for place, (binding, port) in enumerate(zip(step.node.bindings, step.member.interface.inputs, strict=True)):
            source = _source(binding)
            found = None if source is None else self._digests.get(source)
            if found is not None and found[0] == port.annotation:
                known[place] = found[1]
        return known

    def from_nodes(self, step: Step, places: Mapping[str, int]) -> tuple[tuple[int, int, int], ...]:
        """The inputs of a node whose digests those may know whom they come from: input, place of that node, output."""
        found = []
        for place, (binding, port) in enumerate(zip(step.node.bindings, step.member.interface.inputs, strict=True)):
            source = _source(binding)
            if source is None or source in self._changing or not isinstance(binding, FromNode):
                continue
            giver = places[source[0]]
            if (
                giver in self.places
                and self._steps[giver].member.interface.outputs[source[1]].annotation == port.annotation
            ):
                found.append((place, giver, source[1]))
        return tuple(found)

    def take(self, step: Step, context: NodeContext) -> None:
        """Note what a cached task found out about its inputs and outputs."""
        self.note(step, context.input_digests or {}, context.output_digests)

    def note(self, step: Step, inputs: Mapping[int, str], found: tuple[str, ...]) -> None:
        """Note the digests of inputs, by place, and of outputs of a node."""
        ports = step.member.interface.inputs
        for place, digest in inputs.items():
            source = _source(step.node.bindings[place])
            if source is not None and source not in self._changing:
                self._digests.setdefault(source, (ports[place].annotation, digest))
        outputs = step.member.interface.outputs
        for number, digest in enumerate(found):
            if digest and (step.node.id, number) not in self._changing:
                self._digests[step.node.id, number] = outputs[number].annotation, digest


def facts_of(step: Step, inputs: Mapping[int, str]) -> dict[str, object]:
    """What a store would tell of the result of a cached task that failed: its code, and the digests of its inputs."""
    task = cast("Task[..., object]", step.member)
    ports, label = task.interface.inputs, task.options.cache_version
    digests = {ports[place].name: digest for place, digest in inputs.items()}
    found: dict[str, object] = {"code": task.digest, "inputs": digests}
    return {**found, "label": label} if label else found


def _source(binding: object) -> Source | None:
    """Where a value comes from whole; None for a part of one, a constant, or several together."""
    if isinstance(binding, FromNode) and not binding.path:
        return binding.node, binding.output
    if isinstance(binding, FromInput) and not binding.path:
        return f"<{binding.name}>", 0
    return None


def _changing(program: Program) -> frozenset[Source]:
    """The values that some task gets to share, and so may change."""
    found = set()
    for step in program.steps:
        if isinstance(step.member, Task) and step.member.options.share:
            for binding, port in zip(step.node.bindings, step.member.interface.inputs, strict=True):
                source = _source(binding)
                if source is not None and port.name in step.member.options.share:
                    found.add(source)
    return frozenset(found)
