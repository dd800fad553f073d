"""Gates: nodes of a workflow that wait for a person, for an approval or for a value."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar, cast

from celltask.core.asking import Question, ask
from celltask.core.composite import Composite
from celltask.core.context import ACTIVE, Tracing
from celltask.core.identity import digest_of
from celltask.core.interface import Input, Interface, Output, handler_preview
from celltask.core.late import late
from celltask.core.origin import place_of
from celltask.core.refs import NodeHandle, NodeOutputs, Ref, declared_of
from celltask.core.task_options import normal_options
from celltask.core.types.base import Mismatch
from celltask.core.types.lookup import handler_for
from celltask.errors import BindingError, CallError, InterfaceError, RunError, ValueMismatchError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from celltask.core.execution import Execution
    from celltask.core.graph import Entity
    from celltask.core.trace import Trace
    from celltask.core.types.base import TypeHandler
    from celltask.core.workflow import Workflow

__all__ = ["AnswerText", "approve", "check_answers", "wait_for_input"]

T = TypeVar("T")
_YES, _NO = ("y", "yes", "true", "ok", "approve", "approved"), ("n", "no", "false", "reject", "rejected")


class AnswerText(str):
    """An answer as text, to be read as the type of the gate says."""

    __slots__ = ()


class Gate(Composite):
    """A node that waits for a person; its subclasses say for what."""

    kind = "gate"
    wanted: TypeHandler
    """Of the type of the answer."""

    def __init__(self, name: str, interface: Interface, timeout: float | timedelta | None, where: str) -> None:
        given: object = name
        if not isinstance(given, str) or not given:  # a reference, in the order that Flyte has
            raise InterfaceError("a gate has no name", where, 'give it one first: approve("budget", value)')
        self.name, self.interface, self._place = name, interface, where
        self.timeout_s = cast("float | None", normal_options({"timeout": timeout})["timeout"])

    @property
    def place(self) -> str:
        """Where it stands: ``"tutorial.md, cell 5, line 110"``."""
        return self._place

    @property
    def digest(self) -> str:
        """Identity of the code: name and type."""
        return digest_of([type(self).__name__, self.name, str(self.interface)])

    def is_current(self) -> bool:
        """Always: it runs nothing."""
        return True

    def entity(self) -> Entity:
        """The gate as plain data; its description tells what it waits for."""
        from celltask.core.graph import Entity  # noqa: PLC0415 - only pictures need it

        return Entity(self.name, "gate", *self.interface.ports(), f"waits for {self.wants}", self.place)

    @property
    def wants(self) -> str:
        """What it waits for, in words."""
        return self.wanted.name

    def read(self, text: str) -> object:
        """The answer that `text` stands for.

        Raises:
            Mismatch: If it stands for none.
        """
        return self.wanted.parse(text)

    def answer(self, execution: Execution, shown: str) -> object:
        """The answer given with the run, else that of whoever can be asked.

        Raises:
            ValueMismatchError: If it does not fit.
            RunError: If there is nobody to ask.
        """
        __tracebackhide__ = True
        answers = execution.settings.answers
        if self.name not in answers:
            control = execution.control
            ends = (isinstance(self, ApprovalGate), control.is_apart, control.cancelled.is_set)
            given = ask(Question(self.name, shown, self.wanted, self.read, self.timeout_s, self.place, *ends))
        else:
            given = answers[self.name]
        try:
            return self.read(given) if isinstance(given, AnswerText) else self.wanted.validate(given)
        except Mismatch as error:
            got = handler_preview(self.wanted.masked(given))
            raise ValueMismatchError(
                f"the answer to gate {self.name!r} must be {error.expected}, got {got}",
                self.place,
                f"answer with {self.wants}",
            ) from None


class InputGate(Gate):
    """A node that gives the value that a person enters."""

    def __init__(self, name: str, annotation: object, timeout: float | timedelta | None, where: str) -> None:
        self.wanted = handler_for(annotation)
        output = Output("o0", annotation, self.wanted)
        super().__init__(name, Interface((), (output,), "single"), timeout, where)

    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """The value."""
        del place, arguments
        __tracebackhide__ = True
        return self.answer(execution, f"{self.name} ({self.wanted.name}): ")


class ApprovalGate(Gate):
    """A node that hands its value on once a person has approved."""

    wants = "approval"
    wanted = handler_for(bool)

    def __init__(self, name: str, annotation: object, timeout: float | timedelta | None, where: str) -> None:
        if annotation is None:
            super().__init__(name, Interface((), (), "none"), timeout, where)
            return
        handler = handler_for(annotation)
        ports = Input("value", annotation, handler), Output("o0", annotation, handler)
        super().__init__(name, Interface((ports[0],), (ports[1],), "single"), timeout, where)

    def read(self, text: str) -> object:
        """Whether `text` says yes."""
        word = text.strip().lower()
        if word not in (*_YES, *_NO):
            raise Mismatch("yes or no", text)
        return word in _YES

    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """The value, as it came.

        Raises:
            RunError: If it was not approved.
        """
        del place
        __tracebackhide__ = True
        asked = [handler_preview(port.handler.masked(arguments[0])) for port in self.interface.inputs[:1]]
        shown = f" of {asked[0]}" if asked else ""
        if not self.answer(execution, f"{self.name}: approval{shown}? (yes or no) "):
            raise RunError(f"gate {self.name!r} was not approved", self.place, "run it again, and answer yes")
        return arguments[0] if arguments else None


def wait_for_input(name: str, expected_type: type[T], *, timeout: float | timedelta | None = None) -> T:
    """A value that a person gives while the workflow runs.

    It comes from ``run(answers={name: value})`` or ``celltask run … --answer name=value``, else from a prompt in the
    terminal or the notebook. Where nobody can be asked, the node fails at once.

    Args:
        name: What it is asked and answered by.
        expected_type: Type of the value.
        timeout: Seconds (or a timedelta) to wait for an answer in a terminal.

    >>> from celltask import workflow
    >>> @workflow
    ... def greeting() -> str:
    ...     return wait_for_input("who", str)
    >>> greeting.run(answers={"who": "Ada"}).result()
    'Ada'
    """
    __tracebackhide__ = True
    gate = InputGate(name, expected_type, timeout, _place())
    active = ACTIVE.get()
    if isinstance(active, Tracing):
        return cast("T", active.add(gate, ()))
    return cast("T", late("run").run_alone(gate, ()).result())


_NOTHING = object()


def approve(name: str, upstream: T = _NOTHING, *, timeout: float | timedelta | None = None) -> T:  # type: ignore[assignment]  # stands for no value
    """The value `upstream` as it is, once a person has approved of going on; otherwise the node fails.

    It is answered as `wait_for_input` is, with True or False, yes or no.

    Args:
        name: What it is asked and answered by.
        upstream: The value to be approved; left out for a gate that only `>>` puts in order.
        timeout: Seconds (or a timedelta) to wait for an answer in a terminal.

    >>> from celltask import task, workflow
    >>> @task
    ... def total(xs: list[int]) -> int:
    ...     return sum(xs)
    >>> @workflow
    ... def paid(xs: list[int]) -> int:
    ...     return approve("payment", total(xs=xs))
    >>> paid.run({"xs": [1, 2]}, answers={"payment": True}).result()
    3
    """
    __tracebackhide__ = True
    where, active = _place(), ACTIVE.get()
    if isinstance(upstream, NodeOutputs):
        raise BindingError(
            f"gate {name!r} is given a node with {len(upstream)} outputs", where, "take one of its outputs"
        )
    has_value = upstream is not _NOTHING and not isinstance(upstream, NodeHandle)
    kind = (declared_of(upstream) if isinstance(upstream, Ref) else type(upstream)) if has_value else None
    gate = ApprovalGate(name, kind, timeout, where)
    values: tuple[object, ...] = (upstream,) if has_value else ()
    if not isinstance(active, Tracing):
        return cast("T", late("run").run_alone(gate, values).result())
    given = active.add(gate, values)
    if isinstance(upstream, NodeHandle):
        active.tracer.order(upstream, given)
    return cast("T", given)


def _place() -> str:
    frame = sys._getframe(2)  # noqa: SLF001 - the only way to the line of whoever called the function that asks
    return place_of(frame.f_code.co_filename, frame.f_lineno)


def check_answers(workflow: Workflow[..., object], answers: Mapping[str, object]) -> None:
    """Refuse answers that no gate of `workflow` asks for.

    Raises:
        CallError: If there is one; a graph that is made while running may have any gate.
    """
    names = _gates(workflow.trace)
    for name in answers:
        if names is not None and name not in names:
            told = f"its gates: {', '.join(sorted(names))}" if names else "it has no gates"
            raise CallError(f"workflow {workflow.name!r} has no gate {name!r} to answer", workflow.place, told)


def _gates(trace: Trace) -> set[str] | None:
    """Names of the gates in a graph and all within it; ``None`` if that is not known before the run."""
    names: set[str] = set()
    todo, seen = [trace], {id(trace)}
    while todo:
        for member in todo.pop().keys.values():
            if member.kind == "dynamic":
                return None
            if isinstance(member, Gate):
                names.add(member.name)
            inner = getattr(member, "trace", None)
            if inner is not None and id(inner) not in seen:
                seen.add(id(inner))
                todo.append(inner)
    return names
