"""Task: a function (or another kind of body) with an interface, options and a version."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar, cast, overload

from celltask.core.calling import generate_call
from celltask.core.interface import Interface, interface_of
from celltask.core.job import performer
from celltask.core.late import late
from celltask.core.origin import document_of, place_of, place_of_function
from celltask.core.purity import check as check_purity
from celltask.core.registry import registry
from celltask.core.settings import Settings
from celltask.core.task_options import Options, normal_options
from celltask.errors import CallError, InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from celltask.core.events import Event
    from celltask.core.fingerprint import Fingerprint
    from celltask.core.graph import Entity
    from celltask.core.resources import Resources
    from celltask.core.run import Run
    from celltask.core.watch import Watch

__all__ = ["Options", "Task", "task"]

P = ParamSpec("P")
R = TypeVar("R", covariant=True)  # noqa: PLC0105 - P and R, as in the typing specification


class Task(Generic[P, R]):
    """A typed, versioned unit of work; call it like the function it was made from.

    Attributes:
        name: Name it is registered and shown under.
        module: ``__module__`` of its function.
        function: The function as the user wrote it, or ``None`` for a task without one.
        interface: Typed inputs and named outputs.
        options: How it wishes to be run.
        kind: What its body is: ``"python"``, ``"shell"``, …
        pending_names: Names its code reads that were not bound yet when it was defined.
        stand_in: What is called in the place of the body and its options, in tests.
        source: The task that `with_options` made this one from; itself otherwise.

    Made by `task`; made directly only by kinds of tasks without a Python function.
    """

    kind = "python"

    def __init__(  # noqa: PLR0913 - what a task is made of
        self,
        body: Callable[..., object],
        interface: Interface,
        options: Options,
        *,
        name: str,
        module: str,
        function: Callable[..., object] | None = None,
        place: str = "",
    ) -> None:
        self.name, self.module, self.function = name, module, function
        self.interface, self.options, self.body = interface, options, body
        self.pending_names: tuple[str, ...] = ()
        self.stand_in: Callable[..., object] | None = None
        self.source: Task[..., object] = self
        self.is_async = _is_async(body)
        self._place = place
        self._digest: tuple[int, Watch, Fingerprint] | None = None
        _check_names(self)
        if function is not None:
            look_like(self, function)
        self.__name__ = name

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the body returns for these inputs, all of them checked; inside a workflow, a reference to it."""
        __tracebackhide__ = True
        try:
            return cast("R", self.direct(*args, **kwargs))
        except TypeError as error:
            # No further frame: the arguments did not even fit the generated function's parameters.
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                raise call_error(self.name, self.interface, args, kwargs, self.place) from None
            raise

    if TYPE_CHECKING:
        direct: Callable[..., object]
        as_node: Callable[..., object]
    else:

        def __getattr__(self, name: str) -> object:
            """`direct` and `as_node`, generated at the first use, when all names the body needs are bound."""
            if name not in ("direct", "as_node"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            self.settle()
            self.generate()
            return self.__dict__[name]

    def generate(self) -> None:
        """Generate the functions that calls go through anew, after `body` was changed."""
        plain = self.options.plain and self.source is self and self.stand_in is None
        middle = self.body if plain else performer(self)
        self.__dict__["direct"] = generate_call(self, middle, as_node=False)
        self.__dict__["as_node"] = generate_call(self, middle, as_node=True)

    def __getstate__(self) -> dict[str, object]:
        # The generated functions hold context variables, which cannot travel; they are generated again at need.
        return {key: value for key, value in self.__dict__.items() if key not in ("direct", "as_node", "_digest")} | {
            "_digest": None
        }

    def settle(self) -> None:
        """Look again at the names that were not bound when the task was defined.

        Raises:
            PurityError: If one of them is bound to data now.
        """
        if self.pending_names:
            self.check_names()

    def check_names(self) -> None:
        """Look again at every name that its code reads.

        Raises:
            PurityError: If one of them is bound to data now.
        """
        if self.function is not None:
            allow = self.options.allow_globals
            self.pending_names = check_purity(self.function, allow=allow, where=place_of, again=True)

    @property
    def place(self) -> str:
        """Where it is defined: ``"tutorial.md, cell 4, line 101"``."""
        return self._place or place_of_function(self.function)

    @property
    def doc(self) -> str:
        """First line of its description."""
        return self.options.docs.strip().partition("\n")[0] or self.interface.doc

    @property
    def is_derived(self) -> bool:
        """Whether its digest is known, and the names that it reads still mean what they did then."""
        return self._digest is not None and self._digest[0] == registry.epoch and self._digest[1].holds()

    @property
    def fingerprint(self) -> Fingerprint:
        """The parts that its digest is made of, for telling what changed."""
        from celltask.core.fingerprint import fingerprint  # noqa: PLC0415 - only digests need it
        from celltask.core.watch import Watch  # noqa: PLC0415 - only digests need it

        if not self.is_derived:
            code = self.function or self.body
            self._digest = (registry.epoch, Watch(code), fingerprint(code))
        return cast("tuple[int, Watch, Fingerprint]", self._digest)[2]

    @property
    def digest(self) -> str:
        """Identity of the code: the body, what it calls and reads, near or far, and the packages it imports."""
        return self.fingerprint.digest

    @property
    def version(self) -> str:
        """Label for people: the commit of the document when it is clean, else with or only the digest."""
        from celltask.core.version import git_version  # noqa: PLC0415 - asks git

        return git_version(document_of(self.function), self.digest)

    def run(
        self,
        inputs: Mapping[str, object] | None = None,
        /,
        *,
        engine: str = "threads",
        on_event: Callable[[Event], object] | None = None,
        refresh: bool = False,
        **named: object,
    ) -> Run:
        """A run of this task by itself, ended, with its record and events; its `result()` is what a call gives.

        Args:
            inputs: Inputs by name, for names that are also parameters here.
            engine: ``"threads"`` or ``"inline"``.
            on_event: Called with each event as it happens.
            refresh: Whether cached results are computed anew, and replaced.
            **named: Inputs by name.

        Raises:
            CallError: If the inputs do not fit the task's names.
            ValueMismatchError: If a value does not fit its type.

        >>> from celltask import task
        >>> @task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> double.run(x=2).outputs
        {'o0': 4}
        """
        __tracebackhide__ = True
        given = {**(inputs or {}), **named}
        return cast("Run", late("run").run_task(self, given, Settings(engine, on_event, refresh)))

    def diff(self, other: Task[..., object]) -> list[str]:
        """What changed from this task to `other`, in words; empty if nothing that counts did."""
        from celltask.core.fingerprint import explain  # noqa: PLC0415 - only asked for by people

        return explain(self.fingerprint, other.fingerprint)

    def entity(self) -> Entity:
        """The task as plain data, for pictures and help."""
        from celltask.core.graph import Entity  # noqa: PLC0415 - only pictures need it

        inputs, outputs = self.interface.ports()
        return Entity(self.name, self.kind, inputs, outputs, self.doc, self.place)

    def with_options(self, changes: Mapping[str, object]) -> Task[P, R]:
        """The same task with some options changed; not registered.

        Raises:
            InterfaceError: If an option makes no sense.
        """
        made = type(self).__new__(type(self))
        made.__dict__.update({key: value for key, value in self.__dict__.items() if key not in ("direct", "as_node")})
        made.options = replace(self.options, **normal_options(changes))  # type: ignore[arg-type]  # checked by normal_options
        _check_names(made)
        return made

    def __repr__(self) -> str:
        return f"<task {self.name}{self.interface}>"


def look_like(made: object, function: Callable[..., object]) -> None:
    """Let `made` show the name, docstring and signature of `function`, and attributes of it that `made` has not."""
    functools.update_wrapper(made, function, updated=())  # type: ignore[arg-type]  # anything with attributes will do
    for name, value in vars(function).items():
        if not hasattr(type(made), name):
            made.__dict__.setdefault(name, value)


def _is_async(body: Callable[..., object]) -> bool:
    code = getattr(body, "__code__", None)
    return bool(code is not None and code.co_flags & 0x80)  # inspect.CO_COROUTINE


def _check_names(made: Task[..., object]) -> None:
    known = {port.name for port in made.interface.inputs}
    named = [(option, name) for option in ("share", "cache_ignore") for name in getattr(made.options, option)]
    for option, wanted in named:
        if wanted not in known:
            raise InterfaceError(
                f"{option} names {wanted!r}, which is not an input of task {made.name!r}",
                made.place,
                f"use one of: {', '.join(sorted(known)) or '(it has no inputs)'}",
            )


def call_error(
    name: str, interface: Interface, args: Sequence[object], kwargs: Mapping[str, object], where: str
) -> CallError:
    """The error for arguments that do not fit the names of the inputs, naming the first that does not."""
    names = [port.name for port in interface.inputs]
    positional = [port.name for port in interface.inputs if not port.keyword_only]
    usage = f"call it as {name}{str(interface).partition(' -> ')[0]}"
    if len(args) > len(positional):
        return CallError(f"{name!r} takes {len(positional)} positional inputs and got {len(args)}", where, usage)
    given = positional[: len(args)]
    for key in kwargs:
        if key not in names:
            import difflib  # noqa: PLC0415 - only for a mistake

            near = difflib.get_close_matches(key, names, 1)
            return CallError(
                f"{name!r} has no input {key!r}",
                where,
                f"did you mean {near[0]!r}? {usage}" if near else usage,
            )
        if key in given:
            return CallError(f"{name!r} got two values for input {key!r}", where, usage)
    missing = [port.name for port in interface.inputs if port.required and port.name not in (*given, *kwargs)]
    return CallError(f"{name!r} needs a value for {', '.join(missing) or 'its inputs'}", where, usage)


@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    cache: bool = False,
    cache_version: str | None = None,
    cache_ignore: Iterable[str] = (),
    cache_ttl: float | timedelta | None = None,
    retries: int = 0,
    timeout: float | timedelta | None = None,
    environment: Mapping[str, str] | None = None,
    resources: Resources | None = None,
    docs: str | None = None,
    share: Iterable[str] = (),
    allow_globals: Iterable[str] = (),
    card: bool = True,
    outputs: Sequence[str] = (),
) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(  # noqa: PLR0913 - the options of a task; each is a keyword
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    cache: bool = False,
    cache_version: str | None = None,
    cache_ignore: Iterable[str] = (),
    cache_ttl: float | timedelta | None = None,
    retries: int = 0,
    timeout: float | timedelta | None = None,
    environment: Mapping[str, str] | None = None,
    resources: Resources | None = None,
    docs: str | None = None,
    share: Iterable[str] = (),
    allow_globals: Iterable[str] = (),
    card: bool = True,
    outputs: Sequence[str] = (),
) -> Task[P, R] | Callable[[Callable[P, R]], Task[P, R]]:
    """A task made from a function whose inputs and outputs are annotated.

    Args:
        function: The function; left out where options are given.
        name: Name to register it under; the function's own by default.
        cache: Reuse the result of an earlier call with the same code and the same input content.
        cache_version: Your own label for the code in the cache's key, instead of the digest.
        cache_ignore: Inputs that do not count in the cache's key, since they change nothing in the result.
        cache_ttl: Seconds (or a timedelta) for which a result is reused; for ever by default.
        retries: How often to try again after an exception, waiting 0.2 s, 0.4 s, … (at most 30 s) before each.
        timeout: Seconds (or a timedelta) that one attempt may take. A thread cannot be stopped from outside: the
            caller gets a `TaskTimeoutError` in time, the body goes on until it ends by itself.
        environment: Environment variables that are set while the body runs; such bodies take turns.
        resources: What it asks of a machine.
        docs: Description; the docstring by default.
        share: Inputs handed over as they are, neither copied nor write-protected.
        allow_globals: Names of notebook data that the body may read though they are not inputs.
        card: Whether a notebook shows the task's card.
        outputs: Names of the outputs, instead of ``o0, o1, …``.

    Raises:
        InterfaceError: If an input or output has no usable type, or an option makes no sense.
        PurityError: If the function reads notebook data that is not an input.

    >>> @task(retries=2)
    ... def area(width: float, height: float = 1.0) -> float:
    ...     '''Area of a rectangle.'''
    ...     return width * height
    >>> area(width=2)
    2.0
    """
    given: dict[str, object] = {
        "cache": cache, "cache_version": "" if cache_version is None else cache_version,
        "cache_ignore": cache_ignore, "cache_ttl": cache_ttl,
        "retries": retries, "timeout": timeout, "environment": environment or {}, "resources": resources,
        "docs": docs or "", "share": share, "allow_globals": allow_globals, "card": card,
    }  # fmt: skip
    if function is None:
        return lambda function: _task_of(function, name, given, outputs)
    return _task_of(function, name, given, outputs)


def _task_of(
    function: Callable[P, R], name: str | None, given: Mapping[str, object], outputs: Sequence[str]
) -> Task[P, R]:
    if isinstance(function, Task) and function.function is not None:
        function = cast("Callable[P, R]", function.function)
    if not hasattr(function, "__code__"):
        raise InterfaceError(
            f"{function!r} is not a Python function",
            mend="put @task directly above a def, and other decorators below it",
        )
    try:
        options = Options(**normal_options(given))  # type: ignore[arg-type]  # checked by normal_options
    except InterfaceError as error:
        raise InterfaceError(error.what, place_of_function(function), error.mend) from None
    interface = interface_of(function, names=outputs)
    made: Task[P, R] = Task(
        function,
        interface,
        options,
        name=name or function.__name__,
        module=function.__module__,
        function=function,
    )
    made.pending_names = check_purity(function, allow=options.allow_globals, where=place_of)
    registry.add(made)
    return made
