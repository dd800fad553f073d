"""Preset: a workflow under another name, with inputs that are fixed or have other defaults."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from celltask.core.graph import FromNode
from celltask.core.interface import Interface, handler_preview
from celltask.core.origin import place_of
from celltask.core.registry import registry
from celltask.core.tracing import Trace, Tracer
from celltask.core.types.base import Mismatch
from celltask.core.workflow import Workflow
from celltask.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Preset", "preset"]

R = TypeVar("R", covariant=True)  # noqa: PLC0105 - R, as in the typing specification


class Preset(Workflow[..., R], Generic[R]):
    """A workflow with some inputs settled; made by `preset`.

    Attributes:
        workflow: The workflow.
        defaults: Values that a call may change.
        fixed: Values that it may not.
    """

    kind = "preset"

    def __init__(  # noqa: PLR0913 - what a preset is made of
        self,
        workflow: Workflow[..., object],
        name: str,
        defaults: Mapping[str, object],
        fixed: Mapping[str, object],
        *,
        module: str,
        docs: str,
        place: str,
    ) -> None:
        self.workflow, self._place, self.name = workflow, place, name
        self.defaults, self.fixed = self._checked(defaults), self._checked(fixed)
        for key in self.defaults.keys() & self.fixed.keys():
            told = f"preset {name!r} gives {key!r} as a default and fixes it too"
            raise InterfaceError(told, place, "leave it out of one of them")
        interface = self._interface()
        super().__init__(
            None, interface, name=name, module=module, docs=docs or workflow.docs or workflow.interface.docstring,
            failure_policy=workflow.failure_policy,
        )  # fmt: skip

    def _checked(self, given: Mapping[str, object]) -> dict[str, object]:
        ports = {port.name: port for port in self.workflow.interface.inputs}
        checked = {}
        for key, value in given.items():
            if key not in ports:
                told = f"preset {self.name!r} names {key!r}, which is not an input of {self.workflow.name!r}"
                raise InterfaceError(told, self._place, f"use one of: {', '.join(ports) or '(it has no inputs)'}")
            handler = ports[key].handler
            try:
                checked[key] = handler.receive(value)
            except Mismatch as error:
                told = handler_preview(handler.masked(value))
                raise InterfaceError(
                    f"preset {self.name!r} gives {key!r} as {told}, which is not {error.expected}",
                    self._place,
                    f"give a value that is {error.expected}",
                ) from None
        return checked

    def _interface(self) -> Interface:
        interface = self.workflow.interface
        inputs = tuple(
            replace(port, default=self.defaults.get(port.name, port.default), keyword_only=True)
            for port in interface.inputs
            if port.name not in self.fixed
        )
        return replace(interface, inputs=inputs)

    def _trace_now(self) -> Trace:
        """One node: the workflow as it is defined now, with the fixed values as constants."""
        self.workflow = cast("Workflow[..., object]", registry.current(self.workflow))
        self.defaults, self.fixed = self._checked(self.defaults), self._checked(self.fixed)
        self.interface = self._interface()
        tracer = Tracer(self.name, self.interface)
        given = {port.name: tracer.input(port) for port in self.interface.inputs}
        values = tuple(
            given[port.name] if port.name in given else self.fixed[port.name] for port in self.workflow.interface.inputs
        )
        tracer.add(self.workflow, values)
        tracer.trace.outputs = tuple(FromNode("n0", place) for place in range(len(self.interface.outputs)))
        return tracer.trace

    def __repr__(self) -> str:
        return f"<preset {self.name}{self.interface} of {self.workflow.name}>"


def preset(
    workflow: Callable[..., R],
    name: str,
    *,
    defaults: Mapping[str, object] | None = None,
    fixed: Mapping[str, object] | None = None,
    docs: str = "",
) -> Preset[R]:
    """A workflow under a name of its own with some inputs settled, to be called, run and listed like any other.

    It is what Flyte calls a launch plan, as far as one machine goes.

    Args:
        workflow: The workflow, a dynamic one or another preset too.
        name: Name to register it under, and to run it by: ``celltask run page.md NAME``.
        defaults: Values for inputs that a call may change.
        fixed: Values for inputs that it may not; they are no inputs any more.
        docs: Description; the workflow's by default.

    Raises:
        InterfaceError: If it is no workflow, or a value does not fit its inputs.

    >>> from celltask import task, workflow
    >>> @task
    ... def power(x: int, n: int) -> int:
    ...     return x**n
    >>> @workflow
    ... def raised(x: int, n: int = 1) -> int:
    ...     return power(x=x, n=n)
    >>> square = preset(raised, "square", defaults={"x": 3}, fixed={"n": 2})
    >>> square(), square(x=5)
    (9, 25)
    """
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to the place of the definition
    place = place_of(frame.f_code.co_filename, frame.f_lineno)
    given: object = workflow
    if not isinstance(given, Workflow):
        mend = "put @workflow above the function; functools.partial settles the inputs of a task"
        raise InterfaceError(f"preset {name!r} is given {given!r}, which is no workflow", place, mend)
    if not name.isidentifier():
        raise InterfaceError(f"{name!r} is no name for a preset", place, 'use letters, digits and _: "nightly"')
    made: Preset[R] = Preset(
        given, name, defaults or {}, fixed or {},
        module=frame.f_globals.get("__name__", "__main__"), docs=docs, place=place,
    )  # fmt: skip
    _ = made.trace
    registry.add(made)
    made.confirm()
    return made
