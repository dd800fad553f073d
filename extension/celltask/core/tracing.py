"""Tracing: a workflow function is called once with references, and each task it calls becomes a node."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from celltask.core.context import ACTIVE, Tracing
from celltask.core.graph import Binding, Collected, Constant, FromInput, FromNode, Node
from celltask.core.interface import Input, Interface, Output, handler_preview
from celltask.core.origin import place_of
from celltask.core.refs import Condition, NodeHandle, NodeOutputs, Ref, _Ordered, binding_of, declared_of
from celltask.core.task import Task
from celltask.core.task_options import normal_options
from celltask.core.trace import Trace, waiting_order
from celltask.core.types.base import Mismatch
from celltask.core.types.copying import isolated
from celltask.core.types.fit import fits, item_type
from celltask.core.types.lookup import handler_for
from celltask.core.types.masking import discreet
from celltask.errors import BindingError, GraphError, InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import FrameType

    from celltask.core.trace import Member
    from celltask.core.types.base import TypeHandler

__all__ = ["Trace", "Tracer", "alone", "trace_of"]

OVERRIDES = ("name", "retries", "timeout", "cache", "cache_ttl", "environment", "resources")


class Tracer:
    """Turns calls into nodes, for one graph.

    Attributes:
        name: Of what is traced.
        kind: What is traced: ``"workflow"``, ``"branch"``, ``"dynamic"``.
        unfinished: What was begun in this graph and must be ended before the graph is, with what it is and the mend.
    """

    kind = "workflow"
    mend_use = ""

    def __init__(self, name: str, interface: Interface, function: object = None) -> None:
        self.name = name
        self.unfinished: dict[object, tuple[str, str, str]] = {}
        self.trace = Trace(interface)
        self._file = getattr(getattr(function, "__code__", None), "co_filename", None)
        self._fitting: dict[tuple[int, int], tuple[object, TypeHandler]] = {}  # by id: some types have no hash
        self._names: dict[int, str] = {}

    def run(self, function: Callable[..., object]) -> Trace:
        """Call `function` with a reference for each input, and bind what it returns to the outputs."""
        interface = self.trace.interface
        refs = {port.name: self.input(port) for port in interface.inputs}
        positional = _is_positional(function)
        return self._traced(partial(function, *refs.values()) if positional else partial(function, **refs))

    def _traced(self, call: Callable[[], object]) -> Trace:
        """Make the graph of the calls in `call`, and bind what it returns to the outputs."""
        __tracebackhide__ = True
        token = ACTIVE.set(Tracing(self))
        try:
            returned = call()
        finally:
            ACTIVE.reset(token)
        self.trace.outputs = self._outputs(returned)
        return self.finish()

    def finish(self) -> Trace:
        """The trace, after checking that the nodes can be put in an order.

        Raises:
            CycleError: If some wait for each other.
        """
        for told in self.unfinished.values():
            raise GraphError(*told)
        if not self.trace.ordered:
            waiting_order(self.trace, self.where())
        return self.trace

    def input(self, port: Input) -> Ref:
        """The reference to an input of the workflow."""
        return Ref(self, -1, FromInput(port.name), port.handler, f"input {port.name!r}")

    def add(self, member: Member, values: tuple[object, ...]) -> object:
        """A node that calls `member` with `values`, one per input; what a call of it gives inside the workflow."""
        trace = self.trace
        number = len(trace.nodes)
        bindings: list[Binding | None] = []
        for port, value in zip(member.interface.inputs, values, strict=True):
            if value.__class__ is Ref:
                pair = (id(value._annotation), id(port.handler))  # noqa: SLF001 - of this room
                if pair not in self._fitting:
                    self._check_fit(value, port, f"input {port.name!r} of {member.name!r}")
                    self._fitting[pair] = (value._annotation, port.handler)  # noqa: SLF001 - of this room
                mine = value if value._tracer is self else self.own(value)  # noqa: SLF001 - of this room
                bindings.append(mine._binding)  # noqa: SLF001 - of this room
            elif value is port.default:
                bindings.append(None)
            else:
                bindings.append(self._bind(value, port, f"input {port.name!r} of {member.name!r}"))
        key = self._names.get(id(member)) or self._name(member)
        trace.nodes.append(Node(f"n{number}", member.name, key, tuple(bindings)))
        trace.members.append(member)
        return self._given(member, number)

    def own(self, ref: Ref) -> Ref:
        """The reference of this graph to what `ref` stands for.

        Raises:
            GraphError: If it belongs to another graph.
        """
        self._refuse_foreign(ref)
        return ref

    def _refuse_foreign(self, value: object) -> None:
        """Refuse a reference to a value of another graph."""
        if isinstance(value, Ref | _Ordered) and value._tracer is not self:  # noqa: SLF001 - of this room
            owner = value._tracer  # noqa: SLF001 - of this room
            raise GraphError(
                f"{value!r} belongs to {owner.told}, not to {self.told}", self.where(), self._mend_foreign(owner)
            )

    def _mend_foreign(self, owner: Tracer) -> str:
        return f"make it an input of this {self.kind}" if owner.kind == "workflow" else owner.mend_use

    def whole(self, ref: Ref) -> Ref:
        """The reference to all of the input or output that `ref` is a part of."""
        binding = ref._binding  # noqa: SLF001 - of this room
        if not binding.path:
            return ref
        if isinstance(binding, FromInput):
            return self.input(self.trace.interface.input(binding.name))
        member = self.trace.members[ref._node]  # noqa: SLF001 - of this room
        port = member.interface.outputs[binding.output]
        return Ref(self, ref._node, binding._replace(path=()), port.handler, member.name)  # noqa: SLF001 - of this room

    def _given(self, member: Member, number: int) -> object:
        outputs = member.interface.outputs
        node_id = f"n{number}"
        if member.interface.result == "none":
            return NodeHandle(self, number)
        if member.interface.result == "single":
            return Ref(self, number, FromNode(node_id), outputs[0].handler, member.name)
        refs = tuple(
            Ref(self, number, FromNode(node_id, place), port.handler, f"{member.name}.{port.name}")
            for place, port in enumerate(outputs)
        )
        return NodeOutputs.of(refs, tuple(port.name for port in outputs), self, number)

    def _name(self, member: Member) -> str:
        """A name for a member not met before, unique in this graph."""
        key, count = member.name, 1
        while key in self.trace.keys:
            count += 1
            key = f"{member.name}#{count}"
        self.trace.keys[key] = member
        self._names[id(member)] = key
        return key

    def _bind(self, value: object, port: Input | Output, side: str) -> Binding:
        """The binding for a value that is no reference itself but may hold some; `side` names the port in errors."""
        if isinstance(value, NodeOutputs | NodeHandle):
            count = len(value) if isinstance(value, NodeOutputs) else 0
            raise BindingError(
                f"{side} takes one value and is given a node with {count} outputs",
                self.where(),
                "take one of its outputs by name or place" if count else "use `>>` for order alone",
            )
        if _holds_refs(value):
            return self._collect(value, side, port.annotation)
        try:
            return Constant(port.handler.receive(value))
        except Mismatch as refused:
            error = discreet(port.handler, refused)
            for told in self.unfinished.values():
                raise GraphError(*told) from None
            path = "".join(error.path)
            raise BindingError(
                f"{side} must be {error.expected}, got {handler_preview(error.value)}"
                + (f" at {port.name}{path}" if path else ""),
                self.where(),
                error.hint or f"give a value that is {error.expected}",
            ) from None

    def _collect(self, value: object, side: str, wanted: object) -> Binding:
        """The binding for a container with references in it, where `wanted` is declared at this depth."""
        if isinstance(value, Condition):
            bool(value)  # raises with the mend
        declared = declared_of(value) if isinstance(value, Ref) else type(value)
        if not fits(declared, wanted):
            told = _name_of(value) if isinstance(value, Ref) else f"a {type(value).__name__}"
            raise BindingError(
                f"{told} in {side} is {_type_text(declared)} where {_type_text(wanted)} is declared",
                self.where(),
                "change one of the two types",
            )
        if isinstance(value, Ref):
            return binding_of(self.own(value))
        if not _holds_refs(value):
            return Constant(isolated(value))
        if isinstance(value, dict) and not any(_holds_refs(key) for key in value):
            items = [self._collect(item, side, _inside(wanted, key)) for key, item in value.items()]
            return Collected("dict", tuple(items), tuple(value))
        if isinstance(value, list | tuple):
            items = [self._collect(item, side, _inside(wanted, place)) for place, item in enumerate(value)]
            return Collected("list" if isinstance(value, list) else "tuple", tuple(items))
        raise BindingError(
            f"{side} is given a {type(value).__name__} with references in it",
            self.where(),
            "put references in a list, a tuple, or the values of a dict",
        )

    def _check_fit(self, ref: Ref, port: Input | Output, side: str) -> None:
        declared = declared_of(ref)
        if not fits(declared, port.annotation):
            raise BindingError(
                f"{_name_of(ref)} is {_type_text(declared)} and cannot be {side}, which is {port.handler.name}",
                self.where(),
                f"change one of the two types, or put a task between that makes {port.handler.name} of it",
            )

    def _outputs(self, returned: object) -> tuple[Binding, ...]:
        interface = self.trace.interface
        wanted = len(interface.outputs)
        if interface.result == "none":
            if returned is not None and not isinstance(returned, NodeHandle):
                raise BindingError(
                    f"{self.told} declares no output and returns one",
                    self.where(),
                    "declare its type: -> …",
                )
            return ()
        values: Iterable[object] = (returned,)
        if interface.result != "single":
            if not isinstance(returned, tuple) or len(returned) != wanted:
                got = f"{len(returned)}" if isinstance(returned, tuple) else "one"
                raise BindingError(
                    f"{self.told} declares {wanted} outputs and returns {got}",
                    self.where(),
                    "return one for each",
                )
            values = returned
        return tuple(self.output(value, port) for value, port in zip(values, interface.outputs, strict=True))

    def output(self, value: object, port: Output) -> Binding:
        """The binding of one output of the workflow to `value`."""
        side = f"output {port.name!r} of {self.told}"
        if isinstance(value, Ref):
            self._check_fit(value, port, side)
            return binding_of(self.own(value))
        if value is None and not fits(type(None), port.annotation):
            raise BindingError(f"{side} is declared and nothing is returned for it", self.where(), "return it")
        return self._bind(value, port, side)

    def order(self, before: object, later: object) -> None:
        """Note that the node of `later` starts after the node of `before`."""
        first, second = _node_of(before), _node_of(later)
        if first is None or second is None or first < 0 or second < 0:
            raise GraphError(
                f"`>>` joins calls of tasks, not {later!r}", self.where(), "write: a >> b, with a = task_a(…)"
            )
        for value in (before, later):
            self._refuse_foreign(value)
        node = self.trace.nodes[second]
        self.trace.nodes[second] = node._replace(after=(*node.after, f"n{first}"))
        self.changed()
        if first >= second:
            self.trace.ordered = False

    def override(self, number: int, overrides: Mapping[str, object]) -> None:
        """Give a node another name or other options."""
        unknown = [key for key in overrides if key not in OVERRIDES]
        if unknown or number < 0:
            told = f"no option {unknown[0]!r} to override" if unknown else "an input of the workflow has no options"
            raise GraphError(told, self.where(), f"use: {', '.join(OVERRIDES)}")
        node, member = self.trace.nodes[number], self.trace.members[number]
        if not isinstance(member, Task) and overrides.keys() - {"name"}:
            told = f"node {node.label} is a {member.kind}, of which only the name can be overridden"
            raise GraphError(told, self.where(), "override the options of the tasks in it")
        try:
            normal_options(overrides)
        except InterfaceError as error:
            raise GraphError(error.what, self.where(), error.mend) from None
        known = {**(node.overrides or {}), **overrides}
        label = str(known.get("name", node.label))
        self.trace.nodes[number] = node._replace(label=label, overrides=known)
        self.changed()

    def changed(self) -> None:
        """What was made of the trace so far holds no longer."""
        self.trace.program = None
        self.trace.graph = None

    def label(self, number: int) -> str:
        """Name shown of a node."""
        return self.trace.nodes[number].label

    @property
    def told(self) -> str:
        """What is traced, in words."""
        return f"{self.kind} {self.name!r}"

    def where(self) -> str:
        """The line of the workflow that is being traced."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only way to the caller's line
        while frame is not None:
            if frame.f_code.co_filename == self._file:
                return place_of(frame.f_code.co_filename, frame.f_lineno)
            frame = frame.f_back
        return self.told


def _inside(declared: object, key: object) -> object:
    """The type declared for an item of a container, `Any` where the container says nothing of it."""
    try:
        return item_type(declared, key)
    except LookupError:
        return Any


def _node_of(value: object) -> int | None:
    if isinstance(value, NodeOutputs):
        return value._handle._node  # noqa: SLF001 - of this room
    return value._node if isinstance(value, _Ordered) else None  # noqa: SLF001 - of this room


def _name_of(ref: Ref) -> str:
    return ref._name  # noqa: SLF001 - of this room


def _type_text(declared: object) -> str:
    return handler_for(declared).name


def _is_positional(function: Callable[..., object]) -> bool:
    """Whether some parameters of `function` can be given by position only, and so none by name only."""
    code = getattr(function, "__code__", None)
    return bool(code is not None and code.co_posonlyargcount and not code.co_kwonlyargcount)


def _holds_refs(value: object) -> bool:
    if isinstance(value, Ref | Condition):
        return True
    if isinstance(value, dict):
        return any(_holds_refs(item) for pair in value.items() for item in pair)
    return isinstance(value, list | tuple | set | frozenset) and any(_holds_refs(item) for item in value)


def alone(member: Member) -> Trace:
    """A graph of one node, which runs `member` with its own inputs."""
    tracer = Tracer(member.name, member.interface)
    tracer.add(member, tuple(tracer.input(port) for port in member.interface.inputs))
    tracer.trace.outputs = tuple(FromNode("n0", place) for place in range(len(member.interface.outputs)))
    return tracer.trace


def trace_of(member: Member) -> Trace:
    """The graph of `member`; of one node, if it has none of its own."""
    trace = getattr(member, "trace", None)
    return trace if isinstance(trace, Trace) else alone(member)
