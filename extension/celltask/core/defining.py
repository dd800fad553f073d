"""Defining: the decorator that makes a task of a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast, overload

from celltask.core.interface import interface_of
from celltask.core.origin import place_of, place_of_function
from celltask.core.purity import check as check_purity
from celltask.core.registry import registry
from celltask.core.task import Task
from celltask.core.task_options import Options, normal_options
from celltask.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from celltask.core.resources import Resources

__all__ = ["task"]

P = ParamSpec("P")
R = TypeVar("R")


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
    retry_on: type[Exception] | str | Sequence[type[Exception] | str] = (),
    retry_delay: float | timedelta = 0.2,
    concurrency: int | Mapping[str, int] = {},
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
    retry_on: type[Exception] | str | Sequence[type[Exception] | str] = (),
    retry_delay: float | timedelta = 0.2,
    concurrency: int | Mapping[str, int] = {},
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
        retries: How often to try again after an exception.
        retry_on: Only after exceptions of these classes, given as they are or by name; after all by default.
        retry_delay: Seconds (or a timedelta) to wait before the second attempt; before each further one twice as long,
            at most 30 s, and always up to a quarter more or less.
        concurrency: How many nodes of this task may run at once in this process; ``{"database": 2}`` counts all tasks
            that name the same place together.
        timeout: Seconds (or a timedelta) that one attempt may take. A process is ended then. A thread cannot be
            stopped from outside: the caller gets a `TaskTimeoutError` in time, and the body goes on to its own end.
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
        "retries": retries, "retry_on": retry_on, "retry_delay": retry_delay, "concurrency": concurrency,
        "timeout": timeout, "environment": environment or {}, "resources": resources,
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
