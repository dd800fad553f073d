"""Task: a function (or another kind of body) with an interface, options and a version."""

from __future__ import annotations

import functools
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar, cast

from celltask.core.calling import call_error, generate_call
from celltask.core.job import performer
from celltask.core.late import late
from celltask.core.origin import document_of, place_of, place_of_function
from celltask.core.purity import check as check_purity
from celltask.core.registry import registry
from celltask.core.settings import Settings
from celltask.core.task_options import Options, normal_options
from celltask.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celltask.core.events import Event
    from celltask.core.fingerprint import Fingerprint
    from celltask.core.graph import Entity
    from celltask.core.interface import Interface
    from celltask.core.run import Run, Running
    from celltask.core.travel import Luggage
    from celltask.core.watch import Watch

__all__ = ["Options", "Task"]

GENERATED = ("direct", "as_node", "as_guest", "as_call")
"""Names of the functions that `Task.generate` makes."""

P = ParamSpec("P")
R = TypeVar("R", covariant=True)  # noqa: PLC0105 - P and R, as in the typing specification


_deriving = threading.RLock()
"""Held while a fingerprint is made: two threads in `ast.parse` at once can fail (https://github.com/python/cpython/issues/106905)."""


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
        luggage: What travels to other processes, and the epoch it was made in; ``None`` until one needs it.
        told_digest: Its digest, where it came from another process; ``""`` where it was made here.

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
        self.luggage: tuple[int, Luggage] | None = None
        self.told_digest = ""
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
        as_guest: Callable[..., object]
        as_call: Callable[..., object]
    else:

        def __getattr__(self, name: str) -> object:
            """The generated functions, made at the first use, when all names are bound."""
            if name not in GENERATED:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            if name == "as_call":
                self.__dict__[name] = generate_call(self, self._middle, "as_call")
            else:
                self.settle()
                self.generate()
            return self.__dict__[name]

    def generate(self) -> None:
        """Generate the functions that calls go through anew, after `body` was changed.

        `direct` is a call by users, `as_node` one by a run, `as_guest` one by a run whose engine may take the body
        elsewhere, and `as_call` one by users in the body of a node, made when there is the first.
        """
        middle = self._middle
        self.__dict__["direct"] = generate_call(self, middle, "direct")
        self.__dict__["as_node"] = generate_call(self, middle, "as_node")
        is_plain = middle is self.body
        self.__dict__["as_guest"] = generate_call(self, performer(self), "as_node") if is_plain else self.as_node
        self.__dict__.pop("as_call", None)

    @property
    def _middle(self) -> Callable[..., object]:
        """What stands in the middle of a call: the body, or what does what the options ask for."""
        is_plain = self.options.plain and self.source is self and self.stand_in is None
        return self.body if is_plain else performer(self)

    def __getstate__(self) -> dict[str, object]:
        # The generated functions hold context variables, which cannot travel; they are generated again at need.
        state = {key: value for key, value in self.__dict__.items() if key not in GENERATED}
        return state | {"_digest": None, "luggage": None, "told_digest": ""}

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

    def is_current(self) -> bool:
        """Whether no other task of its module and name was defined after it."""
        return registry.is_current(self)

    @property
    def is_derived(self) -> bool:
        """Whether its digest is known, and the names that it reads still mean what they did then."""
        return self._digest is not None and self._digest[0] == registry.epoch and self._digest[1].holds()

    @property
    def derived(self) -> object:
        """What stands for the fingerprint as it was last made: another object once it was made anew."""
        return self._digest

    @property
    def fingerprint(self) -> Fingerprint:
        """The parts that its digest is made of, for telling what changed."""
        if not self.is_derived:
            from celltask.core.fingerprint import fingerprint  # noqa: PLC0415 - only digests need it
            from celltask.core.watch import Watch  # noqa: PLC0415 - only digests need it

            with _deriving:
                if not self.is_derived:  # another thread may have done it meanwhile
                    code = self.function or self.body
                    self._digest = (registry.epoch, Watch(code), fingerprint(code))
        return cast("tuple[int, Watch, Fingerprint]", self._digest)[2]

    @property
    def digest(self) -> str:
        """Identity of the code: the body, what it calls and reads, near or far, and the packages it imports."""
        return self.told_digest or self.fingerprint.digest

    @property
    def captured(self) -> dict[str, int]:
        """Bytes of the notebook data that it and its helpers read without an input, by name, largest first.

        That are names in `allow_globals`, and lists, dicts and sets in upper case. They go with the task to another
        process, all together at most 1 MiB; more is refused there.

        >>> from celltask import task
        >>> limits = [1.0, 2.5]
        >>> @task(allow_globals=["limits"])
        ... def bounded(x: float) -> float:
        ...     return min(max(x, limits[0]), limits[1])
        >>> list(bounded.captured)
        ['limits']
        """
        from celltask.core.travel import captured_by  # noqa: PLC0415 - only asked for by people

        return captured_by(self)

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
        engine: object = "threads",
        on_event: Callable[[Event], object] | None = None,
        refresh: bool = False,
        **named: object,
    ) -> Run:
        """A run of this task by itself, ended, with its record and events; its `result()` is what a call gives.

        Args:
            inputs: Inputs by name, for names that are also parameters here.
            engine: ``"threads"``, ``"processes"``, ``"inline"``, ``"dask"`` or a Dask client.
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

    def start(
        self,
        inputs: Mapping[str, object] | None = None,
        /,
        *,
        engine: object = "threads",
        on_event: Callable[[Event], object] | None = None,
        refresh: bool = False,
        **named: object,
    ) -> Running:
        """A run begun on a thread of its own, which can be waited for and cancelled; otherwise as `run`."""
        __tracebackhide__ = True
        given = {**(inputs or {}), **named}
        prepared = late("run").prepared_task(self, given, Settings(engine, on_event, refresh))
        return cast("Running", prepared.begin())

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
        made.__dict__.update({key: value for key, value in self.__dict__.items() if key not in GENERATED})
        made.luggage = None
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
