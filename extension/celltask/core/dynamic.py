"""Dynamic: a function that makes a graph while the run goes on, from the real values of its inputs."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast, overload

from celltask.core.calling import annotate, checked_inputs
from celltask.core.composite import Composite
from celltask.core.events import GraphMade
from celltask.core.failing import Failed, check_handler, handle
from celltask.core.graph import Entity
from celltask.core.identity import digest_of
from celltask.core.interface import interface_of
from celltask.core.job import in_thread
from celltask.core.origin import line_in, place_of
from celltask.core.policies import policy_of
from celltask.core.purity import check as check_purity
from celltask.core.registry import registry
from celltask.core.tracing import Trace, Tracer, alone
from celltask.core.workflow import Workflow
from celltask.errors import CelltaskError, InterfaceError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from celltask.core.execution import Execution
    from celltask.core.failing import WorkflowFailurePolicy
    from celltask.core.interface import Interface
    from celltask.core.task import Task
    from celltask.core.trace import Member

__all__ = ["Dynamic", "dynamic"]

P = ParamSpec("P")
R = TypeVar("R", covariant=True)  # noqa: PLC0105 - P and R, as in the typing specification
MOST_DEPTH, MOST_NODES = 100, 100_000
_LEVELS_A_STACK = 20
"""So many levels share a thread: each takes a dozen frames, of which Python allows a thousand."""


class Growth:
    """What one call of a dynamic function, with all within it, has made so far. It holds state."""

    def __init__(self) -> None:
        self.nodes = 0
        self.counting = threading.Lock()


_GROWING: ContextVar[tuple[int, Growth] | None] = ContextVar("celltask_growing", default=None)
"""How deep the dynamic function that is carried out here is within others, and what they have made."""


class DynamicTracer(Tracer):
    """Turns the calls of tasks in a dynamic function into nodes, up to a limit."""

    kind = "dynamic"
    mend_use = "give it to the task as an input"

    def __init__(self, owner: Dynamic[..., object]) -> None:
        super().__init__(owner.name, owner.interface, owner.function)
        self.owner = owner

    def add(self, member: Member, values: tuple[object, ...]) -> object:
        """A node that calls `member`.

        Raises:
            RunError: If there are too many.
        """
        if len(self.trace.nodes) >= self.owner.max_nodes:
            raise self.owner.too_many(self.where())
        return super().add(member, values)

    def run_with(self, function: Callable[..., object], values: tuple[object, ...]) -> Trace:
        """Call `function` with `values`, and bind what it returns to the outputs."""
        __tracebackhide__ = True
        pairs = list(zip(self.trace.interface.inputs, values, strict=True))
        positional = [port.handler.isolate(value) for port, value in pairs if not port.keyword_only]
        named = {port.name: port.handler.isolate(value) for port, value in pairs if port.keyword_only}
        return self._traced(partial(function, *positional, **named))


class Growing(Composite):
    """The one node that a run of a dynamic function by itself has: the function, without a graph to look into."""

    kind = "dynamic"

    def __init__(self, owner: Dynamic[..., object]) -> None:
        self.owner, self.name, self.interface = owner, owner.name, owner.interface

    @property
    def place(self) -> str:
        """Where the function is defined."""
        return self.owner.place

    @property
    def digest(self) -> str:
        """Identity of its code."""
        return self.owner.digest

    def is_current(self) -> bool:
        """Whether the function was not defined again."""
        return self.owner.is_current()

    def entity(self) -> Entity:
        """The function as plain data."""
        return self.owner.entity()

    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """What a call of the function gives."""
        __tracebackhide__ = True
        return self.owner.carry_out(execution, place, arguments)


class Dynamic(Workflow[P, R]):
    """A function that is called when its inputs are known, and whose calls of tasks become a graph then.

    Attributes:
        max_depth: How deep it may be within itself and other dynamic functions.
        max_nodes: How many nodes one call of it may make, with all within.
    """

    kind = "dynamic"

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        function: Callable[..., object],
        interface: Interface,
        *,
        name: str,
        docs: str,
        failure_policy: str,
        on_failure: Task[..., object] | Workflow[..., object] | None,
        max_depth: int,
        max_nodes: int,
        allow: tuple[str, ...],
    ) -> None:
        module = function.__module__
        super().__init__(
            function, interface, name=name, module=module, docs=docs, failure_policy=failure_policy,
            on_failure=on_failure,
        )  # fmt: skip
        self.max_depth, self.max_nodes, self._allow = max_depth, max_nodes, allow
        self._is_pure = False

    def _trace_now(self) -> Trace:
        """One node: what it becomes is known only when it runs."""
        return alone(Growing(self))

    @property
    def digest(self) -> str:
        """Identity of the code: the function's, with all that it calls and reads."""
        from celltask.core.fingerprint import fingerprint  # noqa: PLC0415 - only digests need it

        return digest_of(["dynamic", str(self.interface), fingerprint(self.function).digest])

    def entity(self) -> Entity:
        """The function as plain data; it has no graph before it runs."""
        inputs, outputs = self.interface.ports()
        return Entity(self.name, "dynamic", inputs, outputs, self.doc, self.place)

    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """What the graph gives that the function makes of these inputs.

        Raises:
            RunError: If it is too deep within others, or makes too many nodes.
        """
        __tracebackhide__ = True
        depth, growth = _GROWING.get() or (0, Growth())
        if depth >= self.max_depth:
            raise RunError(
                f"dynamic {self.name!r} is more than {self.max_depth} deep within itself or others",
                self.place,
                "let the recursion end, or raise the limit: @dynamic(max_depth=…)",
            )
        token = _GROWING.set((depth + 1, growth))
        try:
            if depth % _LEVELS_A_STACK == _LEVELS_A_STACK - 1:
                return in_thread(lambda: self._grow(execution, place, arguments, growth), None)
            return self._grow(execution, place, arguments, growth)
        except Exception as error:
            name = f"{execution.program.steps[place].node.id}/"
            inside = execution.ledger.nested.get(place)
            handle(self, execution, Failed(error, tuple(arguments), inside, execution.prefix + name, name))
            raise
        finally:
            _GROWING.reset(token)

    def after_failure(self, execution: Execution) -> None:
        """Nothing: `carry_out` handles the failure of its function and of its graph alike."""

    def _grow(self, execution: Execution, place: int, arguments: list[object], growth: Growth) -> object:
        __tracebackhide__ = True
        values = checked_inputs(self, tuple(arguments))
        trace = self._made_of(values)
        with growth.counting:
            growth.nodes += len(trace.nodes)
            if growth.nodes > self.max_nodes:
                raise self.too_many(self.place)
        execution.ledger.made[place] = (self, trace)
        if execution.on_event is not None:
            node_id = execution.prefix + execution.program.steps[place].node.id
            execution.on_event(GraphMade(execution.run, node_id, self.graph_of(trace)))
        return execution.nest(self, trace, place, list(values))

    def _made_of(self, values: tuple[object, ...]) -> Trace:
        __tracebackhide__ = True
        function = cast("Callable[..., object]", self.function)
        if not self._is_pure:
            check_purity(function, allow=self._allow, where=place_of, again=True)
            self._is_pure = True
        try:
            return DynamicTracer(self).run_with(function, values)
        except Exception as error:  # border: users' code; it goes on with its place
            code = function.__code__
            if not isinstance(error, CelltaskError):
                line = line_in(function, error.__traceback__) or code.co_firstlineno
                annotate(error, f"in dynamic {self.name!r}, {place_of(code.co_filename, line)}")
            raise

    def too_many(self, where: str) -> RunError:
        """The error for more nodes than the limit."""
        return RunError(
            f"dynamic {self.name!r} makes more than {self.max_nodes} nodes",
            where,
            "let the loop or recursion end, use map_task for many items, or raise the limit: @dynamic(max_nodes=…)",
        )

    def __repr__(self) -> str:
        return f"<dynamic {self.name}{self.interface}>"


@overload
def dynamic(function: Callable[P, R], /) -> Dynamic[P, R]: ...
@overload
def dynamic(
    *,
    name: str | None = None,
    docs: str | None = None,
    failure_policy: str | WorkflowFailurePolicy = "stop",
    on_failure: Task[..., object] | Workflow[..., object] | None = None,
    max_depth: int = MOST_DEPTH,
    max_nodes: int = MOST_NODES,
    allow_globals: Iterable[str] = (),
    outputs: tuple[str, ...] = (),
) -> Callable[[Callable[P, R]], Dynamic[P, R]]: ...
def dynamic(  # noqa: PLR0913 - the options; each is a keyword
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    docs: str | None = None,
    failure_policy: str | WorkflowFailurePolicy = "stop",
    on_failure: Task[..., object] | Workflow[..., object] | None = None,
    max_depth: int = MOST_DEPTH,
    max_nodes: int = MOST_NODES,
    allow_globals: Iterable[str] = (),
    outputs: tuple[str, ...] = (),
) -> Dynamic[P, R] | Callable[[Callable[P, R]], Dynamic[P, R]]:
    """A workflow whose graph is made while it runs: the function gets real values, and may loop and decide by them.

    What a task called in it gives is a reference, as in a workflow; what is to be decided by such a value goes into a
    dynamic function (the same one, too) that gets it as an input.

    Args:
        function: The function; left out where options are given.
        name: Name to register it under; the function's own by default.
        docs: Description; the docstring by default.
        failure_policy: As for `workflow`.
        on_failure: As for `workflow`.
        max_depth: How deep it may be within itself and other dynamic functions.
        max_nodes: How many nodes one call of it may make, with all within it.
        allow_globals: Names of notebook data that the function may read.
        outputs: Names of the outputs, instead of ``o0, o1, …``.

    Raises:
        InterfaceError: If an input or output has no usable type, or a limit makes no sense.
        PurityError: If the function reads notebook data that is not an input.

    >>> from celltask import task
    >>> @task
    ... def add(a: int, b: int) -> int:
    ...     return a + b
    >>> @dynamic
    ... def summed(xs: list[int]) -> int:
    ...     total = 0
    ...     for x in xs:
    ...         total = add(a=total, b=x)
    ...     return total
    >>> summed(xs=[1, 2, 3])
    6
    """
    allow = (allow_globals,) if isinstance(allow_globals, str) else tuple(allow_globals)

    def make(function: Callable[P, R]) -> Dynamic[P, R]:
        code = getattr(function, "__code__", None)
        if code is None or code.co_flags & 0x80:  # inspect.CO_COROUTINE
            raise InterfaceError(f"{function!r} is not a plain function", mend="put @dynamic directly above a def")
        for key, limit in (("max_depth", max_depth), ("max_nodes", max_nodes)):
            if type(limit) is not int or limit < 1:
                raise InterfaceError(f"{key} {limit!r} is not a limit", mend="give a whole number, 1 or more")
        check_purity(function, allow=allow, where=place_of)
        made: Dynamic[P, R] = Dynamic(
            function,
            interface_of(function, names=outputs, kind="dynamic"),
            name=name or function.__name__,
            docs=docs or "",
            failure_policy=policy_of(failure_policy),
            on_failure=on_failure,
            max_depth=max_depth,
            max_nodes=max_nodes,
            allow=allow,
        )
        check_handler(made)
        registry.add(made)
        return made

    return make if function is None else make(function)
