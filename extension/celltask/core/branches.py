"""Branches: what a conditional is made of, while its workflow is traced and when it runs.

A branch has a graph of its own. A value from outside becomes an input of the conditional, and so of each branch; the
way into it (``.field``, ``[0]``) is gone only where the branch or the condition is really evaluated.
"""

from __future__ import annotations

import typing
from dataclasses import replace
from typing import TYPE_CHECKING

from celltask.core.calling import checked_inputs
from celltask.core.composite import Composite
from celltask.core.conditions import Test, holds, names_in, test_identity, test_of
from celltask.core.graph import Constant, Entity, FromInput, Graph, Node, sources_of
from celltask.core.identity import digest_of, trace_digest
from celltask.core.interface import Input, Interface, Output
from celltask.core.refs import NodeHandle, NodeOutputs, Ref, binding_of, declared_of, may_be_true
from celltask.core.trace import Trace, graph_of
from celltask.core.tracing import Tracer
from celltask.core.types.base import Mismatch
from celltask.core.types.lookup import handler_for
from celltask.core.types.masking import holds_secrets
from celltask.errors import BindingError, RefError, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celltask.core.execution import Execution
    from celltask.core.graph import Binding

__all__ = ["Branch", "BranchTracer", "Conditional"]


class BranchTracer(Tracer):
    """Turns the calls in one branch into nodes of its own graph."""

    kind = "branch"
    mend_use = "give it as the value of its branch, and use what the conditional gives"

    def __init__(self, name: str, owner: Conditional) -> None:
        super().__init__(name, owner.interface)
        self.owner = owner
        self._file = owner.outer._file  # noqa: SLF001 - of this room

    def own(self, ref: Ref) -> Ref:
        """The reference in this branch to what `ref`, of this branch or from outside, stands for."""
        return ref if ref._tracer is self else self.owner.captured(ref, self)  # noqa: SLF001 - of this room

    @property
    def told(self) -> str:
        """What is traced, in words."""
        return f"branch {self.name!r} of conditional {self.owner.name!r}"


class Branch(Composite):
    """One branch, made when its conditional is complete: a graph with the inputs of the conditional."""

    kind = "branch"

    def __init__(self, owner: Conditional, tracer: BranchTracer, test: Test | None, message: str | None) -> None:
        self.name, self.owner, self.test, self.message = tracer.name, owner, test, message
        self.trace = tracer.trace
        self.gives: list[tuple[Binding, object]] | None = None
        self.names: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where its conditional stands."""
        return self.owner.place

    @property
    def digest(self) -> str:
        """Identity of the code."""
        condition = "else" if self.test is None else test_identity(self.test)
        return digest_of([self.name, condition, repr(self.message), trace_digest(self.trace)])

    def is_current(self) -> bool:
        """Whether nothing that it runs was defined again since."""
        return all(member.is_current() for member in self.trace.keys.values())

    def entity(self) -> Entity:
        """The branch as plain data; its description tells the message that it ends the run with."""
        inputs, outputs = self.interface.ports()
        doc = "" if self.message is None else f"fails: {self.message}"
        return Entity(self.name, "branch", inputs, outputs, doc, self.place, self.graph)

    @property
    def graph(self) -> Graph:
        """Its graph as plain data, with those inputs that it uses."""
        trace = self.trace
        bindings = [binding for node in trace.nodes for binding in node.bindings] + list(trace.outputs)
        used = {source.name for binding in bindings for source in sources_of(binding) if isinstance(source, FromInput)}
        graph = graph_of(self.name, trace, place=self.place)
        wary = [holds_secrets(port.handler) for port in self.owner.interface.outputs]  # if another branch gives one
        outputs = tuple(
            out._replace(is_secret=out.is_secret or hides) for out, hides in zip(graph.outputs, wary, strict=False)
        )
        return replace(graph, inputs=tuple(port for port in graph.inputs if port.name in used), outputs=outputs)

    def reads(self) -> frozenset[str] | None:
        """None: its nodes do."""
        return frozenset()

    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """What the branch gives, or its failure."""
        __tracebackhide__ = True
        if self.message is not None:
            others = [branch.name for branch in self.owner.branches if branch.message is None]
            mend = f"give inputs for which another branch is taken: {'; '.join(others)}" if others else ""
            raise RunError(self.message, f"conditional {self.owner.name!r}, {self.place}", mend)
        return execution.nest(self, self.trace, place, arguments)


class Conditional(Composite):
    """A choice between branches, as a node of a workflow. It holds state until it is complete.

    Attributes:
        outer: Tracer of the graph that it stands in.
        branches: In the order in which their conditions are asked.
    """

    kind = "conditional"

    def __init__(self, name: str, outer: Tracer, where: str) -> None:
        self.name, self.outer, self._place = name, outer, where
        self.interface = Interface((), (), "none")
        self.branches: list[Branch] = []
        self._begun: tuple[BranchTracer, Test | None] | None = None
        self._tracers: list[BranchTracer] = []
        self._captured: dict[Binding, tuple[Input, Ref]] = {}

    @property
    def place(self) -> str:
        """Where it stands: ``"tutorial.md, cell 5, line 110"``."""
        return self._place

    def captured(self, ref: Ref, tracer: BranchTracer) -> Ref:
        """The reference inside to what `ref` stands for outside, which becomes an input if it is none yet."""
        ref = self.outer.own(ref)
        whole = self.outer.whole(ref)
        key = binding_of(whole)
        if key not in self._captured:
            port = self._new_input(whole)
            self._captured[key] = (port, whole)
            self.interface = Interface((*self.interface.inputs, port), (), "none")
            for each in self._tracers:
                each.trace.interface = self.interface
        binding = FromInput(self._captured[key][0].name, getattr(binding_of(ref), "path", ()))
        return Ref(tracer, -1, binding, ref._annotation, ref._name)  # noqa: SLF001 - of this room

    def _new_input(self, whole: Ref) -> Input:
        base = whole._name.removeprefix("input ").strip("'").replace(".", "_")  # noqa: SLF001 - of this room
        name, count = base, 1
        taken = {port.name for port in self.interface.inputs}
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        annotation = declared_of(whole)
        return Input(name, annotation, handler_for(annotation))

    def begin(self, condition: object, *, is_last: bool) -> BranchTracer:
        """The tracer of a new branch, which is taken if `condition` holds.

        Raises:
            RefError: If it is no condition.
        """
        if not is_last:
            self._check_condition(condition)
        tracer = BranchTracer("else", self)
        self._tracers.append(tracer)
        test = None if is_last else test_of(condition, tracer.own)
        if test is not None:
            tracer.name = test.text
        self._begun = (tracer, test)
        return tracer

    def _check_condition(self, condition: object) -> None:
        if may_be_true(condition):
            return
        told = repr(condition) if isinstance(condition, Ref) else f"{condition!r} ({type(condition).__name__})"
        raise RefError(
            f"conditional {self.name!r} is given {told} for a condition",
            self.outer.where(),
            'compare references: x > 3, name == "a", (a > 1) & (b < 2), flag',
        )

    def end(self, value: object, message: str | None) -> Branch:
        """The branch that was begun; it gives `value`, or fails with `message`."""
        tracer, test = typing.cast("tuple[BranchTracer, Test | None]", self._begun)
        branch = Branch(self, tracer, test, message)
        tracer.finish()
        if message is None:
            branch.gives = _given(tracer, value)
            branch.names = value._names if isinstance(value, NodeOutputs) else ()  # noqa: SLF001 - of this room
        self.branches.append(branch)
        return branch

    def finished(self) -> tuple[Conditional, tuple[Ref, ...]]:
        """This conditional, complete, and the references that its node takes."""
        inputs = self.interface.inputs
        outputs, result = _agreed(self)
        self.interface = Interface(inputs, outputs, result)
        for branch in self.branches:
            given = () if branch.gives is None or result == "none" else branch.gives
            kinds = [annotation for _, annotation in given]
            ports = tuple(
                Output(port.name, kind, handler_for(kind)) for port, kind in zip(outputs, kinds, strict=False)
            )
            branch.interface = Interface(inputs, ports, result if ports else "none")
            branch.trace.interface = branch.interface
            branch.trace.outputs = tuple(binding for binding, _ in given)
        self.trace = self._choice()
        return self, tuple(ref for _, ref in self._captured.values())

    def _choice(self) -> Trace:
        """The graph of which a run carries out one node: a node for each branch."""
        trace = Trace(self.interface)
        bindings = tuple(FromInput(port.name) for port in self.interface.inputs)
        for number, branch in enumerate(self.branches):
            key = f"branch {number + 1}"
            trace.keys[key] = branch
            trace.members.append(branch)
            trace.nodes.append(Node(f"n{number}", branch.name, key, bindings))
        return trace

    @property
    def digest(self) -> str:
        """Identity of the code: conditions and branches."""
        return digest_of([self.name, *(branch.digest for branch in self.branches)])

    def is_current(self) -> bool:
        """Whether nothing that its branches run was defined again since."""
        return all(branch.is_current() for branch in self.branches)

    def entity(self) -> Entity:
        """The conditional as plain data; its graph has a node for each branch."""
        inputs, outputs = self.interface.ports()
        entities = {key: member.entity() for key, member in self.trace.keys.items()}
        graph = Graph(self.name, inputs, (), tuple(self.trace.nodes), entities, "", self.place)
        return Entity(self.name, "conditional", inputs, outputs, "", self.place, graph)

    def reads(self) -> frozenset[str] | None:
        """The inputs that its conditions ask for."""
        return frozenset().union(*(names_in(branch.test) for branch in self.branches))

    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """What the first branch gives whose condition holds."""
        __tracebackhide__ = True
        values = checked_inputs(self, tuple(arguments))
        places = {f"<{port.name}>": number for number, port in enumerate(self.interface.inputs)}
        taken = next(
            number
            for number, branch in enumerate(self.branches)
            if branch.test is None or holds(branch.test, values, places)
        )
        return execution.nest(self, self.trace, place, list(values), taken=taken)


def _given(tracer: BranchTracer, value: object) -> list[tuple[Binding, object]] | None:
    """A binding and a type for each output of a branch that gives `value`; ``None`` if it gives nothing."""
    if isinstance(value, NodeHandle):
        return None
    values: Sequence[object] = value if isinstance(value, tuple) else (value,)
    return [_output(tracer, item) for item in values]


def _output(tracer: BranchTracer, value: object) -> tuple[Binding, object]:
    if isinstance(value, Ref):
        own = tracer.own(value)
        return binding_of(own), declared_of(own)
    kind = type(None) if value is None else type(value)
    return tracer.output(value, Output("value", kind, handler_for(kind))), kind


def _agreed(made: Conditional) -> tuple[tuple[Output, ...], typing.Literal["none", "single", "tuple"]]:
    """The outputs of a conditional, from those of its branches."""
    giving = [branch for branch in made.branches if branch.message is None]
    nothing = [branch for branch in giving if branch.gives is None or _is_none(branch)]
    if len(nothing) == len(giving) and (not giving or any(branch.gives is None for branch in nothing)):
        return (), "none"
    counts = {branch: len(branch.gives or ()) for branch in giving}
    widest = max(counts, key=lambda branch: counts[branch])
    for branch, count in counts.items():
        if count != counts[widest]:
            raise BindingError(
                f"branch {widest.name!r} of conditional {made.name!r} gives {_counted(counts[widest])}, "
                f"branch {branch.name!r} gives {_counted(count)}",
                made.outer.where(),
                "let all branches give the same number of values",
            )
    columns = [_kind_of([(branch.gives or [])[at] for branch in giving]) for at in range(counts[widest])]
    alike = {branch.names for branch in giving}
    names = giving[0].names if len(alike) == 1 and giving[0].names else [f"o{at}" for at in range(len(columns))]
    outputs = tuple(Output(name, kind, handler_for(kind)) for name, kind in zip(names, columns, strict=True))
    return outputs, "single" if len(outputs) == 1 else "tuple"


def _is_none(branch: Branch) -> bool:
    return branch.gives is not None and [kind for _, kind in branch.gives] == [type(None)]


def _counted(count: int) -> str:
    return f"{count or 'no'} value{'s' * (count != 1)}"


def _kind_of(given: Sequence[tuple[Binding, object]]) -> object:
    """The type of one output: what is declared for the references, and the classes of constants that do not fit it."""
    kinds: list[object] = []
    for binding, kind in sorted(given, key=lambda pair: isinstance(pair[0], Constant)):
        if isinstance(binding, Constant) and any(_takes(one, binding.value) for one in kinds):
            continue
        if kind not in kinds:
            kinds.append(kind)
    return kinds[0] if len(kinds) == 1 else typing.Union[tuple(kinds)]  # noqa: UP007 - made from a tuple


def _takes(kind: object, value: object) -> bool:
    try:
        handler_for(kind).validate(value)
    except Mismatch:
        return False
    return True
