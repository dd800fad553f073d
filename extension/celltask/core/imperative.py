"""Imperative workflow: a graph put together step by step, for programs that build graphs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from celltask.core.calling import bound_arguments
from celltask.core.conditional import conditional
from celltask.core.failing import check_handler
from celltask.core.interface import MISSING, Input, Interface, Output
from celltask.core.origin import place_of
from celltask.core.policies import policy_of
from celltask.core.registry import registry
from celltask.core.tracing import Trace, Tracer
from celltask.core.types.base import Mismatch
from celltask.core.types.lookup import handler_for
from celltask.core.workflow import Workflow
from celltask.errors import InterfaceError

if TYPE_CHECKING:
    from celltask.core.composite import Composite
    from celltask.core.refs import Ref
    from celltask.core.task import Task

__all__ = ["ImperativeWorkflow"]


class ImperativeWorkflow(Workflow[..., object]):
    """A workflow put together step by step instead of traced from a function.

    Args:
        name: Name to register it under.
        docs: Description.

    >>> from celltask import ImperativeWorkflow, task
    >>> @task
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> made = ImperativeWorkflow("quadruple")
    >>> x = made.add_input("x", int)
    >>> made.add_output("y", made.add_task(double, x=made.add_task(double, x=x)), int)
    >>> made(x=3)
    12
    """

    def __init__(self, name: str, *, docs: str = "", failure_policy: str = "stop") -> None:
        frame = sys._getframe(1)  # noqa: SLF001 - the only way to the place of the definition
        super().__init__(
            None,
            Interface((), (), "none"),
            name=name,
            module=frame.f_globals.get("__name__", "__main__"),
            docs=docs,
            failure_policy=policy_of(failure_policy),
        )
        self._place = place_of(frame.f_code.co_filename, frame.f_lineno)
        self._tracer = Tracer(name, self.interface)
        registry.add(self)

    @property
    def trace(self) -> Trace:
        """Nodes, members and bindings, as far as they are added by now."""
        return self._tracer.finish()

    def add_input(self, name: str, annotation: object, default: object = MISSING) -> Ref:
        """A new input; what is returned stands for its value.

        Raises:
            InterfaceError: If the name is taken or the type cannot be used.
        """
        handler = handler_for(annotation)
        try:
            checked = default if default is MISSING else handler.validate(default)
        except Mismatch as error:
            told = f"the default of {name!r} of workflow {self.name!r} is not {error.expected}"
            raise InterfaceError(told, self.place, "change the default or the type") from None
        port = Input(name, annotation, handler, checked)
        self._grow((*self.interface.inputs, port), self.interface.outputs)
        return self._tracer.input(port)

    def add_task(self, member: Task[..., object] | Composite, **inputs: object) -> object:
        """A new node that runs `member`; what is returned stands for its outputs.

        Raises:
            CallError: If `inputs` do not fit the member's names.
            BindingError: If a value or reference does not fit its type.
        """
        values = bound_arguments(member, (), inputs, self.place)
        self._tracer.changed()
        return self._tracer.add(member, values)

    def add_conditional(self, name: str) -> conditional:
        """The beginning of a choice: ``made.add_conditional("size").if_(x > 3).then(big(x=x)).else_().then(x)``.

        Tasks are called in ``then(…)`` as in the function of a workflow; the whole stands for the value of the branch.
        """
        frame = sys._getframe(1)  # noqa: SLF001 - the only way to the caller's line
        self._tracer.changed()
        return conditional.of(name, self._tracer, place_of(frame.f_code.co_filename, frame.f_lineno))

    def add_on_failure(self, handler: Task[..., object] | Workflow[..., object]) -> None:
        """Let `handler` run after a node has failed, as `workflow` does with ``on_failure``; add the inputs first.

        Raises:
            InterfaceError: If it has an input that cannot be given.
        """
        self.on_failure = handler
        check_handler(self)

    def add_output(self, name: str, value: object, annotation: object) -> None:
        """A new output with the value that `value` stands for.

        Raises:
            InterfaceError: If the name is taken or the type cannot be used.
            BindingError: If the value does not fit the type.
        """
        port = Output(name, annotation, handler_for(annotation))
        binding = self._tracer.output(value, port)
        self._grow(self.interface.inputs, (*self.interface.outputs, port))
        self._tracer.trace.outputs = (*self._tracer.trace.outputs, binding)

    def _grow(self, inputs: tuple[Input, ...], outputs: tuple[Output, ...]) -> None:
        for ports in (inputs, outputs):
            names = [port.name for port in ports]
            if len(set(names)) < len(names):
                raise InterfaceError(f"workflow {self.name!r} already has {names[-1]!r}", mend="give it another name")
        result = "none" if not outputs else "single" if len(outputs) == 1 else "tuple"
        self.interface = Interface(inputs, outputs, result)  # type: ignore[arg-type]  # one of the three literals
        self._tracer.trace.interface = self.interface
        self._tracer.changed()
