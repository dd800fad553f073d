"""Workflow: a function that is traced once to a static graph of tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar, cast, overload

from celltask.core.calling import bound_arguments
from celltask.core.composite import Composite
from celltask.core.context import ACTIVE, Tracing
from celltask.core.interface import Interface, interface_of
from celltask.core.late import late
from celltask.core.origin import document_of, place_of, place_of_function
from celltask.core.policies import policy_of
from celltask.core.purity import check as check_purity
from celltask.core.registry import registry
from celltask.core.settings import Settings
from celltask.core.task import look_like
from celltask.core.trace import graph_of
from celltask.core.tracing import Trace, Tracer
from celltask.errors import GraphError, InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from celltask.core.events import Event
    from celltask.core.execution import Execution
    from celltask.core.failing import WorkflowFailurePolicy
    from celltask.core.graph import Entity, Graph
    from celltask.core.plan import Plan
    from celltask.core.run import Run, Running
    from celltask.core.task import Task
    from celltask.core.watch import Watch

__all__ = ["Workflow", "workflow"]

P = ParamSpec("P")
R = TypeVar("R", covariant=True)  # noqa: PLC0105 - P and R, as in the typing specification


class Workflow(Composite, Generic[P, R]):
    """A static graph of tasks with an interface of its own; call it like a function to run it here.

    Attributes:
        name: Name it is registered and shown under.
        module: ``__module__`` of its function.
        function: The function as the user wrote it.
        interface: Typed inputs and named outputs.
        failure_policy: ``"stop"`` or ``"finish"``, see `workflow`.
        on_failure: What runs after a node has failed, or ``None``.
    """

    kind = "workflow"
    _place = ""

    def __init__(  # noqa: PLR0913 - what a workflow is made of
        self,
        function: Callable[..., object] | None,
        interface: Interface,
        *,
        name: str,
        module: str,
        docs: str = "",
        failure_policy: str = "stop",
        on_failure: Task[..., object] | Workflow[..., object] | None = None,
    ) -> None:
        self.name, self.module, self.function = name, module, function
        self.interface, self.docs = interface, docs
        self.failure_policy, self.on_failure = failure_policy, on_failure
        self._traced: tuple[int, Watch, Trace] | None = None
        if function is not None:
            look_like(self, function)
        self.__name__ = name

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """The outputs for these inputs; inside another workflow, a reference to them."""
        __tracebackhide__ = True
        values = bound_arguments(self, args, kwargs)
        active = ACTIVE.get()
        if isinstance(active, Tracing):
            return cast("R", active.add(self, values))
        return cast("R", late("run").run_workflow(self, values).result())

    @property
    def trace(self) -> Trace:
        """Nodes, members and bindings; made anew when a name that the function reads means something else by now."""
        from celltask.core.watch import Watch  # noqa: PLC0415 - only workflows need it at definition

        generation = registry.generation
        if self._traced is None or self._is_stale(*self._traced):
            self._traced = (generation, Watch(self.function), self._trace_now())
        return self._traced[2]

    def confirm(self) -> None:
        """Say that the trace holds in the present generation: replacing its own elder changed nothing in it."""
        if self._traced is not None:
            self._traced = (registry.generation, *self._traced[1:])

    def _is_stale(self, generation: int, watch: Watch, trace: Trace) -> bool:
        """Whether a task in `trace`, or a constant or helper that the function reads, has been defined again since."""
        again = registry.generation != generation
        return not watch.holds() or (again and not all(member.is_current() for member in trace.keys.values()))

    def _trace_now(self) -> Trace:
        if self.function is None:
            raise GraphError(f"workflow {self.name!r} has no function to trace", self.place)
        try:
            trace = Tracer(self.name, self.interface, self.function).run(self.function)
        except NameError as error:
            if error.name == getattr(self.function, "__name__", ""):
                raise self._calls_itself() from None
            raise
        self._refuse_recursion(trace)
        return trace

    def _refuse_recursion(self, trace: Trace) -> None:
        """Refuse a trace in which this workflow, or an earlier one of its name, is a node, near or far."""
        todo, seen = [trace], set()
        while todo:
            for member in todo.pop().keys.values():
                inner = getattr(member, "trace", None)
                if isinstance(member, Workflow) and (member.module, member.name) == (self.module, self.name):
                    raise self._calls_itself()
                if inner is not None and id(inner) not in seen and member.kind != "dynamic":
                    seen.add(id(inner))
                    todo.append(inner)

    def _calls_itself(self) -> GraphError:
        return GraphError(
            f"workflow {self.name!r} calls itself, and its graph would have no end",
            self.place,
            "put @dynamic in the place of @workflow: its graph is made step by step while it runs",
        )

    @property
    def graph(self) -> Graph:
        """The graph as plain data."""
        return self.graph_of(self.trace)

    def graph_of(self, trace: Trace) -> Graph:
        """The graph of a trace of this workflow, the present one or that of an earlier run, as plain data."""
        if trace.graph is None:
            handler = "" if self.on_failure is None else self.on_failure.name
            trace.graph = replace(graph_of(self.name, trace, self.doc, self.place), on_failure=handler)
        return trace.graph

    @property
    def place(self) -> str:
        """Where it is defined: ``"tutorial.md, cell 5, line 110"``."""
        return self._place or place_of_function(self.function)

    @property
    def doc(self) -> str:
        """First line of its description."""
        return self.docs.strip().partition("\n")[0] or self.interface.doc

    @property
    def digest(self) -> str:
        """Identity of the code: the graph, and the digests of all that its nodes run."""
        from celltask.core.identity import digest_of, trace_digest  # noqa: PLC0415 - only asked for by people and caches

        digest = trace_digest(self.trace)
        return digest if self.on_failure is None else digest_of([digest, self.on_failure.digest])

    @property
    def version(self) -> str:
        """Label for people: the commit of the document when it is clean, else with or only the digest."""
        from celltask.core.version import git_version  # noqa: PLC0415 - asks git

        return git_version(document_of(self.function), self.digest)

    def is_current(self) -> bool:
        """Whether no other workflow of its module and name was defined after it."""
        return registry.is_current(self)

    def carry_out(self, execution: Execution, place: int, arguments: list[object]) -> object:
        """What a call gives, as a node of another workflow."""
        __tracebackhide__ = True
        return execution.nest(self, self.trace, place, arguments)

    def after_failure(self, execution: Execution) -> None:
        """Run `on_failure`, if there is one."""
        if execution.error is not None and self.on_failure is not None:
            from celltask.core.failing import Failed, handle  # noqa: PLC0415 - few workflows have a handler

            handle(self, execution, Failed(execution.error, execution.inputs, execution.ledger, execution.prefix))

    def entity(self) -> Entity:
        """The workflow as plain data, with its inner graph, for pictures and help."""
        from celltask.core.graph import Entity  # noqa: PLC0415 - only pictures need it

        inputs, outputs = self.interface.ports()
        return Entity(self.name, "workflow", inputs, outputs, self.doc, self.place, self.graph)

    def plan(self, *args: P.args, **kwargs: P.kwargs) -> Plan:
        """What a run with these inputs would do with each node, and why; nothing runs.

        Raises:
            CallError: If the inputs do not fit the workflow's names.
            ValueMismatchError: If a value does not fit its type.
            RunError: If the content of an input of a cached task cannot be told.

        >>> from celltask import task
        >>> @task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> @workflow
        ... def quadruple(x: int) -> int:
        ...     return double(x=double(x=x))
        >>> [(node.id, node.action, node.because) for node in quadruple.plan(x=1).nodes]
        [('n0', 'run', 'not cached'), ('n1', 'run', 'not cached')]
        """
        values = bound_arguments(self, args, kwargs)
        return cast("Plan", late("plan").plan_workflow(self, values))

    def run(
        self,
        inputs: Mapping[str, object] | None = None,
        /,
        *,
        engine: object = "threads",
        on_event: Callable[[Event], object] | None = None,
        refresh: bool = False,
        answers: Mapping[str, object] | None = None,
        **named: object,
    ) -> Run:
        """A run with these inputs, ended; its `result()` gives the outputs or raises what went wrong.

        Args:
            inputs: Inputs by name, for names that are also parameters here.
            engine: ``"threads"`` (independent nodes at the same time), ``"processes"`` (bodies in processes of their
                own), ``"inline"`` (one after another here), ``"dask"`` or ``"dask:ADDRESS"`` (on a cluster), or a Dask
                client or cluster.
            on_event: Called with each event as it happens.
            refresh: Whether cached results are computed anew, and replaced.
            answers: Values for gates (`approve`, `wait_for_input`), by their names.
            **named: Inputs by name.

        Raises:
            CallError: If the inputs do not fit the workflow's names.
            ValueMismatchError: If a value does not fit its type.
        """
        __tracebackhide__ = True
        settings = Settings(engine, on_event, refresh, answers or {})
        return self._prepared({**(inputs or {}), **named}, settings).carry_out()

    def start(
        self,
        inputs: Mapping[str, object] | None = None,
        /,
        *,
        engine: object = "threads",
        on_event: Callable[[Event], object] | None = None,
        refresh: bool = False,
        answers: Mapping[str, object] | None = None,
        **named: object,
    ) -> Running:
        """A run begun on a thread of its own, which can be waited for and cancelled; otherwise as `run`."""
        __tracebackhide__ = True
        settings = Settings(engine, on_event, refresh, answers or {})
        return self._prepared({**(inputs or {}), **named}, settings).begin()

    def _prepared(self, given: Mapping[str, object], settings: Settings) -> Running:
        __tracebackhide__ = True
        values = bound_arguments(self, (), given)
        return cast("Running", late("run").prepared_workflow(self, values, settings))

    def __repr__(self) -> str:
        return f"<workflow {self.name}{self.interface}>"


@overload
def workflow(function: Callable[P, R], /) -> Workflow[P, R]: ...
@overload
def workflow(
    *,
    name: str | None = None,
    docs: str | None = None,
    failure_policy: str | WorkflowFailurePolicy = "stop",
    on_failure: Task[..., object] | Workflow[..., object] | None = None,
    allow_globals: Iterable[str] = (),
    outputs: tuple[str, ...] = (),
) -> Callable[[Callable[P, R]], Workflow[P, R]]: ...
def workflow(  # noqa: PLR0913 - the options of a workflow; each is a keyword
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    docs: str | None = None,
    failure_policy: str | WorkflowFailurePolicy = "stop",
    on_failure: Task[..., object] | Workflow[..., object] | None = None,
    allow_globals: Iterable[str] = (),
    outputs: tuple[str, ...] = (),
) -> Workflow[P, R] | Callable[[Callable[P, R]], Workflow[P, R]]:
    """A workflow made from a function that calls tasks; it is traced at once, and nothing runs.

    Args:
        function: The function; left out where options are given.
        name: Name to register it under; the function's own by default.
        docs: Description; the docstring by default.
        failure_policy: What happens after a node failed: ``"stop"`` starts no further node, ``"finish"`` goes on
            with all that does not need the failed one. Flyte's `WorkflowFailurePolicy` says the same.
        on_failure: A task or workflow to run after a node has failed and all others have ended. It gets the inputs
            of the workflow that it names, and as ``err`` or ``error`` a `Failure` (or the text alone, for a ``str``).
            The run fails all the same; should it fail too, a note on the error says so.
        allow_globals: Names of notebook data that the function may read while it is traced; their values of that
            moment stay in the graph.
        outputs: Names of the outputs, instead of ``o0, o1, …``.

    Raises:
        InterfaceError: If an input or output has no usable type.
        PurityError: If the function reads notebook data that is not an input.
        GraphError: If the tasks cannot be joined as written (`BindingError`, `RefError`, `CycleError`).

    >>> from celltask import task
    >>> @task
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> @workflow
    ... def quadruple(x: int = 1) -> int:
    ...     return double(x=double(x=x))
    >>> quadruple(x=3)
    12
    """
    allow = (allow_globals,) if isinstance(allow_globals, str) else tuple(allow_globals)

    def make(function: Callable[P, R]) -> Workflow[P, R]:
        if not hasattr(function, "__code__"):
            raise InterfaceError(f"{function!r} is not a Python function", mend="put @workflow directly above a def")
        check_purity(function, allow=allow, where=place_of)
        made: Workflow[P, R] = Workflow(
            function,
            interface_of(function, names=outputs, kind="workflow"),
            name=name or function.__name__,
            module=function.__module__,
            docs=docs or "",
            failure_policy=policy_of(failure_policy),
            on_failure=on_failure,
        )
        if on_failure is not None:
            from celltask.core.failing import check_handler  # noqa: PLC0415 - as above

            check_handler(made)
        _ = made.trace  # so that wrong wiring is told here
        registry.add(made)
        made.confirm()
        return made

    return make if function is None else make(function)
