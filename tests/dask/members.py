"""Tasks and workflows of every kind, as the tests of clusters run them."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar
from weakref import WeakSet

from celltask import conditional, current_context, dynamic, map_task, task, workflow


@task
def inc(x: int) -> int:
    """One more."""
    return x + 1


@task
def add(a: int, b: int) -> int:
    """The sum of two."""
    return a + b


@task
def total(xs: list[int]) -> int:
    """The sum of many."""
    return sum(xs)


@task
def counted(n: int) -> list[int]:
    """The numbers below n."""
    return list(range(n))


@task
def two(x: int) -> tuple[int, str]:
    """Two outputs."""
    return x, "s"


@task
def fail(x: int) -> int:
    """Always an error."""
    message = f"no {x}"
    raise ValueError(message)


@task(retries=2, retry_delay=0.01)
def flaky(x: int) -> int:
    """Good at the third attempt."""
    if current_context().attempt <= 2:
        message = "again"
        raise ValueError(message)
    return x


@task
async def waits(x: int) -> int:
    """An async task."""
    await asyncio.sleep(0.01)
    return x


@task
def mistaken(x: int) -> int:
    """A value of another type than the declared one."""
    return str(x)  # type: ignore[return-value]  # that is the point


@task
def tidy(x: int) -> None:
    """What runs after a failure."""
    print("tidied", x)  # noqa: T201 - a body prints


@workflow
def inner(x: int) -> tuple[int, str]:
    """A workflow within others."""
    number, text = two(x=x)
    return inc(x=number), text


@workflow
def inner_fails(x: int) -> int:
    """One that fails within others."""
    return inc(x=fail(x=x))


@workflow
def nested(x: int) -> tuple[int, str, int]:
    """Workflows within it, an async task, retries, a node without use, order alone."""
    number, _ = inner(x=waits(x=x))
    again, text = inner(x=number)
    alone = inc(x=99)
    last = add(a=number, b=again)
    alone >> last
    return flaky(x=again), text, last


@workflow
def failing(x: int) -> int:
    """A failure at the beginning of a chain."""
    return inc(x=inc(x=fail(x=x)))


@workflow(failure_policy="finish")
def finishing(x: int) -> tuple[int, int]:
    """A failure within, and everything that does not need it."""
    number, _ = inner(x=x)
    lost = inner_fails(x=number)
    return inc(x=flaky(x=number)), lost


@workflow
def mistyped(x: int) -> int:
    """A wrong value at the beginning."""
    return inc(x=mistaken(x=x))


@workflow
def choosing(x: int) -> int:
    """A condition in the middle, with a workflow and a task in its branches."""
    y = inc(x=x)
    chosen = conditional("size").if_(y > 3).then(inc(x=y)).else_().then(inner(x=y)[0])
    return inc(x=chosen)


@workflow
def inner_chooses(x: int) -> int:
    """A condition that needs nothing but the input of its workflow, which is within others."""
    return conditional("size").if_(x > 3).then(inc(x=x)).else_().then(x)


@dynamic
def fibonacci(n: int) -> int:
    """A graph made while running, within itself."""
    if n < 2:
        return inc(x=n)
    return add(a=fibonacci(n=n - 1), b=fibonacci(n=n - 2))


@workflow(failure_policy="finish")
def choosing_never(x: int) -> tuple[int, int, int]:
    """A condition within a workflow that does not begin, beside others that go on."""
    lost = inner_chooses(x=fail(x=x))
    return flaky(x=inner_chooses(x=x)), fibonacci(n=flaky(x=x)), lost


@task
def slow(x: int) -> int:
    """As it came, after others had their time."""
    time.sleep(0.3)
    return x


@workflow(failure_policy="finish")
def needless(x: int) -> int:
    """Nodes whose turn comes when what alone needs them cannot run any more."""
    return add(a=fail(x=x), b=inc(x=inc(x=slow(x=x))))


@task(retries=2, retry_delay=0.5)
def patient(x: int) -> int:
    """Good at the third attempt, after a while."""
    if current_context().attempt <= 2:
        message = "again"
        raise ValueError(message)
    return x


@workflow(failure_policy="finish")
def growing_beside(x: int) -> tuple[int, int]:
    """A graph made while running beside a node that is tried again."""
    return fibonacci(n=x), patient(x=x)


@workflow
def growing(x: int) -> int:
    """A graph made while running in the middle."""
    return inc(x=fibonacci(n=inc(x=x)))


@workflow
def mapping(n: int) -> int:
    """A map over a list that is known only while running."""
    return total(xs=map_task(inc)(x=counted(n=n)))


@workflow(on_failure=tidy)
def tidied(x: int) -> int:
    """A failure that something is done after."""
    return fail(x=x)


@workflow
def around_tidied(x: int) -> int:
    """The same within another workflow."""
    return inc(x=tidied(x=x))


@workflow
def constant() -> int:
    """No input at all."""
    return total(xs=counted(n=5))


@task(cache=True)
def kept_never(x: int) -> int:
    """Fails, so that nothing is kept."""
    message = f"no {x}"
    raise ValueError(message)


@task
def calls(x: int) -> int:
    """Calls others, one of which fails."""
    try:
        fail(x=x)
    except ValueError:
        return inc(x=x) + flaky(x=x)
    return 0


@workflow
def calling(x: int) -> list[int]:
    """Bodies that call tasks, in a node and in a process of its own."""
    a = calls(x=x)
    return [a, calls(x=a).with_overrides(timeout=60)]


@workflow
def calling_in_a_map(n: int) -> list[int]:
    """Items that call tasks."""
    return map_task(calls)(counted(n=n))


class Watched:
    """A large value of which each process knows how many it has."""

    alive: ClassVar[WeakSet[Watched]] = WeakSet()
    data: bytes

    def __init__(self, size: int) -> None:
        self.data = bytes(size)
        self.alive.add(self)

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return Watched, (len(self.data),)


@task
def watched(size: int) -> Watched:
    """Something large."""
    return Watched(size)


@task(share=["value"])
def size_of(value: Watched) -> int:
    """Its size."""
    return len(value.data)


@workflow
def passing(size: int) -> tuple[int, int]:
    """A large value that two nodes want, one of them in the process of the run, and a node after both."""
    value = watched(size=size)
    chosen = conditional("any").if_(value.data != b"").then(inc(x=size)).else_().then(0)
    both = add(a=chosen, b=size_of(value=value))
    return both, inc(x=both)
